import type { Pool } from 'pg';
import type { DriverSpec } from '../core/definitions.ts';
import type { VersionRef } from '../core/rollback/rollback.ts';
import { versionOf } from './contents.ts';
import type { ContentReference } from './frozen-releases.ts';

/** The newest deployment of an application: where it lives and what it brought there. */
export interface RecordedApplication {
  deployment: string;
  release: string;
  environment: string;
  application: string;
  driver: DriverSpec;
  reference: ContentReference;
}

/** A release whose change may be in an environment without a record of it. */
export interface Unrecorded {
  release: string;
  version: VersionRef;
  /** It takes a version back. */
  rollback: boolean;
  floor: string | null;
}

/** What such a release brings to an application there. */
export interface Arriving extends Unrecorded {
  environment: string;
  application: string;
  reference: ContentReference;
}

/** Where the content of an application is found that `planned` of a plan `l` has. */
const REFERENCE = (
  planned: string,
): string => `jsonb_build_object('release', l.release_id, 'content', ${planned}->>'content',
  'version', ${versionOf(`(l.contents->(${planned}->>'content'))`)})`;

/** A promotion `o` that began after the newest record, and was cut off: its change may be there. */
const CUT_OFF = `o.ended_at IS NOT NULL AND o.started_at IS NOT NULL AND o.status <> 'SUCCEEDED'
  AND o.started_at > coalesce((SELECT max(d.at) FROM deployment d
    WHERE d.product = o.product AND d.environment = o.environment), '-infinity')`;

/** Of a plan `l`, what it has for an application of an environment. */
const PLANNED = (environment: string, application: string): string => `
  SELECT a AS planned FROM jsonb_array_elements(l.plan->'promotions') AS p, jsonb_array_elements(p->'applications') AS a
  WHERE p->>'environment' = ${environment} AND a->>'name' = ${application} LIMIT 1`;

/** Of every application of these environments; versions that start in an environment are not Sluice's to look after. */
export async function recordedIn(pool: Pool, product: string, environments: string[]): Promise<RecordedApplication[]> {
  const { rows } = await pool.query<RecordedApplication>(
    `WITH live AS (
       SELECT DISTINCT ON (environment, application) id, release_id, environment, application FROM deployment
       WHERE product = $1 AND environment = ANY($2) ORDER BY environment, application, at DESC, id DESC)
     SELECT live.id AS deployment, live.release_id AS release, live.environment, live.application,
       found.planned->'spec'->'driver' AS driver, ${REFERENCE('found.planned')} AS reference
     FROM live JOIN release_plan l ON l.release_id = live.release_id,
       LATERAL (${PLANNED('live.environment', 'live.application')}) AS found
     WHERE l.plan->>'triggerEnvironment' <> live.environment`,
    [product, environments],
  );
  return rows;
}

/** What may be there without a record: of the releases at work there, of those cut off there, and of one more release. */
export async function arrivingIn(
  pool: Pool,
  product: string,
  environments: string[],
  release: string | null,
): Promise<Arriving[]> {
  const { rows } = await pool.query<Arriving>(
    `WITH found AS (
       SELECT release_id, environment, position FROM promotion WHERE product = $1 AND environment = ANY($2) AND holds
       UNION SELECT release_id, environment, position FROM promotion
         WHERE release_id = $3 AND environment = ANY($2) AND started_at IS NOT NULL
       UNION SELECT release_id, environment, position FROM promotion o WHERE product = $1 AND environment = ANY($2) AND ${CUT_OFF})
     SELECT o.release_id AS release, o.environment, a->>'name' AS application, ${REFERENCE('a')} AS reference,
       r.kind = 'ROLLBACK' AS rollback, l.plan->>'rollbackFloor' AS floor,
       coalesce(l.plan->'promotions'->o.position->'restores'->'to',
         jsonb_build_object('digest', r.digest, 'label', r.version)) AS version
     FROM found o JOIN release r ON r.id = o.release_id JOIN release_plan l ON l.release_id = o.release_id,
       jsonb_array_elements(l.plan->'promotions'->o.position->'applications') AS a
     ORDER BY r.number DESC`,
    [product, environments, release],
  );
  return rows;
}

/**
 * What is live in an application as the records say, first; then what these releases were to bring there, and those that were
 * cut off there since.
 */
export async function knownContents(
  pool: Pool,
  { product, environment, application }: { product: string; environment: string; application: string },
  releases: string[],
): Promise<ContentReference[]> {
  const { rows } = await pool.query<{ reference: ContentReference }>({
    name: 'known-contents',
    text: `WITH live AS (
             SELECT release_id FROM deployment WHERE product = $1 AND environment = $2 AND application = $3
             ORDER BY at DESC, id DESC LIMIT 1)
           SELECT ${REFERENCE('found.planned')} AS reference
           FROM (SELECT release_id, 0 AS place FROM live UNION ALL SELECT unnest($4::uuid[]), 1 UNION ALL
               SELECT o.release_id, 2 FROM promotion o WHERE o.product = $1 AND o.environment = $2 AND ${CUT_OFF}) AS known
             JOIN release_plan l ON l.release_id = known.release_id, LATERAL (${PLANNED('$2', '$3')}) AS found
           ORDER BY known.place LIMIT 10`,
    values: [product, environment, application, releases],
  });
  return rows.map((row) => row.reference);
}

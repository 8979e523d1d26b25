import type { Pool } from 'pg';
import type { DriverSpec } from '../core/definitions.ts';
import type { PinnedContent } from '../drivers/driver.ts';

/** The newest deployment of an application: where it lives and what it brought there. */
export interface RecordedApplication {
  deployment: string;
  release: string;
  environment: string;
  application: string;
  driver: DriverSpec;
  content: PinnedContent;
}

/** What a release that is at work in an environment, or was, brings to an application there. */
export interface Arriving {
  release: string;
  environment: string;
  application: string;
  content: PinnedContent;
}

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
       found.planned->'spec'->'driver' AS driver, l.contents->(found.planned->>'content') AS content
     FROM live JOIN release_plan l ON l.release_id = live.release_id,
       LATERAL (${PLANNED('live.environment', 'live.application')}) AS found
     WHERE l.plan->>'triggerEnvironment' <> live.environment`,
    [product, environments],
  );
  return rows;
}

/** What may be there although nobody has recorded it: of whoever is at work there, and of one release that was. */
export async function arrivingIn(
  pool: Pool,
  product: string,
  environments: string[],
  release: string | null,
): Promise<Arriving[]> {
  const { rows } = await pool.query<Arriving>(
    `SELECT o.release_id AS release, o.environment, a->>'name' AS application, l.contents->(a->>'content') AS content
     FROM promotion o JOIN release_plan l ON l.release_id = o.release_id,
       jsonb_array_elements(l.plan->'promotions'->o.position->'applications') AS a
     WHERE o.product = $1 AND o.environment = ANY($2) AND (o.holds OR (o.release_id = $3 AND o.started_at IS NOT NULL))`,
    [product, environments, release],
  );
  return rows;
}

/** What is live in an application as the records say, the newest first, and what these releases were to bring there. */
export async function knownContents(
  pool: Pool,
  { product, environment, application }: { product: string; environment: string; application: string },
  releases: string[],
): Promise<PinnedContent[]> {
  const { rows } = await pool.query<{ content: PinnedContent }>({
    name: 'known-contents',
    text: `WITH live AS (
             SELECT release_id FROM deployment WHERE product = $1 AND environment = $2 AND application = $3
             ORDER BY at DESC, id DESC LIMIT 1)
           SELECT l.contents->(found.planned->>'content') AS content
           FROM (SELECT release_id, 0 AS place FROM live UNION ALL SELECT unnest($4::uuid[]), 1) AS known
             JOIN release_plan l ON l.release_id = known.release_id, LATERAL (${PLANNED('$2', '$3')}) AS found
           ORDER BY known.place`,
    values: [product, environment, application, releases],
  });
  return rows.map((row) => row.content);
}

import type { PoolClient } from 'pg';
import { marks } from '../core/holds.ts';
import { isAsked } from '../core/phases.ts';
import type { ReleasePlan } from '../core/plan.ts';
import { policyFor } from '../core/rollback/plan-rollback.ts';
import type { EnvironmentFacts, PastDeployment, RollbackQuestion } from '../core/rollback/plan-rollback.ts';
import type { VersionRef } from '../core/rollback/rollback.ts';
import { shortIdOf } from '../core/short-id.ts';
import { toBadVersion } from './bad-versions.ts';
import type { BadVersionRecord } from './bad-versions.ts';
import type { DefinitionSnapshot, DefinitionSnapshots } from './definition-snapshot.ts';

type Asked = Pick<RollbackQuestion, 'product' | 'cause' | 'definite' | 'version' | 'asked' | 'now'>;

/** Everything that decides a rollback, read in the caller's transaction; for one that is to start, under the product's lock. */
export async function loadRollbackQuestion(
  client: PoolClient,
  definitions: DefinitionSnapshots,
  asked: Asked,
): Promise<RollbackQuestion> {
  const environments = await loadEnvironmentFacts(client, definitions, asked.product, asked.now);
  return completeQuestion(client, asked, environments);
}

/** The question with what its policy says, and with what each environment was taken back from before. */
export async function completeQuestion(
  client: PoolClient,
  asked: Asked,
  environments: EnvironmentFacts[],
): Promise<RollbackQuestion> {
  const { cause } = asked;
  await readAutomatic(client, asked, new Map(environments.map((each) => [each.name, each])));
  const plan = cause.release === null ? null : await readPlan(client, cause.release);
  return { ...asked, plan, policy: policyFor(plan, cause), environments };
}

/** Of every environment in which the product has an application now, by name; all of it on the caller's connection. */
export async function loadEnvironmentFacts(
  client: PoolClient,
  definitions: DefinitionSnapshots,
  product: string,
  now: number,
): Promise<EnvironmentFacts[]> {
  const snapshot = await definitions.on(client);
  const facts: Facts = new Map();
  for (const { metadata, spec } of snapshot.applicationsOf(product)) {
    const known = facts.get(spec.environment) ?? nothingKnown(spec.environment);
    known.excluded ??= metadata.annotations[NO_ROLLBACK] ?? null;
    facts.set(spec.environment, known);
  }
  const asked = snapshot.applicationsOf(product).filter(({ spec }) => isAsked(spec.sync));
  await readHistory(
    client,
    product,
    facts,
    asked.map(({ metadata }) => metadata.name),
  );
  await readMarks(client, { product, now }, facts, snapshot);
  await readOpen(client, product, facts);
  return [...facts.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** An annotation of an application: no rollback touches its environment, for the reason that it gives. */
const NO_ROLLBACK = 'sluice.dev/no-rollback';

function nothingKnown(name: string): EnvironmentFacts {
  const nobody = { inFlight: null, rollback: null, excluded: null };
  return { name, history: [], planned: [], automatic: [], source: false, ...nobody };
}

type Facts = Map<string, EnvironmentFacts>;

async function readPlan(client: PoolClient, release: string): Promise<ReleasePlan | null> {
  const { rows } = await client.query<{ plan: ReleasePlan }>('SELECT plan FROM release_plan WHERE release_id = $1', [
    release,
  ]);
  return rows[0]?.plan ?? null;
}

interface HistoryRecord {
  environment: string;
  release: string;
  rollback: boolean;
  version: VersionRef;
  at: Date;
  verifiedAt: Date | null;
  /** One of its applications can be asked now whether it runs a change, and was not seen to run this one. */
  unsynced: boolean;
  floor: string | null;
  source: boolean;
  drifted: boolean;
}

/** Several applications are one version: it became live with the last of them, and is verified when all are. */
async function readHistory(client: PoolClient, product: string, facts: Facts, asked: string[]): Promise<void> {
  const { rows } = await client.query<HistoryRecord>({
    name: 'rollback-history',
    text: HISTORY,
    values: [product, [...facts.keys()], asked],
  });
  for (const row of rows) {
    const known = facts.get(row.environment) as EnvironmentFacts;
    // By the newest release that came by a flow: flows change, and a rollback says nothing of where versions start.
    if (!row.rollback && known.history.every((each) => each.rollback)) known.source = row.source;
    known.history.push({
      version: row.version,
      release: row.release,
      at: row.at.getTime(),
      verifiedAt: row.verifiedAt?.getTime() ?? null,
      ...(row.unsynced && { unsynced: true }),
      state: row.drifted ? 'DRIFTED' : 'KNOWN',
      markedBad: false,
      rollback: row.rollback,
      floor: row.floor,
    } satisfies PastDeployment);
  }
}

/**
 * The newest deployments of each environment, however many there are, and of each release that made one what matters here: a
 * plan is large and is opened once. What a rollback brought is said by its plan, environment by environment.
 */
const HISTORY = `
WITH history AS (
  SELECT d.environment, d.release_id, max(d.at) AS at, max(d.id) AS last, bool_or(d.drift IS NOT NULL) AS drifted,
    CASE WHEN bool_and(d.verified_at IS NOT NULL) THEN max(d.verified_at) END AS verified_at,
    bool_or(d.application = ANY($3::text[]) AND d.verified_by IS DISTINCT FROM 'SYNC_AND_HEALTH') AS unsynced
  FROM unnest($2::text[]) AS e(environment), LATERAL (
    SELECT environment, release_id, application, at, id, verified_at, verified_by, drift FROM deployment
    WHERE product = $1 AND environment = e.environment ORDER BY at DESC, id DESC LIMIT 500) AS d
  GROUP BY d.environment, d.release_id
), brought AS MATERIALIZED (
  SELECT r.id, r.kind = 'ROLLBACK' AS rollback, jsonb_build_object('digest', r.digest, 'label', r.version) AS version,
    l.plan->>'rollbackFloor' AS floor, l.plan->>'triggerEnvironment' AS trigger,
    CASE WHEN r.kind = 'ROLLBACK' THEN
      (SELECT jsonb_object_agg(p->>'environment', p->'restores'->'to') FROM jsonb_array_elements(l.plan->'promotions') AS p) END AS back
  FROM release r JOIN release_plan l ON l.release_id = r.id WHERE r.id IN (SELECT release_id FROM history)
)
SELECT h.environment, h.release_id AS release, h.at, h.verified_at AS "verifiedAt", h.unsynced, h.drifted, b.rollback, b.floor,
  CASE WHEN b.rollback THEN b.back->h.environment ELSE b.version END AS version,
  NOT b.rollback AND b.trigger = h.environment AS source
FROM history h JOIN brought b ON b.id = h.release_id
ORDER BY h.environment, h.at DESC, h.last DESC`;

async function readMarks(
  client: PoolClient,
  { product, now }: { product: string; now: number },
  facts: Facts,
  snapshot: DefinitionSnapshot,
): Promise<void> {
  const { rows } = await client.query<BadVersionRecord>(
    `SELECT * FROM bad_version WHERE product = $1 AND unmarked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)`,
    [product, new Date(now)],
  );
  const kept = rows.map(toBadVersion);
  for (const { name, history } of facts.values()) {
    const here = kept.filter((each) => marks(each, name, snapshot.groupsOf(name)));
    const digests = new Set(here.map((each) => each.digest));
    for (const past of history) past.markedBad = digests.has(past.version.digest);
  }
}

interface OpenRecord {
  environment: string;
  release: string;
  number: number;
  kind: 'FORWARD' | 'ROLLBACK';
  started: boolean;
  agreed: boolean;
  version: VersionRef;
  restores: { from: VersionRef; to: VersionRef } | null;
  floor: string | null;
}

/** The releases at work and on the way, by environment. A rollback that needs an approval counts only once it has started. */
async function readOpen(client: PoolClient, product: string, facts: Facts): Promise<void> {
  const { rows } = await client.query<OpenRecord>(
    `SELECT p.environment, r.id AS release, r.number::float8 AS number, r.kind, p.started_at IS NOT NULL AS started,
       p.started_at IS NOT NULL OR l.plan->'promotions'->p.position->'approval' = 'null' AS agreed,
       jsonb_build_object('digest', r.digest, 'label', r.version) AS version,
       l.plan->'promotions'->p.position->'restores' AS restores, l.plan->>'rollbackFloor' AS floor
     FROM release r JOIN promotion p ON p.release_id = r.id JOIN release_plan l ON l.release_id = r.id
     WHERE r.product = $1 AND r.ended_at IS NULL AND p.ended_at IS NULL AND p.environment = ANY($2)
     ORDER BY r.number`,
    [product, [...facts.keys()]],
  );
  for (const { environment, release, number, kind, started, agreed, version, restores, floor } of rows) {
    const known = facts.get(environment) as EnvironmentFacts;
    if (kind === 'ROLLBACK') {
      if (agreed && restores) known.rollback = { release, called: shortIdOf(product, number), ...restores };
    } else if (started) known.inFlight = { release, version, floor };
    else known.planned.push({ release, version });
  }
}

/** Of each environment the newest rollback that took this version back there by itself. What is not known was never taken back. */
async function readAutomatic(
  client: PoolClient,
  { product, version }: Pick<RollbackQuestion, 'product' | 'version'>,
  facts: Facts,
): Promise<void> {
  if (version.digest === '') return;
  const { rows } = await client.query<{ environment: string; release: string; number: number; version: VersionRef }>(
    `SELECT DISTINCT ON (environment) environment, b.id AS release, (SELECT number::float8 FROM release WHERE id = b.id) AS number,
       jsonb_build_object('digest', b.digest, 'label', r.version) AS version
     FROM release r JOIN rollback b ON b.id = r.id, unnest(b.included) AS environment
     WHERE r.product = $1 AND r.digest = $2 AND b.cause->>'kind' <> 'MANUAL'
     ORDER BY environment, b.created_at DESC, b.id`,
    [product, version.digest],
  );
  for (const { environment, number, ...each } of rows)
    facts.get(environment)?.automatic.push({ ...each, called: shortIdOf(product, number) });
}

import type { PoolClient } from 'pg';
import { marks } from '../core/holds.ts';
import type { ReleasePlan } from '../core/plan.ts';
import { policyFor } from '../core/rollback/plan-rollback.ts';
import type { EnvironmentFacts, PastDeployment, RollbackQuestion } from '../core/rollback/plan-rollback.ts';
import type { VersionRef } from '../core/rollback/rollback.ts';
import { toBadVersion } from './bad-versions.ts';
import type { BadVersionRecord } from './bad-versions.ts';
import type { DefinitionSnapshot, DefinitionSnapshots } from './definition-snapshot.ts';

type Asked = Pick<RollbackQuestion, 'product' | 'cause' | 'definite' | 'version' | 'asked' | 'now'>;

/** Everything that decides a rollback, read in the caller's transaction, under the product's lock. */
export async function loadRollbackQuestion(
  client: PoolClient,
  definitions: DefinitionSnapshots,
  asked: Asked,
): Promise<RollbackQuestion> {
  const { product, cause } = asked;
  const snapshot = await definitions.current();
  const names = [...new Set(snapshot.applicationsOf(product).map((each) => each.spec.environment))];
  const plan = cause.release === null ? null : await readPlan(client, cause.release);
  const facts = new Map(names.map((name) => [name, nothingKnown(name)]));
  await readHistory(client, product, facts);
  await readMarks(client, asked, facts, snapshot);
  await readOpen(client, product, facts);
  await readAutomatic(client, product, facts);
  return { ...asked, plan, policy: policyFor(plan, cause), environments: [...facts.values()] };
}

function nothingKnown(name: string): EnvironmentFacts {
  const nobody = { inFlight: null, planned: null, rollback: null, excluded: null };
  return { name, history: [], automatic: [], source: false, ...nobody };
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
  floor: string | null;
  source: boolean;
}

/** Several applications are one version: it became live with the last of them, and is verified when all are. */
async function readHistory(client: PoolClient, product: string, facts: Facts): Promise<void> {
  const { rows } = await client.query<HistoryRecord>(
    `SELECT h.*, r.kind = 'ROLLBACK' AS rollback, ${VERSION} AS version, l.plan->>'rollbackFloor' AS floor,
       l.plan->>'triggerEnvironment' = h.environment AS source
     FROM (
       SELECT environment, release_id AS release, max(at) AS at, max(id) AS last,
         CASE WHEN bool_and(verified_at IS NOT NULL) THEN max(verified_at) END AS "verifiedAt",
         row_number() OVER (PARTITION BY environment ORDER BY max(at) DESC, max(id) DESC) AS place
       FROM deployment WHERE product = $1 AND environment = ANY($2) GROUP BY environment, release_id
     ) h JOIN release r ON r.id = h.release JOIN release_plan l ON l.release_id = h.release
     WHERE h.place <= 200 ORDER BY h.environment, h.place`,
    [product, [...facts.keys()]],
  );
  for (const row of rows) {
    const known = facts.get(row.environment) as EnvironmentFacts;
    if (known.history.length === 0) known.source = row.source;
    known.history.push({
      version: row.version,
      release: row.release,
      at: row.at.getTime(),
      verifiedAt: row.verifiedAt?.getTime() ?? null,
      state: 'KNOWN',
      markedBad: false,
      rollback: row.rollback,
      floor: row.floor,
    } satisfies PastDeployment);
  }
}

/** Of a rollback: the version that it brought to that environment. */
const VERSION = `CASE WHEN r.kind = 'ROLLBACK' THEN
    (SELECT p->'restores'->'to' FROM jsonb_array_elements(l.plan->'promotions') AS p WHERE p->>'environment' = h.environment)
  ELSE jsonb_build_object('digest', r.digest, 'label', r.version) END`;

async function readMarks(
  client: PoolClient,
  { product, now }: Asked,
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
  kind: 'FORWARD' | 'ROLLBACK';
  started: boolean;
  agreed: boolean;
  version: VersionRef;
  restores: { from: VersionRef; to: VersionRef } | null;
  floor: string | null;
}

/** Who is at work where, and who is on the way. A rollback that nobody has agreed to yet holds nobody up. */
async function readOpen(client: PoolClient, product: string, facts: Facts): Promise<void> {
  const { rows } = await client.query<OpenRecord>(
    `SELECT p.environment, r.id AS release, r.kind, p.started_at IS NOT NULL AS started,
       p.started_at IS NOT NULL OR l.plan->'promotions'->p.position->'approval' = 'null' AS agreed,
       jsonb_build_object('digest', r.digest, 'label', r.version) AS version,
       l.plan->'promotions'->p.position->'restores' AS restores, l.plan->>'rollbackFloor' AS floor
     FROM release r JOIN promotion p ON p.release_id = r.id JOIN release_plan l ON l.release_id = r.id
     WHERE r.product = $1 AND r.ended_at IS NULL AND p.ended_at IS NULL AND p.environment = ANY($2)
     ORDER BY r.number`,
    [product, [...facts.keys()]],
  );
  for (const { environment, release, kind, started, agreed, version, restores, floor } of rows) {
    const known = facts.get(environment) as EnvironmentFacts;
    if (kind === 'ROLLBACK') {
      if (agreed && restores) known.rollback = { release, ...restores };
    } else if (started) known.inFlight = { release, version, floor };
    else known.planned ??= { release, version };
  }
}

async function readAutomatic(client: PoolClient, product: string, facts: Facts): Promise<void> {
  const { rows } = await client.query<{ release: string; version: VersionRef; included: string[] }>(
    `SELECT b.id AS release, b.included, jsonb_build_object('digest', b.digest, 'label', r.version) AS version
     FROM rollback b JOIN release r ON r.id = b.id
     WHERE b.product = $1 AND b.cause->>'kind' <> 'MANUAL' ORDER BY b.created_at DESC LIMIT 1000`,
    [product],
  );
  for (const { included, ...each } of rows) for (const name of included) facts.get(name)?.automatic.push(each);
}

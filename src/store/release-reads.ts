import type { Pool } from 'pg';
import { withConnection } from '../connections.ts';
import type { Visibility } from '../core/access/index.ts';
import type { ConcurrencyPolicy } from '../core/definitions.ts';
import type { ReleasePlan } from '../core/plan.ts';
import type { Facts, PromotionStatus, ReleaseKind, ReleaseState, ReleaseStatus } from '../core/release.ts';
import type { ReleaseRest, ReleaseRow } from '../entities/release-rows.ts';
import type { DefinitionSnapshots } from './definition-snapshot.ts';
import { loadFacts } from './load-facts.ts';
import { loadStates } from './load-releases.ts';
import { visibleSql, visibleValue } from './visible.ts';

/** A release without its promotions: what a list shows. */
export interface ReleaseSummary {
  id: string;
  /** Its place in the order of creation. */
  number: number;
  kind: ReleaseKind;
  product: string;
  flow: string;
  flowRevision: number;
  version: string;
  digest: string;
  concurrency: ConcurrencyPolicy;
  trigger: ReleaseRow['trigger'];
  status: ReleaseStatus;
  /** The number of its newest event. */
  sequence: number;
  createdAt: Date;
  startedAt: Date | null;
  endedAt: Date | null;
  deadline: Date | null;
  rest: ReleaseRest;
}

/** The frozen plan, and of the pinned content what identifies it. */
export interface ReleaseFrozen {
  plan: ReleasePlan;
  versions: Record<
    string,
    { label: string; digest: string; commit?: string; author?: string; message?: string; date?: string }
  >;
}

export interface ReleaseFilter {
  product?: string;
  statuses?: ReleaseStatus[];
  /** Releases whose flow has this environment. */
  environment?: string;
  /** Only what is seen; null: everything. */
  visible?: Visibility | null;
}

const COLUMNS = `r.id, r.number::float8 AS number, r.kind, r.product, r.flow, r.flow_revision AS "flowRevision", r.version, r.digest,
  r.concurrency, r.trigger, r.status, r.sequence, r.created_at AS "createdAt", r.started_at AS "startedAt", r.ended_at AS "endedAt",
  r.deadline, r.rest`;

/** Newest first; `before` is the number of the release after which the page begins. At most `limit`. */
export async function listReleases(
  pool: Pool,
  { limit, before, filter = {} }: { limit: number; before?: number; filter?: ReleaseFilter },
): Promise<ReleaseSummary[]> {
  const values: unknown[] = [];
  const conditions: string[] = [];
  const where = (condition: string, value: unknown): void => {
    values.push(value);
    conditions.push(condition.replace('?', `$${values.length}`));
  };
  if (before !== undefined) where('r.number < ?', before);
  if (filter.product !== undefined) where('r.product = ?', filter.product);
  if (filter.statuses !== undefined) where('r.status = ANY(?)', filter.statuses);
  if (filter.environment !== undefined) {
    where('EXISTS (SELECT FROM promotion p WHERE p.release_id = r.id AND p.environment = ?)', filter.environment);
  }
  if (filter.visible) {
    const parameter = `$${values.push(visibleValue(filter.visible))}`;
    conditions.push(visibleSql(parameter, 'r.product'));
    // Otherwise asking for an environment would tell where a release goes.
    if (filter.environment !== undefined) {
      conditions.push(visibleSql(parameter, 'r.product', `$${values.push(filter.environment)}::text`));
    }
  }
  values.push(limit);
  const { rows } = await pool.query<ReleaseSummary>(
    `SELECT ${COLUMNS} FROM release r ${conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : ''}
     ORDER BY r.number DESC LIMIT $${values.length}`,
    values,
  );
  return rows;
}

export async function readSummaries(pool: Pool, ids: readonly string[]): Promise<Map<string, ReleaseSummary>> {
  const { rows } = await pool.query<ReleaseSummary>({
    name: 'read-summaries',
    text: `SELECT ${COLUMNS} FROM release r WHERE r.id = ANY($1)`,
    values: [ids],
  });
  return byId(rows);
}

/** The plans, without the pinned files: those may be large, and nobody reads them here. */
export async function readFrozen(pool: Pool, ids: readonly string[]): Promise<Map<string, ReleaseFrozen>> {
  const { rows } = await pool.query<ReleaseFrozen & { id: string }>({
    name: 'read-frozen',
    text: `SELECT release_id AS id, plan,
             (SELECT coalesce(jsonb_object_agg(c.key, c.value - 'files'), '{}') FROM jsonb_each(contents) c) AS versions
           FROM release_plan WHERE release_id = ANY($1)`,
    values: [ids],
  });
  return byId(rows);
}

export async function readStates(pool: Pool, ids: readonly string[]): Promise<Map<string, ReleaseState>> {
  const loaded = await loadStates(pool, [...ids]);
  return new Map(loaded.map(({ state }) => [state.id, state]));
}

/** How many promotions have which status. */
export async function readCounts(
  pool: Pool,
  ids: readonly string[],
): Promise<Map<string, Partial<Record<PromotionStatus, number>>>> {
  const { rows } = await pool.query<{ id: string; status: PromotionStatus; count: number }>({
    name: 'read-counts',
    text: `SELECT release_id AS id, status, count(*)::int AS count FROM promotion
           WHERE release_id = ANY($1) GROUP BY release_id, status`,
    values: [ids],
  });
  const counts = new Map<string, Partial<Record<PromotionStatus, number>>>();
  for (const { id, status, count } of rows) counts.set(id, { ...counts.get(id), [status]: count });
  return counts;
}

/**
 * What other releases do, as the executor would read it now; here without the product's lock, for explaining only.
 * `releases` may be of several products.
 */
export async function readFacts(
  pool: Pool,
  releases: readonly ReleaseSummary[],
  definitions: DefinitionSnapshots,
): Promise<Map<string, Facts>> {
  return withConnection(pool, (client) => loadFacts(client, [...releases], definitions));
}

function byId<T extends { id: string }>(rows: T[]): Map<string, T> {
  return new Map(rows.map((each) => [each.id, each]));
}

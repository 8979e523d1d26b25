import type { Pool } from 'pg';
import { withConnection } from '../connections.ts';
import { sees } from '../core/access/index.ts';
import type { Visibility } from '../core/access/index.ts';
import type { ConcurrencyPolicy } from '../core/definitions.ts';
import type { Facts, PromotionStatus, ReleaseKind, ReleaseState, ReleaseStatus } from '../core/release.ts';
import type { ReleaseRest, ReleaseRow } from '../entities/release-rows.ts';
import type { DefinitionSnapshots } from './definition-snapshot.ts';
import { loadFacts } from './load-facts.ts';
import { loadStates } from './load-releases.ts';
import type { Db } from './reads.ts';
import { visibleSql, visibleValue } from './visible.ts';
import { walk } from './walk.ts';
import type { Looked, PageSize, Values, Walk } from './walk.ts';

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

/** Which releases; all that is given must fit. */
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

/** More products than these are looked for among all releases. */
const WAYS = 50;

/** Newest first; `before` is the number of the release after which the page begins. At most `limit`. */
export async function listReleases(
  pool: Db,
  { before, filter = {}, ...size }: PageSize & { before?: number; filter?: ReleaseFilter },
): Promise<Looked<ReleaseSummary>> {
  const { rows, cut } = await walk<ReleaseSummary>(pool, releaseWalk(filter, before), size);
  // Its place may count backwards.
  return { rows, cut: cut && [Math.abs(Number(cut[0]))] };
}

function releaseWalk({ product, statuses, environment, visible }: ReleaseFilter, before: number | undefined): Walk {
  const there = (name: string): boolean => sees(visible ?? null, name, environment ?? null);
  const few = visible && environment === undefined && visible.products.size <= WAYS ? visible.products.keys() : null;
  const products = product !== undefined ? [product].filter(there) : few && [...few];
  const unseen = (values: Values): string[] => {
    if (!visible || products) return [];
    // Otherwise asking for an environment would tell where a release goes.
    const place = environment === undefined ? undefined : `${values.add(environment)}::text`;
    return [visibleSql(values.add(visibleValue(visible)), 'r.product', place)];
  };
  if (environment !== undefined && products === null) {
    return {
      from: 'promotion p',
      // By its key, one by one: joined otherwise, all that failed would be read for a few of them.
      join: 'CROSS JOIN LATERAL (SELECT * FROM release o WHERE o.id = p.release_id OFFSET 0) AS r',
      select: COLUMNS,
      order: ['(-p.number)'],
      direction: 'ASC',
      where: (values) => [
        `p.environment = ${values.add(environment)}`,
        ...(before === undefined ? [] : [`(-p.number) > -${values.add(before)}::bigint`]),
      ],
      rest: (values) => [...unseen(values), ...(statuses ? [`r.status = ANY(${values.add(statuses)})`] : [])],
    };
  }
  const ways = (products ?? [null]).flatMap((name) => (statuses ?? [null]).map((status) => ({ name, status })));
  const keys = [
    ...(products ? [{ column: 'r.product', type: 'text', values: ways.map(({ name }) => name) }] : []),
    ...(statuses ? [{ column: 'r.status', type: 'text', values: ways.map(({ status }) => status) }] : []),
  ];
  const isKeyed = keys.length > 0;
  const place = isKeyed ? '(-r.number)' : 'r.number';
  return {
    from: 'release r',
    select: COLUMNS,
    order: [place],
    direction: isKeyed ? 'ASC' : 'DESC',
    ways: isKeyed ? keys : undefined,
    where: (values) => [
      ...keys.map(({ column }, index) => `${column} = way.w${index}`),
      ...(before === undefined ? [] : [`${place} ${isKeyed ? '> -' : '< '}${values.add(before)}::bigint`]),
    ],
    rest: (values) => [
      ...unseen(values),
      ...(environment === undefined
        ? []
        : [
            `(SELECT true FROM promotion p WHERE p.release_id = r.id AND p.environment = ${values.add(environment)} LIMIT 1)`,
          ]),
    ],
  };
}

/** @returns the bare id; null when the product has no release of that number */
export async function releaseOfNumber(
  pool: Pool,
  { product, number }: { product: string; number: number },
): Promise<string | null> {
  const { rows } = await pool.query<{ id: string }>({
    name: 'release-of-number',
    text: 'SELECT id FROM release WHERE product = $1 AND number = $2',
    values: [product, number],
  });
  return rows[0]?.id ?? null;
}

/** Releases without their promotions, by id; unknown ids are missing. */
export async function readSummaries(pool: Pool, ids: readonly string[]): Promise<Map<string, ReleaseSummary>> {
  const { rows } = await pool.query<ReleaseSummary>({
    name: 'read-summaries',
    text: `SELECT ${COLUMNS} FROM release r WHERE r.id = ANY($1)`,
    values: [ids],
  });
  return byId(rows);
}

/** The states of releases as they are now, by id; unknown ids are missing. */
export async function readStates(pool: Pool, ids: readonly string[]): Promise<Map<string, ReleaseState>> {
  const loaded = await loadStates(pool, [...ids]);
  return new Map(loaded.map(({ state }) => [state.id, state]));
}

/** How many promotions have which status; hooks are none. */
export async function readCounts(
  pool: Pool,
  ids: readonly string[],
): Promise<Map<string, Partial<Record<PromotionStatus, number>>>> {
  const { rows } = await pool.query<{ id: string; status: PromotionStatus; count: number }>({
    name: 'read-counts',
    text: `SELECT asked.id, each.status, each.count FROM unnest($1::uuid[]) AS asked(id) CROSS JOIN LATERAL (
             SELECT status, count(*)::int AS count FROM promotion WHERE release_id = asked.id AND NOT own GROUP BY status) AS each`,
    values: [ids],
  });
  const counts = new Map<string, Partial<Record<PromotionStatus, number>>>();
  for (const { id, status, count } of rows) counts.set(id, { ...counts.get(id), [status]: count });
  return counts;
}

/** The status of each promotion with its environment, for readers who may not see all of them; hooks are none. */
export async function readPlaces(
  pool: Pool,
  ids: readonly string[],
): Promise<Map<string, { environment: string | null; status: PromotionStatus }[]>> {
  const { rows } = await pool.query<{ id: string; environment: string | null; status: PromotionStatus }>({
    name: 'read-places',
    text: `SELECT asked.id, each.environment, each.status FROM unnest($1::uuid[]) AS asked(id) CROSS JOIN LATERAL (
             SELECT environment, status FROM promotion WHERE release_id = asked.id AND NOT own OFFSET 0) AS each`,
    values: [ids],
  });
  const places = new Map<string, { environment: string | null; status: PromotionStatus }[]>();
  for (const { id, ...place } of rows) {
    const known = places.get(id);
    if (known) known.push(place);
    else places.set(id, [place]);
  }
  return places;
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

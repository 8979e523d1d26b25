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
  flow?: string;
  kind?: ReleaseKind;
  /** What people call it, exactly. */
  version?: string;
  /** A commit that was pinned: its id, or how it begins; in small letters. */
  commit?: string;
  actor?: string;
  /** Created at or after `since`, and before `until`. */
  since?: Date;
  until?: Date;
  /** In the names of its product and flow, its version, or who asked for it, whatever the case. */
  text?: string;
  needsAttention?: boolean;
  /** Only what is seen; null: everything. */
  visible?: Visibility | null;
}

const COLUMNS = `r.id, r.number::float8 AS number, r.kind, r.product, r.flow, r.flow_revision AS "flowRevision", r.version, r.digest,
  r.concurrency, r.trigger, r.status, r.sequence, r.created_at AS "createdAt", r.started_at AS "startedAt", r.ended_at AS "endedAt",
  r.deadline, r.rest`;

/** More products than these are looked for among all releases. */
const WAYS = 50;

/** Newest first; `key` is the number of the release from which the page goes on. At most `limit`. */
export async function listReleases(
  pool: Db,
  { key, filter = {}, ...size }: PageSize & { key?: number; filter?: ReleaseFilter },
): Promise<Looked<ReleaseSummary>> {
  const { rows, cut } = await walk<ReleaseSummary>(
    pool,
    { ...releaseWalk(filter, key, size.backwards), select: COLUMNS },
    size,
  );
  // Its place may count backwards.
  return { rows, cut: cut && [Math.abs(Number(cut[0]))] };
}

/** What a release counts for in a summary of many. */
export interface ReleaseTraits {
  product: string;
  flow: string;
  status: ReleaseStatus;
  kind: ReleaseKind;
  actor: string | null;
}

/** The traits of the newest that fit, at most `limit` of them. */
export async function readTraits(
  pool: Db,
  { filter, ...size }: PageSize & { filter: ReleaseFilter },
): Promise<Looked<ReleaseTraits>> {
  const select = `r.product, r.flow, r.status, r.kind, r.trigger->>'actor' AS actor`;
  return walk<ReleaseTraits>(pool, { ...releaseWalk(filter, undefined), select }, size);
}

/** The list that a filter is looked for in: the shortest that has an index, as far as that is known beforehand. */
function releaseWalk(filter: ReleaseFilter, key: number | undefined, backwards = false): Omit<Walk, 'select'> {
  const { environment, visible, commit } = filter;
  const products = productsOf(filter);
  // Otherwise asking for an environment would tell where a release goes.
  const unseen = (values: Values): string[] =>
    visible && !products
      ? [
          visibleSql(
            values.add(visibleValue(visible)),
            'r.product',
            environment === undefined ? undefined : `${values.add(environment)}::text`,
          ),
        ]
      : [];
  const own = ownKey(filter);
  if (environment !== undefined && products === null && own === null && commit === undefined) {
    const place = placeOf('p.number', true);
    return {
      from: 'promotion p',
      // By its key, one by one: joined otherwise, all that failed would be read for a few of them.
      join: 'CROSS JOIN LATERAL (SELECT * FROM release o WHERE o.id = p.release_id OFFSET 0) AS r',
      order: [place.order],
      direction: 'ASC',
      where: (values) => [
        `p.environment = ${values.add(environment)}`,
        ...place.after(values, key, backwards),
        ...betweenSql(values, filter, place),
      ],
      rest: (values) => [...unseen(values), ...restOf(values, { ...filter, environment: undefined })],
    };
  }
  const statuses = statusesOf(filter);
  const isListed = own === null && commit === undefined;
  const ways = (isListed ? (products ?? [null]) : [null]).flatMap((name) =>
    (isListed ? (statuses ?? [null]) : [null]).map((status) => ({ name, status })),
  );
  const keys = [
    ...(isListed && products ? [{ column: 'r.product', type: 'text', values: ways.map(({ name }) => name) }] : []),
    ...(isListed && statuses ? [{ column: 'r.status', type: 'text', values: ways.map(({ status }) => status) }] : []),
  ];
  const place = placeOf('r.number', keys.length > 0 || !isListed);
  return {
    from: 'release r',
    order: [place.order],
    direction: place.isBackwards ? 'ASC' : 'DESC',
    ways: keys.length > 0 ? keys : undefined,
    where: (values) => [
      ...keys.map(({ column }, index) => `${column} = way.w${index}`),
      ...(commit === undefined ? [] : [`r.number = ANY(${ofCommit(values, commit)})`]),
      ...(own === null || commit !== undefined ? [] : [`${own.column} = ${values.add(own.value)}`]),
      ...place.after(values, key, backwards),
      ...betweenSql(values, filter, place),
    ],
    rest: (values) => [
      ...unseen(values),
      ...(products && !isListed ? [`r.product = ANY(${values.add(products)})`] : []),
      ...restOf(values, isListed ? { ...filter, statuses: undefined } : filter),
    ],
  };
}

/** The products that it can be, where those are few; null: any. */
function productsOf({ product, environment, visible }: ReleaseFilter): string[] | null {
  const there = (name: string): boolean => sees(visible ?? null, name, environment ?? null);
  if (product !== undefined) return [product].filter(there);
  const isFew = visible && environment === undefined && visible.products.size <= WAYS;
  return isFew ? [...visible.products.keys()] : null;
}

/** Nothing needs a person in the others. */
const MAY_NEED_ATTENTION: readonly ReleaseStatus[] = ['RUNNING', 'SUSPENDED', 'TERMINATING', 'FAILED'];

function statusesOf({ statuses, needsAttention }: ReleaseFilter): ReleaseStatus[] | undefined {
  if (needsAttention !== true) return statuses;
  return MAY_NEED_ATTENTION.filter((each) => statuses?.includes(each) ?? true);
}

/** A filter that is entered by an index of its own, whatever else is asked. */
function ownKey({ version, actor, flow, kind, product }: ReleaseFilter): { column: string; value: string } | null {
  if (version !== undefined) return { column: 'r.version', value: version };
  // A product has an index of its own, and few flows.
  if (product !== undefined) return null;
  if (actor !== undefined) return { column: `(r.trigger->>'actor')`, value: actor };
  if (flow !== undefined) return { column: 'r.flow', value: flow };
  return kind === 'ROLLBACK' ? { column: `r.kind <> 'FORWARD' AND r.kind`, value: kind } : null;
}

/** The numbers of the releases that pinned a commit that begins like this; few releases bring one. */
function ofCommit(values: Values, commit: string): string {
  const begin = values.add(commit);
  // No hexadecimal digit comes after `f`.
  return `ARRAY(SELECT c.number FROM release_commit c WHERE c.commit >= ${begin} AND c.commit < ${begin} || 'g' LIMIT 1000)`;
}

interface Ordered {
  order: string;
  isBackwards: boolean;
  /** What comes after this number, the newest first. */
  after: (values: Values, number: number | undefined, backwards: boolean) => string[];
  /** What is below a number, or above it: an expression, null for no limit. */
  below: (expression: string) => string;
  above: (expression: string) => string;
}

function placeOf(column: string, isBackwards: boolean): Ordered {
  const order = isBackwards ? `(-${column})` : column;
  const below = (expression: string): string =>
    isBackwards ? `${order} > -(${expression})` : `${order} < (${expression})`;
  const above = (expression: string): string =>
    isBackwards ? `${order} < -(${expression})` : `${order} > (${expression})`;
  const after = (values: Values, number: number | undefined, backwards: boolean): string[] =>
    number === undefined ? [] : [(backwards ? above : below)(`${values.add(number)}::bigint`)];
  return { order, isBackwards, after, below, above };
}

/**
 * Releases are listed by number, and are asked for by time. One that was created an hour before another has the lower number, however the clocks of
 * processes differ; within the hour each is looked at.
 */
function betweenSql(values: Values, { since, until }: ReleaseFilter, place: Ordered): string[] {
  const nearest = (time: Date, sign: '<=' | '>=', hour: '+' | '-'): string =>
    `SELECT b.number FROM release b WHERE b.created_at ${sign} ${values.add(time)}::timestamptz ${hour} interval '1 hour'
     ORDER BY b.created_at ${sign === '<=' ? 'DESC' : 'ASC'} LIMIT 1`;
  return [
    ...(since === undefined ? [] : [place.above(`coalesce((${nearest(since, '<=', '-')}), 0)`)]),
    ...(until === undefined ? [] : [place.below(`coalesce((${nearest(until, '>=', '+')}), ${MOST_NUMBER})`)]),
  ];
}

const MOST_NUMBER = '9223372036854775807';

/** What is asked of each release on the way. */
function restOf(values: Values, filter: ReleaseFilter): string[] {
  const { environment, flow, kind, actor, since, until, text, needsAttention } = filter;
  const statuses = statusesOf(filter);
  const is = (column: string, value: string | undefined): string[] =>
    value === undefined ? [] : [`${column} = ${values.add(value)}`];
  return [
    ...(statuses ? [`r.status = ANY(${values.add(statuses)})`] : []),
    ...is('r.flow', flow),
    ...is('r.kind', kind),
    ...is(`r.trigger->>'actor'`, actor),
    ...is('r.version', filter.version),
    ...(since === undefined ? [] : [`r.created_at >= ${values.add(since)}::timestamptz`]),
    ...(until === undefined ? [] : [`r.created_at < ${values.add(until)}::timestamptz`]),
    ...(text === undefined
      ? []
      : [
          `strpos(lower(concat_ws(' ', r.product || '#' || r.number, r.flow, r.version, r.trigger->>'actor')), lower(${values.add(text)})) > 0`,
        ]),
    ...(needsAttention === true ? [ATTENTION] : []),
    ...(environment === undefined
      ? []
      : [
          // `|| ''`: those of the release, however many others go to that environment.
          `(SELECT true FROM promotion p WHERE p.release_id = r.id AND p.environment || '' = ${values.add(environment)} LIMIT 1)`,
        ]),
  ];
}

// `|| ''`: of the product alone there is an index that finds the newest one at once, while a flow may be that of many products.
const ATTENTION = `CASE WHEN r.ended_at IS NULL
  THEN (SELECT true FROM promotion p WHERE p.release_id = r.id AND p.status IN ('SUSPENDED', 'FAILED', 'ROLLBACK_FAILED') LIMIT 1)
  ELSE (SELECT true FROM release n WHERE n.product = r.product AND n.flow || '' = r.flow AND (-n.number) < (-r.number) LIMIT 1) IS NULL END`;

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
  releases: readonly { id: string }[],
  definitions: DefinitionSnapshots,
): Promise<Map<string, Facts>> {
  return withConnection(pool, (client) => loadFacts(client, [...releases], definitions));
}

function byId<T extends { id: string }>(rows: T[]): Map<string, T> {
  return new Map(rows.map((each) => [each.id, each]));
}

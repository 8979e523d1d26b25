import type { Pool, PoolClient } from 'pg';
import { sees } from '../core/access/index.ts';
import type { Visibility } from '../core/access/index.ts';
import type { NumberedEvent, ReleaseEvent, ReleaseEventType } from '../core/events.ts';
import { RARE, ROOM } from './event-rows.ts';
import type { Db } from './reads.ts';
import { visibleSql, visibleValue } from './visible.ts';
import { ALL, walk } from './walk.ts';
import type { Values, Walk } from './walk.ts';

/** A place in the log's one order. Both numbers stay far below 2^53. */
export interface Place {
  position: number;
  id: number;
}

/** An event with its release and its place in the whole log. */
export interface LoggedEvent extends NumberedEvent, Place {
  releaseId: string;
  product: string;
}

/** All that are given must fit. */
export interface EventFilter {
  releaseId?: string;
  product?: string;
  /** Events of the promotion into this environment. */
  environment?: string;
  types?: readonly ReleaseEventType[];
  /** What the reader sees, asked each time: it can change meanwhile. Null, and without it: everything. */
  visible?: () => Visibility | null;
}

/** A page of everybody's events, in the order of the log. It ends with a whole row. */
export interface LogPage {
  events: LoggedEvent[];
  /** As many rows were read as were asked for: more may be there. */
  isFull: boolean;
  /** There are more events, but an older transaction is still open: something may yet appear before them. */
  unsettled: boolean;
}

/** Before the first event. */
export const BEGINNING: Place = { position: 0, id: 0 };

/** Below 0: `a` comes before `b`. */
export function compare(a: Place, b: Place): number {
  return a.position - b.position || a.id - b.id;
}

/**
 * The next events of everybody, of at most so many rows. A transaction that is open can still write at any position from its own id on,
 * so the page ends below the oldest open one: what is read once is never added to later. "Open" counts the whole server, other
 * databases included.
 */
export async function readOn(client: Pool | PoolClient, after: Place, limit: number): Promise<LogPage> {
  const { rows } = await client.query<EventRow & { unsettled: boolean; releaseId: string | null }>({
    name: 'event-log-read-on',
    text: `WITH edge AS MATERIALIZED (SELECT ${EDGE} AS position)
           SELECT EXISTS (SELECT FROM release_event e WHERE e.position >= edge.position) AS unsettled, page.*
           FROM edge LEFT JOIN LATERAL (
             SELECT ${COLUMNS} FROM release_event e
             WHERE (e.position, e.id) > ($1::bigint, $2::bigint) AND e.position < edge.position
             ORDER BY e.position, e.id LIMIT $3
           ) page ON true`,
    values: [after.position, after.id, limit],
  });
  // Without events the one row carries the flag alone.
  const found = rows.filter((row) => row.releaseId !== null);
  return {
    events: eventsOf(found).filter((event) => compare(event, after) > 0),
    isFull: found.length >= limit,
    unsettled: rows[0]?.unsettled ?? false,
  };
}

/** The newest settled events, oldest first. */
export async function readNewest(client: Pool | PoolClient, limit: number): Promise<LoggedEvent[]> {
  const { rows } = await client.query<EventRow>(
    `SELECT ${COLUMNS} FROM release_event e WHERE e.position < ${EDGE} ORDER BY e.position DESC, e.id DESC LIMIT $1`,
    [limit],
  );
  return eventsOf(rows.reverse()).slice(-limit);
}

/** Events that fit a filter, and how far the log was looked at for them. */
export interface Found {
  events: LoggedEvent[];
  /** The log was looked at up to this place, and all that fits until here is in `events`; null: as far as was asked. */
  cut: Place | null;
}

/**
 * Settled events that fit the filter, after one place, up to another one (included, and the last of its row) when it is given: at
 * least `limit` of them where so many fit, to the end of a row. With `before` those that come last before that place; null: the last of
 * all. They stand in the order of the log either way.
 */
export async function readFiltered(
  client: Db,
  query: { after: Place; upTo?: Place; before?: Place | null; filter: EventFilter; limit: number; entries: number },
): Promise<Found> {
  const { filter, after, before } = query;
  // A release ends, and with it the way through its events.
  const entries = filter.releaseId === undefined ? query.entries : ALL;
  // The row in which the page begins may hold nothing more that fits.
  const limit = query.limit + 1;
  const { rows, cut } = await walk<EventRow>(client, eventWalk(query), { limit, entries });
  // The indexes by a key count backwards.
  const place = cut && { position: Math.abs(Number(cut[0])), id: Math.abs(Number(cut[1])) };
  if (before !== undefined) rows.reverse();
  const all = eventsOf(rows);
  // A row stands at its last event: backwards, the place that was looked at is that of its first one.
  if (place && before !== undefined && Number(rows[0]?.id) === place.id) place.id = all[0]!.id;
  const fits = (event: LoggedEvent): boolean =>
    compare(event, after) > 0 &&
    (!before || compare(event, before) < 0) &&
    (filter.types === undefined || filter.types.includes(event.event.type));
  return { events: all.filter(fits), cut: place };
}

/** More products than these are looked for in the whole log. */
const WAYS = 50;

type EventQuery = Pick<Parameters<typeof readFiltered>[1], 'after' | 'upTo' | 'before' | 'filter'>;

function eventWalk({ after, upTo, before, filter }: EventQuery): Walk {
  const backwards = before !== undefined;
  const { releaseId, product, environment, types } = filter;
  const visible = filter.visible?.() ?? null;
  const rest = (key: Key | null) => (values: Values) => [
    ...(product === undefined || key?.by === 'product' ? [] : [`e.product = ${values.add(product)}`]),
    ...(environment === undefined || key?.by === 'environment'
      ? []
      : [`${FIRST}->>'environment' = ${values.add(environment)}`]),
    ...(types === undefined || key?.by === 'type' ? [] : [`e.event @> ANY(${values.add(holding(types))}::jsonb[])`]),
    ...(visible === null || key?.sees === true
      ? []
      : [
          visibleSql(
            values.add(visibleValue(visible)),
            'e.product',
            // The hook eu/ON_FAIL is in eu.
            `split_part(coalesce(${FIRST}->>'environment', ${FIRST}->>'target'), '/', 1)`,
          ),
        ]),
  ];
  if (releaseId !== undefined) {
    return {
      from: 'release_event e',
      select: COLUMNS,
      // Within a release both orders are the same, and only this one lets PostgreSQL use the release's own index.
      order: ['e.sequence'],
      direction: backwards ? 'DESC' : 'ASC',
      where: (values) => {
        const release = values.add(releaseId);
        const { position, id } = { position: values.add(after.position), id: values.add(after.id) };
        return [
          `e.release_id = ${release}::uuid`,
          `e.sequence > coalesce((SELECT a.sequence - (a.id - ${id}::bigint) FROM (SELECT * FROM release_event a WHERE a.position = ${position}::bigint AND a.id >= ${id}::bigint ORDER BY a.position, a.id LIMIT 1) a WHERE a.release_id = ${release}::uuid), 0)`,
          // The row that holds the event at that place may hold earlier ones.
          ...(before
            ? [
                `e.sequence <= coalesce((SELECT a.sequence FROM release_event a WHERE a.release_id = ${release}::uuid AND a.position = ${values.add(before.position)}::bigint AND a.id >= ${values.add(before.id)}::bigint ORDER BY a.id LIMIT 1), 2147483647)`,
              ]
            : []),
        ];
      },
      rest: (values) => [...between(values, { after, upTo, before }, ''), ...rest(null)(values)],
    };
  }
  const key = keyOf(filter, visible);
  const sign = key ? '-' : '';
  return {
    from: 'release_event e',
    select: COLUMNS,
    order: [`(${sign}e.position)`, `(${sign}e.id)`],
    direction: (key === null) === backwards ? 'DESC' : 'ASC',
    ways: key ? [{ type: 'text', values: key.values }] : undefined,
    where: (values) => [...(key ? key.conditions : []), ...between(values, { after, upTo, before }, sign)],
    rest: rest(key),
  };
}

interface Key {
  by: 'product' | 'environment' | 'type';
  values: readonly string[];
  conditions: readonly string[];
  /** All that is found by it may be seen. */
  sees?: boolean;
}

/** By which index the log is read, the narrowest first; null: all of it, in its order. */
function keyOf({ product, environment, types }: EventFilter, visible: Visibility | null): Key | null {
  if (types?.every((type) => RARE.includes(type))) {
    const rare = RARE.map((type) => `'${type}'`).join(', ');
    return {
      by: 'type',
      values: [...new Set(types)],
      conditions: [`${FIRST}->>'type' = way.w0`, `${FIRST}->>'type' IN (${rare})`],
    };
  }
  if (product !== undefined)
    return {
      by: 'product',
      values: [product].filter((each) => sees(visible, each, null)),
      conditions: ['e.product = way.w0'],
      sees: visible?.products.get(product) === null,
    };
  if (environment !== undefined)
    return {
      by: 'environment',
      values: [environment],
      conditions: [`${FIRST}->>'environment' = way.w0`, `${FIRST}->>'environment' IS NOT NULL`],
    };
  if (!visible || visible.products.size > WAYS) return null;
  const values = [...visible.products.keys()];
  const whole = [...visible.products.values()].every((environments) => environments === null);
  return { by: 'product', values, conditions: ['e.product = way.w0'], sees: whole };
}

function between(
  values: Values,
  { after, upTo, before }: Pick<EventQuery, 'after' | 'upTo' | 'before'>,
  sign: '-' | '',
): string[] {
  const place = `((${sign}e.position), (${sign}e.id))`;
  const [more, less, atMost] = sign === '' ? ['>', '<', '<='] : ['<', '>', '>='];
  const edge = sign === '' ? `e.position < ${EDGE}` : `(-e.position) > -(${EDGE})`;
  const of = ({ position, id }: Place): string =>
    `(${sign}${values.add(position)}::bigint, ${sign}${values.add(id)}::bigint)`;
  return [
    `${place} ${more} ${of(after)}`,
    edge,
    ...(upTo ? [`${place} ${atMost} ${of(upTo)}`] : []),
    // A row stands at its last event, and there is room for so many before it.
    ...(before ? [`${place} ${less} ${of({ ...before, id: before.id + ROOM })}`] : []),
  ];
}

/** The release of the event at exactly this place, settled or not. */
export async function releaseAt(pool: Pool, { position, id }: Place): Promise<string | null> {
  const { rows } = await pool.query<EventRow>(
    `SELECT ${COLUMNS} FROM release_event e WHERE e.position = $1 AND e.id >= $2 ORDER BY e.position, e.id LIMIT 1`,
    [position, id],
  );
  return eventsOf(rows).find((event) => event.id === id)?.releaseId ?? null;
}

/** The oldest event that is still kept. */
export async function oldestEvent(pool: Pool): Promise<LoggedEvent | null> {
  const { rows } = await pool.query<EventRow>(
    `SELECT ${COLUMNS} FROM release_event e ORDER BY e.position, e.id LIMIT 1`,
  );
  return eventsOf(rows)[0] ?? null;
}

/**
 * Where these events of releases stand. With the `sequence` of a release's loaded state, the place from which a reader of
 * that state must go on: nothing is missed, nothing told twice.
 */
export async function placesOf(
  pool: Pool,
  events: readonly { releaseId: string; sequence: number }[],
): Promise<(Place | null)[]> {
  const { rows } = await pool.query<{ number: string; position: string; id: string }>(
    `SELECT asked.number, e.position, e.id - (e.sequence - asked.sequence) AS id
     FROM unnest($1::uuid[], $2::integer[]) WITH ORDINALITY AS asked(release_id, sequence, number)
     CROSS JOIN LATERAL (
       SELECT * FROM release_event e WHERE e.release_id = asked.release_id AND e.sequence >= asked.sequence
       ORDER BY e.sequence LIMIT 1
     ) e
     WHERE e.sequence - asked.sequence < CASE jsonb_typeof(e.event) WHEN 'array' THEN jsonb_array_length(e.event) ELSE 1 END`,
    [events.map((each) => each.releaseId), events.map((each) => each.sequence)],
  );
  const found = new Map(
    rows.map((row) => [Number(row.number), { position: Number(row.position), id: Number(row.id) }]),
  );
  return events.map((_, index) => found.get(index + 1) ?? null);
}

const EDGE = 'pg_snapshot_xmin(pg_current_snapshot())::text::bigint';

const COLUMNS = `e.release_id AS "releaseId", e.sequence, e.position, e.id, e.at, e.product,
  e.release_status AS "releaseStatus", e.actor, e.event`;

/** What an index finds a row by is the same for all of its events: the first one says it. */
const FIRST = 'coalesce(e.event->0, e.event)';

/** What a row contains that holds an event of one of these types, alone or in a list. */
const holding = (types: readonly ReleaseEventType[]): string[] =>
  types.flatMap((type) => [JSON.stringify({ type }), JSON.stringify([{ type }])]);

type EventRow = Omit<LoggedEvent, 'position' | 'id' | 'at' | 'event'> & {
  position: string;
  id: string;
  at: Date;
  event: ReleaseEvent | ReleaseEvent[];
};

function eventsOf(rows: readonly EventRow[]): LoggedEvent[] {
  return rows.flatMap(({ releaseId, sequence, product, releaseStatus, actor, event, ...row }) => {
    const [position, id, at] = [Number(row.position), Number(row.id), row.at.getTime()];
    const events = Array.isArray(event) ? event : [event];
    return events.map((each, index) => {
      const back = events.length - 1 - index;
      return {
        position,
        id: id - back,
        releaseId,
        sequence: sequence - back,
        at,
        product,
        releaseStatus,
        actor,
        event: each,
      };
    });
  });
}

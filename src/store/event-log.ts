import type { Pool, PoolClient } from 'pg';
import type { Visibility } from '../core/access/index.ts';
import type { NumberedEvent, ReleaseEventType } from '../core/events.ts';
import { visibleSql, visibleValue } from './visible.ts';

/** A place in the log's one order. Both numbers stay far below 2^53. */
export interface Place {
  position: number;
  id: number;
}

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

export interface LogPage {
  events: LoggedEvent[];
  /** There are more events, but an older transaction is still open: something may yet appear before them. */
  unsettled: boolean;
}

export const BEGINNING: Place = { position: 0, id: 0 };

export function compare(a: Place, b: Place): number {
  return a.position - b.position || a.id - b.id;
}

/**
 * The next events of everybody. A transaction that is open can still write at any position from its own id on, so the
 * page ends below the oldest open one: what is read once is never added to later. "Open" counts the whole server, other
 * databases included.
 */
export async function readOn(client: Pool | PoolClient, after: Place, limit: number): Promise<LogPage> {
  const { rows } = await client.query<EventRecord & { unsettled: boolean; releaseId: string | null }>({
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
  return {
    events: rows.filter((row) => row.releaseId !== null).map(toEvent),
    unsettled: rows[0]?.unsettled ?? false,
  };
}

/** The newest settled events, oldest first. */
export async function readNewest(client: Pool | PoolClient, limit: number): Promise<LoggedEvent[]> {
  const { rows } = await client.query<EventRecord>(
    `SELECT ${COLUMNS} FROM release_event e WHERE e.position < ${EDGE} ORDER BY e.position DESC, e.id DESC LIMIT $1`,
    [limit],
  );
  return rows.map(toEvent).reverse();
}

/** Settled events that fit the filter, after one place, up to another one (included) when it is given. */
export async function readFiltered(
  client: Pool | PoolClient,
  query: { after: Place; upTo?: Place; filter: EventFilter; limit: number },
): Promise<LoggedEvent[]> {
  const { after, upTo, filter, limit } = query;
  const values: unknown[] = [after.position, after.id, limit];
  const where = ['(e.position, e.id) > ($1::bigint, $2::bigint)', `e.position < ${EDGE}`];
  const add = (condition: (parameter: string) => string, value: unknown): void => {
    values.push(value);
    where.push(condition(`$${values.length}`));
  };
  if (upTo) {
    values.push(upTo.position, upTo.id);
    where.push(`(e.position, e.id) <= ($${values.length - 1}::bigint, $${values.length}::bigint)`);
  }
  if (filter.releaseId !== undefined) add((it) => `e.release_id = ${it}::uuid`, filter.releaseId);
  if (filter.product !== undefined) add((it) => `e.product = ${it}`, filter.product);
  if (filter.environment !== undefined) add((it) => `e.event->>'environment' = ${it}`, filter.environment);
  if (filter.types !== undefined) add((it) => `e.event->>'type' = ANY(${it}::text[])`, filter.types);
  const visible = filter.visible?.();
  if (visible) {
    add(
      (it) => visibleSql(it, 'e.product', "coalesce(e.event->>'environment', e.event->>'target')"),
      visibleValue(visible),
    );
  }
  // Within a release both orders are the same, and only this one lets PostgreSQL use the release's own index.
  const order = filter.releaseId === undefined ? 'e.position, e.id' : 'e.sequence';
  const { rows } = await client.query<EventRecord>(
    `SELECT ${COLUMNS} FROM release_event e WHERE ${where.join(' AND ')} ORDER BY ${order} LIMIT $3`,
    values,
  );
  return rows.map(toEvent);
}

/** The event at exactly this place, settled or not. */
export async function releaseAt(pool: Pool, { position, id }: Place): Promise<string | null> {
  const { rows } = await pool.query<{ releaseId: string }>(
    `SELECT release_id AS "releaseId" FROM release_event WHERE position = $1 AND id = $2`,
    [position, id],
  );
  return rows[0]?.releaseId ?? null;
}

/** The oldest event that is still kept. */
export async function oldestEvent(pool: Pool): Promise<LoggedEvent | null> {
  const { rows } = await pool.query<EventRecord>(
    `SELECT ${COLUMNS} FROM release_event e ORDER BY e.position, e.id LIMIT 1`,
  );
  return rows[0] ? toEvent(rows[0]) : null;
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
    `SELECT asked.number, e.position, e.id
     FROM unnest($1::uuid[], $2::integer[]) WITH ORDINALITY AS asked(release_id, sequence, number)
     JOIN release_event e ON e.release_id = asked.release_id AND e.sequence = asked.sequence`,
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

type EventRecord = Omit<LoggedEvent, 'position' | 'id' | 'at'> & { position: string; id: string; at: Date };

function toEvent(row: EventRecord): LoggedEvent {
  const { releaseId, sequence, product, releaseStatus, actor, event } = row;
  const place = { position: Number(row.position), id: Number(row.id) };
  return { ...place, releaseId, sequence, at: row.at.getTime(), product, releaseStatus, actor, event };
}

import { PIECE, untilFew } from './unfinished.ts';
import type { Pool, PoolClient } from 'pg';
import type { Delivery, DeliveryStatus } from '../core/receiver/delivery.ts';
import type { Db } from './reads.ts';
import { WITH_HINTS } from './news.ts';
import type { NewHint } from './news.ts';
import { newest } from './walk.ts';
import type { Looked, PageSize } from './walk.ts';

const COLUMNS = `id, source, webhook_id AS "webhookId", purpose, headers, body, address, received_at AS "receivedAt",
  verified_by AS "verifiedBy", status, outcome, attempts, replays, processed_at AS "processedAt"`;

/** A message that is stored before it is answered. */
export type NewDelivery = Pick<
  Delivery,
  | 'id'
  | 'source'
  | 'webhookId'
  | 'purpose'
  | 'headers'
  | 'body'
  | 'address'
  | 'receivedAt'
  | 'verifiedBy'
  | 'status'
  | 'outcome'
> & { dueAt: Date };

/** Of one source that may wait to be processed at once. */
export const MAX_PENDING = 1_000;
/** Of one source that are kept once they are processed; older ones are forgotten before their time. */
const MAX_KEPT = 10_000;

/** In the order of the columns as both statements have them. */
const valuesOf = (given: NewDelivery): unknown[] => [
  given.id,
  given.source,
  given.webhookId,
  JSON.stringify(given.headers),
  given.body,
  given.address,
  given.receivedAt,
  given.verifiedBy,
  given.status,
  given.outcome,
  given.dueAt,
  given.purpose,
];

/**
 * @returns the delivery that is kept: this one, or the one that came before under the same id; undefined when too many of its
 * source are not processed yet
 */
export async function keepDelivery(
  pool: Pool,
  given: NewDelivery,
): Promise<{ delivery: Delivery; isNew: boolean } | undefined> {
  const { rows } = await pool.query<Delivery>(
    `INSERT INTO webhook_delivery
       (id, source, webhook_id, headers, body, address, received_at, verified_by, status, outcome, due_at, purpose, processed_at)
     SELECT $1::uuid, $2, $3, $4::jsonb, $5, $6, $7::timestamptz, $8, $9, $10, $11::timestamptz, $12,
       CASE WHEN $9 = 'PENDING' THEN NULL ELSE $7::timestamptz END
     WHERE (SELECT count(*) FROM (SELECT FROM webhook_delivery WHERE status = 'PENDING' AND source = $2 LIMIT ${MAX_PENDING}) p)
       < ${MAX_PENDING}
     ON CONFLICT (source, webhook_id) DO NOTHING
     RETURNING ${COLUMNS}`,
    valuesOf(given),
  );
  if (rows[0]) return { delivery: rows[0], isNew: true };
  const earlier = await pool.query<Delivery>(
    `SELECT ${COLUMNS} FROM webhook_delivery WHERE source = $1 AND webhook_id = $2`,
    [given.source, given.webhookId],
  );
  return earlier.rows[0] && { delivery: earlier.rows[0], isNew: false };
}

/** A message of news, with the hints that come of it. */
export interface NewNews {
  delivery: NewDelivery;
  hints: readonly Omit<NewHint, 'deliveryId'>[];
}

/** A message as it is kept, for the answer to its sender. */
export interface KeptNews extends Pick<Delivery, 'id' | 'status'> {
  isNew: boolean;
}

/** What tells messages apart: no two of the same may be kept at once. */
export const keyOfNews = ({ delivery }: NewNews): string => JSON.stringify([delivery.source, delivery.webhookId]);

/**
 * Keeps messages of news, with their hints, in one statement. One that came before under its id is processed again: its sender was asked
 * for it, or got no answer; all that comes of it is one more look.
 * @returns what is kept of each, in their order
 */
export async function keepNews(pool: Pool, news: readonly NewNews[]): Promise<KeptNews[]> {
  try {
    return await insertNews(pool, news);
  } catch (error) {
    // Another statement keeps the same message at this moment. Its id follows from the sender's, so that both of its indexes know it; what
    // PostgreSQL looks for beforehand is one of them, and it can meet the other first. It is there now: the second try finds it.
    if (isUniqueViolation(error)) return insertNews(pool, news);
    throw error;
  }
}

const isUniqueViolation = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === '23505';

async function insertNews(pool: Pool, news: readonly NewNews[]): Promise<KeptNews[]> {
  const hints = news.flatMap((each) => each.hints.map((hint) => ({ ...hint, deliveryId: each.delivery.id })));
  const { rows } = await pool.query<KeptNews & Pick<Delivery, 'source' | 'webhookId'>>(
    `WITH came AS (
       SELECT * FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[], $9::text[],
         $10::text[], $11::text[], $12::timestamptz[], $13::text[])
         AS c(id, source, webhook_id, headers, body, address, received_at, verified_by, status, outcome, due_at, purpose)),
     kept AS (
       INSERT INTO webhook_delivery AS d (id, source, webhook_id, headers, body, address, received_at, verified_by, status, outcome,
         due_at, purpose, processed_at)
       SELECT id, source, webhook_id, headers::jsonb, body, address, received_at, verified_by, status, outcome, due_at, purpose,
         CASE WHEN status = 'PENDING' THEN NULL ELSE received_at END
       FROM came ORDER BY source, webhook_id
       ON CONFLICT (source, webhook_id) DO UPDATE SET headers = excluded.headers, body = excluded.body, address = excluded.address,
         received_at = excluded.received_at, verified_by = excluded.verified_by, status = excluded.status,
         outcome = excluded.outcome, due_at = excluded.due_at, purpose = excluded.purpose, attempts = 0,
         replays = d.replays + 1, processed_at = excluded.processed_at
       RETURNING id, source, webhook_id AS "webhookId", status, (xmax = 0) AS "isNew"),
     ${WITH_HINTS}
     SELECT kept.* FROM kept LEFT JOIN woken ON true`,
    [JSON.stringify(hints), ...rowsToColumns(news.map(({ delivery }) => valuesOf(delivery)))],
  );
  const kept = new Map(rows.map(({ source, webhookId, ...each }) => [JSON.stringify([source, webhookId]), each]));
  return news.map((each) => kept.get(keyOfNews(each))!);
}

const rowsToColumns = (rows: readonly unknown[][]): unknown[][] =>
  (rows[0] ?? []).map((_, column) => rows.map((row) => row[column]));

/** Takes one for an attempt; no other process does before `until`. Undefined when it is taken, or not pending. */
export async function claimDelivery(pool: Pool, id: string, now: Date, until: Date): Promise<Delivery | undefined> {
  const { rows } = await pool.query<Delivery>(
    `UPDATE webhook_delivery SET attempts = attempts + 1, due_at = $3
     WHERE id = $1 AND status = 'PENDING' AND due_at <= $2 RETURNING ${COLUMNS}`,
    [id, now, until],
  );
  return rows[0];
}

/** Ids of messages that wait to be processed and are due, the longest first; at most `limit`. */
export async function dueDeliveries(pool: Pool, now: Date, limit: number): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>(
    `SELECT id FROM webhook_delivery WHERE status = 'PENDING' AND due_at <= $1 ORDER BY due_at LIMIT $2`,
    [now, limit],
  );
  return rows.map(({ id }) => id);
}

/** Records what came of this attempt; it changes nothing when a later attempt or a replay has begun. */
export async function recordDelivery(
  pool: Pool,
  { id, attempts, replays }: Pick<Delivery, 'id' | 'attempts' | 'replays'>,
  what: Pick<Delivery, 'status'> & { outcome: string; dueAt: Date; now: Date },
): Promise<void> {
  const { status, outcome, dueAt, now } = what;
  await pool.query(
    `UPDATE webhook_delivery SET status = $4, outcome = $5, due_at = $6,
       processed_at = CASE WHEN $4 = 'PENDING' THEN NULL ELSE $7::timestamptz END
     WHERE id = $1 AND attempts = $2 AND replays = $3 AND status = 'PENDING'`,
    [id, attempts, replays, status, outcome.slice(0, 2_000), dueAt, now],
  );
}

/**
 * What came of messages whose hints were looked at, in words; those that wait for another look as well stay PENDING, and what the
 * looks came to stands one after the other.
 */
export async function noteOutcome(
  pool: Pool,
  ids: readonly string[],
  status: 'DONE' | 'PENDING' | 'FAILED',
  outcome: string,
  now: Date,
): Promise<void> {
  if (ids.length === 0) return;
  await pool.query(
    `UPDATE webhook_delivery d SET
       outcome = left(CASE WHEN d.status = 'PENDING' AND d.outcome LIKE 'looked at %' THEN d.outcome || E'\\n' || $3 ELSE $3 END, 2000),
       status = w.status, processed_at = CASE WHEN w.status <> 'PENDING' THEN $4::timestamptz END
     FROM (SELECT u.id, CASE WHEN NOT EXISTS (SELECT FROM hint h WHERE h.delivery_id = u.id) THEN $2
       ELSE 'PENDING' END AS status
       FROM (SELECT id FROM webhook_delivery WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE) u) w
     WHERE d.id = w.id AND d.status = 'PENDING'`,
    [ids, status, outcome, now],
  );
}

/** Once more from the beginning, in the caller's transaction. */
export async function replayDelivery(client: PoolClient, id: string, now: Date): Promise<Delivery> {
  const { rows } = await client.query<Delivery>(
    `UPDATE webhook_delivery SET status = 'PENDING', attempts = 0, replays = replays + 1, due_at = $2, processed_at = NULL
     WHERE id = $1 RETURNING ${COLUMNS}`,
    [id, now],
  );
  return rows[0] as Delivery;
}

/** For change: an attempt or a replay of it waits. */
export async function lockDelivery(client: PoolClient, id: string): Promise<Delivery | undefined> {
  const { rows } = await client.query<Delivery>(`SELECT ${COLUMNS} FROM webhook_delivery WHERE id = $1 FOR UPDATE`, [
    id,
  ]);
  return rows[0];
}

/** By its id; undefined when there is none. */
export async function readDelivery(pool: Pool, id: string): Promise<Delivery | undefined> {
  const { rows } = await pool.query<Delivery>(`SELECT ${COLUMNS} FROM webhook_delivery WHERE id = $1`, [id]);
  return rows[0];
}

/** When the last message of a git host came to one of these sources; null: none ever did. */
export async function lastNewsAt(pool: Pool, sources: readonly string[]): Promise<Date | null> {
  const { rows } = await pool.query<{ at: Date | null }>(
    `SELECT max(received_at) AS at FROM webhook_delivery WHERE source = ANY($1) AND purpose = 'git'`,
    [sources],
  );
  return rows[0]!.at;
}

/** Those of these ids of a host under which a message of one of the sources is kept. */
export async function keptIds(
  pool: Pool,
  sources: readonly string[],
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  const { rows } = await pool.query<{ id: string }>(
    'SELECT webhook_id AS id FROM webhook_delivery WHERE source = ANY($1) AND webhook_id = ANY($2)',
    [sources, ids],
  );
  return new Set(rows.map(({ id }) => id));
}

/** A page of messages, the newest first. */
export interface DeliveryPage extends PageSize {
  key?: { since: number; id: string };
  source?: string;
  status?: DeliveryStatus;
}

/** Newest first. */
export function listDeliveries(pool: Db, { key, source, status, ...size }: DeliveryPage): Promise<Looked<Delivery>> {
  return newest(pool, {
    from: 'webhook_delivery d',
    select: COLUMNS,
    time: 'd.received_at',
    id: 'd.id',
    key,
    ...size,
    rest: (values) => [
      ...(source === undefined ? [] : [`d.source = ${values.add(source)}`]),
      ...(status === undefined ? [] : [`d.status = ${values.add(status)}`]),
    ],
  });
}

/** Deletes what came more than 30 days ago, and of each source all but the newest 10,000, piece by piece; never what is PENDING. */
export async function forgetOldDeliveries(pool: Pool): Promise<void> {
  await untilFew(() =>
    pool.query(
      `DELETE FROM webhook_delivery WHERE id IN (SELECT id FROM webhook_delivery
         WHERE received_at < now() - interval '30 days' AND status <> 'PENDING' LIMIT $1 FOR UPDATE SKIP LOCKED)`,
      [PIECE],
    ),
  );
  await untilFew(() =>
    pool.query(
      `DELETE FROM webhook_delivery WHERE id IN (
         SELECT id FROM webhook_delivery WHERE id IN (
           SELECT id FROM (
             SELECT id, row_number() OVER (PARTITION BY source ORDER BY received_at DESC, id DESC) AS place
             FROM webhook_delivery WHERE status <> 'PENDING') AS kept
           WHERE place > $1 LIMIT $2)
         FOR UPDATE SKIP LOCKED)`,
      [MAX_KEPT, PIECE],
    ),
  );
}

import type { Pool } from 'pg';
import type { Db } from './reads.ts';

/** The logs of actions: `ActionLogRow` says how their chunks are numbered. */

/** Where an action is: its step, in an attempt of a promotion of a release. */
export interface ActionPlace {
  releaseId: string;
  position: number;
  step: string;
  attempt: number;
}

/** `try` null: a new one. Of one place there is one try in a call. */
export interface NewChunk extends ActionPlace {
  try: number | null;
  at: Date;
  text: string;
}

/** Where a chunk was put; `total`: bytes of all logs of the release up to its end. */
export interface Appended extends ActionPlace {
  try: number;
  total: number;
}

/** The channel on which the id of a release is told whenever its logs grow. */
export const LOGS_GROW = 'sluice_action_log';

/**
 * Appends chunks, in their order.
 * @throws 23505 (a unique violation) where another process has appended to the same release at the same time: to be asked again
 */
export async function appendChunks(pool: Pool, chunks: readonly NewChunk[]): Promise<Appended[]> {
  const runs = new Map<string, number>();
  const { rows } = await pool.query<Omit<Appended, 'total'> & { total: string }>({
    name: 'append-action-logs',
    text: APPEND,
    values: [
      chunks.map(({ releaseId }) => releaseId),
      chunks.map(({ position }) => position),
      chunks.map(({ step }) => step),
      chunks.map(({ attempt }) => attempt),
      chunks.map((each) => each.try),
      chunks.map(({ at }) => at),
      chunks.map(({ text }) => text),
      chunks.map((each) => {
        const place = placeKey(each);
        if (!runs.has(place)) runs.set(place, runs.size);
        return runs.get(place);
      }),
    ],
  });
  return rows.map(({ total, ...row }) => ({ ...row, total: Number(total) }));
}

/** The same for the same place. */
export const placeKey = ({ releaseId, position, step, attempt }: ActionPlace): string =>
  `${releaseId}/${position}/${attempt}/${step}`;

const APPEND = `
WITH given AS (
  SELECT * FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::integer[], $5::integer[], $6::timestamptz[], $7::text[], $8::integer[])
    WITH ORDINALITY AS g(release_id, position, step, attempt, try, at, text, run, place)),
runs AS (
  SELECT r.run, coalesce(r.try, l.try + 1, 1) AS try, CASE WHEN r.try IS NULL THEN 0 ELSE coalesce(l.chunk, 0) END AS chunk
  FROM (SELECT DISTINCT ON (run) * FROM given ORDER BY run) r
  LEFT JOIN LATERAL (
    SELECT a.try, a.chunk FROM action_log a
    WHERE a.release_id = r.release_id AND a.position = r.position AND a.step = r.step AND a.attempt = r.attempt AND a.try = coalesce(r.try, a.try)
    ORDER BY a.release_id DESC, a.position DESC, a.step DESC, a.attempt DESC, a.try DESC, a.chunk DESC LIMIT 1) l ON true),
ends AS (
  SELECT g.release_id, coalesce(l.sequence, 0) AS sequence, coalesce(l.total, 0) AS total FROM (SELECT DISTINCT release_id FROM given) g
  LEFT JOIN LATERAL (
    SELECT a.sequence, a.total FROM action_log a WHERE a.release_id = g.release_id ORDER BY a.release_id DESC, a.sequence DESC LIMIT 1) l ON true),
added AS (
  INSERT INTO action_log (release_id, position, step, attempt, try, chunk, sequence, total, at, text)
  SELECT g.release_id, g.position, g.step, g.attempt, r.try, r.chunk + row_number() OVER (PARTITION BY g.run ORDER BY g.place),
    e.sequence + row_number() OVER (PARTITION BY g.release_id ORDER BY g.place),
    e.total + sum(octet_length(g.text)) OVER (PARTITION BY g.release_id ORDER BY g.place), g.at, g.text
  FROM given g JOIN runs r ON r.run = g.run JOIN ends e ON e.release_id = g.release_id ORDER BY g.release_id, g.place
  RETURNING release_id, position, step, attempt, try, total)
SELECT release_id AS "releaseId", position, step, attempt, try, total, pg_notify('${LOGS_GROW}', release_id::text) FROM added`;

/** A chunk as it was put. */
export interface LoggedChunk extends ActionPlace {
  try: number;
  sequence: number;
  at: Date;
  text: string;
}

/** Which chunks of a release: those after `after`, of these places in its plan. */
export interface LogQuery {
  releaseId: string;
  after: number;
  positions: readonly number[];
  steps?: readonly string[];
  attempt?: number;
  try?: number;
}

/**
 * In the order in which they were written. `cut`: the number up to which it was looked, where that is not the end of the log.
 * @param entries how many chunks it goes through at most, those that do not fit counted
 */
export async function readChunks(
  db: Db,
  { releaseId, after, positions, steps, attempt, try: wanted }: LogQuery,
  { limit, entries }: { limit: number; entries: number },
): Promise<{ chunks: LoggedChunk[]; cut: number | null }> {
  const { rows } = await db.query<LoggedChunk & { end: boolean }>({
    name: 'read-action-logs',
    text: READ,
    values: [releaseId, after, entries, positions, steps ?? null, attempt ?? null, wanted ?? null, limit],
  });
  const chunks = rows
    .filter(({ end }) => !end)
    .map(({ end: _, ...chunk }) => ({ ...chunk, releaseId }))
    .sort((a, b) => a.sequence - b.sequence);
  const last = rows.find(({ end }) => end)?.sequence ?? 0;
  return { chunks, cut: last > after + entries ? after + entries : null };
}

/** The same towards the beginning, the newest first: what comes before `before`; null: from the end. */
export async function readChunksBack(
  db: Db,
  { releaseId, before, positions, steps, attempt, try: wanted }: Omit<LogQuery, 'after'> & { before: number | null },
  { limit, entries }: { limit: number; entries: number },
): Promise<{ chunks: LoggedChunk[]; cut: number | null }> {
  const from = before ?? (await lastChunk(db, releaseId)) + 1;
  const { rows } = await db.query<LoggedChunk>({
    name: 'read-action-logs-back',
    text: READ_BACK,
    values: [releaseId, from, entries, positions, steps ?? null, attempt ?? null, wanted ?? null, limit],
  });
  const to = from - entries;
  return { chunks: rows.map((chunk) => ({ ...chunk, releaseId })), cut: to > 1 ? to : null };
}

/** The number of the newest chunk of a release; 0: there is none. */
export async function lastChunk(db: Db, releaseId: string): Promise<number> {
  const { rows } = await db.query<{ sequence: number }>({
    name: 'last-action-log',
    text: 'SELECT sequence FROM action_log WHERE release_id = $1 ORDER BY release_id DESC, sequence DESC LIMIT 1',
    values: [releaseId],
  });
  return rows[0]?.sequence ?? 0;
}

const FITS = `position = ANY($4::integer[]) AND ($5::text[] IS NULL OR step = ANY($5)) AND ($6::integer IS NULL OR attempt = $6)
 AND ($7::integer IS NULL OR try = $7)`;

const READ_BACK = `
SELECT sequence, position, step, attempt, try, at, text FROM (
  SELECT * FROM action_log WHERE release_id = $1 AND sequence < $2::integer AND sequence >= $2::integer - $3::integer
  ORDER BY release_id DESC, sequence DESC OFFSET 0) l
WHERE ${FITS} ORDER BY sequence DESC LIMIT $8::integer`;

/** The last row has the number of the newest chunk. OFFSET 0: what does not fit is passed over in the order of the log. */
const READ = `
SELECT * FROM ((SELECT sequence, position, step, attempt, try, at, text, false AS "end" FROM (
  SELECT * FROM action_log WHERE release_id = $1 AND sequence > $2::integer AND sequence <= $2::integer + $3::integer ORDER BY release_id, sequence OFFSET 0) l
 WHERE ${FITS}
 ORDER BY sequence LIMIT $8::integer)
UNION ALL
(SELECT sequence, 0, '', 0, 0, at, '', true FROM action_log WHERE release_id = $1 ORDER BY release_id DESC, sequence DESC LIMIT 1)) AS found`;

/** What stands in place of the logs of a release that were kept for long enough. */
export const FORGOTTEN = '> the logs of this release are deleted: SLUICE_ACTION_LOG_DAYS says how long they are kept\n';

/** Releases whose logs one statement deletes: those of one can have 64 MiB. */
const AT_ONCE = 20;

/**
 * Deletes the logs of releases that ended so many days ago. The last chunk of each stays, with its number and `FORGOTTEN` as its text: a release
 * that is retried counts on from there, so a reader that remembers a number misses nothing.
 */
export async function forgetOldLogs(pool: Pool, days: number): Promise<void> {
  while (((await pool.query(FORGET, [days, FORGOTTEN, AT_ONCE])).rowCount ?? 0) >= AT_ONCE);
}

const FORGET = `
WITH old AS (
  SELECT DISTINCT l.release_id FROM action_log l JOIN release r ON r.id = l.release_id
  WHERE r.ended_at < now() - make_interval(days => $1) AND l.text <> $2 LIMIT $3),
ends AS (SELECT l.release_id, max(l.sequence) AS sequence FROM action_log l JOIN old o ON o.release_id = l.release_id GROUP BY l.release_id),
gone AS (DELETE FROM action_log l USING ends e WHERE l.release_id = e.release_id AND l.sequence < e.sequence),
kept AS (UPDATE action_log l SET text = $2 FROM ends e WHERE l.release_id = e.release_id AND l.sequence = e.sequence)
SELECT release_id FROM old`;

import type { Pool } from 'pg';

/**
 * What the sweep asks the database. All ages in milliseconds, by the database's clock. `product <> ''`, which is always so, is for the index
 * of what is open in the order of creation: see its migration.
 */

/** A place in the order of an answer, after which its next page begins. */
export interface Due {
  id: string;
  wakeAt: Date;
  /** To the microsecond, which a Date does not hold. */
  exactly: string;
}

/** Releases that are due within so many milliseconds, in that order; `after` is where the page begins. */
export async function dueSoon(pool: Pool, within: number, limit: number, after?: Due): Promise<Due[]> {
  const { rows } = await pool.query<Due>(
    `SELECT id, wake_at AS "wakeAt", wake_at::text AS exactly FROM release
     WHERE wake_at <= now() + $1 * interval '1 millisecond'
       AND ($3::timestamptz IS NULL OR (wake_at, id) > ($3, $4::uuid))
     ORDER BY wake_at, id LIMIT $2`,
    [within, limit, after?.exactly ?? null, after?.id ?? null],
  );
  return rows;
}

/** A release's place in the order of creation. */
export interface Numbered {
  id: string;
  number: number;
}

/**
 * Releases that have not ended and whose last event is older than `quietFor`, in their order; also those whose last event is in the
 * future, because a clock was wrong.
 */
export async function openReleases(pool: Pool, quietFor: number, limit: number, after = 0): Promise<Numbered[]> {
  const { rows } = await pool.query<Numbered>(
    `SELECT id, number::float8 AS number FROM release
     WHERE ended_at IS NULL AND product <> '' AND number > $3
       AND greatest(last_event_at, to_timestamp((rest->>'lastEventAt')::float8 / 1000))
         NOT BETWEEN now() - $1 * interval '1 millisecond' AND now() + interval '1 minute'
     ORDER BY number LIMIT $2`,
    [quietFor, limit, after],
  );
  return rows;
}

/** Open releases that have not left an environment, or one of a product, or any: what starts there, or merges, is asked anew. */
export async function releasesAhead(
  pool: Pool,
  { product, environment }: { product?: string; environment?: string },
  limit: number,
  after = 0,
): Promise<Numbered[]> {
  const { rows } = await pool.query<Numbered>(
    `SELECT r.id, r.number::float8 AS number FROM release r
     WHERE r.ended_at IS NULL AND r.product <> '' AND r.number > $4 AND ($1::text IS NULL OR r.product = $1) AND EXISTS (
       SELECT FROM promotion p WHERE p.release_id = r.id AND p.ended_at IS NULL
         AND ($2::text IS NULL OR p.environment = $2))
     ORDER BY r.number LIMIT $3`,
    [product ?? null, environment ?? null, limit, after],
  );
  return rows;
}

/**
 * Open releases of a product that have begun in an environment, in their order: who may wait for its health, also when it has
 * been promoted there and is soaking. One that waits to be promoted there does not ask for it.
 */
export async function releasesIn(
  pool: Pool,
  product: string,
  environment: string,
  limit: number,
  after = 0,
): Promise<Numbered[]> {
  const { rows } = await pool.query<Numbered>({
    name: 'releases-in',
    text: `SELECT r.id, r.number::float8 AS number FROM release r
           WHERE r.product = $1 AND r.ended_at IS NULL AND r.number > $4 AND EXISTS (
             SELECT FROM promotion p WHERE p.release_id = r.id AND p.environment = $2 AND p.started_at IS NOT NULL)
           ORDER BY r.number LIMIT $3`,
    values: [product, environment, limit, after],
  });
  return rows;
}

/** Releases of a product that wait for their turn, the oldest first. */
export async function queuedReleases(pool: Pool, product: string): Promise<Numbered[]> {
  const { rows } = await pool.query<Numbered>(
    `SELECT id, number::float8 AS number FROM release WHERE product = $1 AND ended_at IS NULL AND status = 'QUEUED' AND kind = 'FORWARD' ORDER BY number`,
    [product],
  );
  return rows;
}

/**
 * Products in whose queue several releases wait that have never begun, the newest of them for `quietFor`. A release that
 * was retried waits in the queue, too, and is not what makes it too long.
 */
export async function overfullQueues(pool: Pool, quietFor: number): Promise<string[]> {
  const { rows } = await pool.query<{ product: string }>(
    `SELECT product FROM release
     WHERE ended_at IS NULL AND status = 'QUEUED' AND kind = 'FORWARD' AND started_at IS NULL
     GROUP BY product HAVING count(*) > 1 AND max(created_at) < now() - $1 * interval '1 millisecond'`,
    [quietFor],
  );
  return rows.map((row) => row.product);
}

/**
 * Whose turn may have come when these releases left an environment or ended: of each one's product the first that is open, and
 * the first open one after it. Those further back wait for these. Rollbacks stand in no line: all that are open.
 */
export async function nextInLine(
  pool: Pool,
  left: { id: string; product: string; number: number }[],
): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>({
    name: 'next-in-line',
    text: `SELECT DISTINCT next.id FROM unnest($1::text[], $2::bigint[]) AS gone(product, number), LATERAL (
             (SELECT id FROM release WHERE product = gone.product AND ended_at IS NULL AND kind = 'FORWARD' AND number > gone.number ORDER BY number LIMIT 1)
             UNION ALL
             (SELECT id FROM release WHERE product = gone.product AND ended_at IS NULL AND kind = 'FORWARD' AND number <> gone.number ORDER BY number LIMIT 1)
             UNION ALL
             -- In a way that the index of all rollbacks that ever were does not serve.
             (SELECT id FROM release WHERE product = gone.product AND ended_at IS NULL AND kind || '' = 'ROLLBACK')
           ) AS next`,
    values: [left.map((each) => each.product), left.map((each) => each.number)],
  });
  const gone = new Set(left.map((each) => each.id));
  return rows.map((row) => row.id).filter((id) => !gone.has(id));
}

/** A piece at a time: what was kept for long may be more than one statement can delete in its time. */
export async function forgetOldKeys(pool: Pool): Promise<void> {
  await untilFew(() =>
    pool.query(
      `DELETE FROM idempotency_key WHERE ctid IN (
         SELECT ctid FROM idempotency_key WHERE created_at < now() - interval '48 hours' LIMIT $1
         FOR UPDATE SKIP LOCKED)`,
      [PIECE],
    ),
  );
}

/** Deletes again and again, until a piece was not full. */
export async function untilFew(deletePiece: () => Promise<{ rowCount: number | null }>): Promise<void> {
  while (((await deletePiece()).rowCount ?? 0) >= PIECE);
}

/** Rows that one statement deletes. */
export const PIECE = 5_000;

/** How late the engine is, for readiness: the most overdue wake-up and the most overdue row in the outbox, in milliseconds. */
export async function lateness(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ late: number | null }>(
    `SELECT extract(epoch FROM now() - least(
       (SELECT min(wake_at) FROM release WHERE wake_at IS NOT NULL),
       (SELECT min(due_at) FROM outbox))) * 1000 AS late`,
  );
  return Math.max(0, Number(rows[0]?.late ?? 0));
}

/** Open releases to git that were started when keys of commits were not signed yet, the oldest first. */
export async function releasesOfUnsignedCommits(pool: Pool): Promise<{ product: string; number: string }[]> {
  const { rows } = await pool.query<{ product: string; number: string }>(
    `SELECT r.product, r.number FROM release r JOIN release_plan l ON l.release_id = r.id
     WHERE r.ended_at IS NULL AND NOT l.plan ? 'signsCommits'
       AND jsonb_path_exists(l.plan, '$.promotions[*].applications[*].spec.driver ? (@.type == "git")')
     ORDER BY r.number`,
  );
  return rows;
}

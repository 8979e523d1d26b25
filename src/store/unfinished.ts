import type { Pool } from 'pg';
import type { Work } from '../core/release.ts';
import type { OutboxItem } from './save-decisions.ts';

/** What the sweep asks the database. All ages in milliseconds, by the database's clock. */

export async function dueSoon(pool: Pool, within: number, limit: number): Promise<{ id: string; wakeAt: Date }[]> {
  const { rows } = await pool.query<{ id: string; wakeAt: Date }>(
    `SELECT id, wake_at AS "wakeAt" FROM release
     WHERE wake_at <= now() + $1 * interval '1 millisecond' ORDER BY wake_at LIMIT $2`,
    [within, limit],
  );
  return rows;
}

export async function leftInOutbox(pool: Pool, olderThan: number, limit: number): Promise<OutboxItem[]> {
  const { rows } = await pool.query<{ key: string; releaseId: string; work: Work }>(
    `SELECT key, release_id AS "releaseId", work FROM outbox
     WHERE created_at < now() - $1 * interval '1 millisecond' ORDER BY created_at LIMIT $2`,
    [olderThan, limit],
  );
  return rows;
}

/** Releases that have not ended and whose last event is older than `quietFor`. */
export async function openReleases(pool: Pool, quietFor: number, limit: number): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>(
    `SELECT id FROM release
     WHERE ended_at IS NULL AND (rest->>'lastEventAt')::bigint < (extract(epoch FROM now()) * 1000) - $1
     ORDER BY number LIMIT $2`,
    [quietFor, limit],
  );
  return rows.map((row) => row.id);
}

/** Open releases that have something before them which has not started: in an environment, of a product, or anywhere. */
export async function releasesAhead(
  pool: Pool,
  { product, environment }: { product?: string; environment?: string },
  limit: number,
): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>(
    `SELECT r.id FROM release r
     WHERE r.ended_at IS NULL AND ($1::text IS NULL OR r.product = $1) AND EXISTS (
       SELECT FROM promotion p WHERE p.release_id = r.id AND p.started_at IS NULL AND p.ended_at IS NULL
         AND ($2::text IS NULL OR p.environment = $2))
     ORDER BY r.number LIMIT $3`,
    [product ?? null, environment ?? null, limit],
  );
  return rows.map((row) => row.id);
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
             (SELECT id FROM release WHERE product = gone.product AND ended_at IS NULL AND kind = 'ROLLBACK' ORDER BY number LIMIT 20)
           ) AS next`,
    values: [left.map((each) => each.product), left.map((each) => each.number)],
  });
  const gone = new Set(left.map((each) => each.id));
  return rows.map((row) => row.id).filter((id) => !gone.has(id));
}

/** Releases of these products that have not ended, in their order. */
export async function waitingReleases(
  pool: Pool,
  products: string[],
  limit: number,
): Promise<{ id: string; product: string }[]> {
  const { rows } = await pool.query<{ id: string; product: string }>({
    name: 'waiting-releases',
    text: `SELECT id, product FROM release WHERE product = ANY($1) AND ended_at IS NULL ORDER BY number LIMIT $2`,
    values: [products, limit],
  });
  return rows;
}

export async function forgetOldKeys(pool: Pool): Promise<void> {
  await pool.query(`DELETE FROM idempotency_key WHERE created_at < now() - interval '48 hours'`);
}

/** How late the engine is, for readiness: the oldest overdue wake-up and the oldest row in the outbox, in milliseconds. */
export async function lateness(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ late: number | null }>(
    `SELECT extract(epoch FROM now() - least(
       (SELECT min(wake_at) FROM release WHERE wake_at IS NOT NULL),
       (SELECT min(created_at) FROM outbox))) * 1000 AS late`,
  );
  return Math.max(0, Number(rows[0]?.late ?? 0));
}

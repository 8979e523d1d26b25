import type { Pool } from 'pg';
import type { Drift } from '../drivers/driver.ts';

/** What a check saw that asked a target whether it holds its newest deployment. */
export interface CheckedTarget {
  deployment: string;
  /** Null: it holds what is recorded, or the check could not tell. */
  drift: Drift | null;
  /** Why the check could not tell; null: it could. */
  unseen: string | null;
  /** The releases that may have been at work there meanwhile: what they write is no change by hand. */
  known: string[];
}

/**
 * Keeps what was seen, of what is still the newest deployment of its application. A drift is not kept where a release is at
 * work that the check did not know. Answers the deployments whose record says now what was seen.
 */
export async function saveChecks(pool: Pool, looks: CheckedTarget[], at: Date): Promise<Set<string>> {
  if (looks.length === 0) return new Set();
  const rows = looks.map(({ drift, ...each }) => ({
    ...each,
    drift: drift && { ...drift, since: at.toISOString() },
  }));
  const { rows: kept } = await pool.query<{ id: string }>(
    `UPDATE deployment d SET looked_at = $2, unseen = i.unseen,
       drift = CASE WHEN i.drift IS NULL THEN CASE WHEN i.unseen IS NULL THEN NULL ELSE d.drift END
         ELSE i.drift || jsonb_build_object('since', coalesce(d.drift->'since', i.drift->'since')) END
     FROM (
       SELECT g.* FROM jsonb_to_recordset($1::jsonb) AS g(deployment bigint, drift jsonb, unseen text, known uuid[])
       JOIN deployment k ON k.id = g.deployment ORDER BY k.id FOR NO KEY UPDATE OF k) i
     WHERE d.id = i.deployment
       AND NOT EXISTS (SELECT FROM deployment n WHERE n.product = d.product AND n.environment = d.environment
         AND n.application = d.application AND n.at >= d.at AND (n.at, n.id) > (d.at, d.id))
       AND (i.drift IS NULL OR NOT EXISTS (SELECT FROM promotion p WHERE p.product = d.product
         AND p.environment = d.environment AND p.holds AND p.release_id <> ALL(i.known)))
     RETURNING d.id`,
    [JSON.stringify(rows), at],
  );
  return new Set(kept.map((row) => row.id));
}

/**
 * Products and environments with a newest deployment that was not looked at for `interval` milliseconds, at most
 * `limit` of them, the longest first. The caller has to look: no other process is told of it before the interval is over again.
 */
export async function claimDueChecks(
  pool: Pool,
  places: { product: string; environment: string; application: string }[],
  interval: number,
  limit: number,
): Promise<{ product: string; environment: string }[]> {
  const column = (key: 'product' | 'environment' | 'application'): string[] => places.map((each) => each[key]);
  const { rows } = await pool.query<{ product: string; environment: string }>(
    `WITH due AS (
       SELECT d.id FROM unnest($1::text[], $2::text[], $3::text[]) AS w(product, environment, application), LATERAL (
         SELECT id, greatest(at, looked_at, asked_at) AS seen FROM deployment
         WHERE product = w.product AND environment = w.environment AND application = w.application
         ORDER BY at DESC, id DESC LIMIT 1) AS d
       WHERE d.seen < now() - $4 * interval '1 millisecond' ORDER BY d.seen LIMIT $5),
     -- One that is being written to is for the next claim.
     taken AS (SELECT id FROM deployment WHERE id IN (SELECT id FROM due) FOR NO KEY UPDATE SKIP LOCKED)
     UPDATE deployment d SET asked_at = now() FROM taken
     WHERE d.id = taken.id AND greatest(d.at, d.looked_at, d.asked_at) < now() - $4 * interval '1 millisecond'
     RETURNING d.product, d.environment`,
    [column('product'), column('environment'), column('application'), interval, limit],
  );
  const distinct = new Map(rows.map((row) => [`${row.product}/${row.environment}`, row]));
  return [...distinct.values()];
}

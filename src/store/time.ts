import type { Pool } from 'pg';

/** PostgreSQL's time of day, in milliseconds since the epoch: the clock that counts. */
export async function timeOfDay(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ at: string }>(`SELECT extract(epoch FROM now()) * 1000 AS at`);
  return Number(rows[0]?.at);
}

import type { Pool } from 'pg';

/**
 * Writes down that a command has begun, before it does; a command that must not run twice asks for it.
 * @param key of its step: of this release, attempt and action
 * @returns false: it was begun before, by whichever worker
 */
export async function beginCommand(pool: Pool, key: string): Promise<boolean> {
  const { rowCount } = await pool.query(
    'INSERT INTO begun_command (key, begun_at) VALUES ($1, now()) ON CONFLICT DO NOTHING',
    [key],
  );
  return rowCount === 1;
}

import type pg from 'pg';
import type { SharedClock } from '../clock.ts';

/**
 * BullMQ on PostgreSQL tells the database what time it is, by the clock of its own machine: until when a job is locked, when jobs
 * were last looked through for dead workers, when a job is due. One machine that is three hours ahead would keep everybody from
 * finding dead workers for three hours. So every statement of BullMQ carries PostgreSQL's time of day, and what an answer says of the
 * future is told by the clock of this machine.
 */
export function tellPostgresTime(pool: pg.Pool, clock: SharedClock): void {
  const ask = pool.query.bind(pool) as Ask;
  const query: Ask = async (text, values = []) => {
    const ahead = clock.ahead();
    const result = await ask(
      text,
      values.map((value) => (isInstant(value) ? value - ahead : value)),
    );
    for (const row of result.rows)
      if (row.next_delay != null) row.next_delay = String(Number(row.next_delay) + clock.ahead());
    return result;
  };
  // BullMQ asks a pool in this one way.
  pool.query = query as typeof pool.query;
}

type Ask = (text: string, values?: unknown[]) => Promise<pg.QueryResult<DueRow>>;

interface DueRow {
  /** When the next delayed job is due, in milliseconds since the epoch. */
  next_delay?: string | number | null;
}

/** In milliseconds since the epoch; no lock, delay, age or count is as large as that. */
function isInstant(value: unknown): value is number {
  return typeof value === 'number' && value > SEPTEMBER_2001;
}

const SEPTEMBER_2001 = 1_000_000_000_000;

/** Puts right what a process has left behind that believed its own machine's clock, as all did once. */
export async function forgetWrongTimes(client: pg.ClientBase): Promise<void> {
  const latest = '(extract(epoch FROM now()) * 1000)::bigint + 3600000';
  await client.query(`DELETE FROM meta WHERE field = 'stalled-check' AND value::bigint > ${latest}`);
  await client.query(`UPDATE job SET locked_until_ms = 0 WHERE state = 'active' AND locked_until_ms > ${latest}`);
}

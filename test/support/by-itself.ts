/** Statements that a process sends by itself, whatever it is asked: rows that were handed over are deleted, and the time of day is asked for. */
const BY_ITSELF = /^DELETE FROM outbox WHERE key = ANY|^SELECT extract\(epoch FROM now\(\)\) \* 1000 AS at/;

/** @param asked as pg.Client's `query` is given it */
export const isByItself = (asked: unknown): boolean =>
  BY_ITSELF.test(typeof asked === 'string' ? asked : ((asked as { text?: string } | undefined)?.text ?? ''));

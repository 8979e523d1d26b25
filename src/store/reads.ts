import type { ClientBase, Pool } from 'pg';

/** Where lists and the log are read. */
export type Db = Pick<Pool, 'query'>;

/**
 * Sessions that read lists and the log. They read along indexes, also where the statistics are old or there are none yet: what the
 * planner takes for few rows, and would sort, can be a whole history. A statement is planned for the values that it comes with.
 */
export const READ_SETTINGS =
  'SET jit = off; SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off; SET plan_cache_mode = force_custom_plan';

/** For `onConnect` of their pool, which waits for it. */
export const setForReading = (client: ClientBase): unknown => client.query(READ_SETTINGS);

/** How much one caller may read at once. */
export interface ReadLimits {
  /** Reads of one caller that run at once in this process; others wait for them. */
  perCaller: number;
  /** Reads of one caller that may wait. */
  waiting: number;
}

/**
 * Lists and the log are read on connections of their own, and each caller reads a few at once: however many a caller asks for, the
 * commands, the sweep and other callers have theirs.
 */
export class Reads {
  readonly pool: Pool;
  readonly #limits: ReadLimits;
  readonly #callers = new Map<string, { running: number; line: (() => void)[] }>();

  /** @param pool its sessions are `setForReading` */
  constructor(pool: Pool, limits: ReadLimits) {
    this.pool = pool;
    this.#limits = limits;
  }

  /** The pool as one caller has it. */
  of(caller: string): Db {
    const ask = this.pool.query.bind(this.pool) as (...given: unknown[]) => Promise<unknown>;
    const query = async (...given: unknown[]): Promise<unknown> => {
      await this.#enter(caller);
      try {
        return await ask(...given);
      } catch (error) {
        throw (error as { code?: string }).code === CANCELLED ? new TooSlowError(error) : error;
      } finally {
        this.#leave(caller);
      }
    };
    return { query: query as Pool['query'] };
  }

  async #enter(caller: string): Promise<void> {
    let own = this.#callers.get(caller);
    if (!own) this.#callers.set(caller, (own = { running: 0, line: [] }));
    if (own.running < this.#limits.perCaller) {
      own.running += 1;
      return;
    }
    if (own.line.length >= this.#limits.waiting) throw new TooManyReadsError(this.#limits);
    const { line } = own;
    await new Promise<void>((resolve) => line.push(resolve));
  }

  #leave(caller: string): void {
    const own = this.#callers.get(caller);
    if (!own) return;
    // The next read in line takes the place over.
    const next = own.line.shift();
    if (next) return next();
    own.running -= 1;
    if (own.running === 0) this.#callers.delete(caller);
  }
}

/** Of PostgreSQL: the statement took longer than it may. */
const CANCELLED = '57014';

/** The caller asked for too much at once. */
export abstract class ReadRefusedError extends Error {
  abstract readonly code: 'RATE_LIMITED' | 'TOO_EXPENSIVE';
}

/** The caller has as many reads under way and waiting as one caller may have. */
export class TooManyReadsError extends ReadRefusedError {
  override readonly name = 'TooManyReadsError';
  readonly code = 'RATE_LIMITED';
  constructor({ perCaller, waiting }: ReadLimits) {
    super(
      `more than ${perCaller + waiting} lists and pages of the log are being read for this caller: ask for fewer at once`,
    );
  }
}

/** PostgreSQL cut a read off that took longer than reads may take. */
export class TooSlowError extends ReadRefusedError {
  override readonly name = 'TooSlowError';
  readonly code = 'TOO_EXPENSIVE';
  constructor(cause: unknown) {
    super(
      'reading the list took longer than it may: ask for a smaller page, or again when the database has less to do',
      {
        cause,
      },
    );
  }
}

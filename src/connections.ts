import { AsyncLocalStorage } from 'node:async_hooks';
import pg from 'pg';
import { within } from './clock.ts';
import type { Clock } from './clock.ts';
import { untilWon } from './lost-transactions.ts';
import type { SeamClient, Seams } from './seams.ts';

/**
 * The only place that makes clients and pools of PostgreSQL: whatever is asked of it passes the seams.
 *
 * How every part of Sluice connects to PostgreSQL: what a connection waits for, and which query may run on which one.
 *
 * The rule: a caller that holds a connection of a pool asks that pool for nothing. All queries of a transaction run on the
 * transaction's own connection; what needs another one is read before the transaction, or after it. Otherwise as many callers as
 * the pool has connections hold one each and wait for one more, which never comes back.
 *
 * The rule is kept by `withConnection`, `inTransaction`, `inTwoExchanges` and the data source's `transaction`, the only ways to hold a
 * connection (a test of the house finds others). Where holders are watched (`onHoldAndWait`), the pool knows while one of them runs who holds one,
 * and gives no second one to the same caller. Nobody else pays for it: on Node 20 to follow callers costs every promise of the process.
 */

export interface ConnectionTimes {
  /** How long to wait for a connection, be it for the server's answer or for a place in the pool. */
  connectMs: number;
  /** How long the server works on a statement before it cancels it. */
  statementMs: number;
  /** How long a statement waits for a lock that another transaction holds. */
  lockMs: number;
  /** How long a transaction may stand between two statements before the server ends its session. */
  idleInTransactionMs: number;
  /** How long a statement may go without any answer, the server's cancellation included: then the network is taken for dead. */
  silenceMs: number;
}

/** In milliseconds; `statementMs` is the setting, the others follow from it. */
export function timesOf(statementMs: number): ConnectionTimes {
  return {
    connectMs: 10_000,
    statementMs,
    lockMs: Math.ceil(statementMs / 2),
    idleInTransactionMs: statementMs,
    silenceMs: statementMs + Math.min(5_000, statementMs),
  };
}

export const DEFAULT_STATEMENT_MS = 30_000;

/** For migrations alone, whose statements may take as long as they need. */
export const PATIENT: ConnectionTimes = {
  connectMs: 10_000,
  statementMs: 0,
  lockMs: 0,
  idleInTransactionMs: 0,
  silenceMs: 0,
};

/** What every client of PostgreSQL is made with. 0 stands for no limit. */
export function clientConfig(times: ConnectionTimes): pg.ClientConfig {
  return {
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    connectionTimeoutMillis: times.connectMs,
    statement_timeout: times.statementMs || false,
    lock_timeout: times.lockMs || undefined,
    idle_in_transaction_session_timeout: times.idleInTransactionMs || undefined,
    query_timeout: times.silenceMs || undefined,
  };
}

/**
 * For `options` of a pool whose statements find their rows by index. A plan that was kept while the tables were empty would go through
 * them whole for hours, until PostgreSQL has counted their rows for the first time.
 */
export const BY_INDEX = '-c enable_seqscan=off -c jit=off';

/**
 * For a pool that sends few statements, all prepared, for lists of any length: each is planned once on each connection. By itself
 * PostgreSQL plans a statement anew for each list where that looks cheaper, and planning takes longer than reading.
 *
 * Such a plan is made while a table holds ten rows as often as ten thousand, and both have to lead to the same: a join by a merge reads
 * an index that looks small from end to end, so there is none here. A row is found by a list of keys, or by a join that has the whole of its key
 * from one relation; by a part of it a join reads as much.
 */
export const PLANNED_ONCE = `${BY_INDEX} -c enable_mergejoin=off -c plan_cache_mode=force_generic_plan`;

interface SeamSettings {
  seams: Seams | null;
}

/**
 * A client whose end is its caller's fault alone.
 *
 * A pool listens to idle connections only: one that the server ends between two statements of a transaction would end the whole
 * process. The transaction's next statement fails all the same, and its caller tries again. A connection on which a statement
 * was never answered is cut: the statements behind it would wait as long, the rollback first.
 */
export class SturdyClient extends pg.Client implements SeamClient {
  declare readonly processID: number | null;
  /** The stack of the code that asked the pool, for the next statement. */
  caller: string | undefined;

  constructor(config: pg.ClientConfig & SeamSettings) {
    super(config);
    this.on('error', () => undefined);
    // Looked up each time: what stands in between for all clients stands in between for this one.
    const query = (...given: unknown[]): unknown => (pg.Client.prototype.query as Function).apply(this, given);
    const cut = (error: unknown): void => {
      if (error instanceof Error && error.message === 'Query read timeout') this.cut();
    };
    this.query = ((...given: unknown[]): unknown => {
      const answered = query(...given);
      if (answered instanceof Promise) answered.catch(cut);
      return answered;
    }) as typeof this.query;
    if (config.seams !== null) guardClient(this, config.seams);
  }

  /** Ends it, with a goodbye if the other side listens; within half a second of `clock` whatever the other side does. */
  async hangUp(clock: Clock): Promise<void> {
    await within(clock, 'goodbye', GOODBYE_MS, this.end());
    this.cut();
  }

  cut(): void {
    (this as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
  }
}

const GOODBYE_MS = 500;

interface Held {
  pool: pg.Pool;
  /** False once it was given back: what was begun meanwhile and goes on holds nothing. */
  held: boolean;
  outer: Held | undefined;
}

const holding = new AsyncLocalStorage<Held | undefined>();

/** A caller asked a pool for a connection while it held one of the same pool. */
class HoldAndWait extends Error {
  override readonly name = 'HoldAndWait';
}

/** Gives no connection to a caller that holds one already. */
export class SturdyPool extends pg.Pool {
  constructor({ seams, ...settings }: pg.PoolConfig & SeamSettings) {
    // A simulated process has its own idea of how long a second is: whether anybody waits for ever is judged outside.
    const patience =
      seams === null ? {} : { ...clientConfig(PATIENT), connectionTimeoutMillis: 0, idleTimeoutMillis: 0 };
    super({ ...settings, ...patience, seams, Client: SturdyClient } as unknown as pg.PoolConfig);
    if (seams !== null) guardPool(this);
  }

  override connect(): Promise<pg.PoolClient>;
  override connect(callback: Connected): void;
  override connect(callback?: Connected): Promise<pg.PoolClient> | void {
    const wrong = holdAndWait(this);
    if (wrong && callback) return process.nextTick(() => callback(wrong, undefined, () => undefined));
    if (wrong) return Promise.reject(wrong);
    return callback ? super.connect(callback) : super.connect();
  }
}

/** As TypeORM wants it. */
export const sturdyDriver = { ...pg, Client: SturdyClient, Pool: SturdyPool };

type Connected = (
  error: Error | undefined,
  client: pg.PoolClient | undefined,
  done: (release?: boolean | Error) => void,
) => void;

/** Runs `work` on a connection of its own, which goes back to the pool afterwards. */
export async function withConnection<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    return await whileHolding(pool, () => work(client));
  } finally {
    client.release();
  }
}

/**
 * Runs `work` in a transaction, which it ends: committed when `work` resolves, rolled back when it rejects. `work` runs again where the
 * transaction lost to another one.
 * @param begin the statements that open it, `BEGIN` first.
 */
export function inTransaction<T>(
  pool: pg.Pool,
  begin: string,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  return untilWon(() => inOneTransaction(pool, begin, work));
}

async function inOneTransaction<T>(
  pool: pg.Pool,
  begin: string,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  try {
    const result = await whileHolding(pool, async () => {
      await client.query(begin);
      const done = await work(client);
      await client.query('COMMIT');
      return done;
    });
    client.release();
    return result;
  } catch (error) {
    await rollBack(client);
    throw error;
  }
}

/**
 * The same on a pool whose connections are pipelined, in two exchanges: `first` sends its statements right behind the one that opens the
 * transaction, and COMMIT is on its way behind those of `last`. When one of these fails, COMMIT rolls back: that is PostgreSQL's rule.
 * @param last sends all that it sends before it first waits; what it throws before that undoes what `first` did
 */
export async function inTwoExchanges<A, B>(
  pool: pg.Pool,
  first: (client: pg.PoolClient) => Promise<A>,
  last: (client: pg.PoolClient, found: A) => Promise<B>,
): Promise<B> {
  const client = await pool.connect();
  try {
    const result = await whileHolding(pool, async () => {
      const [, found] = await allAnswered([client.query('BEGIN'), first(client)]);
      const saving = last(client, found);
      const [saved, { command }] = await allAnswered([saving, client.query('COMMIT')]);
      if (command !== 'COMMIT') throw new Error(`a transaction was ended by ${command} instead of COMMIT`);
      return saved;
    });
    client.release();
    return result;
  } catch (error) {
    await rollBack(client);
    throw error;
  }
}

/** Nothing is under way any more when it rejects; with the first one's error. */
async function allAnswered<T extends readonly Promise<unknown>[]>(
  all: readonly [...T],
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  const answers = await Promise.allSettled(all);
  for (const each of answers) if (each.status === 'rejected') throw each.reason;
  return answers.map((each) => (each as PromiseFulfilledResult<unknown>).value) as never;
}

/** A connection that cannot even roll back is not given back to the pool. */
function rollBack(client: pg.PoolClient): Promise<void> {
  return client.query('ROLLBACK').then(
    () => client.release(),
    (broken: unknown) => client.release(broken instanceof Error ? broken : true),
  );
}

/** While `work` runs, it and all that it begins hold a connection of the pool. */
export async function whileHolding<T>(pool: pg.Pool, work: () => Promise<T>): Promise<T> {
  if (onBreach === null) return work();
  const held: Held = { pool, held: true, outer: holding.getStore() };
  try {
    return await holding.run(held, work);
  } finally {
    held.held = false;
  }
}

/** For what works for many callers at once: it holds what it takes itself, and nothing of the caller that set it going. */
export function holdingNothing<T>(work: () => T): T {
  return onBreach === null ? work() : holding.run(undefined, work);
}

/** For what waits for a connection of the pool somewhere else, such as the release engine for its next transaction. */
export function refuseWhileHolding(pool: pg.Pool): void {
  const wrong = holdAndWait(pool);
  if (wrong) throw wrong;
}

type Answer = 'REFUSE' | ((error: HoldAndWait) => void);

/** Null: nobody is watched. */
let onBreach: Answer | null = null;
const places = new Set<string>();

/**
 * Watches who holds a connection, and says what is done about a caller that breaks the rule. Tests and simulations refuse, so that
 * the place is found; a server that logs at `debug` logs each place once, since one caller alone gets its connection nearly always.
 */
export function onHoldAndWait(wanted: Answer): void {
  if (onBreach !== 'REFUSE') onBreach = wanted;
}

/** Where the rule was broken in this process since it was asked last; the stacks. */
export function takeHoldAndWaits(): string[] {
  const taken = [...places];
  places.clear();
  return taken;
}

function holdAndWait(pool: pg.Pool): HoldAndWait | null {
  if (onBreach === null) return null;
  let each = holding.getStore();
  while (each && !(each.held && each.pool === pool)) each = each.outer;
  if (!each) return null;
  const error = new HoldAndWait('a connection was asked for by a caller that holds one of the same pool');
  const isNew = !places.has(error.stack!) && places.size < MAX_PLACES;
  if (isNew) places.add(error.stack!);
  if (onBreach === 'REFUSE') return error;
  if (isNew) onBreach(error);
  return null;
}

const MAX_PLACES = 100;

type Call = (...args: unknown[]) => Promise<unknown>;
type Callback = (error: unknown, answer?: unknown) => void;

/** Statements that are sent without waiting for each other pass one after the other, as they reach PostgreSQL. */
function guardClient(client: SturdyClient, seams: Seams): void {
  let ahead: Promise<unknown> | null = null;
  const [connect, query, end] = [client.connect.bind(client), client.query.bind(client), client.end.bind(client)].map(
    (each) => each as unknown as Call,
  ) as [Call, Call, Call];
  const guarded = {
    connect: (...args: unknown[]) => {
      const done = takeCallback(args);
      return answer(
        seams.pass({ kind: 'connection', client, ends: false }, () => connect()),
        done,
      );
    },
    end: (...args: unknown[]) => {
      const done = takeCallback(args);
      return answer(
        seams.pass({ kind: 'connection', client, ends: true }, () => end()),
        done,
      );
    },
    query: (...args: unknown[]) => {
      const [first] = args as [string | { text: string; name?: string }];
      const { text, name } = typeof first === 'string' ? { text: first, name: undefined } : first;
      const done = takeCallback(args);
      const caller = client.caller ?? (ahead ? new Error('caller').stack : undefined);
      client.caller = undefined;
      const pass = (): Promise<unknown> =>
        seams.pass({ kind: 'statement', client, text, name, caller }, () => query(...args));
      const own = ahead ? ahead.then(pass) : pass();
      const over: Promise<void> = own
        .catch(() => undefined)
        .then(() => {
          if (ahead === over) ahead = null;
        });
      ahead = over;
      return answer(own, done);
    },
  };
  Object.assign(client, guarded);
}

/** The pool itself would ask with a callback, and the caller's stack would be lost. */
function guardPool(pool: pg.Pool): void {
  const query = (...args: unknown[]): Promise<unknown> | undefined => {
    const done = takeCallback(args);
    const caller = new Error('caller').stack;
    const ask = async (): Promise<unknown> => {
      const client = (await pool.connect()) as pg.PoolClient & SturdyClient;
      client.caller = caller;
      try {
        const found = await (client.query as unknown as Call)(...args);
        client.release();
        return found;
      } catch (error) {
        client.release(error instanceof Error ? error : true);
        throw error;
      }
    };
    return answer(ask(), done);
  };
  Object.assign(pool, { query });
}

function takeCallback(args: unknown[]): Callback | undefined {
  return typeof args.at(-1) === 'function' ? (args.pop() as Callback) : undefined;
}

function answer(work: Promise<unknown>, done: Callback | undefined): Promise<unknown> | undefined {
  if (!done) return work;
  const tell = async (): Promise<void> => {
    try {
      const value = await work;
      process.nextTick(done, null, value);
    } catch (error) {
      process.nextTick(done, error);
    }
  };
  tell().catch(() => undefined);
  return undefined;
}

import pg from 'pg';
import type { SeamClient, Seams } from './seams.ts';

// The only place that makes clients and pools of PostgreSQL: whatever is asked of it passes the seams.

interface SeamSettings {
  seams: Seams | null;
}

/**
 * A pool listens to idle connections only. One that the server ends between two statements of a transaction would end the
 * whole process; the transaction's next statement fails all the same, and its caller tries again.
 */
export class SturdyClient extends pg.Client implements SeamClient {
  declare readonly processID: number | null;
  /** The stack of whoever asked the pool, for the next statement. */
  caller: string | undefined;

  constructor(config: pg.ClientConfig & SeamSettings) {
    super(config);
    this.on('error', () => undefined);
    if (config.seams !== null) guardClient(this, config.seams);
  }

  cut(): void {
    (this as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
  }
}

export class SturdyPool extends pg.Pool {
  constructor({ seams, ...settings }: pg.PoolConfig & SeamSettings) {
    // A simulated process has its own idea of how long a second is: whether anybody waits for ever is judged outside.
    const patience = seams === null ? {} : { connectionTimeoutMillis: 0, idleTimeoutMillis: 0 };
    super({ ...settings, ...patience, seams, Client: SturdyClient } as unknown as pg.PoolConfig);
    if (seams !== null) guardPool(this);
  }
}

/** As TypeORM wants it. */
export const sturdyDriver = { ...pg, Client: SturdyClient, Pool: SturdyPool };

type Call = (...args: unknown[]) => Promise<unknown>;
type Callback = (error: unknown, answer?: unknown) => void;

function guardClient(client: SturdyClient, seams: Seams): void {
  const [connect, query] = [client.connect.bind(client), client.query.bind(client)] as unknown as [Call, Call];
  const guarded = {
    connect: (...args: unknown[]) => {
      const done = takeCallback(args);
      return answer(
        seams.pass({ kind: 'connection', client }, () => connect()),
        done,
      );
    },
    query: (...args: unknown[]) => {
      const [first] = args as [string | { text: string; name?: string }];
      const { text, name } = typeof first === 'string' ? { text: first, name: undefined } : first;
      const done = takeCallback(args);
      const { caller } = client;
      client.caller = undefined;
      return answer(
        seams.pass({ kind: 'statement', client, text, name, caller }, () => query(...args)),
        done,
      );
    },
  };
  Object.assign(client, guarded);
}

/** The pool would ask with a callback, and nobody could say any more who had asked. */
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
  const [told, failed] = [(value: unknown) => done(null, value), (error: unknown) => done(error)];
  void work.then(told, failed);
  return undefined;
}

import { createPostgresBackend, createRedisBackend, runMigrations, withBackend } from 'bullmq';
import type { FlowJob, Job as BullJob, JobsOptions, Queue as BullQueue, FlowProducer } from 'bullmq';
import { Redis } from 'ioredis';
import type pg from 'pg';
import type { RedisOptions } from 'ioredis';
import { Availability, isAway } from '../availability.ts';
import { systemClock, within } from '../clock.ts';
import type { SharedClock } from '../clock.ts';
import {
  PLANNED_ONCE,
  clientConfig,
  DEFAULT_STATEMENT_MS,
  PATIENT,
  SturdyPool,
  timesOf,
  withConnection,
} from '../connections.ts';
import type { ConnectionTimes } from '../connections.ts';
import type { Log } from '../log.ts';
import type { Seams } from '../seams.ts';
import type { OutboxItem } from '../store/outbox.ts';
import { jobsOf } from './effects.ts';
import type { Job } from './effects.ts';
import { stepId } from './job-data.ts';
import type { JobData, JobName, PromoteData } from './job-data.ts';
import { createLeanBackend, knowsBullTables } from './lean-postgres-queue.ts';
import { forgetWrongTimes, tellPostgresTime } from './postgres-time.ts';

/** Where the queue is kept, and how its workers take jobs. */
export interface QueueSettings {
  /** With it BullMQ runs on Redis, without it on PostgreSQL. */
  redisUrl?: string;
  databaseUrl: string;
  /** The queue in PostgreSQL counts by it. */
  clock: SharedClock;
  prefix: string;
  concurrency: number;
  lockDurationMs: number;
  stalledIntervalMs: number;
  times?: ConnectionTimes;
}

/** What Sluice needs of a queue: test/support/queue-contract.ts says what each of these words promises. */
export interface Queue {
  readonly backend: string;
  /** Puts what the outbox holds into the queue. What is there already is not added again. */
  handOver(items: OutboxItem[]): Promise<void>;
  /**
   * Siblings below an environment's job, one per step that became ready beside the one that the job itself takes. Rejects when that
   * job is not there, with nothing added: the caller does the steps itself.
   */
  spawn(data: PromoteData, steps: number[], parent: string): Promise<void>;
  standing(jobId: string): Promise<JobStanding>;
  /** Gives a job its next try now, also one that waits for a time of day which a wrong clock has set. Others are left as they are. */
  hurry(jobId: string): Promise<void>;
  ping(): Promise<void>;
  work(processor: JobProcessor): QueueWorker;
  close(): Promise<void>;
}

/**
 * `delayed`: it failed, and waits for its next try. `joining`: it waits for its children, whatever has become of them. `over`: it was
 * completed, or failed for good.
 */
export type JobStanding = 'missing' | 'pending' | 'delayed' | 'joining' | 'over';

/** A job as a worker gets it. */
export interface QueuedJob<D extends JobData = JobData> {
  id?: string;
  name: JobName;
  data: D;
  /** How many times a worker has taken it up, this time included. */
  attemptsStarted: number;
  /** False: it has no children that have not ended. Otherwise the processor throws `WaitingChildrenError`. */
  moveToWaitingChildren(token: string): Promise<boolean>;
  /** False: its lock ran out, and another worker may have been given the job. True: it is renewed. */
  holds(token: string): Promise<boolean>;
}

/** Does a job; what it throws makes the job fail, and be tried again. */
export type JobProcessor = (job: QueuedJob, token?: string) => Promise<void>;

/** Takes jobs of the queue in this process. */
export interface QueueWorker {
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'failed', listener: (job: { id?: string } | undefined, error: Error) => void): unknown;
  /** Takes jobs until it is closed. */
  run(): Promise<void>;
  /** Waits for what it has taken, unless forced. */
  close(force?: boolean): Promise<void>;
}

/** Every call, and every job that is given away, passes a seam. */
export function throughSeams(queue: Queue, seams: Seams | null): Queue {
  if (seams === null) return queue;
  const pass = <T>(name: string, go: () => Promise<T>): Promise<T> => seams.pass({ kind: 'queue', name }, go);
  return {
    backend: queue.backend,
    handOver: (items) => pass('hand over', () => queue.handOver(items)),
    spawn: (...args) => pass('spawn', () => queue.spawn(...args)),
    standing: (jobId) => pass('standing', () => queue.standing(jobId)),
    hurry: (jobId) => pass('hurry', () => queue.hurry(jobId)),
    ping: () => pass('ping', () => queue.ping()),
    work: (processor) =>
      queue.work(async (job, token) => {
        await pass(`take ${job.name}`, async () => undefined);
        const { id, name, data, attemptsStarted } = job;
        const moveToWaitingChildren = (own: string): Promise<boolean> =>
          pass('wait for children', () => job.moveToWaitingChildren(own));
        const holds = (own: string): Promise<boolean> => pass('renew a lock', () => job.holds(own));
        return processor({ id, name, data, attemptsStarted, moveToWaitingChildren, holds }, token);
      }),
    close: () => queue.close(),
  };
}

/**
 * BullMQ on either back end, behind the few words that Sluice needs. The queue executes and never decides: all of it may
 * be lost, and the sweep asks for it again.
 */
export class JobQueue implements Queue {
  readonly backend: 'redis' | 'postgres';
  readonly #settings: QueueSettings;
  readonly #queue: BullQueue<JobData, void, JobName>;
  readonly #flows: FlowProducer;
  readonly #connect: () => Backend;
  readonly #closers: (() => Promise<void>)[];
  readonly #availability: Availability;
  readonly #log: Log;

  private constructor(
    backend: 'redis' | 'postgres',
    settings: QueueSettings,
    { connect, closers, availability }: Opened,
    log: Log,
  ) {
    this.backend = backend;
    this.#settings = settings;
    this.#connect = connect;
    this.#closers = closers;
    this.#availability = availability;
    this.#log = log;
    const { classes, connection } = connect();
    this.#queue = new classes.Queue(QUEUE, { connection, prefix: settings.prefix }) as BullQueue<
      JobData,
      void,
      JobName
    >;
    this.#flows = new classes.FlowProducer({ connection, prefix: settings.prefix }) as FlowProducer;
    // Without a listener a connection that breaks would end the process; BullMQ reconnects by itself.
    this.#queue.on('error', this.#report);
    this.#flows.on('error', this.#report);
  }

  /** Whatever BullMQ tells of its connections, it tries again; the log needs to know when that begins and ends. */
  readonly #report = (error: Error): void => {
    if (isAway(error)) this.#availability.away(error);
    else this.#log.warn({ error }, 'the queue reports a fault');
  };

  static async open(settings: QueueSettings, log: Log): Promise<JobQueue> {
    return settings.redisUrl === undefined
      ? openOnPostgres(settings, log)
      : openOnRedis(settings, settings.redisUrl, log);
  }

  static create(backend: 'redis' | 'postgres', settings: QueueSettings, opened: Opened, log: Log): JobQueue {
    return new JobQueue(backend, settings, opened, log);
  }

  async handOver(items: OutboxItem[]): Promise<void> {
    const flows = items.flatMap(jobsOf).map((each) => flowOf(each, {}));
    // Also what has no children: on PostgreSQL the bulk insert of a queue makes two temporary tables each time.
    if (flows.length > 0) await this.#flows.addBulk(flows);
  }

  async spawn(data: PromoteData, steps: number[], parent: string): Promise<void> {
    // BullMQ adds nothing below a job that it does not know, and reports no error. The sweep brings back a job that is lost after this.
    if ((await this.standing(parent)) === 'missing') throw parentIsGone(parent);
    await this.#queue.addBulk(
      steps.map((step) => ({
        name: 'step' as const,
        data: { ...data, step, parent },
        opts: {
          ...JOB,
          jobId: stepId(data, step),
          parent: { id: parent, queue: this.#queue.qualifiedName },
          ignoreDependencyOnFailure: true,
        },
      })),
    );
  }

  async standing(jobId: string): Promise<JobStanding> {
    const state = await this.#queue.getJobState(jobId);
    if (state === 'unknown') return 'missing';
    if (state === 'delayed') return 'delayed';
    if (state === 'waiting-children') return 'joining';
    return state === 'completed' || state === 'failed' ? 'over' : 'pending';
  }

  async hurry(jobId: string): Promise<void> {
    const job = await this.#queue.getJob(jobId);
    if (!job) return;
    try {
      await job.promote();
    } catch (error) {
      // BullMQ refuses jobs that are not delayed; this one may have been taken up meanwhile.
      if ((await this.standing(jobId)) === 'delayed') throw error;
    }
  }

  /** Rejects with what is wrong, and what becomes of the work meanwhile. */
  async ping(): Promise<void> {
    const { problem } = this.#availability;
    if (problem !== null) throw new Error(problem);
    await this.#queue.getJobCounts('active');
  }

  /** The places for jobs are shared out among several of BullMQ's workers: each of them asks for one job after the other. */
  work(processor: JobProcessor): QueueWorker {
    const { classes, connection } = this.#connect();
    const { prefix, concurrency, lockDurationMs, stalledIntervalMs } = this.#settings;
    const take = (job: BullJob<JobData, void, JobName>, token?: string): Promise<void> => {
      const holds = async (own: string): Promise<boolean> => (await job.extendLock(own, lockDurationMs)) > 0;
      return processor(Object.assign(job, { holds }), token);
    };
    const feeds = Math.min(FEEDS[this.backend], concurrency);
    const workers = Array.from({ length: feeds }, (_, feed) => {
      const worker = new classes.Worker(QUEUE, take, {
        connection,
        prefix,
        concurrency: Math.floor((concurrency + feed) / feeds),
        lockDuration: lockDurationMs,
        stalledInterval: stalledIntervalMs,
        // One of a process looks for jobs whose worker has died.
        skipStalledCheck: feed > 0,
        // A job that outlives its worker is taken up again, however often: what it did is in the database.
        maxStalledCount: 1_000_000,
        // By default a worker whose connection broke sits out 15 seconds before it asks for a job again.
        runRetryDelay: 500,
        autorun: false,
      });
      worker.on('error', this.#report);
      return worker;
    });
    return together(workers);
  }

  /** In time, also while the other side does not answer. */
  async close(): Promise<void> {
    const bull = Promise.allSettled([this.#flows.close(), this.#queue.close()]);
    await within(systemClock, 'shutdown', CLOSE_MS, bull);
    for (const close of this.#closers) await within(systemClock, 'shutdown', CLOSE_MS, close());
  }
}

/** As one worker. */
function together(workers: QueueWorker[]): QueueWorker {
  return {
    on(event: 'error' | 'failed', listener: never) {
      for (const each of workers) each.on(event as 'error', listener);
    },
    run: async () => void (await Promise.all(workers.map((each) => each.run()))),
    close: async (force) => void (await Promise.all(workers.map((each) => each.close(force)))),
  };
}

function flowOf({ id, name, data, children }: Job, opts: JobsOptions): FlowJob {
  const flow = { name, queueName: QUEUE, data, opts: { ...JOB, jobId: id, ...opts } };
  // A parent whose child failed for good would wait for ever.
  const below = children?.map((each) => flowOf(each, { ignoreDependencyOnFailure: true }));
  return below ? { ...flow, children: below } : flow;
}

/** The queue has no such parent: its child cannot be added below it. */
export const parentIsGone = (parent: string): Error => new Error(`job ${parent} is not in the queue`);

const QUEUE = 'promotions';
/**
 * How many jobs one process asks for at a time. With one, places stand empty while jobs wait: a job is asked for when the one before it
 * has come. In PostgreSQL every worker that listens is woken by each job, so there one asks.
 */
const FEEDS = { redis: 4, postgres: 1 };
/** In milliseconds. */
const CLOSE_MS = 1_000;

/**
 * What is done leaves the queue: a table or a keyspace of what is open only is small whatever the planner thinks of it. Handed over
 * again it is looked at again, and there is nothing to do. What failed stays for an hour, and its id is not added again.
 */
const JOB: JobsOptions = {
  attempts: 5,
  backoff: { type: 'exponential', delay: 200 },
  removeOnComplete: true,
  removeOnFail: { age: 3_600 },
};

type Classes = ReturnType<typeof withBackend>;
interface Backend {
  // The two back ends' classes differ in their connection's type alone.
  classes: Classes;
  connection: never;
}

interface Opened {
  connect: () => Backend;
  closers: (() => Promise<void>)[];
  availability: Availability;
}

const MEANWHILE = 'work waits in the outbox, watching, approving and terminating go on';

async function openOnRedis(settings: QueueSettings, url: string, log: Log): Promise<JobQueue> {
  const availability = new Availability({ log, name: 'Redis', meanwhile: MEANWHILE });
  const silenceMs = settings.times?.silenceMs ?? timesOf(DEFAULT_STATEMENT_MS).silenceMs;
  const times: RedisOptions = {
    connectTimeout: settings.times?.connectMs ?? timesOf(DEFAULT_STATEMENT_MS).connectMs,
    keepAlive: 10_000,
    // With commands under way and no answer the network is dead. A worker that waits for jobs is answered every ten seconds.
    socketTimeout: Math.max(silenceMs, LONGEST_BLOCK),
  };
  let closing = false;
  const watched = (redis: Redis): Redis => {
    redis.on('error', (error: Error) => availability.away(error));
    redis.on('close', () => {
      if (!closing) availability.away(new Error('the connection was ended'));
    });
    redis.on('ready', () => availability.back());
    return redis;
  };
  const shared = watched(
    new Redis(url, {
      ...times,
      maxRetriesPerRequest: null,
      enableOfflineQueue: false,
      lazyConnect: true,
      enableAutoPipelining: true,
    }),
  );
  await shared.connect();
  const blocking: Redis[] = [];
  const classes = withBackend(createRedisBackend) as unknown as Classes;
  let first = true;
  const connect = (): Backend => {
    if (first) {
      first = false;
      return { classes, connection: shared as never };
    }
    // Workers block on theirs; while Redis is away they wait for it.
    const own = watched(new Redis(url, { ...times, maxRetriesPerRequest: null, enableAutoPipelining: true }));
    blocking.push(own);
    return { classes, connection: own as never };
  };
  const closers = [
    async () => {
      closing = true;
      for (const each of [shared, ...blocking]) each.disconnect();
    },
  ];
  return JobQueue.create('redis', settings, { connect, closers, availability }, log);
}

/** BullMQ lets a worker wait for a job for up to ten seconds; in milliseconds, with time for the answer. */
const LONGEST_BLOCK = 15_000;

async function openOnPostgres(settings: QueueSettings, log: Log): Promise<JobQueue> {
  const { databaseUrl, clock, times = timesOf(DEFAULT_STATEMENT_MS) } = settings;
  const availability = new Availability({ log, name: 'the queue in PostgreSQL', meanwhile: MEANWHILE });
  await migrateQueue(databaseUrl);
  const pool = new SturdyPool({
    connectionString: databaseUrl,
    max: 8,
    ...clientConfig(times),
    application_name: 'sluice-queue',
    // A plan that was made while few jobs waited may collect all that wait in a bitmap, and sort them, for the first of them.
    //
    // No job waits for the disk: what a crash of PostgreSQL takes from the queue, the sweep brings back. An outbox row is deleted by
    // a later commit that does wait, and with it everything before it is on disk.
    options: `${SEARCH_PATH} ${PLANNED_ONCE} -c enable_bitmapscan=off -c synchronous_commit=off`,
    // What passes a seam is the call of the queue, not its statements.
    seams: null,
  });
  tellPostgresTime(pool, clock);
  pool.on('error', (error) => availability.away(error));
  pool.on('connect', () => availability.back());
  const pings = pingWhoeverHolds(pool);
  const lean = knowsBullTables();
  if (!lean) log.warn({}, 'BullMQ has other tables than Sluice knows: its queue in PostgreSQL works, and costs more');
  const classes = withBackend(lean ? createLeanBackend : createPostgresBackend) as unknown as Classes;
  const connect = (): Backend => ({ classes, connection: pool as never });
  const opened = { connect, closers: [async () => clearInterval(pings), () => pool.end()], availability };
  return JobQueue.create('postgres', settings, opened, log);
}

/**
 * BullMQ's workers keep a connection to be told of jobs, and sleep on it for up to an hour. Who only listens hears nothing of a
 * network that has died; a question that is not answered cuts the connection, and BullMQ makes another one.
 */
function pingWhoeverHolds(pool: pg.Pool): NodeJS.Timeout {
  const since = new Map<pg.PoolClient, number>();
  pool.on('acquire', (client) => since.set(client, systemClock.elapsed()));
  pool.on('release', (_, client) => since.delete(client));
  return setInterval(() => {
    for (const [client, at] of since)
      if (systemClock.elapsed() - at > PING_MS) client.query('SELECT 1').catch(() => undefined);
  }, PING_MS).unref();
}

const PING_MS = 10_000;

const SEARCH_PATH = '-c search_path=bullmq,public';

/** On a connection of its own, for as long as it takes. */
async function migrateQueue(connectionString: string): Promise<void> {
  const pool = new SturdyPool({
    connectionString,
    max: 1,
    options: SEARCH_PATH,
    seams: null,
    ...clientConfig(PATIENT),
  });
  pool.on('error', () => undefined);
  try {
    await withConnection(pool, async (client) => {
      await runMigrations(client);
      await forgetWrongTimes(client);
    });
  } finally {
    await pool.end();
  }
}

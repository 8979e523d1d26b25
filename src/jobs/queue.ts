import { createPostgresBackend, createRedisBackend, runMigrations, withBackend } from 'bullmq';
import type { FlowJob, JobsOptions, Queue as BullQueue, FlowProducer } from 'bullmq';
import { Redis } from 'ioredis';
import { SturdyPool } from '../connections.ts';
import type { Log } from '../log.ts';
import type { Seams } from '../seams.ts';
import type { OutboxItem } from '../store/save-decisions.ts';
import { askId, joinId, promoteId, stepId } from './job-data.ts';
import type { JobData, JobName, PromoteData } from './job-data.ts';

export interface QueueSettings {
  /** With it BullMQ runs on Redis, without it on PostgreSQL. */
  redisUrl?: string;
  databaseUrl: string;
  prefix: string;
  concurrency: number;
  lockDurationMs: number;
  stalledIntervalMs: number;
}

/** What Sluice needs of a queue: test/support/queue-contract.ts says what each of these words promises. */
export interface Queue {
  readonly backend: string;
  /** Puts what the outbox holds into the queue. What is there already is not added again. */
  handOver(items: OutboxItem[]): Promise<void>;
  /** Siblings below an environment's job, one per step that became ready beside the one that the job itself takes. */
  spawn(data: PromoteData, steps: number[], parent: string): Promise<void>;
  /** `over`: completed or failed for good. `joining`: it waits for its children, whatever has become of them. */
  standing(jobId: string): Promise<'missing' | 'pending' | 'joining' | 'over'>;
  ping(): Promise<void>;
  work(processor: JobProcessor): QueueWorker;
  close(): Promise<void>;
}

export interface QueuedJob<D extends JobData = JobData> {
  id?: string;
  name: JobName;
  data: D;
  /** How many times a worker has taken it up, this time included. */
  attemptsStarted: number;
  /** False: it has no children that have not ended. Otherwise the processor throws `WaitingChildrenError`. */
  moveToWaitingChildren(token: string): Promise<boolean>;
}

export type JobProcessor = (job: QueuedJob, token?: string) => Promise<void>;

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
    ping: () => pass('ping', () => queue.ping()),
    work: (processor) =>
      queue.work(async (job, token) => {
        await pass(`take ${job.name}`, async () => undefined);
        const { id, name, data, attemptsStarted } = job;
        const moveToWaitingChildren = (own: string): Promise<boolean> =>
          pass('wait for children', () => job.moveToWaitingChildren(own));
        return processor({ id, name, data, attemptsStarted, moveToWaitingChildren }, token);
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

  private constructor(
    backend: 'redis' | 'postgres',
    settings: QueueSettings,
    connect: () => Backend,
    closers: (() => Promise<void>)[],
    log: Log,
  ) {
    this.backend = backend;
    this.#settings = settings;
    this.#connect = connect;
    this.#closers = closers;
    const { classes, connection } = connect();
    this.#queue = new classes.Queue(QUEUE, { connection, prefix: settings.prefix }) as BullQueue<
      JobData,
      void,
      JobName
    >;
    this.#flows = new classes.FlowProducer({ connection, prefix: settings.prefix }) as FlowProducer;
    // Without a listener a connection that breaks would end the process; BullMQ reconnects by itself.
    const report = (error: Error): void => log.debug({ error: error.message }, 'queue');
    this.#queue.on('error', report);
    this.#flows.on('error', report);
  }

  static async open(settings: QueueSettings, log: Log): Promise<JobQueue> {
    return settings.redisUrl === undefined
      ? openOnPostgres(settings, log)
      : openOnRedis(settings, settings.redisUrl, log);
  }

  static create(
    backend: 'redis' | 'postgres',
    settings: QueueSettings,
    connect: () => Backend,
    closers: (() => Promise<void>)[],
    log: Log,
  ): JobQueue {
    return new JobQueue(backend, settings, connect, closers, log);
  }

  async handOver(items: OutboxItem[]): Promise<void> {
    const flows: FlowJob[] = [];
    const add = (name: JobName, data: JobData, jobId: string): void => {
      flows.push({ name, queueName: QUEUE, data, opts: { ...JOB, jobId } });
    };
    for (const item of items) {
      const { releaseId, work } = item;
      if (work.kind === 'ask-group') {
        const data = { releaseId, group: work.group, generation: work.generation };
        add('ask', data, askId(data));
      } else if (work.kind === 'dispatch') {
        const children = work.promotions.map((each) => ({ releaseId, ...each }));
        if (!work.join) {
          for (const data of children) add('promote', data, promoteId(data));
          continue;
        }
        flows.push({
          name: 'join',
          queueName: QUEUE,
          data: { releaseId },
          opts: { ...JOB, jobId: joinId(item) },
          children: children.map((data) => ({
            name: 'promote',
            queueName: QUEUE,
            data,
            // A parent whose child failed for good would wait for ever.
            opts: { ...JOB, jobId: promoteId(data), ignoreDependencyOnFailure: true },
          })),
        });
      }
    }
    // Also what has no children: on PostgreSQL the bulk insert of a queue makes two temporary tables each time.
    if (flows.length > 0) await this.#flows.addBulk(flows);
  }

  async spawn(data: PromoteData, steps: number[], parent: string): Promise<void> {
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

  async standing(jobId: string): Promise<'missing' | 'pending' | 'joining' | 'over'> {
    const state = await this.#queue.getJobState(jobId);
    if (state === 'unknown') return 'missing';
    if (state === 'waiting-children') return 'joining';
    return state === 'completed' || state === 'failed' ? 'over' : 'pending';
  }

  async ping(): Promise<void> {
    await this.#queue.getJobCounts('active');
  }

  work(processor: JobProcessor): QueueWorker {
    const { classes, connection } = this.#connect();
    const { prefix, concurrency, lockDurationMs, stalledIntervalMs } = this.#settings;
    return new classes.Worker(QUEUE, processor, {
      connection,
      prefix,
      concurrency,
      lockDuration: lockDurationMs,
      stalledInterval: stalledIntervalMs,
      // A job that outlives its worker is taken up again, however often: what it did is in the database.
      maxStalledCount: 1_000_000,
      // By default a worker whose connection broke sits out 15 seconds before it asks for a job again.
      runRetryDelay: 500,
      autorun: false,
    });
  }

  async close(): Promise<void> {
    await Promise.allSettled([this.#flows.close(), this.#queue.close()]);
    for (const close of this.#closers) await close().catch(() => undefined);
  }
}

const QUEUE = 'promotions';

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

async function openOnRedis(settings: QueueSettings, url: string, log: Log): Promise<JobQueue> {
  const shared = new Redis(url, {
    maxRetriesPerRequest: null,
    enableOfflineQueue: false,
    lazyConnect: true,
    enableAutoPipelining: true,
  });
  shared.on('error', (error: Error) => log.debug({ error: error.message }, 'redis'));
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
    const own = new Redis(url, { maxRetriesPerRequest: null, enableAutoPipelining: true });
    own.on('error', (error: Error) => log.debug({ error: error.message }, 'redis'));
    blocking.push(own);
    return { classes, connection: own as never };
  };
  const closers = [
    async () => {
      for (const each of [shared, ...blocking]) each.disconnect();
    },
  ];
  return JobQueue.create('redis', settings, connect, closers, log);
}

async function openOnPostgres(settings: QueueSettings, log: Log): Promise<JobQueue> {
  const pool = new SturdyPool({
    connectionString: settings.databaseUrl,
    max: 8,
    keepAlive: true,
    application_name: 'sluice-queue',
    // No job waits for the disk: what a crash of PostgreSQL takes from the queue, the sweep brings back. An outbox row is deleted by
    // a later commit that does wait, and with it everything before it is on disk.
    options: '-c search_path=bullmq,public -c synchronous_commit=off',
    // What passes a seam is the call of the queue, not its statements.
    seams: null,
  });
  const onError = (error: Error): void => log.debug({ error: error.message }, 'queue pool');
  pool.on('error', onError);
  // The pool listens to idle connections only: one that breaks between two statements of BullMQ would end the process.
  pool.on('connect', (client) => client.on('error', onError));
  const client = await pool.connect();
  try {
    await runMigrations(client);
  } finally {
    client.release();
  }
  const classes = withBackend(createPostgresBackend) as unknown as Classes;
  const connect = (): Backend => ({ classes, connection: pool as never });
  return JobQueue.create('postgres', settings, connect, [() => pool.end()], log);
}

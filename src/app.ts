import { SharedClock, systemClock, within } from './clock.ts';
import type { Clock } from './clock.ts';
import { ReleaseEngine } from './commands/release-engine.ts';
import type { Config } from './config.ts';
import { createDrivers } from './drivers/index.ts';
import type { Drivers, DriverSettings } from './drivers/index.ts';
import { clientConfig, onHoldAndWait, PLANNED_ONCE, SturdyPool, timesOf } from './connections.ts';
import type { ConnectionTimes } from './connections.ts';
import { LIMITS } from './limits.ts';
import type { Limits } from './limits.ts';
import { createDataSource, migrate, poolOf } from './entities/data-source.ts';
import { foreign } from './foreign/index.ts';
import { Aborts } from './jobs/aborts.ts';
import { AfterSave } from './jobs/after-save.ts';
import { ERRANDS } from './jobs/errands.ts';
import type { ErrandRunners } from './jobs/errands.ts';
import { HandOver } from './jobs/hand-over.ts';
import { JobQueue, throughSeams } from './jobs/queue.ts';
import type { Queue, QueueSettings } from './jobs/queue.ts';
import { Timers } from './jobs/timers.ts';
import type { Log } from './log.ts';
import type { Parts } from './parts.ts';
import { startEmbeddedPostgres } from './postgres/embedded.ts';
import type { Seams } from './seams.ts';
import { signingKeysOf } from './store/approval-links.ts';
import { beginCommand } from './store/begun-commands.ts';
import { forgeBudgets } from './store/forge-budget.ts';
import { Sealing } from './store/sealing.ts';
import { Vault } from './store/secrets.ts';
import { timeOfDay } from './store/time.ts';
import { Reads, setForReading } from './store/reads.ts';
import { DefinitionSnapshots } from './store/definition-snapshot.ts';
import { watchClock } from './watch-clock.ts';

/** What one process is made of; put together here and nowhere else. */
export interface App extends Parts {
  clock: SharedClock;
  seams: Seams | null;
  databaseUrl: string;
  /** Where the API reads lists and the log. */
  reads: Reads;
  /** Of each connection of this process. */
  times: ConnectionTimes;
  queue: Queue;
  handOver: HandOver;
  timers: Timers;
  aborts: Aborts;
  close(): Promise<void>;
}

/** What a process has around it. A simulation brings its own. */
export interface Outside {
  clock: Clock;
  limits: Limits;
  seams: Seams | null;
  /** Brings the tables of the database to this version. */
  prepare(databaseUrl: string): Promise<unknown>;
  openQueue(settings: QueueSettings, log: Log): Promise<Queue>;
  createDrivers(settings: DriverSettings, secrets: Vault): Drivers;
  errands: ErrandRunners;
}

const REAL: Outside = {
  clock: systemClock,
  limits: LIMITS,
  seams: null,
  prepare: migrate,
  openQueue: (settings, log) => JobQueue.open(settings, log),
  createDrivers,
  errands: ERRANDS,
};

export async function openApp(config: Config, log: Log, outside: Partial<Outside> = {}): Promise<App> {
  const { clock: local, limits, seams, errands, ...make } = { ...REAL, ...outside };
  const clock = new SharedClock(local);
  const closers: (() => Promise<unknown> | void)[] = [];
  // A database that does not answer must not hold up the end of the process.
  const inTime = (work: Promise<unknown>): Promise<unknown> => within(clock, 'shutdown', CLOSE_MS, work);
  const close = async (): Promise<void> => {
    for (const each of closers.reverse().splice(0)) await each();
  };
  try {
    let databaseUrl = config.databaseUrl;
    if (databaseUrl === undefined) {
      const embedded = await startEmbeddedPostgres({ dataDir: config.dataDir, log });
      closers.push(() => embedded.stop());
      databaseUrl = embedded.url;
    }
    await make.prepare(databaseUrl);
    if (log.isLevelEnabled('debug'))
      onHoldAndWait((error) => log.error({ error }, 'a fault of Sluice: a caller waits for a second connection'));
    const times = timesOf(config.statementTimeoutMs);
    const poolSize = config.databasePoolSize;
    const dataSource = await createDataSource(databaseUrl, { poolSize, times, seams }).initialize();
    closers.push(() => inTime(dataSource.destroy()));
    const pool = poolOf(dataSource);
    const watch = await watchClock(clock, () => timeOfDay(pool), log);
    closers.push(() => watch.close());
    const readPool = new SturdyPool({
      connectionString: databaseUrl,
      max: config.reads.poolSize,
      application_name: 'sluice-reads',
      onConnect: setForReading,
      ...clientConfig(timesOf(config.reads.timeoutMs)),
      seams,
    });
    readPool.on('error', () => undefined);
    closers.push(() => readPool.end());
    const reads = new Reads(readPool, { perCaller: config.reads.perCaller, waiting: limits.readsWaiting });
    const enginePool = new SturdyPool({
      connectionString: databaseUrl,
      max: Math.min(ENGINE_CONNECTIONS, config.databasePoolSize),
      application_name: 'sluice-engine',
      options: PLANNED_ONCE,
      pipeline: true,
      ...clientConfig(times),
      seams,
    });
    closers.push(() => inTime(enginePool.end()));
    const secrets = new Vault(pool, new Sealing(config.encryptionKeys));
    await tellOfMissingKeys(secrets, log);
    const drivers = make.createDrivers(
      {
        ...config,
        clock,
        signingKeys: signingKeysOf(pool, config.signingKey),
        budgets: forgeBudgets(pool, clock),
        commands: { programs: config.commands, begin: (key) => beginCommand(pool, key) },
      },
      secrets,
    );
    closers.push(() => drivers.close());
    const queue = throughSeams(
      await make.openQueue({ ...config, databaseUrl, clock, times, prefix: config.queuePrefix }, log),
      seams,
    );
    closers.push(() => queue.close());
    const definitions = new DefinitionSnapshots(pool);
    const releaseEngine = new ReleaseEngine({ pool, enginePool, definitions, clock, log, limits });
    for (const each of [pool, enginePool])
      each.on('error', () => {
        releaseEngine.forget();
        definitions.forget();
      });
    const aborts = new Aborts(clock);
    const timers = new Timers(clock, (releaseId) => {
      releaseEngine
        .tell(releaseId, { kind: 'tick' })
        .catch((error: unknown) => log.warn({ error, releaseId }, 'a wake-up failed, the sweep repeats it'));
    });
    closers.push(() => timers.close());
    closers.push(() => inTime(releaseEngine.handedOver.flush(pool)));
    const parts: Parts = {
      config,
      log,
      clock,
      limits,
      pool,
      dataSource,
      definitions,
      drivers,
      secrets,
      foreign,
      releaseEngine,
    };
    const handOver = new HandOver({ ...parts, queue, aborts, errands });
    closers.push(async () => handOver.close());
    releaseEngine.onSaved(new AfterSave({ ...parts, enginePool, handOver, timers }).onSaved);
    return { ...parts, clock, seams, databaseUrl, reads, times, queue, handOver, timers, aborts, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** In milliseconds. */
const CLOSE_MS = 1_000;
/** For the release engine's transactions, and looks at states beside them. */
const ENGINE_CONNECTIONS = 6;

/** Everything that needs none of these secrets works; what needs one fails with the same advice. */
async function tellOfMissingKeys(secrets: Vault, log: Log): Promise<void> {
  const missing = await secrets.missingKeys();
  if (missing.length === 0) return;
  log.error(
    { missing },
    'secrets in the database were sealed with keys that this process does not have, and it cannot open them: give every process the same SLUICE_ENCRYPTION_KEY, or the earlier key in SLUICE_ENCRYPTION_KEY_PREVIOUS',
  );
}

import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import 'reflect-metadata';
import { type App, openApp } from './app.ts';
import { foreign } from './foreign/index.ts';
import { checkInstallation } from './commands/check-installation.ts';
import { type Config, ConfigError, loadConfig, warningsOf } from './config.ts';
import { migrate } from './entities/data-source.ts';
import { armFault } from './faults.ts';
import { MissedDeliveries } from './jobs/missed-deliveries.ts';
import { createLog, type Log, withoutSecrets } from './log.ts';
import { startServer } from './server.ts';
import { startWorker } from './worker.ts';

/** The program of a server: `node dist/src/main.js [serve|migrate]`; `sluice serve` and the quickstart call it too. */

/** sysexits.h: EX_CONFIG. Restarting does not help: the operator has to change a setting. */
const EXIT_CONFIG = 78;
const CLOSE_LIMIT_MS = 10_000;

export interface RunningServer {
  /** Where the API listens; undefined for a worker. */
  url?: string;
  authentication: boolean;
  close(): Promise<void>;
}

/** One process in the role of its configuration. What was opened is closed again when a later part does not start. */
export async function runServer(
  config: Config,
  log: Log = createLog({ level: config.logLevel }),
): Promise<RunningServer> {
  if (config.fault) armFault(config.fault);
  const app = await openApp(config, log);
  const closers: (() => Promise<void>)[] = [
    async () => {
      await app.close();
      await foreign.close();
    },
  ];
  let closing: Promise<void> | undefined;
  // No request and no job is taken any more when the database is let go.
  const close = (): Promise<void> =>
    (closing ??= (async () => {
      const [first, ...others] = closers;
      await Promise.allSettled(others.map((each) => each()));
      await first?.();
    })());
  try {
    if (config.role !== 'api') {
      const worker = await startWorker(app);
      closers.push(() => worker.close());
    }
    // A worker listens as well: its operator wants to ask for its health.
    const server = await startServer(app);
    closers.push(() => server.close());
    for (const warning of warningsOf(config)) log.warn(warning);
    if (config.role !== 'worker') {
      const told = tellFindings(app);
      closers.push(() => told);
      const missed = new MissedDeliveries(app);
      missed.start();
      closers.push(() => missed.close());
    }
    return { url: server.url, authentication: server.authentication, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What was saved before a rule became stricter goes on; the operator should know of it. */
async function tellFindings({ pool, log }: App): Promise<void> {
  try {
    const findings = await checkInstallation(pool);
    if (findings.length === 0) return;
    const [first] = findings;
    log.warn(
      { findings: findings.length, first },
      'some of what is stored would be refused today; it is kept: `sluice check` lists it with what to do',
    );
  } catch (error) {
    log.warn({ error }, 'the stored definitions could not be checked; `sluice check` does it again');
  }
}

export interface ServeFlags {
  role?: string;
  host?: string;
  port?: string;
}

/** Serves until SIGTERM or SIGINT; flags win over the environment. @returns the exit code. */
export async function serve(flags: ServeFlags = {}): Promise<number> {
  return orOneLine(async () => {
    const config = loadConfig({
      ...process.env,
      ...(flags.role !== undefined && { SLUICE_ROLE: flags.role }),
      ...(flags.host !== undefined && { HOST: flags.host }),
      ...(flags.port !== undefined && { PORT: flags.port }),
    });
    const stopped = stopSignal();
    const log = createLog({ level: config.logLevel });
    surviveRejections(log);
    const starting = runServer(config, log);
    const first = await Promise.race([starting, stopped]);
    if (typeof first !== 'string') process.stdout.write(`${listening(config, first)}\n`);
    log.info({ signal: await stopped }, 'stopping');
    // Told to stop before it had started, beside a database that is not there yet: nothing of it runs.
    if (typeof first !== 'string') await closeInTime(first, log);
    return 0;
  }, flags);
}

/**
 * A promise that fails without a handler is a fault of ours, and no reason to drop everything else that this process does:
 * what it was about stands in the database, and the sweep does it again.
 */
function surviveRejections(log: Log): void {
  process.on('unhandledRejection', (error) =>
    log.error({ error }, 'a fault of Sluice: a failure without a handler; the sweep makes up for it'),
  );
}

/** Brings the tables of DATABASE_URL up to date. @returns the exit code. */
export async function migrateDatabase(): Promise<number> {
  return orOneLine(async () => {
    const { databaseUrl } = loadConfig(process.env);
    if (databaseUrl === undefined) {
      throw new ConfigError('DATABASE_URL is not set: the embedded PostgreSQL is migrated by `serve` when it starts');
    }
    const count = await migrate(databaseUrl);
    const done = count === 0 ? 'It was so already' : `${count} migration${count === 1 ? ' was' : 's were'} run`;
    process.stdout.write(`The database is up to date. ${done}.\n`);
    return 0;
  });
}

function listening({ role, databaseUrl, redisUrl }: Config, { url, authentication }: RunningServer): string {
  const database = databaseUrl === undefined ? 'embedded PostgreSQL' : 'PostgreSQL';
  const queue = redisUrl === undefined ? 'queue on PostgreSQL' : 'queue on Redis';
  const face = role === 'worker' ? `Sluice worker, health at ${url}/healthz` : `Sluice listens on ${url}/graphql`;
  const open =
    role === 'worker' || authentication
      ? ''
      : '\nNo authentication: only this machine can reach it, and may do everything (docs/access.md).';
  return `${face} (role ${role}, ${database}, ${queue})${open}`;
}

function stopSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      let asked = false;
      process.on(signal, () => {
        // A second signal: its sender does not want to wait. Everything recovers from that too.
        if (asked) process.exit(1);
        asked = true;
        resolve(signal);
      });
    }
  });
}

async function closeInTime(server: RunningServer, log: Log): Promise<void> {
  const timer = setTimeout(() => {
    log.warn(
      `not stopped after ${CLOSE_LIMIT_MS / 1000} s: ending now; what was running is taken up at the next start`,
    );
    process.exit(1);
  }, CLOSE_LIMIT_MS);
  await server.close();
  clearTimeout(timer);
}

/** What a person can put right is one line; a stack is for what only we can. */
async function orOneLine(run: () => Promise<number>, flags: ServeFlags = {}): Promise<number> {
  try {
    return await run();
  } catch (error) {
    process.stderr.write(`sluice: ${inFlags(withoutSecrets(wording(error)), flags)}\n`);
    return error instanceof ConfigError ? EXIT_CONFIG : 1;
  }
}

const FLAGS = [
  ['role', 'SLUICE_ROLE'],
  ['host', 'HOST'],
  ['port', 'PORT'],
] as const;

/** A setting that was given by a flag is called by it. */
function inFlags(words: string, flags: ServeFlags): string {
  const given = FLAGS.find(([flag, setting]) => flags[flag] !== undefined && words.startsWith(`${setting} is `));
  return given ? words.replace(given[1], `--${given[0]}`) : words;
}

const REMEDIES: Record<string, string> = {
  EADDRINUSE: 'the port is taken: choose another with PORT or --port, or 0 for any free one',
  EACCES: 'not allowed: choose a port from 1024 up, or a data folder that this user may write (SLUICE_DATA_DIR)',
  EADDRNOTAVAIL: 'this machine has no such address: check HOST',
  ECONNREFUSED: 'no server answers there: is it running, and are DATABASE_URL and REDIS_URL right?',
  ENOTFOUND: 'no such host: check DATABASE_URL, REDIS_URL and HOST',
  '28P01': 'PostgreSQL refuses the user or the password of DATABASE_URL',
  '57P03': 'the server of DATABASE_URL is there and takes no connections yet: see its log',
  '53300': 'PostgreSQL has no connection left: see max_connections, and SLUICE_DATABASE_POOL_SIZE of each process',
  '3D000': 'the database of DATABASE_URL does not exist: create it first',
};

function wording(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error instanceof AggregateError ? (error.errors[0] as Error) : error;
  const remedy = REMEDIES[(cause as NodeJS.ErrnoException).code ?? ''];
  if (remedy !== undefined) return `${cause.message}: ${remedy}`;
  const expected = error instanceof ConfigError || error.name === 'EmbeddedPostgresError';
  return expected ? error.message : (error.stack ?? error.message);
}

/** Both names of this file: npm's bin folder and /proc hold links. */
const isProgram = process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url);

if (isProgram) {
  const usage = 'Usage: main.js [serve [--role all|api|worker] [--host ADDRESS] [--port PORT] | migrate]';
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        role: { type: 'string' },
        host: { type: 'string' },
        port: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    const [command = 'serve', ...others] = positionals;
    if (others.length > 0 || !['serve', 'migrate'].includes(command))
      throw new TypeError(`Unknown: ${positionals.join(' ')}`);
    if (values.help) process.stdout.write(`${usage}\n`);
    else process.exitCode = command === 'serve' ? await serve(values) : await migrateDatabase();
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${usage}\n`);
    process.exitCode = 2;
  }
  // Whatever still holds the event loop has been told to stop; nothing is waited for.
  process.exit();
}

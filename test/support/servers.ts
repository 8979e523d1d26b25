import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { chmod, chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { embeddedBinaries, type PostgresBinaries } from '../../src/postgres/binaries.ts';
import { ensureCluster, SUPERUSER } from '../../src/postgres/cluster.ts';
import { isRoot, launcherFor } from '../../src/postgres/launcher.ts';
import { freePort, startServer } from '../../src/postgres/server.ts';

// Real servers for tests, benchmarks and fault injection: on loopback, in a folder of their own under the system's
// temporary folder, gone when the process that started them is gone.

export interface TestPostgres {
  url: string;
  port: number;
  stop(): Promise<void>;
  /** Same data, same port. `immediate` is a crash: sessions are cut, the start recovers from the log. */
  restart(mode: 'fast' | 'immediate'): Promise<void>;
}

export interface StartPostgresOptions {
  port?: number;
  /** Keep fsync on. Off by default: it guards against the loss of power, which no test here brings about. */
  durable?: boolean;
  settings?: Record<string, string>;
  /** `system` for the newest PostgreSQL under /usr/lib/postgresql; by default that one, else the embedded one. */
  binaries?: 'system' | 'embedded';
}

export async function startPostgres(options: StartPostgresOptions = {}): Promise<TestPostgres> {
  const launcher = launcherFor(isRoot());
  const folder = await mkdtemp(join(tmpdir(), 'sluice-postgres-'));
  if (launcher.owner) await chown(folder, launcher.owner.uid, launcher.owner.gid);
  await chmod(folder, 0o755);
  const binaries = await binariesFor(options.binaries, folder);
  const data = join(folder, 'data');
  const password = 'sluice';
  await ensureCluster(binaries, launcher, data, password);
  const port = await freePort(options.port);
  const settings = {
    max_connections: '300',
    timezone: 'UTC',
    ...(options.durable ? {} : { fsync: 'off', full_page_writes: 'off' }),
    ...options.settings,
  };
  const start = () => startServer({ binaries, launcher, data, port, settings });
  let server = await start();
  return {
    url: `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/postgres`,
    port,
    restart: async (mode) => {
      await server.stop(mode);
      server = await start();
    },
    stop: async () => {
      await server.stop('immediate');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function binariesFor(wish: 'system' | 'embedded' | undefined, folder: string): Promise<PostgresBinaries> {
  const system = systemBinaries();
  if (wish === 'system' && !system)
    throw new Error('No PostgreSQL under /usr/lib/postgresql: apt-get install postgresql');
  return wish !== 'embedded' && system ? system : embeddedBinaries(folder);
}

/** Sluice asks for PostgreSQL 15 or newer. */
export function systemBinaries(root = '/usr/lib/postgresql'): PostgresBinaries | undefined {
  const versions = existsSync(root) ? readdirSync(root).map(Number) : [];
  const newest = Math.max(0, ...versions.filter((version) => version >= 15));
  const bin = `${root}/${newest}/bin`;
  return newest && existsSync(`${bin}/initdb`) && existsSync(`${bin}/postgres`) ? { bin, root } : undefined;
}

export interface TestRedis {
  url: string;
  port: number;
  stop(): Promise<void>;
  /** `kill -9`: what was not on disk is lost. Follow it with restart(). */
  kill(): Promise<void>;
  /** Stops it, if it runs, and starts it on the same port with the data that are on disk. */
  restart(): Promise<void>;
  flushall(): Promise<void>;
}

export interface StartRedisOptions {
  port?: number;
  /** Append-only file, synced every second, as in production. Without it a restart loses everything. */
  appendOnly?: boolean;
}

export async function startRedis(options: StartRedisOptions = {}): Promise<TestRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-redis-'));
  const port = await freePort(options.port);
  const start = () => redisServer(port, folder, options.appendOnly ?? false);
  let server = await start();
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    server.child.kill(signal);
    await server.exited;
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    kill: () => end('SIGKILL'),
    restart: async () => {
      await end('SIGTERM');
      server = await start();
    },
    flushall: () => flushall(port),
    stop: async () => {
      await end('SIGKILL');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function redisServer(
  port: number,
  folder: string,
  appendOnly: boolean,
): Promise<{ child: ChildProcess; exited: Promise<string> }> {
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--daemonize', 'no'];
  const policy = [
    '--appendonly',
    appendOnly ? 'yes' : 'no',
    '--maxmemory-policy',
    'noeviction',
    '--loglevel',
    'notice',
  ];
  const { prefix } = launcherFor(false);
  const [program, ...rest] = [...prefix, 'redis-server', ...args, ...policy];
  const child = spawn(program!, rest, { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  const last: string[] = [];
  const exited = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', () => resolve(last.slice(-10).join('\n')));
  });
  const ready = new Promise<null>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      last.push(line);
      if (/ready to accept connections/i.test(line)) resolve(null);
    });
  });
  const outcome = await Promise.race([ready, exited]);
  if (outcome !== null)
    throw new Error(`redis-server did not start (on Debian, apt-get install redis-server installs it): ${outcome}`);
  return { child, exited };
}

async function flushall(port: number): Promise<void> {
  const { Redis } = await import('ioredis');
  const redis = new Redis(port, '127.0.0.1');
  try {
    await redis.flushall();
  } finally {
    redis.disconnect();
  }
}

import { randomBytes } from 'node:crypto';
import { mkdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { clientConfig, PATIENT, SturdyClient } from '../connections.ts';
import type { Log } from '../log.ts';
import { copyPackage, embeddedBinaries, embeddedPackage, type PostgresBinaries } from './binaries.ts';
import { barrierFor, ensureCluster, SUPERUSER } from './cluster.ts';
import { EmbeddedPostgresError } from './errors.ts';
import { isRoot, launcherFor, type Launcher } from './launcher.ts';
import { clearOrphan } from './orphan.ts';
import { claim, type Claim, type OwnerRecord } from './owner.ts';
import { freePort, PortTakenError, type PostgresServer, startServer } from './server.ts';

export interface EmbeddedPostgres {
  /** With the password in it: not for logs. */
  url: string;
  /** Settles when the server has ended: after stop(), or by accident, with its last words. */
  exited: Promise<string>;
  /** Ends the server in good order. Once is enough; again does nothing. */
  stop(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  /** Everything is kept under `<dataDir>/postgres`: the data, the password, who owns the folder. */
  dataDir: string;
  log: Log;
  /** For tests: how to run the server, instead of what fits this machine. */
  launcher?: Launcher;
}

const DATABASE = 'sluice';
const PORT_TRIES = 5;

/**
 * The default database: a real PostgreSQL on a free loopback port, with a random password, that ends when this process
 * ends. Data survive restarts; what was committed survives crashes (fsync stays on).
 * @throws EmbeddedPostgresError that says what to do, when the platform is not supported or the folder is in use.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const launcher = options.launcher ?? launcherFor(isRoot());
  const packageRoot = embeddedPackage();
  const folder = await prepareFolder(options.dataDir, launcher);
  const held = await claim(join(folder, 'owner.json'), (owner) => inUse(options.dataDir, folder, owner));
  try {
    const password = await passwordIn(folder);
    const readable = !(await barrierFor(launcher.owner, join(packageRoot, 'native')));
    const binaries = await embeddedBinaries(folder, readable ? packageRoot : await copyPackage(packageRoot, folder));
    const data = join(folder, 'data');
    await ensureCluster(binaries, launcher, data, password);
    await clearOrphan(data, held.previous?.postgresPid);
    const server = await startOnFreePort({ binaries, launcher, data, held, log: options.log });
    const url = `postgres://${SUPERUSER}:${password}@127.0.0.1:${server.port}/`;
    await ensureDatabase(`${url}postgres`).catch(async (error: unknown) => {
      await server.stop();
      throw error;
    });
    let stopped: Promise<void> | undefined;
    const stop = (): Promise<void> => (stopped ??= server.stop().then(() => held.release()));
    server.exited
      .then((words) => stopped ?? options.log.error({ words }, 'the embedded PostgreSQL ended by itself'))
      .catch(() => undefined);
    return { url: url + DATABASE, exited: server.exited, stop };
  } catch (error) {
    await held.release();
    throw error;
  }
}

async function prepareFolder(dataDir: string, launcher: Launcher): Promise<string> {
  await mkdir(join(dataDir, 'postgres'), { recursive: true, mode: 0o755 });
  const folder = await realpath(join(dataDir, 'postgres'));
  const barrier = await barrierFor(launcher.owner, folder);
  if (barrier) {
    throw new EmbeddedPostgresError(
      `PostgreSQL does not run as root, and as user nobody it cannot pass ${barrier}: ` +
        'set SLUICE_DATA_DIR to a folder that everybody can pass, such as /var/lib/sluice, or set DATABASE_URL',
    );
  }
  return folder;
}

function inUse(dataDir: string, folder: string, owner: OwnerRecord): EmbeddedPostgresError {
  const where = owner.port ? ` and serves PostgreSQL on 127.0.0.1:${owner.port}` : '';
  const share = owner.port
    ? ` set DATABASE_URL=postgres://${SUPERUSER}:<password>@127.0.0.1:${owner.port}/${DATABASE} to share it ` +
      `(the password is in ${join(folder, 'password')}),`
    : '';
  return new EmbeddedPostgresError(
    `The data folder ${dataDir} is in use: Sluice process ${owner.pid} runs${where}.` +
      `${share ? ` Either${share} or` : ' Either stop it, or'} set SLUICE_DATA_DIR to another folder`,
  );
}

async function passwordIn(folder: string): Promise<string> {
  const file = join(folder, 'password');
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    const password = randomBytes(24).toString('hex');
    await writeFile(file, `${password}\n`, { mode: 0o600, flag: 'wx' });
    return password;
  }
}

interface Start {
  binaries: PostgresBinaries;
  launcher: Launcher;
  data: string;
  held: Claim;
  log: Log;
}

async function startOnFreePort({ binaries, launcher, data, held, log }: Start): Promise<PostgresServer> {
  // The same port as last time if it can be had: people have it in their psql history and their tunnels.
  let preferred = held.previous?.port ?? (await lastPort(data));
  for (let tries = 1; ; tries++) {
    const port = await freePort(preferred);
    try {
      return await startServer({
        binaries,
        launcher,
        data,
        port,
        settings: { max_connections: '200', timezone: 'UTC', log_timezone: 'UTC' },
        onLine: (line) => log.debug({ postgres: line }, 'embedded PostgreSQL'),
        onSpawn: (postgresPid) => held.note({ port, postgresPid }),
      });
    } catch (error) {
      if (!(error instanceof PortTakenError) || tries === PORT_TRIES) throw error;
      preferred = undefined;
    }
  }
}

/** postmaster.opts, unlike the owner's file, outlives an orderly stop. */
async function lastPort(data: string): Promise<number | undefined> {
  const line = await readFile(join(data, 'postmaster.opts'), 'utf8').catch(() => '');
  const port = /port=(\d+)/.exec(line)?.[1];
  return port ? Number(port) : undefined;
}

async function ensureDatabase(url: string): Promise<void> {
  const client = new SturdyClient({ connectionString: url, seams: null, ...clientConfig(PATIENT) });
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [DATABASE]);
    if (!rowCount) await client.query(`CREATE DATABASE ${DATABASE}`);
  } finally {
    await client.end();
  }
}

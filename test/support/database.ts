import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

export interface TestDatabase {
  url: string;
  /** Ends the sessions that are still open on it, too. */
  drop(): Promise<void>;
}

/**
 * A migrated, empty database of one's own, copied from a template in a few milliseconds. The first caller of a run makes
 * the template.
 */
export async function createTestDatabase(): Promise<TestDatabase> {
  const name = `${prefix()}_${randomBytes(6).toString('hex')}`;
  await onServer(async (client) => {
    await ensureTemplate(client);
    // As files, not through the log: servers of tests do not sync.
    await client.query(`CREATE DATABASE ${name} TEMPLATE ${template()} STRATEGY FILE_COPY`);
  });
  return { url: urlOf(name), drop: () => onServer(async (client) => drop(client, name)) };
}

/** A database without any tables: for tests of the migrations themselves. */
export async function createEmptyDatabase(): Promise<TestDatabase> {
  const name = `${prefix()}_empty_${randomBytes(6).toString('hex')}`;
  await onServer((client) => client.query(`CREATE DATABASE ${name}`));
  return { url: urlOf(name), drop: () => onServer(async (client) => drop(client, name)) };
}

/** Removes what this run created and did not drop. */
export async function dropTestDatabases(): Promise<void> {
  await onServer(async (client) => {
    const found = await client.query<{ datname: string }>(
      'SELECT datname FROM pg_database WHERE starts_with(datname, $1)',
      [prefix()],
    );
    for (const { datname } of found.rows) await drop(client, datname);
  });
}

async function ensureTemplate(client: pg.Client): Promise<void> {
  // Test files run in processes of their own: the lock lets one make the template while the others wait.
  await client.query('SELECT pg_advisory_lock(5141)');
  try {
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [template()]);
    if (rowCount) return;
    const draft = `${template()}_draft`;
    await drop(client, draft);
    await client.query(`CREATE DATABASE ${draft}`);
    const { migrate } = await import('../../src/entities/data-source.ts');
    await migrate(urlOf(draft));
    // Renamed when it is complete: a half-migrated template never gets the name that others look for.
    await client.query(`ALTER DATABASE ${draft} RENAME TO ${template()}`);
  } finally {
    await client.query('SELECT pg_advisory_unlock(5141)');
  }
}

const drop = async (client: pg.Client, name: string): Promise<void> => {
  // A pool has ended before the last of its sessions has: one that is thrown out then is an error that nobody catches.
  const open = 'SELECT FROM pg_stat_activity WHERE datname = $1';
  for (let look = 0; look < 25 && (await client.query(open, [name])).rowCount; look += 1) await sleep(20);
  await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
};

const prefix = (): string => `sluice_test_${needed('SLUICE_TEST_RUN')}`;
const template = (): string => `${prefix()}_template`;

function urlOf(database: string): string {
  const url = new URL(needed('TEST_DATABASE_URL'));
  url.pathname = `/${database}`;
  return url.href;
}

export function needed(variable: string): string {
  const value = process.env[variable];
  if (!value) throw new Error(`${variable} is not set: run tests with vitest, whose global setup starts the servers`);
  return value;
}

async function onServer<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: needed('TEST_DATABASE_URL') });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

import { startPostgres, startRedis } from './servers.ts';
import { dropTestDatabases } from './database.ts';

// One PostgreSQL and one Redis for the whole run. Their addresses travel to the test processes in the environment, as
// they do when somebody brings servers of their own.
export default async function setup(): Promise<() => Promise<void>> {
  process.env['SLUICE_TEST_RUN'] = `${process.pid}_${Date.now().toString(36)}`;
  const started = await Promise.all([
    // What PostgreSQL counts by itself, at whatever moment, is in the plans that tests read: those that need it count.
    provide('TEST_DATABASE_URL', () => startPostgres({ settings: { autovacuum: 'off' } })),
    provide('TEST_REDIS_URL', () => startRedis()),
  ]);
  return async () => {
    // Somebody else's server is left as it was found.
    if (!started[0]) await dropTestDatabases();
    await Promise.all(started.map(async (server) => server?.stop()));
  };
}

async function provide<T extends { url: string }>(variable: string, start: () => Promise<T>): Promise<T | undefined> {
  if (process.env[variable]) return undefined;
  const server = await start();
  process.env[variable] = server.url;
  return server;
}

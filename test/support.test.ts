import { Redis } from 'ioredis';
import pg from 'pg';
import { afterAll, describe, expect, test } from 'vitest';
import { forEachBackend } from './support/backends.ts';
import { createEmptyDatabase, createTestDatabase } from './support/database.ts';
import { startPostgres, startRedis, systemBinaries } from './support/servers.ts';

async function query<T>(url: string, sql: string): Promise<T[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows as T[];
  } finally {
    await client.end();
  }
}

describe('servers for tests', () => {
  test.each([...(systemBinaries() ? (['system'] as const) : []), 'embedded' as const])(
    'committed rows survive a crash of the %s PostgreSQL',
    async (binaries) => {
      const server = await startPostgres({ durable: true, binaries });
      try {
        await query(server.url, 'CREATE TABLE kept AS SELECT 7 AS number');
        await server.restart('immediate');
        expect(await query(server.url, 'SELECT number FROM kept')).toEqual([{ number: 7 }]);
        await server.restart('fast');
        expect(await query(server.url, 'SELECT number FROM kept')).toEqual([{ number: 7 }]);
      } finally {
        await server.stop();
      }
    },
  );

  test('Redis with an append-only file keeps its keys over a kill, and loses them by FLUSHALL', async () => {
    const server = await startRedis({ appendOnly: true });
    const redis = new Redis(server.url);
    // The connection is cut on purpose below; ioredis reports that here and reconnects.
    redis.on('error', () => undefined);
    try {
      await redis.set('release', 'running');
      await redis.call('WAITAOF', '1', '0', '2000').catch(() => redis.bgrewriteaof());
      await server.restart();
      expect(await redis.get('release')).toBe('running');
      await server.flushall();
      expect(await redis.get('release')).toBeNull();
      await server.kill();
      await server.restart();
      expect(await redis.ping()).toBe('PONG');
    } finally {
      redis.disconnect();
      await server.stop();
    }
  });
});

describe('databases for tests', () => {
  test('each caller gets a migrated database of their own', async () => {
    const [one, two] = await Promise.all([createTestDatabase(), createTestDatabase()]);
    await query(one.url, 'CREATE TABLE mine (id int)');
    expect(await query(two.url, "SELECT FROM pg_tables WHERE tablename = 'mine'")).toEqual([]);
    expect(await query(two.url, "SELECT FROM pg_tables WHERE schemaname = 'public'")).not.toEqual([]);
    await Promise.all([one.drop(), two.drop()]);
    await expect(query(one.url, 'SELECT 1')).rejects.toThrow('does not exist');
  });

  test('an empty database has no tables', async () => {
    const empty = await createEmptyDatabase();
    afterAll(() => empty.drop());
    expect(await query(empty.url, "SELECT FROM pg_tables WHERE schemaname = 'public'")).toEqual([]);
  });
});

const seen: string[] = [];
forEachBackend(({ name, redisUrl, queuePrefix }) => {
  test('a back end says where its queue is and under which name of its own', () => {
    expect(Boolean(redisUrl)).toBe(name === 'redis');
    expect(seen).not.toContain(queuePrefix);
    seen.push(queuePrefix);
  });
});

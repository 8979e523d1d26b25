import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { countTraffic } from '../../bench/traffic.ts';
import { clientConfig, inTwoExchanges, SturdyPool, timesOf } from '../../src/connections.ts';
import { createTestDatabase } from '../support/database.ts';
import type { TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let pool: SturdyPool;
let asked: ReturnType<typeof countTraffic>;
beforeAll(async () => {
  database = await createTestDatabase();
  asked = countTraffic(database.url, undefined);
  pool = new SturdyPool({
    connectionString: database.url,
    max: 1,
    pipeline: true,
    seams: null,
    ...clientConfig(timesOf(5_000)),
  });
  pool.on('error', () => undefined);
  await pool.query('CREATE TABLE kept (id integer PRIMARY KEY DEFERRABLE INITIALLY DEFERRED)');
});
beforeEach(() => pool.query('DELETE FROM kept'));
afterAll(async () => {
  await pool.end();
  await database.drop();
});

const insert = (ids: number[]) => ({ name: 'keep', text: 'INSERT INTO kept SELECT unnest($1::int[])', values: [ids] });
const kept = async (): Promise<number[]> =>
  (await pool.query<{ id: number }>('SELECT id FROM kept ORDER BY id')).rows.map(({ id }) => id);
const read = async (): Promise<string> => 'found';

test('what opens a transaction and what ends it are one exchange each', async () => {
  const { exchanges } = asked;
  const saved = await inTwoExchanges(
    pool,
    async (client) => (await client.query<{ n: string }>('SELECT count(*) AS n FROM kept')).rows[0]?.n,
    async (client, found) => [found, (await client.query(insert([1]))).rowCount],
  );
  expect(saved).toEqual(['0', 1]);
  expect(asked.exchanges - exchanges).toBe(2);
  expect(await kept()).toEqual([1]);
});

test('a statement that fails undoes the others, and the connection lives', async () => {
  const failing = inTwoExchanges(pool, read, async (client) => {
    await Promise.all([client.query(insert([1])), client.query('SELECT 1 / 0')]);
  });
  await expect(failing).rejects.toThrow('division by zero');
  const unread = inTwoExchanges(
    pool,
    (client) => Promise.all([client.query(insert([2])), client.query('SELECT nothing')]),
    async () => 'never',
  );
  await expect(unread).rejects.toThrow('column "nothing" does not exist');
  expect(await kept()).toEqual([]);
  expect([pool.totalCount, pool.idleCount]).toEqual([1, 1]);
});

test('a statement that could not be prepared, because one ahead of it had failed, is prepared by the next transaction', async () => {
  const add = { name: 'add', text: 'INSERT INTO kept VALUES ($1)', values: [1] };
  const failing = inTwoExchanges(
    pool,
    (client) => Promise.all([client.query('SELECT nothing'), client.query(add)]),
    read,
  );
  await expect(failing).rejects.toThrow('column "nothing" does not exist');
  await inTwoExchanges(pool, read, (client) => client.query(add));
  expect(await kept()).toEqual([1]);
});

test('what PostgreSQL refuses at the end is not answered as saved', async () => {
  await expect(inTwoExchanges(pool, read, (client) => client.query(insert([1, 1])))).rejects.toThrow('duplicate key');
  // Whoever swallows the error of a statement is told by COMMIT, which was a ROLLBACK.
  const swallowed = inTwoExchanges(pool, read, async (client) => {
    await Promise.all([client.query(insert([2])), client.query('SELECT 1 / 0').catch(() => undefined)]);
    return 'saved';
  });
  await expect(swallowed).rejects.toThrow('ended by ROLLBACK instead of COMMIT');
  expect(await kept()).toEqual([]);
});

test('a fault of the caller between the two leaves nothing behind', async () => {
  const failing = inTwoExchanges(
    pool,
    (client) => client.query(insert([1])),
    () => {
      throw new Error('it could not be decided');
    },
  );
  await expect(failing).rejects.toThrow('it could not be decided');
  expect(await kept()).toEqual([]);
});

test('a connection that is cut between them is not given back', async () => {
  const failing = inTwoExchanges(
    pool,
    (client) => client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid'),
    async (client, { rows }) => {
      const other = new SturdyPool({ connectionString: database.url, max: 1, seams: null });
      await other.query('SELECT pg_terminate_backend($1)', [rows[0]?.pid]);
      await other.end();
      await client.query(insert([1]));
    },
  );
  await expect(failing).rejects.toThrow();
  expect(await kept()).toEqual([]);
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDataSource, poolOf } from '../../src/entities/data-source.ts';
import { createTestDatabase } from '../support/database.ts';
import type { TestDatabase } from '../support/database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

test('a connection that the server ends inside a transaction fails that transaction and nothing else', async () => {
  const dataSource = await createDataSource(database.url).initialize();
  const pool = poolOf(dataSource);
  const broken = await pool.connect();
  const { rows } = await broken
    .query<{ pid: number }>('BEGIN; SELECT pg_backend_pid() AS pid')
    .then((results) => (results as unknown as [unknown, { rows: { pid: number }[] }])[1]);
  const ended = new Promise((resolve) => broken.once('end', resolve));
  // Without a listener of its own the client's error would be nobody's, and end this process.
  expect(broken.listenerCount('error')).toBeGreaterThan(0);
  await pool.query('SELECT pg_terminate_backend($1)', [rows[0]?.pid]);
  await ended;
  await expect(broken.query('COMMIT')).rejects.toThrow();
  broken.release(true);
  expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  await dataSource.destroy();
});

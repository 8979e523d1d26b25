import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Reads, setForReading, TooManyReadsError, TooSlowError } from '../../src/store/reads.ts';
import { createTestDatabase } from '../support/database.ts';
import type { TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let pool: pg.Pool;
beforeAll(async () => {
  database = await createTestDatabase();
  pool = new pg.Pool({ connectionString: database.url, max: 3, statement_timeout: 3_000 });
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

const SLOW = 'SELECT pg_sleep(0.2)';

test('one caller who asks for many leaves a connection to another one', async () => {
  const reads = new Reads(pool, { perCaller: 2, waiting: 100 });
  const ended: string[] = [];
  const greedy = Promise.all(
    Array.from({ length: 8 }, () =>
      reads
        .of('greedy')
        .query(SLOW)
        .then(() => ended.push('greedy')),
    ),
  );
  await reads
    .of('other')
    .query('SELECT 1')
    .then(() => ended.push('other'));
  await greedy;
  expect(ended.filter((each) => each === 'greedy')).toHaveLength(8);
  // At most those two that ran beside it came first, however slow the machine is.
  expect(ended.indexOf('other')).toBeLessThanOrEqual(2);
});

test('what waits is counted, and what would be too many is refused by name', async () => {
  const reads = new Reads(pool, { perCaller: 1, waiting: 2 });
  const asked = Array.from({ length: 5 }, () =>
    reads
      .of('greedy')
      .query(SLOW)
      .then(
        () => 'read',
        (error: unknown) => error,
      ),
  );
  const answers = await Promise.all(asked);
  expect(answers.filter((each) => each === 'read')).toHaveLength(3);
  const refused = answers.filter((each) => each instanceof TooManyReadsError);
  expect(refused.map(({ code, message }) => [code, message])).toEqual(
    Array.from({ length: 2 }, () => ['RATE_LIMITED', expect.stringContaining('more than 3 lists')]),
  );
  // Places that were taken are free again.
  await reads.of('greedy').query('SELECT 1');
});

test('a read that takes too long ends with its reason, and gives its place back', async () => {
  const reads = new Reads(pool, { perCaller: 1, waiting: 2 });
  await expect(reads.of('a').query('SELECT pg_sleep(30)')).rejects.toThrow(TooSlowError);
  await expect(reads.of('a').query('SELECT nothing')).rejects.toThrow('nothing');
  expect((await reads.of('a').query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
});

test('its sessions read along indexes, and plan for the values that they are given', async () => {
  const reads = new Reads(new pg.Pool({ connectionString: database.url, max: 1, onConnect: setForReading }), {
    perCaller: 1,
    waiting: 1,
  });
  const { rows } = await reads
    .of('a')
    .query(
      `SELECT name, setting FROM pg_settings WHERE name IN ('enable_sort', 'enable_seqscan', 'enable_bitmapscan', 'plan_cache_mode', 'jit') ORDER BY name`,
    );
  expect(Object.fromEntries(rows.map(({ name, setting }) => [name, setting]))).toEqual({
    enable_bitmapscan: 'off',
    enable_seqscan: 'off',
    enable_sort: 'off',
    jit: 'off',
    plan_cache_mode: 'force_custom_plan',
  });
  await reads.pool.end();
});

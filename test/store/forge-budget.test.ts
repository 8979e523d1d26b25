import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { GITHUB_LIMITS } from '../../src/core/forge-budget.ts';
import type { Budgets } from '../../src/core/forge-budget.ts';
import { forgeBudgets } from '../../src/store/forge-budget.ts';
import { createTestDatabase } from '../support/database.ts';
import type { TestDatabase } from '../support/database.ts';

let database: TestDatabase;
const pools: pg.Pool[] = [];
let now = Date.parse('2026-11-28T10:00:00Z');
const clock = { now: () => new Date(now) };
const WRITE = { write: true, content: false, urgent: false };

/** Each with connections of its own, as a process has. */
const process = (): Budgets => {
  const pool = new pg.Pool({ connectionString: database.url, max: 4 });
  pool.on('error', () => undefined);
  pools.push(pool);
  return forgeBudgets(pool, clock);
};

let processes: Budgets[];
beforeAll(async () => {
  database = await createTestDatabase();
  processes = [process(), process(), process()];
});
afterAll(async () => {
  for (const pool of pools) await pool.end();
  await database.drop();
});
beforeEach(async () => {
  await pools[0]!.query('TRUNCATE forge_budget');
});

test('processes draw from one budget: together they write once a second', async () => {
  const taken = await Promise.all(
    Array.from({ length: 30 }, (_, index) => processes[index % 3]!.take('bot', GITHUB_LIMITS, WRITE, `l${index}`)),
  );
  const waits = taken.flatMap((each) => ('wait' in each ? [each.wait] : []));
  expect(waits.sort((a, b) => a - b)).toEqual([0, 1_000, 2_000]);
  const other = await processes[0]!.take('another', GITHUB_LIMITS, WRITE, 'x');
  expect(other).toEqual({ wait: 0 });
});

test('a wait that one process was told is obeyed by all, and shown', async () => {
  await processes[0]!.take('bot', GITHUB_LIMITS, WRITE, 'a');
  await processes[0]!.settle('bot', 'a', { limited: { wait: 90_000, why: 'its limit is reached (429)' } });
  const asked = await processes[1]!.take('bot', GITHUB_LIMITS, { ...WRITE, write: false }, 'b');
  expect(asked).toEqual({ later: 90_000, why: 'its limit is reached (429)' });
  const { rows } = await pools[2]!.query('SELECT blocked_until, blocked_why, leases FROM forge_budget');
  expect(rows).toEqual([
    { blocked_until: new Date(now + 90_000), blocked_why: 'its limit is reached (429)', leases: {} },
  ]);
  now += 90_000;
  expect(await processes[1]!.take('bot', GITHUB_LIMITS, WRITE, 'c')).toEqual({ wait: 0 });
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { expect, test } from 'vitest';
import { compare, keep, lossesOf, missesOf, readKept } from '../../bench/earlier.ts';
import { closedLoop, openLoop } from '../../bench/loop.ts';
import type { Figure } from '../../bench/figure.ts';
import { countTraffic } from '../../bench/traffic.ts';
import { createTestDatabase } from '../support/database.ts';

const cpu: Figure = { name: 'cpu', backend: 'redis', value: 8, unit: 'ms of CPU per release', floor: 4, ratio: 2 };
const rate: Figure = { name: 'throughput', backend: 'redis', value: 100, unit: 'releases/s', floor: 200, ratio: 0.5 };

test('a share of the floor that became worse by more than chance is a loss; on a busy machine only that of CPU', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
  const file = join(folder, 'figures.json');
  keep([cpu, rate], 0, file);
  const today = [
    { ...cpu, value: 12, floor: 5, ratio: 2.4 },
    { ...rate, value: 300, floor: 1_000, ratio: 0.3 },
  ];
  const named = (others: number): string[] =>
    lossesOf(compare(today, readKept(file), others)).map(({ name, worse }) => `${name} ${worse?.toFixed(0)}`);
  expect(named(0)).toEqual(['cpu 20', 'throughput 40']);
  expect(named(1.5)).toEqual(['cpu 20']);
  expect(lossesOf(compare([cpu, rate], readKept(file), 0))).toEqual([]);
  // What a run did not measure keeps the figures of the run before.
  keep([today[0]!], 0, file);
  expect(readKept(file).map(({ name, ratio }) => [name, ratio])).toEqual([
    ['throughput', 0.5],
    ['cpu', 2.4],
  ]);
  await rm(folder, { recursive: true });
});

test('what is not as it should be is a miss: a rate below its aim, and everything else above it', () => {
  const figures = [{ ...cpu, aim: 8 }, { ...cpu, aim: 7.9 }, { ...rate, aim: 100 }, { ...rate, aim: 101 }, rate];
  expect(missesOf(figures)).toEqual([figures[1], figures[3]]);
});

test('the measured time begins after so many have ended, however long that takes', async () => {
  let done = 0;
  let endedBefore = -1;
  const one = (): Promise<void> => new Promise((resolve) => setTimeout(() => resolve(void (done += 1)), 2));
  const { perSecond, latencies, ended } = await closedLoop({ lanes: 3, warmUp: 20, seconds: 0.1 }, one, {
    begin: () => (endedBefore = done),
  });
  expect(endedBefore).toBeGreaterThanOrEqual(20);
  expect(ended).toBe(done);
  expect(latencies.length).toBeLessThanOrEqual(ended - 20);
  expect(perSecond).toBeGreaterThan(0);
});

test('an open loop begins the next one while others are under way', async () => {
  let underWay = 0;
  let most = 0;
  await openLoop({ perSecond: 200, seconds: 0.1 }, async () => {
    most = Math.max(most, (underWay += 1));
    await new Promise((resolve) => setTimeout(resolve, 60));
    underWay -= 1;
  });
  expect(most).toBeGreaterThan(2);
});

test('statements are counted one by one, and what is sent before an answer is one exchange', async () => {
  const database = await createTestDatabase();
  const settings: pg.ClientConfig = { connectionString: database.url };
  const asked = countTraffic(database.url, undefined);
  const client = new pg.Client(settings);
  await client.connect();
  const before = { ...asked };
  await client.query('BEGIN; SET LOCAL jit = off; SELECT 1');
  await client.query({ name: 'one', text: 'SELECT $1::int', values: [1] });
  await client.query('COMMIT');
  expect({ ...asked }).toEqual({ ...before, statements: 5, exchanges: before.exchanges + 3 });
  await client.end();
  const pipelined = new pg.Client({ ...settings, pipeline: true });
  await pipelined.connect();
  const { exchanges } = asked;
  await Promise.all([pipelined.query('BEGIN'), pipelined.query('SELECT 1'), pipelined.query('COMMIT')]);
  expect(asked.exchanges).toBe(exchanges + 1);
  await pipelined.end();
  await database.drop();
});

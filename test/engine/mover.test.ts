import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { terminateRelease } from '../../src/commands/control-release.ts';
import { triggerRelease } from '../../src/commands/trigger-release.ts';
import { holdingNothing, inTransaction } from '../../src/connections.ts';
import { LIMITS } from '../../src/limits.ts';
import { openTestEngine } from '../support/engine.ts';
import type { TestEngine } from '../support/engine.ts';

// Room for the plan of one release, and for none that is made larger.
const SMALL = {
  ...LIMITS,
  releasesRemembered: 2,
  contentRemembered: 12_000,
  statesRemembered: 2,
  stateRemembered: 8_000,
};

let engine: TestEngine;
let small: App;
beforeAll(async () => {
  engine = await openTestEngine({ name: 'postgres', queuePrefix: `t${randomBytes(5).toString('hex')}` });
  await engine.saveBilling('billing', { concurrency: 'PIPELINE' });
  small = await engine.another({ limits: SMALL });
});
afterAll(() => engine.close());

const unhandled: unknown[] = [];
const listeners = process.listeners('unhandledRejection');
afterEach(() => {
  process.removeAllListeners('unhandledRejection');
  for (const each of listeners) process.on('unhandledRejection', each as never);
});

/** Each with a plan that is larger by this many characters. */
async function triggered(count: number, characters: number): Promise<string[]> {
  const ids: string[] = [];
  for (let each = 0; each < count; each += 1)
    ids.push(await engine.trigger({ product: 'billing', version: `${characters} ${each}` }));
  await engine.app.pool.query('UPDATE release_plan SET plan = plan || $2::jsonb WHERE release_id = ANY($1)', [
    ids,
    JSON.stringify({ warnings: ['x'.repeat(characters)] }),
  ]);
  engine.app.releaseEngine.forget();
  return ids;
}

test('all of a batch are moved, however little of it can be remembered', async () => {
  const ids = await triggered(20, 5_000);
  const done = await Promise.all(ids.map((releaseId) => terminateRelease(small, { releaseId }, 'ada')));
  expect(done.every((each) => each.value)).toBe(true);
  // Whoever had begun ends when its work does, and nobody works here.
  const { rows } = await engine.app.pool.query<{ status: string }>(
    'SELECT DISTINCT status FROM release WHERE id = ANY($1) ORDER BY status',
    [ids],
  );
  expect(rows.filter(({ status }) => !['TERMINATED', 'TERMINATING'].includes(status))).toEqual([]);
});

test('a release that is larger than all that may be remembered moves', async () => {
  const [id] = await triggered(1, 50_000);
  const to = await small.releaseEngine.tell(id!, { kind: 'terminate', reason: 'too large', by: 'ada' });
  expect(to?.state.status).toBe('TERMINATED');
});

test('null stands for a release that the database does not have; to whoever has just seen it that is a fault', async () => {
  const nobody = '00000000-0000-4000-8000-000000000000';
  expect(await small.releaseEngine.tell(nobody, { kind: 'tick' })).toBeNull();
  await expect(small.releaseEngine.tellKnown(nobody, { kind: 'tick' })).rejects.toThrow(/was there a moment ago/);
});

test('an older release that cannot be terminated yet is logged, and nothing else comes of it', async () => {
  process.removeAllListeners('unhandledRejection');
  process.on('unhandledRejection', (reason) => unhandled.push(reason));
  const { app } = engine;
  await engine.saveBilling('terminator', {
    concurrency: 'TERMINATE',
    driver: () => ({ type: 'simulate', duration: 2_000 }),
  });
  const move = app.releaseEngine.tell.bind(app.releaseEngine);
  let refused = 0;
  app.releaseEngine.tell = (id, stimulus) => {
    if (stimulus.kind !== 'terminate') return move(id, stimulus);
    refused += 1;
    return Promise.reject(new Error('Connection terminated unexpectedly'));
  };
  const worker = await engine.startWorker();
  const older = await engine.trigger({ product: 'terminator', version: '1' });
  await engine.reached(older, (state) => state.status === 'RUNNING');
  await engine.trigger({ product: 'terminator', version: '2' });
  while (refused === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  await new Promise((resolve) => setImmediate(resolve));
  app.releaseEngine.tell = move;
  expect(unhandled).toEqual([]);
  await worker.close();
});

test('a new release is written while more wait than a transaction takes', async () => {
  const app = await engine.another({ limits: { ...LIMITS, releasesPerTransaction: 4, transactions: 1 } });
  await app.definitions.current();
  const ids = await triggered(80, 10);
  const order: string[] = [];
  const told = ids.map((id) => app.releaseEngine.tell(id, { kind: 'tick' }).then(() => order.push('told')));
  const made = triggerRelease(app, { product: 'billing', version: 'new' }, 'ada').then(() => order.push('new'));
  await Promise.all([...told, made]);
  expect(order.indexOf('new')).toBeLessThan(40);
});

test('a save waits for one release while it holds none that comes after it', async () => {
  // Rows are come across in the order of the table, as in any plan that finds this cheaper.
  await engine.app.pool.query(
    `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET enable_indexscan = off', current_database());
       EXECUTE format('ALTER DATABASE %I SET enable_bitmapscan = off', current_database()); END $$`,
  );
  const app = await engine.another();
  const pair = async (): Promise<string[]> => {
    const ids = await triggered(2, 10);
    const { rows } = await app.pool.query<{ id: string }>('SELECT id FROM release WHERE id = ANY($1) ORDER BY ctid', [
      ids,
    ]);
    return rows.map((row) => row.id);
  };
  let [high, low] = await pair();
  // The one that is first in the table is to be locked last.
  while (high! < low!) [high, low] = await pair();
  let moved: Promise<unknown> = Promise.resolve();
  await inTransaction(app.pool, 'BEGIN', async (client) => {
    await client.query('SELECT FROM release WHERE id = $1 FOR UPDATE', [low]);
    moved = holdingNothing(() =>
      Promise.all(
        [high!, low!].map((id) => app.releaseEngine.tell(id, { kind: 'terminate', reason: 'both', by: 'ada' })),
      ),
    );
    const waits = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    // Within a transaction it would be seen as it was the first time.
    const waiting = () => holdingNothing(() => engine.app.pool.query(waits));
    while ((await waiting()).rowCount === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    await client.query('SELECT FROM release WHERE id = $1 FOR UPDATE NOWAIT', [high]);
  });
  await moved;
});

test('a reason as long as a book is cut before it is kept in state and log', async () => {
  const id = await engine.trigger({ product: 'billing', version: 'reason' });
  const told = await terminateRelease(engine.app, { releaseId: id, reason: `no ${'x'.repeat(100_000)}` }, 'ada');
  expect(told.refusals).toBeUndefined();
  const events = await engine.events(id);
  const reasons = events.flatMap((each) => (each.type === 'ReleaseTerminating' ? [each.reason] : []));
  expect(reasons).toEqual([expect.stringMatching(/^no x{1997}… \(98003 more characters\)$/)]);
});

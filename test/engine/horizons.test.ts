import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { holdEnvironment, releaseEnvironment } from '../../src/commands/hold-environment.ts';
import { reportHealth } from '../../src/commands/report-health.ts';
import { Sweep } from '../../src/jobs/sweep.ts';
import { LIMITS } from '../../src/limits.ts';
import { approvalOf } from '../core/support/builders.ts';
import { openTestEngine } from '../support/engine.ts';
import type { TestEngine } from '../support/engine.ts';

// A small world: each page holds one or two, and there are always more.
const SMALL = {
  ...LIMITS,
  openReleases: 2,
  releasesPerRound: 1,
  releasesTold: 1,
  releasesTicked: 1,
  outboxRows: 1,
  wakeUps: 1,
  rollbacksSettled: 1,
  lifted: 1,
};

let engine: TestEngine;
let app: App;
beforeAll(async () => {
  engine = await openTestEngine({ name: 'postgres', queuePrefix: `t${randomBytes(5).toString('hex')}` });
  app = await engine.another({ limits: SMALL });
});
afterAll(() => engine.close());

const sweepOf = (of: App): Sweep => new Sweep({ ...of, intervalMs: 1_000 });

/** As if nothing had happened to these for a minute. */
const quieten = (...ids: string[]): Promise<unknown> =>
  app.pool.query(
    `UPDATE release SET rest = jsonb_set(rest, '{lastEventAt}', to_jsonb((rest->>'lastEventAt')::bigint - 60000)),
       last_event_at = last_event_at - interval '1 minute', created_at = created_at - interval '1 minute', revision = revision + 1 WHERE id = ANY($1)`,
    [ids],
  );

async function triggered(product: string, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let each = 0; each < count; each += 1)
    ids.push(await engine.trigger({ product, version: `${product} ${each}` }));
  return ids;
}

test('the sweep finds what was lost of every open release, however many are older', async () => {
  await engine.saveBilling('many', { concurrency: 'PIPELINE', approvals: { staging: approvalOf('1') } });
  const ids = await triggered('many', 5);
  await quieten(...ids);
  const sweep = sweepOf(app);
  const looked = new Set<string>();
  const look = app.releaseEngine.look.bind(app.releaseEngine);
  app.releaseEngine.look = (id, options) => {
    looked.add(id);
    return look(id, options);
  };
  for (let round = 0; round < 12 && looked.size < ids.length; round += 1) {
    await sweep.round();
    await quieten(...ids);
  }
  app.releaseEngine.look = look;
  await sweep.close();
  expect([...looked].sort()).toEqual([...ids].sort());
});

test('a row of the outbox that the queue does not take holds up none behind it', async () => {
  await engine.saveBilling('rows', { concurrency: 'PIPELINE' });
  const [id] = await triggered('rows', 1);
  const rows = ['first', 'second', 'third'].map((key) => ({
    key,
    work: { kind: 'dispatch', promotions: [{ promotion: 0, attempt: 1, dispatch: 900 }], join: false },
  }));
  for (const { key, work } of rows)
    await app.pool.query(
      `INSERT INTO outbox (key, release_id, work, due_at) VALUES ($1, $2, $3, now() - interval '1 minute')`,
      [key, id, work],
    );
  const handOver = app.queue.handOver.bind(app.queue);
  app.queue.handOver = (items) =>
    items.some(({ key }) => key === 'first') ? Promise.reject(new Error('not this one')) : handOver(items);
  const sweep = sweepOf(app);
  await sweep.round().catch(() => undefined);
  app.queue.handOver = handOver;
  const { rows: left } = await app.pool.query(
    `SELECT key, attempts, last_error, due_at > now() AS later FROM outbox WHERE key IN ('first', 'second', 'third')`,
  );
  expect(left).toEqual([{ key: 'first', attempts: 1, last_error: 'not this one', later: true }]);
  await app.pool.query(`UPDATE outbox SET due_at = now() WHERE key = 'first'`);
  await sweep.round();
  await sweep.close();
  expect((await app.pool.query(`SELECT FROM outbox WHERE key = 'first'`)).rowCount).toBe(0);
});

test('a health report reaches the release that waits for it, however many older ones are open', async () => {
  await engine.saveBilling('told', {
    concurrency: 'PIPELINE',
    health: (environment) => (environment === 'dev' ? { type: 'report' } : { type: 'none' }),
    approvals: { staging: approvalOf('1') },
  });
  const worker = await engine.startWorker();
  const older: string[] = [];
  for (let each = 0; each < 3; each += 1) {
    const id = await engine.trigger({ product: 'told', version: `told ${each}` });
    await engine.reached(id, ({ promotions }) => promotions[0]!.steps.some((step) => step.status === 'WAITING'));
    // Open for as long as nobody approves; only the first, which is past its health, has more to tell of.
    await reportHealth(app, { application: 'told-dev', status: 'HEALTHY' }, 'argo');
    await engine.reached(id, ({ promotions }) => promotions[0]!.status === 'SUCCEEDED');
    older.push(id);
  }
  await worker.close();
  expect(new Set(older).size).toBe(3);
});

test('a lifted hold is told to all that wait for it', async () => {
  await engine.saveBilling('held', { concurrency: 'PIPELINE' });
  for (const reason of ['one', 'two', 'three'])
    await holdEnvironment(app, { environment: 'dev', product: 'held', reason }, 'ada');
  const ids = await triggered('held', 4);
  const ticked = new Set<string>();
  const move = app.releaseEngine.tell.bind(app.releaseEngine);
  app.releaseEngine.tell = (id, stimulus) => {
    ticked.add(id);
    return move(id, stimulus);
  };
  const { value, refusals } = await releaseEnvironment(app, { environment: 'dev', product: 'held' }, 'ada');
  expect([value?.length, refusals]).toEqual([3, undefined]);
  while (ticked.size < ids.length) await new Promise((resolve) => setTimeout(resolve, 10));
  app.releaseEngine.tell = move;
  expect([...ticked].sort()).toEqual([...ids].sort());
});

test('a queue that a process died over is shortened by the sweep, and whoever runs is left alone', async () => {
  await engine.saveBilling('queue', { concurrency: 'SUPERSEDE' });
  const [running] = await triggered('queue', 1);
  // The process that triggers these dies before it has made room.
  const move = app.releaseEngine.tell.bind(app.releaseEngine);
  const moving = engine.app.releaseEngine.tell.bind(engine.app.releaseEngine);
  engine.app.releaseEngine.tell = (id, stimulus) =>
    stimulus.kind === 'terminate' ? Promise.reject(new Error('it died here')) : moving(id, stimulus);
  const waiting: string[] = [];
  for (let each = 0; each < 3; each += 1)
    await engine.trigger({ product: 'queue', version: `waits ${each}` }).catch(() => undefined);
  engine.app.releaseEngine.tell = moving;
  const { rows } = await app.pool.query<{ id: string }>(
    `SELECT id FROM release WHERE product = 'queue' AND status = 'QUEUED' ORDER BY number`,
  );
  waiting.push(...rows.map(({ id }) => id));
  expect(waiting).toHaveLength(3);
  await quieten(...waiting);
  const sweep = sweepOf(app);
  await sweep.round();
  await sweep.close();
  const states = await Promise.all([running!, ...waiting].map((id) => app.releaseEngine.look(id, { fresh: true })));
  expect(states.map((to) => to!.state.status)).toEqual(['RUNNING', 'TERMINATED', 'TERMINATED', 'QUEUED']);
  const newest = states[3]!.release;
  expect(states[1]!.state.terminating?.reason).toBe(`superseded by release ${newest.product}#${newest.number}`);
  app.releaseEngine.tell = move;
});

/** What runs in its first environment fails. */
async function failed(releaseId: string): Promise<void> {
  const to = await engine.app.releaseEngine.look(releaseId, { fresh: true });
  const { attempt, steps } = to!.state.promotions[0]!;
  const step = steps.findIndex((each) => each.status === 'RUNNING');
  const { dispatch } = steps[step]!;
  const outcome = { kind: 'failed' as const, message: 'broken' };
  await engine.app.releaseEngine.tell(releaseId, { kind: 'outcome', promotion: 0, attempt, step, dispatch, outcome });
}

test('whoever is to make room and has its turn before that is decided is left alone', async () => {
  await engine.saveBilling('turn', { concurrency: 'SUPERSEDE' });
  const [running] = await triggered('turn', 1);
  const [first] = await triggered('turn', 1);
  const moving = engine.app.releaseEngine.tell.bind(engine.app.releaseEngine);
  // Between the look at the queue and the word that ends the first in it, the one before it ends.
  engine.app.releaseEngine.tell = async (id, stimulus) => {
    if (id === first && stimulus.kind === 'terminate') {
      engine.app.releaseEngine.tell = moving;
      await failed(running as string);
      await engine.reached(id, (state) => state.status !== 'QUEUED');
    }
    return moving(id, stimulus);
  };
  const last = await engine.trigger({ product: 'turn', version: 'last' });
  engine.app.releaseEngine.tell = moving;
  const states = await Promise.all([first!, last].map((id) => app.releaseEngine.look(id, { fresh: true })));
  expect(states.map((to) => to!.state.terminating)).toEqual([null, null]);
  expect(states[0]!.state.startedAt).not.toBeNull();
});

import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { LRUCache } from 'lru-cache';
import type { PoolClient } from 'pg';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { reportDeployment } from '../../src/commands/report-deployment.ts';
import { reportHealth } from '../../src/commands/report-health.ts';
import { advanceCandidate } from '../../src/commands/trigger/advance-candidate.ts';
import { retryCandidate } from '../../src/commands/trigger/control-candidate.ts';
import { pauseTriggers } from '../../src/commands/trigger/pause-triggers.ts';
import type { Pinned } from '../../src/commands/trigger/pin.ts';
import { LIMITS } from '../../src/limits.ts';
import { holdingNothing, inTransaction } from '../../src/connections.ts';
import { CandidateWatch } from '../../src/jobs/candidate-watch.ts';
import { claimDue, listCandidates, lockNewest } from '../../src/store/candidates.ts';
import { wakeCandidates } from '../../src/store/candidates.ts';
import type { HealthSourceSpec } from '../../src/core/definitions.ts';
import type { KeptCandidate } from '../../src/store/candidates.ts';
import { pausesInForce } from '../../src/store/triggers.ts';
import { saveDevToProd } from '../support/by-push.ts';
import { openTestEngine } from '../support/engine.ts';
import type { TestEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { PATIENCE } from '../support/patience.ts';

// Between two rounds of the watch lies an hour: whatever happens here happens because it was told, or because its time was known.

let engine: TestEngine;
beforeAll(async () => {
  const backend = { name: 'postgres' as const, queuePrefix: `t${randomBytes(5).toString('hex')}` };
  engine = await openTestEngine(
    backend,
    { SLUICE_ALLOWED_NETWORKS: '127.0.0.0/8' },
    { limits: { ...LIMITS, candidatesEvery: 3_600_000 } },
  );
  await engine.startWorker();
  await saveDevToProd(engine);
});
afterAll(() => engine.close());

/** A product whose health in dev is told by reports, with a version there that was reported once. */
async function product(name: string, coalesce: number, health: HealthSourceSpec = { type: 'report' }): Promise<void> {
  await engine.save('Product', name, {
    promotionFlows: [],
    concurrency: 'PIPELINE',
    queueLimit: 50,
    trigger: { coalesce },
  });
  for (const environment of ['dev', 'prod'])
    await engine.save('Application', `${name}-${environment}`, {
      product: name,
      environment,
      driver: { type: 'simulate' },
      health: environment === 'dev' ? health : { type: 'none' },
    });
  await runs(name, '1');
}

const runs = (name: string, version: string): Promise<unknown> =>
  reportDeployment(engine.app, { application: `${name}-dev`, version }, null);

const ANY = { limit: 5, but: [] };

async function become(name: string, status: KeptCandidate['status']): Promise<KeptCandidate> {
  for (const deadline = Date.now() + PATIENCE; ;) {
    const { rows } = await listCandidates(engine.app.pool, { limit: 10, entries: 100, filter: { product: name } });
    if (rows[0]?.status === status) return rows[0];
    if (Date.now() > deadline) throw new Error(`it is not ${status}: ${JSON.stringify(rows)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test('a candidate is looked at when its pushes are together, and when a report about its environment comes', async () => {
  await product('told', 200);
  await runs('told', '2');
  const { coalescedAt, createdAt } = await become('told', 'WAITING');
  expect(coalescedAt.getTime() - createdAt.getTime()).toBe(200);
  await reportHealth(engine.app, { application: 'told-dev', status: 'HEALTHY' }, null);
  expect((await become('told', 'RELEASED')).releaseId).not.toBeNull();
});

test('a candidate that coalesces nothing, and one that somebody tries again, are looked at as soon as they are there', async () => {
  await product('again', 0);
  await runs('again', '2');
  const { id } = await become('again', 'WAITING');
  // Refused for good, as if a definition had been in the way.
  await engine.app.pool.query(
    `UPDATE candidate SET status = 'REFUSED', ended_at = now(), due_at = NULL WHERE id = $1`,
    [id],
  );
  await reportHealth(engine.app, { application: 'again-dev', status: 'HEALTHY' }, null);
  await retryCandidate(engine.app, id, 'ada');
  await become('again', 'RELEASED');
});

test('whoever takes what is due hears when the first of the others is', async () => {
  await engine.app.pool.query(`UPDATE candidate SET due_at = NULL`);
  await product('next', 3_600_000);
  expect((await claimDue(engine.app.pool, new Date(), new Date(), ANY)).next).toBeNull();
  await runs('next', '2');
  const [now, until] = [engine.app.clock.now(), new Date(Date.now() + 60_000)];
  const waits = await become('next', 'COALESCING');
  expect(await claimDue(engine.app.pool, now, until, ANY)).toEqual({ due: [], next: waits.dueAt });
  const { due, next } = await claimDue(engine.app.pool, waits.dueAt!, until, ANY);
  expect([due.map(({ id }) => id), next]).toEqual([[waits.id], null]);
});

test('what a candidate would release is read a moment before its pushes are together, and nothing else is asked', async () => {
  await product('ahead', 3_600_000);
  await runs('ahead', '2');
  const waits = await become('ahead', 'COALESCING');
  expect(waits.coalescedAt.getTime() - waits.dueAt!.getTime()).toBe(500);
  const pinned = new LRUCache<string, Pinned>({ max: 1 });
  const standings = vi.fn(() => Promise.resolve([]));
  await advanceCandidate(engine.app, waits, { pinned, standings });
  const { dueAt, releaseId } = await become('ahead', 'COALESCING');
  expect([pinned.size, dueAt, releaseId]).toEqual([1, waits.coalescedAt, null]);
  expect(standings).not.toHaveBeenCalled();
});

test('a candidate that is woken while it is looked at is looked at once more, as soon as that look is over', async () => {
  const asked: ServerResponse[] = [];
  const server = createServer((_, response) => void asked.push(response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  try {
    await product('woken', 0, { type: 'http', url });
    await runs('woken', '2');
    await eventually(() => expect(asked).toHaveLength(1));
    await wakeCandidates(engine.app.pool, engine.app.clock.now(), { product: 'woken' });
    asked[0]!.end();
    await eventually(() => expect(asked).toHaveLength(2));
    asked[1]!.end();
    await become('woken', 'RELEASED');
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test('a pause that is answered while a candidate is looked at is obeyed', async () => {
  await product('paused', 0);
  await runs('paused', '2');
  const waits = await become('paused', 'WAITING');
  const pinned = new LRUCache<string, Pinned>({ max: 1 });
  const standings = async (): Promise<[]> => {
    await pauseTriggers(engine.app, { product: 'paused', reason: 'fair week' }, 'ada');
    return [];
  };
  await advanceCandidate(engine.app, waits, { pinned, standings });
  const now = async (): Promise<KeptCandidate | undefined> =>
    (await listCandidates(engine.app.pool, { limit: 1, entries: 100, filter: { product: 'paused' } })).rows[0];
  await expect.poll(now).toMatchObject({
    status: 'WAITING',
    releaseId: null,
    reason: expect.stringContaining('are paused by ada: fair week'),
  });
});

test('a pause waits for no candidate that is being made, nor for a VACUUM of them', async () => {
  await product('turns', 3_600_000);
  await runs('turns', '2');
  await become('turns', 'COALESCING');
  await inTransaction(engine.app.pool, 'BEGIN', async (client) => {
    // As a VACUUM does, and then as `insertArrived`.
    await client.query('LOCK TABLE candidate IN SHARE UPDATE EXCLUSIVE MODE');
    await lockNewest(client, 'turns', 'dev');
    const paused = await holdingNothing(() =>
      pauseTriggers(engine.app, { product: 'turns', reason: 'fair week' }, 'ada'),
    );
    expect(paused.value).toMatchObject({ product: 'turns' });
  });
});

test('a pause waits for the release that a candidate is becoming, and is seen by the next one', async () => {
  await product('becoming', 3_600_000);
  const { pool, clock } = engine.app;
  const pausesNow = (client: PoolClient): Promise<unknown[]> => pausesInForce(client, clock.now(), 'becoming');
  let paused: ReturnType<typeof pauseTriggers> | undefined;
  let isAnswered = false;
  await inTransaction(pool, 'BEGIN', async (client) => {
    expect(await pausesNow(client)).toEqual([]);
    paused = holdingNothing(() => pauseTriggers(engine.app, { product: 'becoming', reason: 'fair week' }, 'ada'));
    paused.then(() => (isAnswered = true)).catch(() => undefined);
    const waiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'`;
    await expect.poll(() => holdingNothing(async () => (await pool.query(waiting)).rowCount)).toBe(1);
    expect(isAnswered).toBe(false);
  });
  expect((await paused)?.value).toMatchObject({ product: 'becoming' });
  expect(await inTransaction(pool, 'BEGIN', pausesNow)).toMatchObject([{ product: 'becoming' }]);
});

test('a round with older definitions forgets no cursor of an application that is new', async () => {
  const { definitions } = engine.app;
  const older = await definitions.current();
  await product('fresh', 0);
  const slow = new CandidateWatch({
    ...engine.app,
    definitions: Object.assign(Object.create(definitions) as typeof definitions, { current: async () => older }),
  });
  await slow.round();
  await slow.close();
  await runs('fresh', '2');
  const { rows } = await listCandidates(engine.app.pool, { limit: 10, entries: 100, filter: { product: 'fresh' } });
  expect(rows).toHaveLength(1);
});

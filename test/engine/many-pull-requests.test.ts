import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { closeAbandoned, replacePullRequests } from '../../src/commands/tidy-pull-requests.ts';
import { holdingNothing, inTransaction } from '../../src/connections.ts';
import type { Stimulus } from '../../src/core/release.ts';
import { dueForJudgement, lockRequests } from '../../src/store/merge-requests.ts';
import { beginPullRequest, sawPullRequest } from '../../src/store/pull-requests.ts';
import { openTestEngine } from '../support/engine.ts';
import type { TestEngine } from '../support/engine.ts';
import { FakeForge } from '../support/fake-forge.ts';

const MANY = 130;
const REPOSITORY = 'https://git.example.com/acme/config.git';
const NOT_OURS = 'https://git.example.com/others/config.git';
let engine: TestEngine;
let forge: FakeForge;
/** Releases that make way for newer ones, and those that were ended for it. */
let replaceable: Set<string>;
let ended: string[];

beforeAll(async () => {
  const backend = { name: 'postgres' as const, queuePrefix: `t${randomBytes(5).toString('hex')}` };
  engine = await openTestEngine(backend, { LOG_LEVEL: 'fatal' });
  for (const product of ['billing', 'shipping']) await engine.saveBilling(product, { concurrency: 'PIPELINE' });
});
afterAll(() => engine.close());
beforeEach(async () => {
  forge = new FakeForge();
  replaceable = new Set();
  ended = [];
  await engine.app.pool.query('DELETE FROM pull_request');
});

/** The process with a forge in memory, and releases that say of themselves what the test says. */
function app(): TestEngine['app'] {
  const drivers = Object.assign(Object.create(engine.app.drivers) as typeof engine.app.drivers, {
    driver: () => ({ heads: async () => ({ kind: 'HEADS', heads: new Map() }) }),
    forge: async (repository: string) => (repository === NOT_OURS ? undefined : forge),
  });
  const waiting = (onNewer: 'WAIT' | 'REPLACE') => ({
    release: {
      plan: { promotions: [{ environment: 'dev', pullRequest: { onNewer }, steps: [{ work: { kind: 'merge' } }] }] },
    },
    state: { promotions: [{ startedAt: 1, steps: [{ status: 'WAITING' }] }] },
  });
  const releaseEngine = Object.assign(Object.create(engine.app.releaseEngine) as typeof engine.app.releaseEngine, {
    look: async (id: string) => waiting(replaceable.has(id) ? 'REPLACE' : 'WAIT'),
    tell: async (id: string, { kind }: Stimulus) => {
      if (kind === 'terminate') ended.push(id);
      return null;
    },
  });
  return { ...engine.app, drivers, releaseEngine };
}

/** In the order of their numbers. */
async function opened(place: number, releaseId: string, product: string, repository = REPOSITORY): Promise<void> {
  const { pool } = engine.app;
  const call = { signal: new AbortController().signal };
  const branch = `sluice/${product}/dev/${place}`;
  const { number } = await forge.open(repository, { head: branch, base: 'main', title: 't', body: '' }, call);
  const key = `key-${String(place).padStart(5, '0')}`;
  const at = { product, environment: 'dev', repository, forge: 'github', base: 'main' };
  await beginPullRequest(pool, { ...at, key, releaseId, position: 0, step: 0, attempt: 1, branch });
  await sawPullRequest(pool, key, { state: 'OPEN', number });
}

test('one that makes way for a newer release is reached, however many before it wait', async () => {
  const [waits, replaced] = [
    await engine.trigger({ product: 'billing', version: '1' }),
    await engine.trigger({ product: 'shipping', version: '1' }),
  ];
  for (const product of ['billing', 'shipping']) await engine.trigger({ product, version: '2' });
  for (let each = 0; each < MANY; each += 1) await opened(each, waits, 'billing');
  await opened(MANY, replaced, 'shipping');
  replaceable.add(replaced);
  let from = await replacePullRequests(app());
  expect(ended).toEqual([]);
  from = await replacePullRequests(app(), from);
  expect([ended, from]).toEqual([[replaced], undefined]);
});

test('one that nothing waits for is closed, however many before it cannot be', async () => {
  const id = await engine.trigger({ product: 'billing', version: '1' });
  await engine.app.pool.query(
    `UPDATE promotion SET ended_at = now() - interval '5 minutes' WHERE release_id = $1 AND position = 0`,
    [id],
  );
  for (let each = 0; each < MANY; each += 1) await opened(each, id, 'billing', NOT_OURS);
  await opened(MANY, id, 'billing');
  await closeAbandoned(app());
  const { rows } = await engine.app.pool.query(
    `SELECT count(*)::int AS n, state FROM pull_request GROUP BY 2 ORDER BY 2`,
  );
  expect(rows).toEqual([
    { n: 1, state: 'CLOSED' },
    { n: MANY, state: 'OPEN' },
  ]);
  expect(forge.counters.closed).toBe(1);
});

test('one that nothing waits for is closed, whatever else its release has left to be done outside', async () => {
  const id = await engine.trigger({ product: 'billing', version: '1' });
  const { pool } = engine.app;
  await pool.query(
    `UPDATE promotion SET ended_at = now() - interval '5 minutes' WHERE release_id = $1 AND position = 0`,
    [id],
  );
  await opened(1, id, 'billing');
  const errand = (name: string, step: number): Promise<unknown> =>
    pool.query(
      `INSERT INTO outbox (key, release_id, lane, work, due_at) VALUES ($1, $2, 'errand', $3, now() + interval '1 hour')`,
      [`${id}-${name}-${step}`, id, { kind: 'errand', name, data: { promotion: 0, attempt: 1, step, reason: '' } }],
    );
  // A server of Argo that is gone, and a pull request of another step whose host is.
  await errand('end-action', 0);
  await errand('close-pull-request', 3);
  await errand('close-pull-request', 0);
  await closeAbandoned(app());
  expect(forge.counters.closed).toBe(0);
  await pool.query('DELETE FROM outbox WHERE key = $1', [`${id}-close-pull-request-0`]);
  await closeAbandoned(app());
  expect(forge.counters.closed).toBe(1);
  await pool.query('DELETE FROM outbox WHERE release_id = $1', [id]);
});

test('one whose status is being written down holds up no other one', async () => {
  const [one, other] = [
    await engine.trigger({ product: 'billing', version: 'one' }),
    await engine.trigger({ product: 'shipping', version: 'other' }),
  ];
  await opened(1, one, 'billing');
  await opened(2, other, 'shipping');
  const { pool } = engine.app;
  const due = async (): Promise<string[]> =>
    (await dueForJudgement(pool, 10, 30_000)).map(({ releaseId }) => releaseId);
  await inTransaction(pool, 'BEGIN', async (client) => {
    expect(await lockRequests(client, one, 0, 1)).toHaveLength(1);
    expect(await holdingNothing(due)).toEqual([other]);
  });
  expect(await due()).toEqual([one]);
});

import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { tellMovedBases } from '../../src/commands/tell-hinted.ts';
import { TransientError } from '../../src/drivers/driver.ts';
import { PullRequestWatch } from '../../src/jobs/pull-request-watch.ts';
import { RepositoryWatch } from '../../src/jobs/repository-watch.ts';
import { beginPullRequest, sawPullRequest } from '../../src/store/pull-requests.ts';
import { addHints, readLooks } from '../../src/store/news.ts';
import { openTestEngine } from '../support/engine.ts';
import type { TestEngine } from '../support/engine.ts';
import { FakeForge } from '../support/fake-forge.ts';

const REPOSITORY = 'http://127.0.0.1:1/acme/config.git';
let engine: TestEngine;
let forge: FakeForge;
let told: { release: string; via: unknown }[];
/** The last character of a release that cannot be decided. */
let broken: string;

beforeAll(async () => {
  const backend = { name: 'postgres' as const, queuePrefix: `t${randomBytes(5).toString('hex')}` };
  engine = await openTestEngine(backend, {
    SLUICE_GIT_PROTOCOLS: 'http',
    SLUICE_ALLOWED_NETWORKS: '127.0.0.0/8',
    LOG_LEVEL: 'fatal',
  });
});
afterAll(() => engine.close());
beforeEach(async () => {
  forge = new FakeForge();
  told = [];
  broken = '';
  await engine.app.pool.query('DELETE FROM pull_request');
  await engine.app.pool.query('DELETE FROM watched_repository');
  await engine.app.pool.query('DELETE FROM hint');
});

/** The process, with a forge in memory, which tells of the promotions that are told. */
function app(): TestEngine['app'] {
  const drivers = Object.assign(Object.create(engine.app.drivers) as typeof engine.app.drivers, {
    forge: async () => forge,
  });
  const releaseEngine = Object.assign(Object.create(engine.app.releaseEngine) as typeof engine.app.releaseEngine, {
    tell: async (release: string, stimulus: { kind: string; via?: unknown }) => {
      expect(stimulus.kind).toBe('pull-request-told');
      if (release.endsWith(broken) && broken !== '') throw new Error('its state cannot be read');
      told.push({ release: release.slice(-1), via: stimulus.via });
      return null;
    },
  });
  return { ...engine.app, drivers, releaseEngine };
}

/** A pull request of a promotion, as its step has opened it. */
async function opened(place: number, repository = REPOSITORY): Promise<number> {
  const branch = `sluice/billing/eu/${place}`;
  const call = { signal: new AbortController().signal };
  const made = await forge.open(repository, { head: branch, base: 'main', title: 't', body: '' }, call);
  const key = `key-${place}`;
  const at = { product: 'billing', environment: 'eu', repository, forge: 'github', base: 'main' };
  const releaseId = `00000000-0000-4000-8000-00000000000${place}`;
  await beginPullRequest(engine.app.pool, { ...at, key, releaseId, position: 0, step: 0, attempt: 1, branch });
  await sawPullRequest(engine.app.pool, key, { state: 'OPEN', number: made.number, headSha: made.head.sha });
  return made.number;
}

async function watched(): Promise<void> {
  const watch = new RepositoryWatch(app());
  await watch.round();
  await watch.close();
}

async function list(): Promise<void> {
  const watch = new PullRequestWatch(app());
  await watch.round();
  await watch.settled();
  await watch.close();
}

const lists = (): number => forge.calls.filter((each) => each === 'list').length;
const due = (): Promise<unknown> => engine.app.pool.query('UPDATE watched_repository SET pull_next_at = now()');

test('where pull requests are open they are listed, one call for all of a repository, and those that changed are told', async () => {
  const numbers = [await opened(1), await opened(2), await opened(3), await opened(4)];
  await watched();
  await list();
  expect([lists(), told]).toEqual([1, []]);
  forge.mergeByPerson(REPOSITORY, numbers[0]!);
  forge.closeByPerson(REPOSITORY, numbers[1]!, 'ada');
  forge.pushOnto(REPOSITORY, numbers[2]!, 'another-sha');
  await due();
  await list();
  expect(lists()).toBe(2);
  expect(told.sort((a, b) => a.release.localeCompare(b.release))).toEqual(
    ['1', '2', '3'].map((release) => ({ release, via: 'POLL' })),
  );
});

test('what could not be told is told by the next list, though nothing has changed at the host since', async () => {
  const numbers = [await opened(1), await opened(2)];
  await watched();
  await list();
  for (const number of numbers) forge.mergeByPerson(REPOSITORY, number);
  broken = '1';
  await due();
  await list();
  expect(told).toEqual([{ release: '2', via: 'POLL' }]);
  broken = '';
  told = [];
  await due();
  await list();
  expect(told).toContainEqual({ release: '1', via: 'POLL' });
});

test('nothing is listed where none is open, and many workers list no more often than one', async () => {
  await watched();
  await list();
  expect(lists()).toBe(0);
  await opened(1);
  await watched();
  const workers = Array.from({ length: 4 }, () => new PullRequestWatch(app()));
  await Promise.all(workers.map((each) => each.round()));
  await Promise.all(workers.map((each) => each.close()));
  await list();
  expect(lists()).toBe(1);
});

test('a host that asks for a pause gets it, and what changed meanwhile is told after it', async () => {
  const number = await opened(1);
  await watched();
  forge.faults.set('list', new TransientError('slow down', { retryAfter: 120_000 }));
  await list();
  const { rows } = await engine.app.pool.query<{ wait: number }>(
    'SELECT extract(epoch FROM pull_next_at - now())::float8 AS wait FROM watched_repository',
  );
  expect(await readLooks(engine.app.pool)).toMatchObject([{ pullError: 'slow down' }]);
  expect(rows[0]!.wait).toBeGreaterThan(110);
  forge.mergeByPerson(REPOSITORY, number);
  await due();
  await list();
  expect(told).toEqual([{ release: '1', via: 'POLL' }]);
  expect(await readLooks(engine.app.pool)).toMatchObject([{ pullError: null }]);
});

test('a branch into which they are to be merged has moved: they are told', async () => {
  await opened(1);
  const heads = new Map([['main', 'new']]);
  await tellMovedBases(app(), REPOSITORY.replace(/\.git$/, ''), { main: 'new' }, heads);
  expect(told).toEqual([]);
  await tellMovedBases(app(), REPOSITORY.replace(/\.git$/, ''), { main: 'old' }, heads);
  expect(told).toEqual([{ release: '1', via: 'PUSH' }]);
});

test('a webhook tells them at once', async () => {
  const number = await opened(1);
  await watched();
  await addHints(engine.app.pool, [{ repository: REPOSITORY, kind: 'PULL_REQUEST', number, via: 'MERGE' }]);
  await watched();
  expect(told).toEqual([{ release: '1', via: 'WEBHOOK' }]);
  const { rows } = await engine.app.pool.query('SELECT FROM hint');
  expect(rows).toEqual([]);
});

test('a release that cannot be told holds up no other one, and no look at a repository', async () => {
  const numbers = [await opened(1), await opened(2)];
  await watched();
  broken = '1';
  const hint = (number: number) => ({
    repository: REPOSITORY,
    kind: 'PULL_REQUEST' as const,
    number,
    via: 'MERGE' as const,
  });
  await addHints(engine.app.pool, numbers.map(hint));
  await engine.app.pool.query(
    `UPDATE watched_repository SET next_look_at = now(), claimed_until = NULL, looked_at = '2000-01-01'`,
  );
  await watched();
  expect(told).toEqual([{ release: '2', via: 'WEBHOOK' }]);
  const { rows } = await engine.app.pool.query(
    `SELECT (SELECT count(*)::int FROM hint) AS hints, looked_at > '2000-01-01' AS looked FROM watched_repository`,
  );
  expect(rows).toEqual([{ hints: 0, looked: true }]);
});

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { setSecret } from '../../src/commands/set-secret.ts';
import { PermanentError, TransientError } from '../../src/drivers/driver.ts';
import { RepositoryWatch } from '../../src/jobs/repository-watch.ts';
import { keepNews, readDelivery } from '../../src/store/deliveries.ts';
import { addHints } from '../../src/store/news.ts';
import { startGitHost } from '../peers/git-host.ts';
import type { GitHost } from '../peers/git-host.ts';
import { openTestEngine } from '../support/engine.ts';
import type { TestEngine } from '../support/engine.ts';

let engine: TestEngine;
let host: GitHost;
const watches: RepositoryWatch[] = [];
const LOGIN = { username: 'sluice', password: 'a-password-of-git' };

beforeAll(async () => {
  host = await startGitHost({ login: LOGIN });
  const backend = { name: 'postgres' as const, queuePrefix: `t${randomBytes(5).toString('hex')}` };
  engine = await openTestEngine(backend, {
    SLUICE_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    SLUICE_GIT_PROTOCOLS: 'http',
    SLUICE_ALLOWED_NETWORKS: '127.0.0.0/8',
    LOG_LEVEL: 'fatal',
  });
  await login('git', `${host.url}/`);
});
afterAll(async () => {
  for (const each of watches) await each.close();
  await engine.close();
  await host.close();
});

interface Row {
  repository: string;
  branches: string[];
  heads: Record<string, string>;
  failures: number;
  error: string | null;
  error_kind: string | null;
  due_in: number | null;
  paused_for: number | null;
  claimed_until: Date | null;
}

const rows = async (): Promise<Row[]> =>
  (
    await engine.app.pool.query<Row>(
      `SELECT repository, branches, heads, failures, error, error_kind, claimed_until,
         CASE WHEN next_look_at < 'infinity' THEN extract(epoch FROM next_look_at - now())::float8 END AS due_in,
         extract(epoch FROM not_before - now())::float8 AS paused_for
       FROM watched_repository ORDER BY repository`,
    )
  ).rows;

const due = (): Promise<unknown> =>
  engine.app.pool.query('UPDATE watched_repository SET next_look_at = now(), looked_at = NULL');
const hints = async (): Promise<number> =>
  (await engine.app.pool.query<{ n: number }>('SELECT count(*)::int AS n FROM hint')).rows[0]!.n;

/** What a fetch of a folder comes to, by its path; others work. */
const unread = new Map<string, Error>();
/** How often branches were asked for: what comes of a look may fetch, too. */
let looks = 0;

function watch(): RepositoryWatch {
  const { drivers } = engine.app;
  const counted: typeof drivers.driver = (spec) => {
    const driver = drivers.driver(spec);
    return {
      ...driver,
      heads: (...asked) => {
        looks += 1;
        return driver.heads(...asked);
      },
      moved: async (...asked) => {
        const error = asked[0].type === 'git' ? unread.get(asked[0].path) : undefined;
        if (error) throw error;
        return driver.moved(...asked);
      },
    };
  };
  const made = new RepositoryWatch({
    ...engine.app,
    drivers: Object.assign(Object.create(drivers) as typeof drivers, { driver: counted }),
  });
  watches.push(made);
  return made;
}

async function look(): Promise<void> {
  const one = watch();
  await one.round();
  await one.settled();
  await one.close();
}

/** One product per repository, with an application in the trigger environment. */
async function product(name: string, repoURL: string, branch = 'main', folder = 'dev'): Promise<void> {
  await engine.save('Environment', 'dev', { kind: 'NON_PRODUCTION' });
  await engine.save('Environment', 'eu', { kind: 'PRODUCTION' });
  await engine.save('PromotionFlow', 'to-eu', {
    triggerEnvironment: 'dev',
    productSelector: {},
    onFailure: 'FINISH_RUNNING',
    steps: [{ environment: 'eu', dependsOn: ['dev'] }],
  });
  await engine.save('Product', name, { promotionFlows: [], concurrency: 'QUEUE', queueLimit: 50 });
  for (const environment of ['dev', 'eu'])
    await engine.save('Application', `${name}-${environment}`, {
      product: name,
      environment,
      driver: {
        type: 'git',
        repoURL,
        branch: environment === 'dev' ? branch : 'only-eu',
        path: environment === 'dev' ? folder : environment,
      },
      health: { type: 'none' },
    });
}

async function login(name: string, url: string): Promise<void> {
  const use = { kind: 'GIT' as const, url, username: LOGIN.username };
  const { refusals } = await setSecret(engine.app, { name, value: LOGIN.password, description: null, use }, 'ada');
  expect(refusals).toBeUndefined();
}

beforeEach(async () => {
  for (const each of watches.splice(0)) await each.close();
  unread.clear();
  await engine.app.pool.query('DELETE FROM application');
  await engine.app.pool.query('UPDATE definition_clock SET revision = revision + 1');
  await look();
  expect(await rows()).toEqual([]);
});

test('repositories of trigger environments are watched, each once, with the branches that matter', async () => {
  const repository = await host.repository('watched');
  await repository.commit({ 'dev/a.yaml': 'v: 1\n' }, 'First');
  await product('one', `${host.url}/acme/watched.git`);
  await product('two', `${host.url}/acme/watched.git`, 'release/1');
  const before = looks;
  await look();
  expect(looks - before).toBe(1);
  const head = await repository.head();
  expect(await rows()).toMatchObject([
    { repository: `${host.url}/acme/watched.git`, branches: ['main', 'release/1'], heads: { main: head }, error: null },
  ]);
  const [{ due_in: in_ }] = (await rows()) as [Row];
  expect(in_).toBeGreaterThan(49);
  expect(in_).toBeLessThanOrEqual(60);
});

test('many workers look no more often than one', async () => {
  const repository = await host.repository('shared');
  await repository.commit({ 'dev/a.yaml': 'v: 1\n' }, 'First');
  await product('shared', `${host.url}/acme/shared.git`);
  const workers = Array.from({ length: 5 }, watch);
  const before = looks;
  for (let round = 0; round < 3; round += 1) await Promise.all(workers.map((each) => each.round()));
  await Promise.all(workers.map((each) => each.settled()));
  expect(looks - before).toBe(1);
});

test('trap 27: a thousand hints about one repository in a second are at most two looks, one at a time', async () => {
  const repository = await host.repository('flooded');
  await repository.commit({ 'dev/a.yaml': 'v: 1\n' }, 'First');
  await product('flooded', `${host.url}/acme/flooded.git`);
  await look();
  const workers = [watch(), watch()];
  for (const each of workers) each.start();
  await engine.app.pool.query(`UPDATE watched_repository SET looked_at = now() - interval '1 minute'`);
  const before = looks;
  const began = performance.now();
  for (let sent = 0; sent < 1_000; sent += 50) {
    await Promise.all(
      Array.from({ length: 50 }, () =>
        addHints(engine.app.pool, [
          { repository: `${host.url}/acme/flooded.git`, kind: 'PUSH', ref: 'main', via: 'PUSH' },
        ]),
      ),
    );
    for (const each of workers) each.hurry();
  }
  const took = performance.now() - began;
  await expect.poll(hints).toBe(0);
  // One at once, and one a second as long as they come.
  expect(looks - before).toBeLessThanOrEqual(1 + Math.ceil(took / 1_000));
  expect(looks - before).toBeGreaterThan(0);
});

test('trap 27: a look is over when it has its answer, and the second before the next one of a flood begins then', async () => {
  const repository = await host.repository('slow');
  await repository.commit({ 'dev/a.yaml': 'v: 1\n' }, 'First');
  await product('slow', `${host.url}/acme/slow.git`);
  const { pool } = engine.app;
  const worker = watch();
  await worker.round();
  await pool.query(`UPDATE watched_repository SET looked_at = now() - interval '1 hour'`);
  await worker.settled();
  const { rows: looked } = await pool.query(
    `SELECT looked_at > now() - interval '1 minute' AS just FROM watched_repository`,
  );
  expect(looked).toEqual([{ just: true }]);
});

test('trap 27: a login that is refused stops the looks, and a new secret starts them again', async () => {
  const locked = await startGitHost({ login: { username: 'sluice', password: 'another-password' } });
  const repository = await locked.repository('locked');
  await repository.commit({ 'dev/a.yaml': 'v: 1\n' }, 'First');
  await product('locked', `${locked.url}/acme/locked.git`);
  await login('locked', `${locked.url}/`);
  await look();
  const [row] = await rows();
  expect(row).toMatchObject({ error_kind: 'CREDENTIALS', failures: 1, due_in: null, claimed_until: null });
  expect(row!.error).toContain('access was refused');
  expect(row!.error).not.toContain(LOGIN.password);
  await look();
  expect((await rows())[0]!.failures).toBe(1);
  locked.addLogin('sluice', LOGIN.password);
  await engine.app.pool.query(`UPDATE watched_repository SET looked_at = now() - interval '1 minute'`);
  await login('locked', `${locked.url}/`);
  await look();
  expect((await rows())[0]).toMatchObject({ error_kind: null, failures: 0, heads: { main: await repository.head() } });
  await locked.close();
});

test('trap 27: a host that asks for a pause is left alone with all of its repositories, whatever hints come', async () => {
  let calls = 0;
  const server = createServer((_, response) => {
    calls += 1;
    response.writeHead(429, { 'retry-after': '300' }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await product('busy', `${url}/a.git`);
  await look();
  await product('busy-2', `${url}/b.git`);
  expect(calls).toBe(1);
  await look();
  await addHints(engine.app.pool, [{ repository: `${url}/a.git`, kind: 'PUSH', via: 'PUSH' }]);
  await look();
  expect(calls).toBe(1);
  const [asked, other] = await rows();
  expect([asked!.error_kind, other!.error_kind]).toEqual(['RATE_LIMITED', null]);
  for (const { paused_for: pause } of [asked!, other!]) expect(pause).toBeGreaterThan(290);
  expect(await hints()).toBe(1);
  server.close();
});

/** Each look fails: the first pause is seconds, the tenth a quarter of an hour. */
async function failsTenTimes(): Promise<void> {
  const waits: number[] = [];
  for (let round = 0; round < 10; round += 1) {
    await due();
    await look();
    waits.push((await rows())[0]!.due_in!);
  }
  expect(waits[0]).toBeLessThanOrEqual(5);
  expect(waits.at(-1)).toBeGreaterThan(700);
  expect(waits.at(-1)).toBeLessThanOrEqual(900);
}

test('trap 27: what cannot be reached is tried less and less often, and a hint waits for the next try', async () => {
  await product('away', 'http://127.0.0.1:1/away.git');
  await failsTenTimes();
  await addHints(engine.app.pool, [{ repository: 'http://127.0.0.1:1/away.git', kind: 'PUSH', via: 'PUSH' }]);
  expect((await rows())[0]!.due_in).toBeLessThanOrEqual(0);
  await look();
  expect((await rows())[0]!.failures).toBe(10);
  expect(await hints()).toBe(1);
});

test('a worker that dies during a look loses its claim, and the hints are still there', async () => {
  const repository = await host.repository('orphan');
  await repository.commit({ 'dev/a.yaml': 'v: 1\n' }, 'First');
  await product('orphan', `${host.url}/acme/orphan.git`);
  await look();
  await addHints(engine.app.pool, [{ repository: `${host.url}/acme/orphan.git`, kind: 'PUSH', via: 'PUSH' }]);
  // As the dead worker has left it.
  await engine.app.pool
    .query(`UPDATE watched_repository SET next_look_at = 'infinity', looked_at = now() - interval '1 minute',
    claimed_until = now() + interval '1 minute'`);
  const before = looks;
  await look();
  expect(looks).toBe(before);
  await engine.app.pool.query(`UPDATE watched_repository SET claimed_until = now()`);
  await look();
  expect(looks).toBe(before + 1);
  expect(await hints()).toBe(0);
});

test('a host that stalls holds up no other host, and of its own only as many as it has places', async () => {
  const stalled = createServer(() => undefined);
  await new Promise<void>((resolve) => stalled.listen(0, '127.0.0.2', resolve));
  const url = `http://127.0.0.2:${(stalled.address() as AddressInfo).port}`;
  let calls = 0;
  stalled.on('request', () => (calls += 1));
  for (let index = 0; index < 7; index += 1) await product(`stalled-${index}`, `${url}/r${index}.git`);
  const repository = await host.repository('quick');
  await repository.commit({ 'dev/a.yaml': 'v: 1\n' }, 'First');
  await product('quick', `${host.url}/acme/quick.git`);
  const worker = watch();
  await worker.round();
  const head = await repository.head();
  await expect
    .poll(async () => (await rows()).find((each) => each.repository.includes('quick'))?.heads)
    .toEqual({ main: head });
  await worker.round();
  await expect.poll(() => calls).toBe(4);
  await worker.close();
  expect(calls).toBe(4);
  stalled.closeAllConnections();
  stalled.close();
});

test('a look whose fetch fails is taken again soon, less and less often, and its hints and deliveries wait for it', async () => {
  const repository = await host.repository('half');
  await repository.commit({ 'dev/a.yaml': 'v: 1\n' }, 'First');
  const url = `${host.url}/acme/half.git`;
  await product('half', url);
  await look();
  unread.set('dev', new TransientError('early EOF'));
  await repository.commit({ 'dev/a.yaml': 'v: 2\n' }, 'Second');
  await addHints(engine.app.pool, [{ repository: url, kind: 'PUSH', via: 'PUSH' }]);
  await failsTenTimes();
  expect((await rows())[0]).toMatchObject({ error_kind: 'UNREACHABLE', failures: 10, claimed_until: null });
  expect((await rows())[0]!.error).toContain('early EOF');
  expect(await hints()).toBe(1);
  unread.clear();
  await due();
  await look();
  expect((await rows())[0]).toMatchObject({ error: null, failures: 0 });
  expect(await hints()).toBe(0);
  const { rows: made } = await engine.app.pool.query(`SELECT kind FROM candidate WHERE product = 'half'`);
  expect(made).toEqual([{ kind: 'PUSH' }]);
});

test('one folder that cannot be fetched keeps no other of its repository from its interval; a host that asks for a pause gets it', async () => {
  const repository = await host.repository('mixed');
  await repository.commit({ 'dev/a.yaml': 'v: 1\n', 'web/a.yaml': 'v: 1\n' }, 'First');
  const url = `${host.url}/acme/mixed.git`;
  await product('mixed', url);
  await product('mixed-web', url, 'main', 'web');
  await look();
  unread.set('web', new TransientError('early EOF'));
  await repository.commit({ 'dev/a.yaml': 'v: 2\n', 'web/a.yaml': 'v: 2\n' }, 'Second');
  for (let round = 0; round < 10; round += 1) {
    await due();
    await look();
  }
  expect((await rows())[0]!.failures).toBe(10);
  expect((await rows())[0]!.due_in).toBeLessThanOrEqual(60);
  // What is there and can never be read is no reason to come back sooner.
  unread.set('web', new PermanentError('values.yaml is no YAML'));
  await due();
  await look();
  expect((await rows())[0]).toMatchObject({ failures: 0, error: null });
  unread.set('web', new TransientError('too many requests', { retryAfter: 300_000 }));
  await due();
  await look();
  expect((await rows())[0]!.paused_for).toBeGreaterThan(290);
});

test('a process with older definitions takes no repository away that is new, and one that ended afterwards leaves none away', async () => {
  for (const name of ['older', 'newer'])
    await (await host.repository(name)).commit({ 'dev/a.yaml': 'v: 1\n' }, 'First');
  await product('older', `${host.url}/acme/older.git`);
  const { definitions, pool } = engine.app;
  const older = await definitions.current();
  await product('newer', `${host.url}/acme/newer.git`);
  const worker = watch();
  await worker.round();
  await worker.settled();
  const both = (await rows()).map(({ repository, heads }) => ({ repository, looked: Object.keys(heads) }));
  expect(both.map(({ looked }) => looked)).toEqual([['main'], ['main']]);
  const slow = new RepositoryWatch({
    ...engine.app,
    definitions: Object.assign(Object.create(definitions) as typeof definitions, { current: async () => older }),
  });
  await slow.round();
  await slow.close();
  expect((await rows()).map(({ repository, heads }) => ({ repository, looked: Object.keys(heads) }))).toEqual(both);
  // A version of Sluice before this one does, and is stopped.
  await pool.query(`DELETE FROM watched_repository WHERE repository LIKE '%/newer.git'`);
  for (let round = 0; round < 10; round += 1) await worker.round();
  await worker.settled();
  expect((await rows()).map(({ repository }) => repository)).toEqual(both.map(({ repository }) => repository));
});

test('of a repository that never answers a thousand hints are kept, and those that go tell their deliveries', async () => {
  const url = 'http://127.0.0.1:1/never.git';
  await product('never', url);
  await look();
  const id = randomUUID();
  const now = new Date();
  const delivery = {
    id,
    source: 'github',
    webhookId: id,
    purpose: 'git' as const,
    headers: {},
    body: '{}',
    address: null,
    receivedAt: now,
    verifiedBy: 'hook',
    status: 'PENDING' as const,
    outcome: null,
    dueAt: new Date(now.getTime() + 600_000),
  };
  const hint = { repository: url, kind: 'PUSH' as const, via: 'PUSH' as const };
  await keepNews(engine.app.pool, [{ delivery, hints: [hint] }]);
  await addHints(
    engine.app.pool,
    Array.from({ length: 1_200 }, () => hint),
  );
  await look();
  expect(await hints()).toBe(1_000);
  expect(await readDelivery(engine.app.pool, id)).toMatchObject({
    status: 'FAILED',
    outcome: expect.stringMatching(/could not be looked at.*a thousand newer messages/) as unknown,
  });
});

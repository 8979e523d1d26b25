import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { whatIsKnown } from '../../src/commands/judge-news.ts';
import { newsKeeper, receiveNews } from '../../src/commands/receive-news.ts';
import { setSecret } from '../../src/commands/set-secret.ts';
import { startGitHost } from '../peers/git-host.ts';
import type { GitHost, HostedRepository } from '../peers/git-host.ts';
import { openTestEngine } from '../support/engine.ts';
import type { TestEngine } from '../support/engine.ts';
import { github } from '../support/webhook-bodies.ts';
import { eventually } from '../support/eventually.ts';

const VALUE = 'a-secret-of-the-host';
const DAY = 24 * 60 * 60_000;
let host: GitHost;
beforeAll(async () => {
  host = await startGitHost();
});
afterAll(() => host.close());

/** An engine whose only product is triggered by one repository, looked at in this interval. */
async function open(name: string, interval: number): Promise<{ engine: TestEngine; repository: HostedRepository }> {
  const repository = await host.repository(name);
  await repository.commit({ 'dev/a.yaml': 'v: 1\n' }, 'First');
  const backend = { name: 'postgres' as const, queuePrefix: `t${randomBytes(5).toString('hex')}` };
  const engine = await openTestEngine(backend, {
    SLUICE_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    SLUICE_GIT_PROTOCOLS: 'http',
    SLUICE_ALLOWED_NETWORKS: '127.0.0.0/8',
  });
  await engine.saveBilling('billing', {
    driver: (environment) =>
      environment === 'dev'
        ? { type: 'git', repoURL: repository.url, branch: 'main', path: 'dev' }
        : { type: 'git', repoURL: repository.url, branch: 'live', path: environment },
  });
  await engine.save('Product', 'billing', {
    promotionFlows: [],
    concurrency: 'QUEUE',
    queueLimit: 50,
    trigger: { interval, coalesce: 0 },
  });
  const use = { kind: 'WEBHOOK' as const, source: 'github', products: [], scheme: 'GITHUB' as const };
  await setSecret(engine.app, { name: 'hook', value: VALUE, description: null, use }, 'ada');
  await engine.startWorker();
  await eventually(async () => expect((await cursors(engine))[0]?.commit).toBe(await repository.head()));
  return { engine, repository };
}

const cursors = async ({ app }: TestEngine): Promise<{ commit: string }[]> =>
  (await app.pool.query<{ commit: string }>('SELECT head AS commit FROM trigger_cursor')).rows;

/** The commits of the candidates that were made, in their order. */
const candidates = async ({ app }: TestEngine): Promise<string[]> => {
  const { rows } = await app.pool.query<{ commit: string }>(
    `SELECT state->'billing-dev'->>'commit' AS commit FROM candidate ORDER BY created_at`,
  );
  return rows.map(({ commit }) => commit);
};

/** As GitHub tells of a push. */
async function told(
  engine: TestEngine,
  repository: HostedRepository,
  after: string,
  id: string = randomUUID(),
  keeper = newsKeeper(engine.app),
): Promise<void> {
  const text = JSON.stringify(github.push('refs/heads/main', { after })).replaceAll(
    'https://git.example.com/acme/config.git',
    repository.url,
  );
  const body = Buffer.from(text);
  const headers = {
    'x-github-event': 'push',
    'x-github-delivery': id,
    'x-hub-signature-256': `sha256=${createHmac('sha256', VALUE).update(body).digest('hex')}`,
  };
  const secrets = await engine.app.secrets.webhookSecrets('github', 'git');
  const arrived = { purpose: 'git' as const, source: 'github', address: null, headers, body };
  expect((await receiveNews(engine.app, arrived, secrets, () => whatIsKnown(engine.app), keeper)).kind).toBe('STORED');
}

const unread = async ({ app }: TestEngine): Promise<number> =>
  (await app.pool.query<{ n: number }>('SELECT count(*)::int AS n FROM hint')).rows[0]!.n;

test('what comes together is kept by a few statements, a message that comes twice by one after the other', async () => {
  const { engine, repository } = await open('together', DAY);
  const keeper = newsKeeper(engine.app);
  const head = (await repository.head())!;
  const ids = Array.from({ length: 100 }, () => randomUUID());
  const query = vi.spyOn(engine.app.pool, 'query');
  await Promise.all([...ids, ...ids.slice(0, 20)].map((id) => told(engine, repository, head, id, keeper)));
  const kept = query.mock.calls.filter(([text]) => String(text).includes('INSERT INTO webhook_delivery'));
  query.mockRestore();
  expect(kept.length).toBeLessThan(40);
  const { rows } = await engine.app.pool.query<{ n: number; replays: number }>(
    'SELECT count(*)::int AS n, sum(replays)::int AS replays FROM webhook_delivery',
  );
  expect(rows).toEqual([{ n: 100, replays: 20 }]);
  await engine.close();
});

test('a message that comes to several servers at the same moment is kept once, and each of them answers', async () => {
  const { engine, repository } = await open('servers', DAY);
  const servers = Array.from({ length: 6 }, () => newsKeeper(engine.app));
  const head = (await repository.head())!;
  const ids = Array.from({ length: 60 }, () => randomUUID());
  for (const id of ids) await Promise.all(servers.map((server) => told(engine, repository, head, id, server)));
  const { rows } = await engine.app.pool.query<{ n: number; replays: number }>(
    'SELECT count(*)::int AS n, sum(replays)::int AS replays FROM webhook_delivery',
  );
  expect(rows).toEqual([{ n: ids.length, replays: ids.length * (servers.length - 1) }]);
  await engine.close();
});

describe('changes of the trigger environment', () => {
  test('trap 28: without any webhook none is lost: each is found by the looks', async () => {
    const { engine, repository } = await open('polled', 5_000);
    const head = await repository.commit({ 'dev/a.yaml': 'v: 2\n' }, 'Second');
    await eventually(async () => expect(await candidates(engine)).toEqual([head]));
    await engine.close();
  }, 60_000);

  test('without polling, deliveries that come twice, late and out of order make one candidate for each state', async () => {
    const { engine, repository } = await open('told', DAY);
    const commits: string[] = [];
    for (const version of [2, 3, 4]) {
      const head = await repository.commit({ 'dev/a.yaml': `v: ${version}\n` }, `Version ${version}`);
      commits.push(head);
      const id = randomUUID();
      await Promise.all([
        told(engine, repository, head, id),
        told(engine, repository, head, id),
        told(engine, repository, head),
      ]);
      await eventually(async () => expect(await candidates(engine)).toEqual(commits));
    }
    // Late, in another order, and of nothing: the look finds what it has seen.
    for (const late of [commits[1]!, commits[0]!, 'f'.repeat(40), commits[2]!]) await told(engine, repository, late);
    await eventually(async () => expect(await unread(engine)).toBe(0));
    expect(await candidates(engine)).toEqual(commits);
    // Nothing that was promoted moved.
    await told(engine, repository, await repository.commit({ 'other/b.yaml': 'x: 1\n' }, 'Something else'));
    await eventually(async () => expect(await unread(engine)).toBe(0));
    expect(await candidates(engine)).toEqual(commits);
    await engine.close();
  }, 60_000);
});

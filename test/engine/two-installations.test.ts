import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { listCandidates } from '../../src/store/candidates.ts';
import { startGitHost } from '../peers/git-host.ts';
import type { GitHost, HostedRepository } from '../peers/git-host.ts';
import { openTestEngine } from '../support/engine.ts';
import type { TestEngine } from '../support/engine.ts';

// Two installations of Sluice on databases of their own, each with its worker, that watch one repository and promote within it.

let host: GitHost;
const engines: TestEngine[] = [];
beforeAll(async () => {
  host = await startGitHost();
  for (const name of ['one', 'other']) {
    const backend = { name: 'postgres' as const, queuePrefix: `t${randomBytes(5).toString('hex')}` };
    const engine = await openTestEngine(backend, {
      SLUICE_DATA_DIR: `${host.root}/data-${name}`,
      SLUICE_GIT_PROTOCOLS: 'http',
      SLUICE_ALLOWED_NETWORKS: '127.0.0.0/8',
    });
    engines.push(engine);
    await engine.startWorker();
  }
}, 60_000);
afterAll(async () => {
  for (const engine of engines) await engine.close();
  await host.close();
});

const chart = (tag: string): string => `image:\n  tag: "${tag}"\n`;

/** A product whose applications are in folders of one branch, and the flows that this installation has between them. */
async function product(
  engine: TestEngine,
  repository: HostedRepository,
  name: string,
  flows: readonly (readonly [from: string, to: string])[],
): Promise<void> {
  const environments = [...new Set(flows.flat())];
  for (const each of environments) await engine.save('Environment', each, { kind: 'NON_PRODUCTION' });
  for (const [from, to] of flows) {
    await engine.save('PromotionFlow', `${name}-${from}`, {
      triggerEnvironment: from,
      onFailure: 'FINISH_RUNNING',
      productSelector: { names: [name] },
      steps: [{ environment: to, dependsOn: [from] }],
    });
  }
  await engine.save('Product', name, {
    promotionFlows: [],
    concurrency: 'PIPELINE',
    queueLimit: 50,
    promotionTemplate: { versionSource: { file: 'values.yaml', jsonPath: '$.image.tag' } },
    trigger: { coalesce: 0, interval: 5_000 },
  });
  for (const environment of environments) {
    await engine.save('Application', `${name}-${environment}`, {
      product: name,
      environment,
      driver: { type: 'git', repoURL: repository.url, branch: 'main', path: environment },
      health: { type: 'none' },
    });
  }
  // Before the first look nothing is a change.
  await expect.poll(async () => (await cursors(engine, name)).length, { interval: 100 }).toBe(flows.length);
}

const cursors = async ({ app }: TestEngine, name: string): Promise<{ application: string; outcome: string }[]> =>
  (
    await app.pool.query<{ application: string; outcome: string }>(
      'SELECT application, outcome FROM trigger_cursor WHERE application LIKE $1 ORDER BY application',
      [`${name}-%`],
    )
  ).rows;

const candidates = async ({ app }: TestEngine, name: string): Promise<number> =>
  (await listCandidates(app.pool, { limit: 100, entries: 1_000, filter: { product: name } })).rows.length;

/** Each look now, without the wait for the interval. */
async function lookNow(): Promise<void> {
  for (const { app } of engines) await app.pool.query('UPDATE watched_repository SET next_look_at = now()');
}

async function until(holds: () => Promise<boolean>, what: () => Promise<unknown>): Promise<void> {
  for (const deadline = Date.now() + 90_000; !(await holds());) {
    if (Date.now() > deadline) throw new Error(`not reached: ${JSON.stringify(await what())}`);
    await lookNow();
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

test('trap 22: of two installations that promote to each other the chain ends after nine promotions', async () => {
  const repository = await host.repository('chain');
  const folders = Array.from({ length: 12 }, (_, index) => `e${index}`);
  for (const each of folders) await repository.commit({ [`${each}/values.yaml`]: chart('0') }, `First of ${each}`);
  const pairs = folders.slice(1).map((to, index) => [folders[index]!, to] as const);
  for (const [turn, engine] of engines.entries())
    await product(
      engine,
      repository,
      'chain',
      pairs.filter((_, index) => index % 2 === turn),
    );
  await repository.commit({ 'e0/values.yaml': chart('1') }, 'A person pushes');
  const live = async (): Promise<string[]> =>
    Promise.all(folders.map(async (each) => /"(.*)"/.exec((await repository.read(`${each}/values.yaml`)) ?? '')![1]!));
  const told = async () => (await Promise.all(engines.map((engine) => cursors(engine, 'chain')))).flat();
  await until(
    async () => (await told()).some(({ outcome }) => outcome.includes('installations of Sluice, more than 8')),
    async () => ({ live: await live(), told: await told() }),
  );
  expect(await live()).toEqual(folders.map((_, index) => (index <= 9 ? '1' : '0')));
  const chains = (await repository.log()).flatMap(({ message }) => /^Sluice-Chain: (\d+)$/m.exec(message)?.[1] ?? []);
  expect(chains.map(Number).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  // Nine turns, and no commit of an installation started anything in the installation itself.
  expect(await Promise.all(engines.map((engine) => candidates(engine, 'chain')))).toEqual([5, 4]);
}, 180_000);

test('trap 22: two installations that promote in a circle stop where they began, and one push is one commit in each folder', async () => {
  const repository = await host.repository('circle');
  for (const each of ['a', 'b']) await repository.commit({ [`${each}/values.yaml`]: chart('0') }, `First of ${each}`);
  await product(engines[0]!, repository, 'circle', [['a', 'b']]);
  await product(engines[1]!, repository, 'circle', [['b', 'a']]);
  const before = (await repository.log()).length;
  await repository.commit({ 'a/values.yaml': chart('1') }, 'A person pushes');
  const releases = async (): Promise<string[]> => {
    const all = engines.map(({ app }) =>
      app.pool.query<{ status: string }>(`SELECT status FROM release WHERE product = 'circle'`),
    );
    return (await Promise.all(all)).map(({ rows }) => rows.map(({ status }) => status).join());
  };
  await until(async () => (await releases()).every((each) => each === 'SUCCEEDED'), releases);
  // Both look twice more.
  for (let looks = 0; looks < 2; looks += 1) {
    const asked = repository.asked.refs;
    await lookNow();
    await expect.poll(() => repository.asked.refs).toBeGreaterThanOrEqual(asked + 2);
  }
  expect(await releases()).toEqual(['SUCCEEDED', 'SUCCEEDED']);
  expect((await repository.log()).length).toBe(before + 2);
}, 120_000);

test('a push that both installations promote to one folder is there once, and both say that it succeeded', async () => {
  const repository = await host.repository('both');
  for (const each of ['a', 'b']) await repository.commit({ [`${each}/values.yaml`]: chart('0') }, `First of ${each}`);
  for (const engine of engines) await product(engine, repository, 'both', [['a', 'b']]);
  const before = (await repository.log()).length;
  await repository.commit({ 'a/values.yaml': chart('1') }, 'A person pushes');
  const releases = async (): Promise<string[]> => {
    const all = engines.map(({ app }) =>
      app.pool.query<{ status: string }>(`SELECT status FROM release WHERE product = 'both'`),
    );
    return (await Promise.all(all)).map(({ rows }) => rows.map(({ status }) => status).join());
  };
  await until(async () => (await releases()).every((each) => each === 'SUCCEEDED'), releases);
  expect(await repository.read('b/values.yaml')).toBe(chart('1'));
  expect((await repository.log()).length).toBe(before + 2);
}, 120_000);

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { headsSeen } from '../../src/commands/trigger/heads-seen.ts';
import type { HeadOutcome } from '../../src/commands/trigger/heads-seen.ts';
import { holdEnvironment } from '../../src/commands/hold-environment.ts';
import { markVersionBad } from '../../src/commands/mark-version.ts';
import { setIdentity } from '../../src/commands/trigger/git-identities.ts';
import { reportDeployment } from '../../src/commands/report-deployment.ts';
import { reportHealth } from '../../src/commands/report-health.ts';
import type { NewsKind } from '../../src/core/trigger/change.ts';
import { listCandidates } from '../../src/store/candidates.ts';
import type { KeptCandidate } from '../../src/store/candidates.ts';
import type { GitHost, HostedRepository } from '../peers/git-host.ts';
import { openByPush } from '../support/by-push.ts';
import type { TestEngine } from '../support/engine.ts';
import { PATIENCE } from '../support/patience.ts';

// A push to a real git host becomes a release by itself: what a look at the host's branches leads to, whoever took it.

let engine: TestEngine;
let host: GitHost;
let opened: Awaited<ReturnType<typeof openByPush>>;
let products = 0;
beforeAll(async () => {
  opened = await openByPush();
  ({ engine, host } = opened);
});
afterAll(() => opened.close());

const chart = (tag: string): string => `image:\n  tag: "${tag}"\n`;

interface Story {
  product: string;
  repository: HostedRepository;
  /** A look at the branches as they are now. */
  look: (via?: NewsKind) => Promise<HeadOutcome[]>;
  candidates: () => Promise<KeptCandidate[]>;
  released: () => Promise<string[]>;
}

/** A product with an application in dev and one in prod, in folders of one branch, which was looked at once. */
async function story(
  options: { trigger?: object; repository?: HostedRepository; folder?: string } = {},
): Promise<Story> {
  const product = `shop-${(products += 1)}`;
  const repository = options.repository ?? (await host.repository(product));
  const at = options.folder ?? product;
  await engine.save('Product', product, {
    promotionFlows: [],
    concurrency: 'PIPELINE',
    queueLimit: 50,
    promotionTemplate: { versionSource: { file: 'values.yaml', jsonPath: '$.image.tag' } },
    trigger: { coalesce: 0, ...options.trigger },
  });
  for (const environment of ['dev', 'prod']) {
    await repository.commit({ [`${at}/${environment}/values.yaml`]: chart('0') }, 'First');
    await engine.save('Application', `${product}-${environment}`, {
      product,
      environment,
      driver: { type: 'git', repoURL: repository.url, branch: 'main', path: `${at}/${environment}` },
      health: { type: 'none' },
    });
  }
  const it: Story = {
    product,
    repository,
    async look(via = 'POLL') {
      const head = await repository.head();
      const heads = new Map(head === undefined ? [] : [['main', head]]);
      const all = await headsSeen(engine.app, { repository: repository.url, heads, via, deliveries: [] });
      return all.filter((each) => each.product === product);
    },
    async candidates() {
      const page = { limit: 100, entries: 1_000, filter: { product } };
      return (await listCandidates(engine.app.pool, page)).rows.toReversed();
    },
    async released() {
      const { rows } = await engine.app.pool.query<{ version: string }>(
        'SELECT version FROM release WHERE product = $1 ORDER BY number',
        [product],
      );
      return rows.map(({ version }) => version);
    },
  };
  await it.look();
  await lookedAt(repository, 'main');
  return it;
}

/** The worker looks at a new branch by itself, and then for a minute no more: what is looked at after this is the test's own. */
async function lookedAt(repository: HostedRepository, branch: string): Promise<void> {
  await until(
    async () => {
      const text = 'SELECT FROM watched_repository WHERE repository = $1 AND heads ? $2 AND claimed_until IS NULL';
      return (await engine.app.pool.query(text, [repository.url, branch])).rowCount;
    },
    (looked) => looked === 1,
  );
}

async function until<T>(ask: () => Promise<T>, holds: (answer: T) => boolean): Promise<T> {
  for (const deadline = Date.now() + PATIENCE; ;) {
    const answer = await ask();
    if (holds(answer)) return answer;
    if (Date.now() > deadline) throw new Error(`not reached: ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

const over = (all: KeptCandidate[]): boolean => all.every(({ endedAt }) => endedAt !== null);

test('the first look makes nothing, a push makes a release that goes all the way, and a second look nothing more', async () => {
  const { product, repository, look, candidates, released } = await story();
  expect(await candidates()).toEqual([]);
  const commit = await repository.commit({ [`${product}/dev/values.yaml`]: chart('1') }, 'Faster checkout\n\nBy half.');
  const [outcome] = await look('PUSH');
  expect(outcome).toMatchObject({
    application: `${product}-dev`,
    outcome: `${commit.slice(0, 9)} changed its content: a candidate of flow "to-prod"`,
  });
  const [candidate] = await until(candidates, over);
  expect(candidate).toMatchObject({ id: outcome?.candidate, status: 'RELEASED', kind: 'PUSH' });
  expect(candidate?.state).toEqual({ [`${product}-dev`]: { commit } });
  const id = candidate?.releaseId as string;
  const { status } = await engine.ended(id);
  expect(status).toBe('SUCCEEDED');
  expect(await repository.read(`${product}/prod/values.yaml`)).toBe(chart('1'));
  const { rows } = await engine.app.pool.query('SELECT trigger FROM release WHERE id = $1', [id]);
  expect(rows[0]).toMatchObject({
    trigger: {
      kind: 'PUSH',
      actor: null,
      commit,
      news: { candidate: candidate?.id, commits: [{ commit, subject: 'Faster checkout' }] },
    },
  });
  // The branch has moved on by the commit into prod, which is no change of dev.
  expect(await look()).toMatchObject([{ outcome: 'nothing changed in its folder' }]);
  expect(await released()).toEqual(['1']);
});

test('trap 16: what is told of a push is a reason to look and nothing more', async () => {
  const { product, repository, candidates } = await story();
  const before = (await repository.head())!;
  const told = (main: string): Promise<HeadOutcome[]> =>
    headsSeen(engine.app, {
      repository: repository.url,
      heads: new Map([['main', main]]),
      via: 'PUSH',
      deliveries: [],
    });
  expect(await told('f'.repeat(40))).toMatchObject([
    { outcome: `fffffffff is older than what was seen: branch "main" is at ${before.slice(0, 9)}` },
  ]);
  expect(await candidates()).toEqual([]);
  const commit = await repository.commit({ [`${product}/dev/values.yaml`]: chart('1') }, 'One');
  await told('e'.repeat(40));
  expect((await candidates()).map(({ state }) => state)).toEqual([{ [`${product}-dev`]: { commit } }]);
});

test('trap 18: one commit that touches three products makes three candidates, and one that touches none makes none and says so', async () => {
  const repository = await host.repository('mono');
  const all = [];
  for (const folder of ['a', 'b', 'c', 'd']) all.push(await story({ repository, folder }));
  const [a, b, c, d] = all as [Story, Story, Story, Story];
  await a.look();
  const commit = await repository.commit(
    { 'a/dev/values.yaml': chart('1'), 'b/dev/values.yaml': chart('1'), 'c/dev/values.yaml': chart('1') },
    'Three at once',
  );
  const outcomes = await headsSeen(engine.app, {
    repository: repository.url,
    heads: new Map([['main', commit]]),
    via: 'PUSH',
    deliveries: [],
  });
  expect(
    outcomes
      .filter(({ candidate }) => candidate !== undefined)
      .map(({ product }) => product)
      .sort(),
  ).toEqual([a, b, c].map(({ product }) => product).sort());
  expect(outcomes.find(({ product }) => product === d.product)?.outcome).toBe('nothing changed in its folder');
  await repository.commit({ 'README.md': 'hello\n' }, 'Docs');
  expect((await a.look())[0]?.outcome).toBe('nothing changed in its folder');
  for (const each of [a, b, c]) expect(await until(each.released, ({ length }) => length > 0)).toEqual(['1']);
  expect(await d.candidates()).toEqual([]);
});

test('a change of what is not promoted makes none, and ignored paths make none', async () => {
  const { product, repository, look, candidates } = await story({ trigger: { ignorePaths: ['*.md', 'local/*'] } });
  // Releases commit to the same branch: none of them is on its way while the next look is judged.
  const settled = async (): Promise<void> => {
    for (const { releaseId } of await until(candidates, over)) if (releaseId !== null) await engine.ended(releaseId);
  };
  await repository.commit({ [`${product}/dev/README.md`]: 'hello\n' }, 'Docs');
  expect((await look())[0]?.outcome).toContain('all paths that changed are ignored for flow "to-prod"');
  await repository.commit({ [`${product}/dev/values.yaml`]: chart('1'), [`${product}/dev/local/a.md`]: 'a\n' }, 'Both');
  expect((await look())[0]?.candidate).toBeDefined();
  await settled();
  await engine.save('Product', product, {
    promotionFlows: [],
    concurrency: 'PIPELINE',
    queueLimit: 50,
    promotionTemplate: { promotion: { 'values.yaml': { jsonPaths: ['$.image.tag'] } } },
    trigger: { coalesce: 0 },
  });
  await repository.commit({ [`${product}/dev/values.yaml`]: `# a remark\n${chart('1')}` }, 'A remark');
  // What was promoted before was the whole folder: the template counts anew from the next look.
  await look();
  await settled();
  const before = (await candidates()).length;
  await repository.commit({ [`${product}/dev/values.yaml`]: `# another remark\n${chart('1')}` }, 'Another remark');
  expect((await look())[0]?.outcome).toContain('changed nothing that is promoted');
  expect(await candidates()).toHaveLength(before);
});

test('trap 19: ten pushes in a moment are one release of the newest, and its notes tell of all', async () => {
  const { product, repository, look, candidates, released } = await story({ trigger: { coalesce: 600_000 } });
  for (let push = 1; push <= 10; push += 1) {
    await repository.commit({ [`${product}/dev/values.yaml`]: chart(String(push)) }, `Push ${push}`);
    // Two of them come together at one look.
    if (push !== 4) await look('PUSH');
  }
  // The moment is over when all of them have come, however long that took.
  await engine.app.pool.query('UPDATE candidate SET coalesced_at = now(), due_at = now() WHERE product = $1', [
    product,
  ]);
  const all = await until(candidates, over);
  expect(all.map(({ status }) => status)).toEqual([...Array<string>(8).fill('SUPERSEDED'), 'RELEASED']);
  expect(await released()).toEqual(['10']);
  const last = all.at(-1)!;
  expect(last.facts.commits.map(({ subject }) => subject)).toEqual(
    Array.from({ length: 10 }, (_, index) => `Push ${10 - index}`),
  );
  expect(all[0]).toMatchObject({
    supersededBy: expect.any(String),
    reason: expect.stringMatching(/^superseded by a newer change, [0-9a-f]{9}$/),
  });
});

test('trap 20: what is older than the cursor is nothing; a branch that is pushed with force makes a release only where its content differs', async () => {
  const { product, repository, look, candidates, released } = await story();
  const first = (await repository.head())!;
  const one = await repository.commit({ [`${product}/dev/values.yaml`]: chart('1') }, 'One');
  await look();
  const late = await headsSeen(engine.app, {
    repository: repository.url,
    heads: new Map([['main', first]]),
    via: 'PUSH',
    deliveries: [],
  });
  expect(late[0]?.outcome).toMatch(/is older than what was seen/);
  await until(candidates, over);
  // Somebody rewrites the message: another commit with the same content.
  const same = await repository.commit({ [`${product}/dev/values.yaml`]: chart('1') }, 'One, said better', {
    from: first,
  });
  expect(same).not.toBe(one);
  expect((await look())[0]?.outcome).toMatch(
    /^branch "main" was pushed with force to [0-9a-f]{9}: .* changed nothing that is promoted$/,
  );
  await repository.commit({ [`${product}/dev/values.yaml`]: chart('2') }, 'Two instead', { from: first });
  expect((await look())[0]?.outcome).toMatch(
    /^branch "main" was pushed with force .* changed its content: a candidate of flow "to-prod"$/,
  );
  await until(candidates, over);
  expect(await released()).toEqual(['1', '2']);
});

test('trap 21: an earlier content that comes back is a release of its own, by a revert and by a push with force', async () => {
  const { product, repository, look, candidates, released } = await story();
  const zero = (await repository.head())!;
  const file = `${product}/dev/values.yaml`;
  const release = async (): Promise<void> => {
    await look();
    await until(candidates, over);
  };
  await repository.commit({ [file]: chart('1') }, 'One');
  await release();
  await repository.commit({ [file]: chart('0') }, 'Revert "One"');
  await release();
  const two = await repository.commit({ [file]: chart('2') }, 'Two');
  await release();
  // Back to the very commit at which it began, and to the very commit that was released before: other epochs.
  await repository.forcePush('main', zero);
  await release();
  await repository.forcePush('main', two);
  await release();
  await release();
  expect(await released()).toEqual(['1', '0', '2', '0', '2']);
});

test('trap 21: a version that is marked bad is refused, once, with the mark', async () => {
  const { product, repository, look, candidates, released } = await story();
  await repository.commit({ [`${product}/dev/values.yaml`]: chart('1') }, 'One');
  await look();
  await until(candidates, over);
  const marked = await markVersionBad(engine.app, { product, version: '1', reason: 'it leaks' }, 'ada');
  expect(marked.refusals).toBeUndefined();
  await repository.commit({ [`${product}/dev/values.yaml`]: chart('0') }, 'Back');
  await look();
  await until(candidates, over);
  await repository.commit({ [`${product}/dev/values.yaml`]: chart('1') }, 'And again');
  await look();
  const all = await until(candidates, over);
  expect(all.at(-1)).toMatchObject({ status: 'REFUSED', reason: expect.stringContaining('it leaks') });
  expect((await look())[0]?.candidate).toBeUndefined();
  expect(await released()).toEqual(['1', '0']);
  expect((await candidates()).at(-1)?.attempts).toBe(0);
});

test('trap 22: a commit that Sluice made never triggers, also inside a squash; a mark that somebody copied does not stop a change', async () => {
  const { product, repository, look, candidates, released } = await story();
  // prod of this product is where releases of another flow begin.
  await engine.save('Environment', 'eu', { kind: 'PRODUCTION' });
  await engine.save('PromotionFlow', 'onwards', {
    triggerEnvironment: 'prod',
    onFailure: 'FINISH_RUNNING',
    productSelector: { names: [product] },
    steps: [{ environment: 'eu', dependsOn: ['prod'] }],
  });
  await repository.commit({ [`${product}/eu/values.yaml`]: chart('0') }, 'First');
  await engine.save('Application', `${product}-eu`, {
    product,
    environment: 'eu',
    driver: { type: 'git', repoURL: repository.url, branch: 'main', path: `${product}/eu` },
    health: { type: 'none' },
  });
  await look();
  await repository.commit({ [`${product}/dev/values.yaml`]: chart('1') }, 'One');
  await look();
  await until(candidates, over);
  await until(
    () => repository.read(`${product}/prod/values.yaml`),
    (text) => text === chart('1'),
  );
  const [own] = await repository.log();
  const ofProd = (all: HeadOutcome[]): HeadOutcome | undefined => all.find(({ environment }) => environment === 'prod');
  expect(ofProd(await look())?.outcome).toBe(`${own?.sha.slice(0, 9)} was made by Sluice itself`);
  // Somebody merges what Sluice proposed by squashing it, with a text of their own around its marks, on top of the commit before.
  const squash = `Merge the promotion (#12)\n\n* ${own?.message.replaceAll('\n', '\n  ')}\n`;
  await repository.commit({ [`${product}/prod/values.yaml`]: chart('squashed') }, squash);
  expect(ofProd(await look())?.outcome).toMatch(/^[0-9a-f]{9} was made by Sluice itself$/);
  // The marks name a release that is not known here.
  const copied = own!.message.replace(/^(Sluice-Release: ).*$/m, `$1${randomUUID()}`);
  await repository.commit({ [`${product}/prod/values.yaml`]: chart('by hand') }, copied);
  expect(ofProd(await look())).toMatchObject({
    candidate: expect.any(String),
    outcome: expect.stringContaining('a candidate of flow "onwards"'),
  });
  expect(await released()).toContain('1');
});

test('trap 22: what went through eight installations starts nothing more', async () => {
  const { product, repository, look, candidates } = await story();
  const made = (tag: string, chain: number): Promise<string> =>
    repository.commit(
      { [`${product}/dev/values.yaml`]: chart(tag) },
      `Promote\n\nSluice-Release: ${randomUUID()}\nSluice-Key: k\nSluice-Instance: 0123456789abcdef\nSluice-Chain: ${chain}\n`,
    );
  await made('1', 7);
  await look();
  const [first] = await until(candidates, over);
  expect(first).toMatchObject({ status: 'RELEASED', facts: { chain: 8 } });
  await engine.ended(first!.releaseId!);
  expect((await repository.log())[0]?.message).toMatch(/^Sluice-Chain: 8$/m);
  await made('2', 8);
  expect((await look())[0]?.outcome).toContain(
    'it went through 9 installations of Sluice, more than 8: nothing starts by itself',
  );
  expect(await candidates()).toHaveLength(1);
});

test('trap 23: tags, deletions, other branches, merge queues and branches of Sluice are no candidates', async () => {
  const { product, repository, look, candidates } = await story();
  const head = (await repository.head())!;
  for (const branch of ['feature', 'gh-readonly-queue/main/pr-1-abc', `sluice/${product}/prod/0123456789abcdef`])
    await repository.commit({ [`${product}/dev/values.yaml`]: chart('x') }, 'Elsewhere', { branch });
  await repository.tag('v1', 'feature');
  expect((await look('PUSH'))[0]?.outcome).toBe(`seen before: branch "main" is at ${head.slice(0, 9)}`);
  await repository.deleteBranch('main');
  expect((await look('PUSH'))[0]?.outcome).toContain('it could not be looked at');
  expect(await candidates()).toEqual([]);
  // It comes back as it was, as by a push of a new branch.
  await repository.forcePush('main', head);
  expect((await look('PUSH'))[0]?.outcome).toMatch(/^seen before/);
});

test('trap 24 and trap 30: a merge, the push of that merge, a poll and a report of what runs are one release, in any order', async () => {
  const { product, repository, look, candidates, released } = await story();
  const base = (await repository.head())!;
  await repository.commit({ [`${product}/dev/values.yaml`]: chart('1') }, 'In review', { branch: 'feature' });
  const tree = await repository.git('rev-parse', 'feature^{tree}');
  const merge = await repository.git(
    '-c',
    'user.name=Ada',
    '-c',
    'user.email=ada@example.com',
    'commit-tree',
    tree,
    '-p',
    base,
    '-p',
    'feature',
    '-m',
    'Merge pull request #1',
  );
  await repository.forcePush('main', merge);
  const looks = await Promise.all((['MERGE', 'PUSH', 'POLL', 'DEPLOYMENT', 'ARGO_CD', 'PUSH'] as const).map(look));
  expect(new Set(looks.flat().flatMap(({ candidate }) => candidate ?? [])).size).toBe(1);
  await until(candidates, over);
  await look('DEPLOYMENT');
  expect(await released()).toEqual(['1']);
});

test('trap 26: a candidate waits until the trigger environment runs it healthily, says for what, and a newer one takes its place', async () => {
  const { product, repository, look, candidates, released } = await story();
  const application = `${product}-dev`;
  await engine.save('Application', application, {
    product,
    environment: 'dev',
    driver: { type: 'git', repoURL: repository.url, branch: 'main', path: `${product}/dev` },
    sync: { type: 'report' },
    health: { type: 'report' },
  });
  const waits = (text: string) => until(candidates, (all) => all.at(-1)!.reason.includes(text));
  const one = await repository.commit({ [`${product}/dev/values.yaml`]: chart('1') }, 'One');
  await look();
  await waits(
    `waits for the trigger environment: waits for a report that ${application} runs 1 (commit ${one.slice(0, 9)})`,
  );
  const two = await repository.commit({ [`${product}/dev/values.yaml`]: chart('2') }, 'Two');
  await look();
  const [older] = await waits(`runs 2 (commit ${two.slice(0, 9)})`);
  expect(older).toMatchObject({ status: 'SUPERSEDED', reason: `superseded by a newer change, ${two.slice(0, 9)}` });
  // It is healthy with what ran before, which says nothing about the change.
  await reportDeployment(engine.app, { application, commit: one }, null);
  await waits(`${application} runs commit ${one.slice(0, 9)}`);
  await reportDeployment(engine.app, { application, commit: two }, null);
  await waits(`${application} is PROGRESSING`);
  expect(await released()).toEqual([]);
  await reportHealth(engine.app, { application, status: 'HEALTHY' }, null);
  const all = await until(candidates, over);
  expect(all.map(({ status }) => status)).toEqual(['SUPERSEDED', 'RELEASED']);
  // What was told of the trigger environment counts for the release, too: nobody reports it twice.
  expect((await engine.ended(all[1]!.releaseId!)).status).toBe('SUCCEEDED');
});

test('a report that names the commit of a change counts, although it came before the change was written down', async () => {
  const { product, repository, look, candidates } = await story();
  const application = `${product}-prod`;
  await engine.save('Application', application, {
    product,
    environment: 'prod',
    driver: { type: 'git', repoURL: repository.url, branch: 'main', path: `${product}/prod` },
    sync: { type: 'report' },
    health: { type: 'report' },
  });
  await repository.commit({ [`${product}/dev/values.yaml`]: chart('1') }, 'One');
  await look();
  const [released] = await until(candidates, over);
  const id = released!.releaseId!;
  const isSync = ({ reason }: { reason: string | null }): boolean => reason?.includes('waits for a report') ?? false;
  const { promotions } = await engine.reached(id, (state) => state.promotions[1]?.steps.some(isSync) ?? false);
  const change = promotions[1]!.steps.find(({ outputs }) => outputs?.['COMMIT_SHA'] !== undefined)!;
  // As when the worker that pushed it has died, and another one finds it and writes it down.
  const at = new Date(change.endedAt! - 1);
  await reportHealth(engine.app, { application, status: 'HEALTHY', at }, null);
  await reportDeployment(engine.app, { application, commit: change.outputs!['COMMIT_SHA']!, at }, null);
  expect((await engine.ended(id)).status).toBe('SUCCEEDED');
});

test('trap 28: what no webhook told of is found by the next look', async () => {
  const { product, repository, look, candidates, released } = await story();
  for (const tag of ['1', '2']) await repository.commit({ [`${product}/dev/values.yaml`]: chart(tag) }, `Push ${tag}`);
  await look('POLL');
  const [candidate] = await until(candidates, over);
  expect(candidate).toMatchObject({ kind: 'POLL', status: 'RELEASED' });
  expect(candidate?.facts.commits.map(({ subject }) => subject)).toEqual(['Push 2', 'Push 1']);
  expect(await released()).toEqual(['2']);
});

test('trap 29: Argo CD may tell of one commit as often as it likes', async () => {
  const { product, repository, look, candidates, released } = await story();
  await repository.commit({ [`${product}/dev/values.yaml`]: chart('1') }, 'One');
  for (let told = 0; told < 4; told += 1) await look('ARGO_CD');
  const all = await until(candidates, over);
  expect(all).toMatchObject([{ kind: 'ARGO_CD', status: 'RELEASED' }]);
  expect(await released()).toEqual(['1']);
});

test('a push that touches two applications of a product is one candidate', async () => {
  const { product, repository, look, candidates, released } = await story();
  await repository.commit({ [`${product}/web/values.yaml`]: chart('0') }, 'First');
  await engine.save('Application', `${product}-web`, {
    product,
    environment: 'dev',
    component: 'web',
    driver: { type: 'git', repoURL: repository.url, branch: 'main', path: `${product}/web` },
    health: { type: 'none' },
  });
  await engine.save('Application', `${product}-prod`, {
    product,
    environment: 'prod',
    component: `${product}-dev`,
    driver: { type: 'git', repoURL: repository.url, branch: 'main', path: `${product}/prod` },
    health: { type: 'none' },
  });
  await look();
  expect(await candidates()).toEqual([]);
  const commit = await repository.commit(
    { [`${product}/dev/values.yaml`]: chart('1'), [`${product}/web/values.yaml`]: chart('1') },
    'Both',
  );
  const made = await look();
  expect(made).toHaveLength(2);
  expect(new Set(made.map(({ candidate }) => candidate)).size).toBe(1);
  const [candidate] = await until(candidates, over);
  expect(candidate).toMatchObject({
    status: 'RELEASED',
    state: { [`${product}-dev`]: { commit }, [`${product}-web`]: { commit } },
  });
  expect(await released()).toEqual(['1']);
});

test('the author whom administrators name is the initiator; no author counts as a person who wants it', async () => {
  const { product, repository, look, candidates } = await story();
  const release = async (tag: string, author?: { name: string; email: string }) => {
    await repository.commit({ [`${product}/dev/values.yaml`]: chart(tag) }, `Push ${tag}`, author && { author });
    await look();
    const all = await until(candidates, over);
    const { releaseId } = all.at(-1)!;
    await engine.ended(releaseId!);
    const { rows } = await engine.app.pool.query<{ actor: string | null; author: string; byPerson: boolean }>(
      `SELECT trigger->>'actor' AS actor, trigger->'news'->>'author' AS author, trigger->>'kind' = 'MANUAL' AS "byPerson" FROM release WHERE id = $1`,
      [releaseId],
    );
    return rows[0];
  };
  expect(await release('1')).toEqual({ actor: null, author: 'Ada <ada@example.com>', byPerson: false });
  expect(
    (await setIdentity(engine.app, { email: 'Grace@Example.com', user: 'grace' }, 'root')).refusals,
  ).toBeUndefined();
  const grace = { name: 'G. Hopper', email: 'grace@example.COM' };
  expect(await release('2', grace)).toEqual({
    actor: 'grace',
    author: 'G. Hopper <grace@example.COM>',
    byPerson: false,
  });
  // A hold that stands in the way is not lifted by it.
  const held = await holdEnvironment(engine.app, { environment: 'prod', product, reason: 'no' }, 'ada');
  expect(held.refusals).toBeUndefined();
  await repository.commit({ [`${product}/dev/values.yaml`]: chart('3') }, 'Push 3');
  await look();
  const { releaseId } = (await until(candidates, over)).at(-1)!;
  const { promotions } = await engine.reached(releaseId!, ({ status }) => status === 'SUSPENDED');
  expect(promotions.map(({ status }) => status)).toEqual(['SUCCEEDED', 'WAITING']);
});

test('a state that was a candidate before is another one at another place, and after triggers were off', async () => {
  const { product, repository, candidates, released } = await story();
  const application = `${product}-dev`;
  const file = `${product}/dev/values.yaml`;
  const lookAt = async (branch: string): Promise<string | undefined> => {
    const head = (await repository.head(branch))!;
    const heads = new Map([[branch, head]]);
    const all = await headsSeen(engine.app, { repository: repository.url, heads, via: 'PUSH', deliveries: [] });
    return all.find((each) => each.application === application)?.outcome;
  };
  const on = (branch: string) =>
    engine.save('Application', application, {
      product,
      environment: 'dev',
      driver: { type: 'git', repoURL: repository.url, branch, path: `${product}/dev` },
      health: { type: 'none' },
    });
  const zero = (await repository.head())!;
  const one = await repository.commit({ [file]: chart('1') }, 'One');
  await lookAt('main');
  await until(candidates, over);
  await repository.forcePush('release', zero);
  await on('release');
  await lookedAt(repository, 'release');
  expect(await lookAt('release')).toMatch(/^seen before/);
  await repository.forcePush('release', one);
  expect(await lookAt('release')).toMatch(/ changed its content: a candidate of flow "to-prod"$/);
  await until(candidates, over);
  // Off for a while: its cursor is forgotten.
  await engine.app.pool.query('DELETE FROM trigger_cursor WHERE application = $1', [application]);
  await repository.forcePush('release', zero);
  expect(await lookAt('release')).toMatch(/^first look/);
  await repository.forcePush('release', one);
  expect(await lookAt('release')).toMatch(/ changed its content: a candidate of flow "to-prod"$/);
  const all = await until(candidates, over);
  expect(all.map(({ status }) => status)).toEqual(['RELEASED', 'RELEASED', 'RELEASED']);
  expect(await released()).toEqual(['1', '1', '1']);
});

test('a version that was a candidate before is another one after triggers were off', async () => {
  const product = `shop-${(products += 1)}`;
  await engine.save('Product', product, {
    promotionFlows: [],
    concurrency: 'PIPELINE',
    queueLimit: 50,
    trigger: { coalesce: 0 },
  });
  for (const environment of ['dev', 'prod'])
    await engine.save('Application', `${product}-${environment}`, {
      product,
      environment,
      driver: { type: 'simulate' },
      health: { type: 'none' },
    });
  const application = `${product}-dev`;
  const candidates = async (): Promise<KeptCandidate[]> =>
    (await listCandidates(engine.app.pool, { limit: 100, entries: 1_000, filter: { product } })).rows;
  for (const [version, made] of [
    ['1', 0],
    ['2', 1],
  ] as const) {
    await reportDeployment(engine.app, { application, version }, null);
    expect(await candidates()).toHaveLength(made);
  }
  await engine.app.pool.query('DELETE FROM trigger_cursor WHERE application = $1', [application]);
  for (const version of ['1', '2']) await reportDeployment(engine.app, { application, version }, null);
  expect(await candidates()).toHaveLength(2);
});

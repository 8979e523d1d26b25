import { afterAll, expect, test } from 'vitest';
import type { GitDriverSpec, PromotionTemplateSpec } from '../../src/core/definitions.ts';
import type { EffectContext, PinnedContent } from '../../src/drivers/driver.ts';
import { createGitDriver } from '../../src/drivers/git/driver.ts';
import { contextOf, git, makeFolder, Repository, settingsIn } from './repository.ts';

const folder = makeFolder();
afterAll(folder.remove);
const never = new AbortController().signal;
const driver = createGitDriver(settingsIn(folder.path('cache')));

let made = 0;
const at = (repo: Repository, path: string): GitDriverSpec => ({
  type: 'git',
  repoURL: repo.url,
  branch: 'main',
  path,
});
const template: PromotionTemplateSpec = { promotion: { 'values.yaml': { jsonPaths: ['$.tag'] } } };

interface World {
  repo: Repository;
  /** tag "2", pinned from dev. */
  content: PinnedContent;
  apply: (key: string, more?: Partial<EffectContext>) => ReturnType<typeof driver.apply>;
}

async function world(): Promise<World> {
  const files = { 'dev/values.yaml': 'tag: "2"\n', 'eu/values.yaml': 'tag: "1"\n' };
  const repo = new Repository(folder, `r${(made += 1)}`, files);
  const content = await driver.pin(at(repo, 'dev'), template, {}, never);
  return { repo, content, apply: (key, more) => driver.apply(at(repo, 'eu'), content, contextOf(key, more)) };
}

const trailers = (key: string, more: string[] = []): string =>
  [
    'Sluice-Release: release-1',
    'Sluice-Environment: eu',
    'Sluice-Application: billing-eu',
    `Sluice-Key: ${key}`,
    ...more,
  ].join('\n');
const signatureIn = (message: string | undefined): string => /^Sluice-Signature: .*$/m.exec(message ?? '')![0];

test.each<[string, boolean]>([
  ['signs its commits', false],
  ['is older than signed keys', true],
])('a key that somebody writes beside the application is not its promotion, of a release that %s', async (_n, old) => {
  const { repo, apply } = await world();
  const forged = repo.commit({ 'dev/notes.txt': 'x' }, `Notes\n\n${trailers('k')}`);
  const effect = await apply('k', { unsignedKeys: old });
  expect(effect).toMatchObject({ changed: true });
  expect(effect.commit).not.toBe(forged);
  expect(repo.read('eu/values.yaml')).toBe('tag: "2"\n');
});

test('an unsigned key in the application’s own folder, where the content is not right, is no promotion either', async () => {
  const { repo, apply } = await world();
  repo.commit({ 'eu/notes.txt': 'x' }, `Notes\n\n${trailers('k')}`);
  await apply('k', { unsignedKeys: true });
  expect(repo.read('eu/values.yaml')).toBe('tag: "2"\n');
});

test('a signature that was copied from another commit proves nothing', async () => {
  const { repo, apply, content } = await world();
  const effect = await apply('k');
  const copied = effect.message!;
  // The environment moves on, and somebody repeats the message over a change of their own.
  repo.commit({ 'eu/values.yaml': 'tag: "1"\n' }, 'Back');
  repo.commit(
    { 'eu/values.yaml': 'tag: "2"\nmine: true\n' },
    `${copied.replaceAll('Sluice-Key: k', 'Sluice-Key: k2')}`,
  );
  expect(await driver.observe(at(repo, 'eu'), 'k2', never)).toBeUndefined();
  repo.commit({ 'eu/values.yaml': 'tag: "3"\n' }, `Other\n\n${trailers('k3', [signatureIn(copied)])}`);
  expect(await driver.observe(at(repo, 'eu'), 'k3', never)).toBeUndefined();
  expect(await driver.matches(at(repo, 'eu'), content, never)).toMatchObject({ matches: false });
});

test('a commit that was signed with a key that nobody has here is not believed', async () => {
  const { repo, content } = await world();
  const stranger = createGitDriver({ ...settingsIn(folder.path('cache-strange')), signingKeys: async () => ['other'] });
  await stranger.apply(at(repo, 'eu'), content, contextOf('k'));
  expect(await driver.observe(at(repo, 'eu'), 'k', never)).toBeUndefined();
  const both = { ...settingsIn(folder.path('cache-both')), signingKeys: async () => ['new', 'other'] };
  expect(await createGitDriver(both).observe(at(repo, 'eu'), 'k', never)).toMatchObject({ commit: repo.head() });
});

test('the effect is found again although the environment has moved on, by its signature and by its content', async () => {
  const { repo, apply } = await world();
  const effect = await apply('k');
  repo.commit({ 'eu/values.yaml': 'tag: "3"\n' }, 'Next');
  expect(await apply('k', { tries: 1 })).toEqual(effect);
  expect(repo.read('eu/values.yaml')).toBe('tag: "3"\n');
});

test('an unsigned effect of an earlier Sluice is believed where everything else fits, and of a release that signs it is not', async () => {
  const { repo, apply } = await world();
  const before = repo.commit({ 'eu/values.yaml': 'tag: "2"\n' }, `Promote billing 2 to eu\n\n${trailers('k')}`);
  repo.commit({ 'eu/values.yaml': 'tag: "3"\n' }, 'Next');
  const left = { commit: before, changed: true };
  expect(await driver.observe(at(repo, 'eu'), 'k', never)).toBeUndefined();
  expect(await apply('k', { unsignedKeys: true })).toMatchObject(left);
  expect(await apply('k', { unsignedKeys: true, environment: 'us' })).not.toMatchObject(left);
  repo.commit({ 'eu/values.yaml': 'tag: "3"\n' }, 'Next');
  expect(await apply('k', { unsignedKeys: false, releaseId: 'release-2' })).not.toMatchObject(left);
});

test('a text that only mentions a key is not its commit', async () => {
  const { repo, apply } = await world();
  const { commit } = await apply('k1');
  expect(await driver.observe(at(repo, 'eu'), 'k', never)).toBeUndefined();
  repo.commit({ x: '1' }, `About keys\n\n> Sluice-Key: k2\n\n${trailers('k22')}`);
  expect(await driver.observe(at(repo, 'eu'), 'k2', never)).toBeUndefined();
  expect(await driver.observe(at(repo, 'eu'), 'k1', never)).toMatchObject({ commit });
});

/** Commits on top of the branch that change nothing, one a minute, the newest at `last`. */
function history(repo: Repository, count: number, last: number): void {
  const commits = Array.from({ length: count }, (_, index) => {
    const seconds = Math.floor(last / 1000) - (count - index) * 60;
    const from = index === 0 ? `from ${repo.head()}\n` : '';
    return `commit refs/heads/main\ncommitter a <a@b> ${seconds} +0000\ndata 1\nc\n${from}\n`;
  });
  git(repo.url, ['fast-import', '--quiet'], commits.join(''));
}

test('a search reads what happened since the release was created, and finds the key behind clocks that are wrong', async () => {
  const { repo, apply } = await world();
  const created = Date.now();
  const old = created - 400 * 24 * 60 * 60 * 1000;
  history(repo, 3_000, old);
  const effect = await apply('k', { since: created });
  // 40 commits of somebody whose clock is a year behind, and 500 of others, come on top of it.
  history(repo, 40, old);
  history(repo, 500, Date.now());
  repo.commit({ 'eu/values.yaml': 'tag: "3"\n' }, 'Next');
  expect(await apply('k', { since: created, tries: 1 })).toEqual(effect);
  // Without a date the whole branch is read.
  expect(await apply('k', { tries: 2 })).toEqual(effect);
});

test('a rollback keeps what somebody changed by hand under a message like ours', async () => {
  const files = { 'dev/values.yaml': 'tag: "1"\n', 'eu/values.yaml': 'tag: "1"\nreplicas: 1\n' };
  const repo = new Repository(folder, `r${(made += 1)}`, files);
  const base = repo.head();
  const before = await driver.pin(at(repo, 'dev'), template, {}, never);
  repo.commit({ 'dev/values.yaml': 'tag: "2"\n' }, 'Two');
  const content = await driver.pin(at(repo, 'dev'), template, {}, never);
  const { message } = await driver.apply(at(repo, 'eu'), content, contextOf('k'));
  repo.commit({ 'eu/values.yaml': 'tag: "2"\nreplicas: 5\n' }, message!);
  const undo = { commit: base, files: [], edited: ['values.yaml'] };
  const rollback = { takesBack: '2', reason: 'bad', undo };
  await driver.apply(at(repo, 'eu'), before, contextOf('back', { rollback }));
  expect(repo.read('eu/values.yaml')).toBe('tag: "1"\nreplicas: 5\n');
});

test('a rollback over commits of an earlier Sluice restores byte for byte, until the first signed one', async () => {
  const files = { 'dev/values.yaml': 'tag: "1"\n', 'eu/values.yaml': 'tag: "1" # one\n' };
  const repo = new Repository(folder, `r${(made += 1)}`, files);
  const base = repo.head();
  const before = await driver.pin(at(repo, 'dev'), template, {}, never);
  repo.commit({ 'eu/values.yaml': 'tag: "2" # two\n' }, `Promote billing 2 to eu\n\n${trailers('unsigned')}`);
  const undo = { commit: base, files: [], edited: ['values.yaml'] };
  const rollback = { takesBack: '2', reason: 'bad', undo };
  await driver.apply(at(repo, 'eu'), before, contextOf('back', { rollback }));
  expect(repo.read('eu/values.yaml')).toBe('tag: "1" # one\n');
  repo.commit({ 'eu/values.yaml': 'tag: "2" # mine\n' }, `Promote billing 2 to eu\n\n${trailers('forged')}`);
  await driver.apply(at(repo, 'eu'), before, contextOf('back-2', { rollback }));
  expect(repo.read('eu/values.yaml')).toBe('tag: "1" # mine\n');
});

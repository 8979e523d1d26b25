import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import type { GitDriverSpec, PromotionTemplateSpec } from '../../src/core/definitions.ts';
import type { Effect, EffectContext, PinnedContent } from '../../src/drivers/driver.ts';
import { PermanentError, TransientError } from '../../src/drivers/driver.ts';
import { createGitDriver } from '../../src/drivers/git/driver.ts';
import { answerGit } from '../support/git-http.ts';
import { folderWithServers } from './folder-with-servers.ts';
import { contextOf, git, Repository, settingsIn } from './repository.ts';

const { folder, servers } = folderWithServers();
const never = new AbortController().signal;
const template: PromotionTemplateSpec = { promotion: { 'values.yaml': { jsonPaths: ['$.tag'] } } };
const indexes = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** A repository with so many targets, a driver that knows it, and what arrives there. */
async function world(name: string, targets: number, url?: (repo: Repository) => string) {
  const files = Object.fromEntries(indexes(targets).map((index) => [`t${index}/values.yaml`, 'tag: "1"\n']));
  const repo = new Repository(folder, name, { 'dev/values.yaml': 'tag: "2"\n', ...files });
  const log = `${repo.url}/pushes`;
  const since = Date.now();
  hook(repo, 'exit 0');
  const settings = { ...settingsIn(folder.path(`cache-${name}`)), protocols: ['file', 'http'] as const };
  const driver = createGitDriver(settings);
  const at = (path: string): GitDriverSpec => ({
    type: 'git',
    repoURL: url?.(repo) ?? repo.url,
    branch: 'main',
    path,
  });
  const content = await driver.pin(at('dev'), template, {}, never);
  const apply = (index: number, more: Partial<EffectContext> = {}, what: PinnedContent = content): Promise<Effect> =>
    driver.apply(at(`t${index}`), what, contextOf(`key-${index}`, { application: `app-${index}`, since, ...more }));
  return {
    repo,
    driver,
    at,
    content,
    apply,
    /** How many commits each push that was tried had. */
    pushes: (): number[] =>
      existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n').filter(Boolean).map(Number) : [],
    value: (index: number): string => repo.read(`t${index}/values.yaml`).trim(),
  };
}

/** Counts the commits of each push, then decides by the shell's words; `$commits` are what the push brings. */
function hook(repo: Repository, words: string): void {
  const script = `#!/bin/sh
while read old new ref; do
  commits=$(git rev-list "$old..$new")
  echo "$commits" | wc -w >> "${repo.url}/pushes"
  ${words}
done
`;
  writeFileSync(`${repo.url}/hooks/pre-receive`, script, { mode: 0o755 });
}

const refusing = (application: string): string =>
  `for each in $commits; do git log -1 --format=%B $each | grep -q "^Sluice-Application: ${application}$" && echo "not ${application}" >&2 && exit 1; done; true`;

const settled = <T>(promises: Promise<T>[]): Promise<PromiseSettledResult<T>[]> => Promise.allSettled(promises);
const reasonOf = (result: PromiseSettledResult<unknown> | undefined): Error =>
  result?.status === 'rejected' ? (result.reason as Error) : new Error('it was not refused');

test('promotions that are ready together go in one push, a commit each, in the order of asking', async () => {
  const { repo, apply, driver, at, pushes } = await world('together', 20);
  const effects = await Promise.all(indexes(20).map((index) => apply(index)));
  expect(pushes().length).toBeLessThanOrEqual(2);
  expect(repo.count()).toBe(21);
  const onBranch = git(repo.url, ['rev-list', '--reverse', 'main']).trim().split('\n').slice(1);
  expect(effects.map(({ commit }) => commit)).toEqual(onBranch);
  for (const [index, { commit }] of effects.entries()) {
    expect(git(repo.url, ['show', '--format=', '--name-only', commit!]).trim()).toBe(`t${index}/values.yaml`);
    expect(await driver.observe(at(`t${index}`), `key-${index}`, never)).toMatchObject({ commit, changed: true });
  }
}, 120_000);

test('a push carries a bounded number of promotions', async () => {
  const { repo, apply, pushes } = await world('bounded', 70);
  await Promise.all(indexes(70).map((index) => apply(index)));
  expect(Math.max(...pushes())).toBe(32);
  expect(pushes().length).toBeLessThanOrEqual(4);
  expect(repo.count()).toBe(71);
}, 120_000);

test('a promotion that the remote refuses fails alone, and the others go without it', async () => {
  const { repo, apply, pushes, value } = await world('one-bad', 16);
  hook(repo, refusing('app-11'));
  const results = await settled(indexes(16).map((index) => apply(index)));
  expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(1);
  const refused = reasonOf(results[11]);
  expect(refused).toBeInstanceOf(PermanentError);
  expect(refused.message).toMatch(/application "app-11": .*not app-11/);
  expect(indexes(16).map(value)).toEqual(indexes(16).map((index) => `tag: "${index === 11 ? 1 : 2}"`));
  // All, halves of what was refused, and what is left over.
  expect(pushes().length).toBeLessThanOrEqual(10);
}, 120_000);

test('where the remote refuses all of them each is told so itself, and it is not asked much more often than that', async () => {
  const { repo, apply, pushes } = await world('all-bad', 16);
  hook(repo, 'echo "only on weekdays" >&2; exit 1');
  const results = await settled(indexes(16).map((index) => apply(index)));
  for (const [index, each] of results.entries())
    expect(reasonOf(each).message).toMatch(new RegExp(`application "app-${index}": .*only on weekdays`));
  expect(repo.count()).toBe(1);
  expect(pushes().length).toBeLessThanOrEqual(28);
}, 120_000);

test('what was decided on top of a commit that is refused is decided again without it', async () => {
  const { repo, apply, value } = await world('on-top', 1);
  hook(repo, refusing('app-bad'));
  // Asked second, it finds the folder as it should be, by the commit of the first.
  const [bad, good] = await settled([
    apply(0, { key: 'bad', application: 'app-bad' }),
    apply(0, { key: 'good', application: 'app-good' }),
  ]);
  expect(reasonOf(bad).message).toContain('not app-bad');
  expect(good).toMatchObject({ status: 'fulfilled', value: { changed: true, commit: repo.head() } });
  expect(repo.keys()).toEqual(['good']);
  expect(value(0)).toBe('tag: "2"');
});

test('a key that is asked for twice at once is one commit, and both have it as their answer', async () => {
  const { repo, apply } = await world('twice', 2);
  const [first, other, again] = await Promise.all([apply(0), apply(1), apply(0)]);
  expect(again).toEqual(first);
  expect(other.commit).not.toBe(first.commit);
  expect(repo.keys().toSorted()).toEqual(['key-0', 'key-1']);
});

test('a promotion that is given up while the push is made ready does not go along, and the others do', async () => {
  const { repo, apply, value } = await world('given-up', 6);
  const stop = new AbortController();
  const results = await settled(
    indexes(6).map((index) =>
      apply(index, {
        ...(index === 1 && { stillMine: async () => false }),
        ...(index === 3 && { signal: stop.signal }),
        // The caller of another one leaves in the very moment.
        ...(index === 5 && {
          stillMine: async () => {
            stop.abort('stop');
            return true;
          },
        }),
      }),
    ),
  );
  expect(reasonOf(results[1]).message).toContain('given up meanwhile, so nothing is pushed');
  expect(reasonOf(results[3])).toBe('stop');
  expect(repo.keys().toSorted()).toEqual(['key-0', 'key-2', 'key-4', 'key-5']);
  expect([1, 3].map(value)).toEqual(['tag: "1"', 'tag: "1"']);
});

test('a caller whose time is over while the push goes on is told at once, and the push of the others goes on', async () => {
  const { repo, apply } = await world('impatient', 4);
  hook(repo, `while ! test -e "${repo.url}/go"; do sleep 0.05; done`);
  const late = new AbortController();
  const all = indexes(4).map((index) => apply(index, index === 2 ? { signal: late.signal } : {}));
  await expect.poll(() => existsSync(`${repo.url}/pushes`)).toBe(true);
  late.abort('overdue');
  await expect(all[2]).rejects.toBe('overdue');
  appendFileSync(`${repo.url}/go`, '');
  await Promise.all([all[0], all[1], all[3]]);
  expect(repo.keys()).toEqual(expect.arrayContaining(['key-0', 'key-1', 'key-3']));
  // It was on its way: its next try finds it there, or makes it.
  expect(await apply(2)).toMatchObject({ changed: true });
  expect(repo.keys().filter((key) => key === 'key-2')).toHaveLength(1);
});

test('a push whose only caller is stopped is stopped', async () => {
  const { repo, apply } = await world('stopped', 1);
  hook(repo, `while ! test -e "${repo.url}/go"; do sleep 0.05; done`);
  const stop = new AbortController();
  const only = apply(0, { signal: stop.signal });
  await expect.poll(() => existsSync(`${repo.url}/pushes`)).toBe(true);
  stop.abort('stop');
  await expect(only).rejects.toBe('stop');
  appendFileSync(`${repo.url}/go`, '');
});

test('when another push comes first all are decided again on top of it, and nothing of it is lost', async () => {
  const { repo, apply } = await world('second', 8);
  let asked = 0;
  const stillMine = async (): Promise<boolean> => {
    asked += 1;
    if (asked === 1) repo.commit({ 'by-hand.txt': 'mine\n' }, 'By hand');
    return true;
  };
  const effects = await Promise.all(indexes(8).map((index) => apply(index, index === 4 ? { stillMine } : {})));
  expect(asked).toBe(2);
  expect(repo.read('by-hand.txt')).toBe('mine\n');
  expect(repo.keys()).toHaveLength(8);
  const onBranch = git(repo.url, ['rev-list', 'main']).split('\n');
  for (const { commit } of effects) expect(onBranch).toContain(commit);
});

test('where nothing is to be pushed the branch is looked at: what was seen of it a moment ago does not count', async () => {
  const { repo, apply, value } = await world('looked-at', 1);
  await apply(0);
  repo.commit({ 't0/values.yaml': 'tag: "1"\n' }, 'By hand');
  expect(await apply(0, { key: 'again' })).toMatchObject({ changed: true, commit: repo.head() });
  expect(value(0)).toBe('tag: "2"');
});

test('a push whose answer is lost is found by the keys of all that it carried, whoever asks again', async () => {
  let cut = true;
  const host = createServer((request, response) => {
    if (cut && request.method === 'POST' && request.url?.endsWith('/git-receive-pack')) {
      cut = false;
      // The push arrives, and its answer does not.
      Object.assign(response, { end: () => response.write('0', () => request.socket.destroy()) });
    }
    answerGit(folder.path(''), request, response);
  });
  servers.push(host);
  await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(host.address() as AddressInfo).port}`;
  const { repo, apply } = await world('lost', 6, (each) => {
    git(each.url, ['config', 'http.receivepack', 'true']);
    return `${base}/lost.git`;
  });
  const first = await settled(indexes(6).map((index) => apply(index)));
  const failed = first.filter(({ status }) => status === 'rejected');
  expect(failed.length).toBeGreaterThan(0);
  for (const each of failed) expect(reasonOf(each)).toBeInstanceOf(TransientError);
  expect(repo.keys()).not.toHaveLength(0);
  const effects = await Promise.all(indexes(6).map((index) => apply(index, { tries: 1 })));
  expect(repo.keys().toSorted()).toEqual(indexes(6).map((index) => `key-${index}`));
  const onBranch = git(repo.url, ['rev-list', 'main']).split('\n');
  for (const { commit } of effects) expect(onBranch).toContain(commit);
});

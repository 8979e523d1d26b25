import { symlinkSync } from 'node:fs';
import { afterAll, beforeEach, expect, test } from 'vitest';
import type { GitDriverSpec } from '../../src/core/definitions.ts';
import type { Driver } from '../../src/drivers/driver.ts';
import { createGitDriver } from '../../src/drivers/git/driver.ts';
import { contextOf, git, makeFolder, Repository, settingsIn } from './repository.ts';

// What a branch did since it was looked at, application by application.

const folder = makeFolder();
afterAll(() => folder.remove());
const never = new AbortController().signal;

let repository: Repository;
let driver: Driver<GitDriverSpec>;
let count = 0;
beforeEach(() => {
  count += 1;
  repository = new Repository(folder, `range-${count}`, { 'a/f': '1\n', 'b/f': '1\n' });
  driver = createGitDriver(settingsIn(folder.path(`cache-${count}`)));
});

const at = (path: string): GitDriverSpec => ({ type: 'git', repoURL: repository.url, branch: 'main', path });
const moved = (path: string, from?: string) =>
  driver.moved(at(path), undefined, { from, seen: repository.head() }, never);

test('trap 17: the paths are those of an own diff, over all commits in between, and a folder that was not touched is not read', async () => {
  const from = repository.head();
  const one = repository.commit({ 'a/f': '2\n' }, 'One');
  repository.commit({ 'other/f': '1\n' }, 'Elsewhere');
  const three = repository.commit({ 'a/g/h': '1\n' }, 'Three\n\nWith a body.');
  repository.commit({ 'other/f': '2\n' }, 'Elsewhere again');
  expect(await moved('a', from)).toMatchObject({
    relation: 'AHEAD',
    touched: ['f', 'g/h'],
    changed: true,
    content: { commit: three, message: 'Three\n\nWith a body.' },
    commits: [
      { commit: three, email: 'ada@example.com' },
      { commit: one, message: 'One' },
    ],
  });
  expect(await moved('b', from)).toEqual({ relation: 'AHEAD', head: repository.head(), touched: [] });
  expect(await moved('a', repository.head())).toEqual({ relation: 'SAME', head: repository.head() });
  expect(await moved('a')).toEqual({ relation: 'FIRST', head: repository.head() });
});

test('a folder that came back to its content is touched and not changed', async () => {
  const from = repository.head();
  repository.commit({ 'a/f': '2\n' }, 'There');
  repository.commit({ 'a/f': '1\n' }, 'And back');
  // No path differs between the two ends.
  expect(await moved('a', from)).toEqual({ relation: 'AHEAD', head: repository.head(), touched: [] });
});

test('a branch that was pushed with force has left its commits; one whose commits are gone everywhere, too', async () => {
  const from = repository.head();
  repository.commit({ 'a/f': '2\n' }, 'Two');
  const two = repository.head();
  expect(await moved('a', from)).toMatchObject({ relation: 'AHEAD', changed: true });
  git(repository.url, ['update-ref', 'refs/heads/main', from]);
  expect(await moved('a', two)).toMatchObject({ relation: 'LEFT', changed: true, commits: [] });
  expect(await moved('a', 'f'.repeat(40))).toMatchObject({ relation: 'LEFT', head: from, changed: true, commits: [] });
});

test('a head that was told and is older than the cursor is no push with force', async () => {
  const old = repository.head();
  const cursor = repository.commit({ 'a/f': '2\n' }, 'Two');
  await moved('a', old);
  expect(await driver.moved(at('a'), undefined, { from: cursor, seen: old }, never)).toEqual({
    relation: 'SAME',
    head: cursor,
  });
});

test('a symbolic link that leads to a folder that changed is a change', async () => {
  repository.commit({ 'shared/f': '1\n' }, 'Shared');
  symlinkSync('shared', folder.path(`range-${count}-work/linked`));
  repository.commit({}, 'A link');
  const from = repository.head();
  repository.commit({ 'shared/f': '2\n' }, 'Shared');
  expect(await moved('linked', from)).toMatchObject({ changed: true, content: { commit: repository.head() } });
});

test('the version of an application is called after the last commit that touched its folder', async () => {
  const commit = repository.commit({ 'a/f': '2\n' }, 'Two');
  repository.commit({ 'b/f': '2\n' }, 'Of the other one');
  const pinned = await driver.pin(at('a'), undefined, {}, never);
  expect(pinned).toMatchObject({ commit, message: 'Two', label: commit.slice(0, 9) });
  expect(await driver.revision(at('a'), {}, never)).toMatchObject({ commit });
  // A commit that is asked for stays that commit.
  const head = repository.head();
  expect(await driver.pin(at('a'), undefined, { commit: head }, never)).toMatchObject({ commit: head });
});

test('what Sluice committed says so, with its installation', async () => {
  const from = repository.head();
  const content = await driver.pin(at('a'), undefined, {}, never);
  repository.commit({ 'a/f': '3\n' }, 'Three');
  const newer = await driver.pin(at('a'), undefined, {}, never);
  await driver.apply(at('b'), newer, contextOf('own', { chain: 2 }));
  expect((await moved('b', from))?.commits).toMatchObject([
    { claim: { signed: true, here: true, releases: ['release-1'], chain: 2 } },
  ]);
  expect(content.digest).not.toBe(newer.digest);
});

test('branches and tags that stand at a commit', async () => {
  const head = repository.head();
  git(repository.url, ['tag', 'v1', head]);
  git(repository.url, ['-c', 'user.name=A', '-c', 'user.email=a@b.c', 'tag', '-a', '-m', 'x', 'v1.0', head]);
  git(repository.url, ['branch', 'release', head]);
  repository.commit({ 'a/f': '2\n' }, 'Two');
  expect(await driver.refs(at('a'), head, never)).toEqual({ branches: ['release'], tags: ['v1', 'v1.0'] });
});

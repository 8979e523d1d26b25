import { afterAll, expect, test } from 'vitest';
import type { GitDriverSpec } from '../../src/core/definitions.ts';
import { createGitDriver } from '../../src/drivers/git/driver.ts';
import { git, makeFolder, Repository, settingsIn } from './repository.ts';

// What two commits of a source do not share, as a reader asks for it beside the work.

const folder = makeFolder();
afterAll(() => folder.remove());
const never = new AbortController().signal;

test('commits of the folder are counted both ways and listed, from the local copy alone', async () => {
  const repository = new Repository(folder, 'between', { 'a/f': '1\n', 'b/f': '1\n' });
  const driver = createGitDriver(settingsIn(folder.path('cache')));
  const source: GitDriverSpec = { type: 'git', repoURL: repository.url, branch: 'main', path: 'a' };
  const first = repository.head();
  const second = repository.commit({ 'a/f': '2\n' }, 'Second');
  repository.commit({ 'b/f': '2\n' }, 'Elsewhere');
  const third = repository.commit({ 'a/f': '3\n' }, 'Third\n\nFixes #12.');
  const between = (from: string, to: string, list = 10) => driver.between(source, { from, to, list }, never);
  // Nothing was fetched yet, and nothing is for this.
  expect(await between(first, third)).toEqual({ kind: 'UNKNOWN', missing: first });
  await driver.revision(source, {}, never);
  expect(await between(first, third)).toMatchObject({
    kind: 'KNOWN',
    gone: 0,
    added: 2,
    commits: [
      { commit: third, message: 'Third\n\nFixes #12.', author: 'Ada <ada@example.com>' },
      { commit: second, message: 'Second' },
    ],
  });
  expect(await between(third, second)).toEqual({ kind: 'KNOWN', gone: 1, added: 0, commits: [] });
  expect(await between(first, third, 1)).toMatchObject({ added: 2, commits: [{ commit: third }] });
  expect(await between(first, third, 0)).toMatchObject({ added: 2, commits: [] });
  // A branch that was pushed with force: each side has its own.
  git(repository.url, ['branch', '-f', 'main', first]);
  const other = repository.commit({ 'a/f': '9\n' }, 'Another second');
  await driver.revision(source, {}, never);
  expect(await between(third, other, 0)).toEqual({ kind: 'KNOWN', gone: 2, added: 1, commits: [] });
  expect(await between(third, 'f'.repeat(40), 0)).toEqual({ kind: 'UNKNOWN', missing: 'f'.repeat(40) });
  await driver.close();
});

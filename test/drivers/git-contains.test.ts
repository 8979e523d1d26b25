import { renameSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import type { GitDriverSpec, PromotionTemplateSpec } from '../../src/core/definitions.ts';
import { createGitDriver } from '../../src/drivers/git/driver.ts';
import { contextOf, git, makeFolder, Repository, settingsIn } from './repository.ts';

const folder = makeFolder();
afterAll(folder.remove);
const never = new AbortController().signal;
const fresh = (name: string): ReturnType<typeof createGitDriver> => createGitDriver(settingsIn(folder.path(name)));
const driver = fresh('cache');
const template: PromotionTemplateSpec = { promotion: { 'values.yaml': { jsonPaths: ['$.tag'] } } };

let made = 0;
const at = (repo: Repository, path: string, branch = 'main'): GitDriverSpec => ({
  type: 'git',
  repoURL: repo.url,
  branch,
  path,
});

/** The tag of dev is promoted to eu; answers the commit and its content. */
async function promoted() {
  const files = { 'dev/values.yaml': 'tag: "2"\n', 'eu/values.yaml': 'tag: "1"\nreplicas: 3\n' };
  const repo = new Repository(folder, `r${(made += 1)}`, files);
  const before = repo.head();
  const content = await driver.pin(at(repo, 'dev'), template, {}, never);
  const { commit = '' } = await driver.apply(at(repo, 'eu'), content, contextOf('k'));
  const asked = (revision: string, by = driver) => by.contains(at(repo, 'eu'), { commit, content }, revision, never);
  return { repo, before, content, commit, asked };
}

test('the commit itself, a short form of it, and what came after it elsewhere contain the change', async () => {
  const { repo, commit, asked } = await promoted();
  const later = repo.commit({ 'us/values.yaml': 'tag: "2"\n' }, 'Another environment');
  for (const revision of [commit, commit.slice(0, 7), later, later.toUpperCase()])
    expect(await asked(revision)).toEqual({ kind: 'HOLDS' });
});

test('a commit that changed other values of the file holds the promoted ones still', async () => {
  const { repo, asked } = await promoted();
  expect(await asked(repo.commit({ 'eu/values.yaml': 'tag: "2"\nreplicas: 9\n' }, 'Scale'))).toEqual({ kind: 'HOLDS' });
  const other = repo.commit({ 'eu/values.yaml': 'tag: "7"\nreplicas: 9\n' }, 'By hand');
  expect(await asked(other)).toEqual({ kind: 'OTHER', files: ['values.yaml'] });
});

test('a revision from before does not, and no revision is guessed', async () => {
  const { before, asked } = await promoted();
  expect(await asked(before)).toEqual({ kind: 'BEFORE' });
  for (const revision of ['main', 'c0ffee0'.repeat(5), '1.4.2', '', '--all', before.slice(0, 5)])
    expect(await asked(revision)).toEqual({ kind: 'UNKNOWN' });
});

test('the same content without the commit is not the change: it was taken back and written anew', async () => {
  const { repo, before, content } = await promoted();
  git(repo.url, ['branch', 'old', before]);
  const target = at(repo, 'eu');
  repo.commit({ 'eu/values.yaml': 'tag: "1"\nreplicas: 3\n' }, 'Back');
  const first = await driver.pin(at(repo, 'eu'), template, {}, never);
  const back = { commit: repo.head(), content: first };
  expect(await driver.contains(target, back, before, never)).toEqual({ kind: 'BEFORE' });
  expect(first.digest).not.toBe(content.digest);
});

test('a worker with an empty cache fetches what it needs, a revision of no branch of ours too', async () => {
  const { repo, commit, asked } = await promoted();
  git(repo.url, ['branch', 'live', commit]);
  const tree = git(repo.url, ['rev-parse', `${commit}^{tree}`]).trim();
  const lonely = git(repo.url, ['commit-tree', tree, '-p', commit, '-m', 'Elsewhere']).trim();
  git(repo.url, ['update-ref', 'refs/heads/elsewhere', lonely]);
  expect(await asked(lonely, fresh('empty'))).toEqual({ kind: 'HOLDS' });
  expect(await driver.contains(at(repo, 'eu'), { commit }, lonely, never)).toEqual({ kind: 'HOLDS' });
  expect(await driver.contains(at(repo, 'eu'), { commit: lonely }, commit, never)).toEqual({ kind: 'BEFORE' });
});

test('what is known needs no exchange with the remote', async () => {
  const { repo, commit, asked } = await promoted();
  await asked(commit);
  renameSync(repo.url, `${repo.url}.away`);
  expect(await asked(commit)).toEqual({ kind: 'HOLDS' });
});

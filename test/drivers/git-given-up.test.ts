import { afterAll, expect, test } from 'vitest';
import type { GitDriverSpec, PromotionTemplateSpec } from '../../src/core/definitions.ts';
import { TransientError } from '../../src/drivers/driver.ts';
import { createGitDriver } from '../../src/drivers/git/driver.ts';
import { contextOf, git, makeFolder, Repository, settingsIn } from './repository.ts';

const folder = makeFolder();
afterAll(folder.remove);
const never = new AbortController().signal;
const template: PromotionTemplateSpec = { promotion: { 'values.yaml': { jsonPaths: ['$.tag'] } } };
const at = (repo: Repository, path: string): GitDriverSpec => ({
  type: 'git',
  repoURL: repo.url,
  branch: 'main',
  path,
});
const drivers = () => ['a', 'b'].map((name) => createGitDriver(settingsIn(folder.path(`cache-${name}`))));

test('a promotion that was given up while it came second is not built on top of its rollback', async () => {
  const repo = new Repository(folder, 'second', { 'dev/values.yaml': 'tag: "1"\n', 'eu/values.yaml': 'tag: "1"\n' });
  const [stale, other] = drivers();
  const base = repo.head();
  const old = await other!.pin(at(repo, 'dev'), template, {}, never);
  repo.commit({ 'dev/values.yaml': 'tag: "2"\n' }, 'Two');
  const content = await stale!.pin(at(repo, 'dev'), template, {}, never);
  const undo = { commit: base, files: [], edited: ['values.yaml'] };
  const rollback = { takesBack: '2', reason: 'timed out', undo };
  let asked = 0;
  const given = stale!.apply(
    at(repo, 'eu'),
    content,
    contextOf('late', {
      // It is still wanted when it is asked for the first time; then others push, its time is over, and it is rolled back.
      stillMine: async () => {
        asked += 1;
        if (asked > 1) return false;
        repo.commit({ 'us/values.yaml': 'tag: "1"\n' }, 'Somebody else');
        await other!.apply(at(repo, 'eu'), old, contextOf('back', { rollback }));
        return true;
      },
    }),
  );
  await expect(given).rejects.toThrow(TransientError);
  await expect(given).rejects.toThrow('given up meanwhile, so nothing is pushed');
  expect(asked).toBe(2);
  expect(repo.read('eu/values.yaml')).toBe('tag: "1"\n');
  expect(repo.keys()).not.toContain('late');
});

test('an effect that is wanted no more makes no commit, and one that is wanted is asked about once per push', async () => {
  const repo = new Repository(folder, 'wanted', { 'dev/values.yaml': 'tag: "2"\n', 'eu/values.yaml': 'tag: "1"\n' });
  const [driver] = drivers();
  const content = await driver!.pin(at(repo, 'dev'), template, {}, never);
  const before = repo.head();
  const given = driver!.apply(at(repo, 'eu'), content, contextOf('k', { stillMine: async () => false }));
  await expect(given).rejects.toThrow(TransientError);
  expect(repo.head()).toBe(before);
  let asked = 0;
  const stillMine = async (): Promise<boolean> => (asked += 1) > 0;
  expect(await driver!.apply(at(repo, 'eu'), content, contextOf('k', { stillMine }))).toMatchObject({ changed: true });
  expect(asked).toBe(1);
});

test('a branch that was taken back by force between look and push is not brought forward again', async () => {
  const repo = new Repository(folder, 'forced', { 'dev/values.yaml': 'tag: "2"\n', 'eu/values.yaml': 'tag: "1"\n' });
  // The driver has not looked at the branch before.
  const [driver, other] = drivers();
  const content = await other!.pin(at(repo, 'dev'), template, {}, never);
  const kept = repo.head();
  repo.commit({ 'eu/secret.yaml': 'leaked: true\n' }, 'A mistake');
  let asked = 0;
  const stillMine = async (): Promise<boolean> => {
    asked += 1;
    if (asked === 1) git(repo.url, ['update-ref', 'refs/heads/main', kept]);
    return true;
  };
  const effect = await driver!.apply(at(repo, 'eu'), content, contextOf('k', { stillMine }));
  expect([asked, effect.commit]).toEqual([2, repo.head()]);
  expect(git(repo.url, ['log', '--format=%s', 'main'])).not.toContain('A mistake');
});

test('a push that was on its way when its promotion was rolled back does not arrive', async () => {
  const repo = new Repository(folder, 'late', { 'dev/values.yaml': 'tag: "1"\n', 'eu/values.yaml': 'tag: "1"\n' });
  const [stale, other] = drivers();
  const old = await other!.pin(at(repo, 'dev'), template, {}, never);
  const base = repo.head();
  repo.commit({ 'dev/values.yaml': 'tag: "2"\n' }, 'Two');
  const content = await stale!.pin(at(repo, 'dev'), template, {}, never);
  const undo = { commit: base, files: [], edited: ['values.yaml'] };
  const rollback = { takesBack: '2', reason: 'timed out', undo, mayStillArrive: async () => true };
  const back = () => other!.apply(at(repo, 'eu'), old, contextOf('back', { rollback }));
  let asked = 0;
  const given = stale!.apply(
    at(repo, 'eu'),
    content,
    // The rollback comes between the question and the push, and finds everything as it should be.
    contextOf('late', { stillMine: async () => ((asked += 1) > 1 ? false : back().then(() => true)) }),
  );
  await expect(given).rejects.toThrow('given up meanwhile');
  expect(repo.read('eu/values.yaml')).toBe('tag: "1"\n');
  // Asked again it is one and the same commit, and changes nothing.
  const again = await back();
  expect(again).toMatchObject({ changed: false, commit: repo.head() });
  expect(repo.keys()).toEqual(['back']);
});

test('a rollback that finds everything right is no commit when the change that it takes back has been seen', async () => {
  const repo = new Repository(folder, 'seen', { 'dev/values.yaml': 'tag: "1"\n', 'eu/values.yaml': 'tag: "1"\n' });
  const [driver] = drivers();
  const old = await driver!.pin(at(repo, 'dev'), template, {}, never);
  const undo = { commit: repo.head(), files: [], edited: ['values.yaml'] };
  const rollback = { takesBack: '2', reason: 'bad', undo, mayStillArrive: async () => false };
  expect(await driver!.apply(at(repo, 'eu'), old, contextOf('back', { rollback }))).toMatchObject({ changed: false });
  expect(repo.count()).toBe(1);
});

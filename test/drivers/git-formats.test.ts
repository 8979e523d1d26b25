import { readdirSync, renameSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import type { GitDriverSpec, PromotionTemplateSpec } from '../../src/core/definitions.ts';
import { createGitDriver } from '../../src/drivers/git/driver.ts';
import { conformsToDriver } from './conformance.ts';
import { contextOf, git, makeFolder, Repository, settingsIn } from './repository.ts';

const folder = makeFolder();
afterAll(folder.remove);
const never = new AbortController().signal;
const cache = folder.path('cache');
const driver = createGitDriver(settingsIn(cache));

let made = 0;
const repository = (files: Record<string, string>, format: 'sha1' | 'sha256' = 'sha256'): Repository =>
  new Repository(folder, `r${(made += 1)}`, files, format);
const at = (repo: Repository, path: string): GitDriverSpec => ({
  type: 'git',
  repoURL: repo.url,
  branch: 'main',
  path,
});
const template: PromotionTemplateSpec = { promotion: { 'values.yaml': { jsonPaths: ['$.tag'] } } };

describe('the git driver on a SHA-256 repository', () => {
  conformsToDriver<GitDriverSpec>(() => {
    const repo = repository({ 'dev/values.yaml': 'tag: "2"\n', 'eu/values.yaml': 'tag: "1"\n' });
    return {
      driver,
      target: () => at(repo, 'eu'),
      content: () => driver.pin(at(repo, 'dev'), template, {}, never),
      observable: true,
    };
  });
});

test('a SHA-256 repository is promoted in whole files and values, and rolled back byte for byte', async () => {
  const repo = repository({ 'dev/values.yaml': 'tag: "1"\n', 'dev/x': 'x', 'eu/values.yaml': '# eu\ntag: "1"\n' });
  const base = repo.head();
  expect(base).toHaveLength(64);
  const old = await driver.pin(at(repo, 'dev'), template, {}, never);
  repo.commit({ 'dev/values.yaml': 'tag: "2"\n' }, 'Two');
  const content = await driver.pin(at(repo, 'dev'), template, {}, never);
  const effect = await driver.apply(at(repo, 'eu'), content, contextOf('forward'));
  expect(effect.commit).toHaveLength(64);
  expect(repo.read('eu/values.yaml')).toBe('# eu\ntag: "2"\n');
  const undo = { commit: base, files: [], edited: ['values.yaml'] };
  await driver.apply(at(repo, 'eu'), old, contextOf('back', { rollback: { takesBack: '2', reason: 'bad', undo } }));
  expect(repo.read('eu/values.yaml')).toBe('# eu\ntag: "1"\n');
  const whole = await driver.pin(at(repo, 'dev'), undefined, {}, never);
  expect(await driver.apply(at(repo, 'us'), whole, contextOf('whole'))).toMatchObject({ changed: true });
  expect(await driver.apply(at(repo, 'us'), whole, contextOf('again'))).toMatchObject({ changed: false });
});

test('a repository that was made anew in the other format is fetched anew', async () => {
  const own = folder.path('cache-anew');
  const fresh = createGitDriver(settingsIn(own));
  const repo = repository({ 'dev/values.yaml': 'tag: "1"\n' }, 'sha1');
  expect((await fresh.pin(at(repo, 'dev'), template, {}, never)).commit).toHaveLength(40);
  const other = repository({ 'dev/values.yaml': 'tag: "2"\n' });
  git('/', ['-C', folder.path(''), 'clone', '--quiet', '--bare', other.url, `${repo.url}.new`]);
  renameSync(repo.url, `${repo.url}.old`);
  renameSync(`${repo.url}.new`, repo.url);
  expect((await fresh.pin(at(repo, 'dev'), template, {}, never)).commit).toHaveLength(64);
  expect(readdirSync(own).filter((name) => name.endsWith('.git'))).toHaveLength(1);
});

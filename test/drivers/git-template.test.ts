import { afterAll, expect, test } from 'vitest';
import type { GitDriverSpec, PromotionTemplateSpec } from '../../src/core/definitions.ts';
import { PermanentError } from '../../src/drivers/driver.ts';
import { createGitDriver } from '../../src/drivers/git/driver.ts';
import { contextOf, makeFolder, Repository, settingsIn } from './repository.ts';

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
const images = (...all: [string, string][]): string =>
  `images:\n${all.map(([name, tag]) => `  - name: ${name}\n    newTag: ${tag}\n`).join('')}`;
const template = (more: Partial<PromotionTemplateSpec>): PromotionTemplateSpec => ({
  promotion: { 'k.yaml': { jsonPaths: ['$.images[*].newTag'] } },
  ...more,
});
const repository = (): Repository =>
  new Repository(folder, `r${(made += 1)}`, {
    'dev/k.yaml': images(['web', 'v2'], ['api', 'v9']),
    'eu/k.yaml': images(['api', 'v5']),
  });

test('an entry that stands in the source alone is refused, and nothing is written', async () => {
  const repo = repository();
  const before = repo.head();
  for (const more of [{}, { onMissing: 'REFUSE' as const }]) {
    const content = await driver.pin(at(repo, 'dev'), template(more), {}, never);
    const failed = driver.apply(at(repo, 'eu'), content, contextOf('k'));
    await expect(failed).rejects.toThrow(PermanentError);
    await expect(failed).rejects.toThrow(/eu\/k\.yaml.*web/);
    expect(await driver.matches(at(repo, 'eu'), content, never)).toMatchObject({ matches: false });
  }
  expect(repo.head()).toBe(before);
});

test('SKIP leaves it out and says so; what was promoted so is there, is found again and is no drift', async () => {
  const repo = repository();
  const content = await driver.pin(at(repo, 'dev'), template({ onMissing: 'SKIP' }), {}, never);
  const effect = await driver.apply(at(repo, 'eu'), content, contextOf('k'));
  expect(repo.read('eu/k.yaml')).toBe(images(['api', 'v9']));
  expect(effect).toMatchObject({ changed: true, skipped: [expect.stringMatching(/^k\.yaml: .*web/)] });
  expect(await driver.matches(at(repo, 'eu'), content, never)).toMatchObject({ matches: true });
  expect(await driver.apply(at(repo, 'eu'), content, contextOf('k', { tries: 1 }))).toMatchObject({
    commit: effect.commit,
  });
  const again = await driver.apply(at(repo, 'eu'), content, contextOf('k2'));
  expect(again).toMatchObject({ changed: false, skipped: effect.skipped });
  // The setting is no part of the version.
  expect((await driver.pin(at(repo, 'dev'), template({}), {}, never)).digest).toBe(content.digest);
});

test('a rollback of what was promoted with SKIP brings the earlier values back', async () => {
  const repo = repository();
  const base = repo.head();
  const how = template({ onMissing: 'SKIP' });
  repo.commit({ 'eu/k.yaml': images(['api', 'v9']) }, 'As in dev');
  const old = await driver.pin(at(repo, 'dev'), how, { commit: base }, never);
  repo.commit({ 'dev/k.yaml': images(['web', 'v3'], ['api', 'v10']) }, 'Next');
  await driver.apply(at(repo, 'eu'), await driver.pin(at(repo, 'dev'), how, {}, never), contextOf('forward'));
  // Somebody puts an entry in front by hand: the entry that goes back is the one that was promoted.
  repo.commit({ 'eu/k.yaml': images(['proxy', 'v1'], ['api', 'v10']) }, 'A proxy');
  const undo = { commit: base, files: [], edited: ['k.yaml'] };
  await driver.apply(at(repo, 'eu'), old, contextOf('back', { rollback: { takesBack: 'v10', reason: 'bad', undo } }));
  expect(repo.read('eu/k.yaml')).toBe(images(['proxy', 'v1'], ['api', 'v9']));
});

test('ADD puts it there', async () => {
  const repo = repository();
  const content = await driver.pin(at(repo, 'dev'), template({ onMissing: 'ADD' }), {}, never);
  const effect = await driver.apply(at(repo, 'eu'), content, contextOf('k'));
  expect(effect.skipped).toBeUndefined();
  expect(repo.read('eu/k.yaml')).toContain('name: web');
  expect(await driver.matches(at(repo, 'eu'), content, never)).toMatchObject({ matches: true });
});

test('a path that selects nothing in the source while others do is a warning, or refused', async () => {
  const repo = repository();
  const promotion = { 'k.yaml': { jsonPaths: ['$.images[*].newTag', '$.typo', '$.also'] } };
  const content = await driver.pin(at(repo, 'dev'), template({ promotion }), {}, never);
  expect(content.warnings).toEqual([
    'file "dev/k.yaml" has nothing at $.typo, $.also: what stands there in the targets stays as it is',
  ]);
  const refused = driver.pin(at(repo, 'dev'), template({ promotion, whenAbsent: 'REFUSE' }), {}, never);
  await expect(refused).rejects.toThrow('file "dev/k.yaml" has nothing at $.typo, $.also');
  await expect(refused).rejects.toThrow(PermanentError);
  const none = template({ promotion: { 'k.yaml': { jsonPaths: ['$.typo'] } } });
  await expect(driver.pin(at(repo, 'dev'), none, {}, never)).rejects.toThrow('has nothing at $.typo');
  expect((await driver.pin(at(repo, 'dev'), template({}), {}, never)).warnings).toBeUndefined();
});

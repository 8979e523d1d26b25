import { mkdirSync, symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
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
/** Links: path → what the link says. */
function repository(files: Record<string, string>, links: Record<string, string>): Repository {
  const repo = new Repository(folder, `r${(made += 1)}`, files);
  for (const [path, to] of Object.entries(links)) {
    const at = folder.path(`r${made}-work/${path}`);
    mkdirSync(dirname(at), { recursive: true });
    symlinkSync(to, at);
  }
  repo.commit({}, 'Links');
  return repo;
}
const at = (repo: Repository, path: string): GitDriverSpec => ({
  type: 'git',
  repoURL: repo.url,
  branch: 'main',
  path,
});
const values: PromotionTemplateSpec = { promotion: { 'values.yaml': { jsonPaths: ['$.tag'] } } };
const text = (kind: { text?: string } | object): string | undefined => (kind as { text?: string }).text;

test('a link inside the repository is read through: a file, a folder, a link to a link', async () => {
  const repo = repository(
    { 'base/values.yaml': 'tag: "2"\n', 'base/more/x.txt': 'x\n', 'dev/own.txt': 'own\n' },
    { 'dev/values.yaml': '../base/values.yaml', 'dev/more': '../base/more', 'dev/again': 'values.yaml' },
  );
  const content = await driver.pin(at(repo, 'dev'), undefined, {}, never);
  const found = Object.entries(content.files).map(([file, pinned]) => [file, text(pinned)]);
  expect(Object.fromEntries(found)).toEqual({
    'values.yaml': 'tag: "2"\n',
    again: 'tag: "2"\n',
    'more/x.txt': 'x\n',
    'own.txt': 'own\n',
  });
  const label = { versionSource: { file: 'values.yaml', jsonPath: '$.tag' }, ...values };
  expect((await driver.pin(at(repo, 'dev'), label, {}, never)).label).toBe('2');
});

test('an application whose folder is a link is read', async () => {
  const repo = repository({ 'real/values.yaml': 'tag: "2"\n' }, { dev: 'real' });
  const content = await driver.pin(at(repo, 'dev'), undefined, {}, never);
  expect(Object.keys(content.files)).toEqual(['values.yaml']);
  expect((await driver.pin(at(repo, 'dev'), values, {}, never)).digest).toBeDefined();
});

test.each<[string, string, Record<string, string>, string]>([
  ['the file', 'eu', { 'eu/values.yaml': '../base/values.yaml' }, 'it is a symbolic link'],
  ['its folder', 'eu', { eu: 'base' }, '"eu" is a symbolic link'],
  ['a link to a link', 'eu', { eu: 'europe', europe: 'base' }, '"eu" is a symbolic link'],
])('nothing is written through a link, and the refusal names where %s leads', async (_name, path, links, words) => {
  const repo = repository({ 'dev/values.yaml': 'tag: "2"\n', 'base/values.yaml': 'tag: "1"\n' }, links);
  const before = repo.head();
  for (const template of [values, { promotion: { 'values.yaml': { jsonPaths: [] } } }]) {
    const content = await driver.pin(at(repo, 'dev'), template, {}, never);
    const failed = driver.apply(at(repo, path), content, contextOf(`through-${path}`));
    await expect(failed).rejects.toThrow(PermanentError);
    await expect(failed).rejects.toThrow(words);
    await expect(failed).rejects.toThrow('what would change is "base/values.yaml"');
    expect(await driver.matches(at(repo, path), content, never)).toMatchObject({ matches: false });
  }
  expect(repo.head()).toBe(before);
});

test('what is right already behind a link is left as it is', async () => {
  const links = { 'dev/values.yaml': '../base/values.yaml', 'eu/values.yaml': '../base/values.yaml' };
  const repo = repository({ 'base/values.yaml': 'tag: "2"\n' }, links);
  for (const template of [values, undefined]) {
    const content = await driver.pin(at(repo, 'dev'), template, {}, never);
    expect(await driver.apply(at(repo, 'eu'), content, contextOf('right'))).toMatchObject({ changed: false });
    expect(await driver.matches(at(repo, 'eu'), content, never)).toMatchObject({ matches: true });
  }
});

test.each<[string, Record<string, string>, string]>([
  ['leaves the repository', { 'dev/values.yaml': '/etc/passwd' }, 'leaves the repository'],
  ['climbs out of it', { 'dev/values.yaml': '../../outside.yaml' }, 'leaves the repository'],
  ["leads into git's folder", { 'dev/values.yaml': '../.git/config' }, 'outside .git'],
  ['is its own end', { 'dev/values.yaml': 'values.yaml' }, 'goes in circles'],
  ['goes round', { 'dev/values.yaml': 'other', 'dev/other': 'values.yaml' }, 'goes in circles'],
  ['goes down and up', { 'dev/values.yaml': 'x/../values.yaml' }, 'goes down and up again'],
])('a link that %s is refused', async (_name, links, words) => {
  const repo = repository({ 'base/values.yaml': 'tag: "1"\n' }, links);
  for (const template of [values, undefined]) {
    const failed = driver.pin(at(repo, 'dev'), template, {}, never);
    await expect(failed).rejects.toThrow(PermanentError);
    await expect(failed).rejects.toThrow(words);
  }
});

test.each<[string, Record<string, string>, string]>([
  ['a folder above itself', { 'dev/sub/up': '..' }, 'goes in circles'],
  ['the root', { 'dev/all': '..' }, 'goes in circles'],
  ['each other', { 'dev/a/b': '../b', 'dev/b/a': '../a' }, 'goes in circles'],
  ['nothing', { 'dev/gone': '../nowhere' }, '"nowhere", which does not exist'],
])('a folder is refused when a link in it leads to %s', async (_name, links, words) => {
  const repo = repository({ 'dev/x': '1', 'dev/sub/y': '1' }, links);
  const failed = driver.pin(at(repo, 'dev'), undefined, {}, never);
  await expect(failed).rejects.toThrow(PermanentError);
  await expect(failed).rejects.toThrow(words);
});

test('links that multiply a folder end at the limit of files', async () => {
  const files = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`d0/f${i}`, String(i)]));
  const links: Record<string, string> = {};
  for (let level = 1; level <= 4; level += 1)
    for (let i = 0; i < 10; i += 1) links[`d${level}/l${i}`] = `../d${level - 1}`;
  const repo = repository(files, links);
  await expect(driver.pin(at(repo, 'd4'), undefined, {}, never)).rejects.toThrow(/files: at most 2000 are promoted/);
});

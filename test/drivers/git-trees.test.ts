import { mkdirSync, symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { GitDriverSpec, PromotionTemplateSpec } from '../../src/core/definitions.ts';
import { PermanentError } from '../../src/drivers/driver.ts';
import { createGitDriver } from '../../src/drivers/git/driver.ts';
import { contextOf, git, makeFolder, Repository, settingsIn } from './repository.ts';

// Which files travel, and which go: patterns, whole folders, what the source no longer has.

const folder = makeFolder();
afterAll(folder.remove);
const never = new AbortController().signal;
const driver = createGitDriver(settingsIn(folder.path('cache')));

let made = 0;
const repository = (files: Record<string, string>): Repository => new Repository(folder, `t${(made += 1)}`, files);
const workOf = (path: string): string => folder.path(`t${made}-work/${path}`);
const at = (repo: Repository, path: string): GitDriverSpec => ({
  type: 'git',
  repoURL: repo.url,
  branch: 'main',
  path,
});
const pin = (repo: Repository, template: PromotionTemplateSpec, commit?: string) =>
  driver.pin(at(repo, 'dev'), template, { ...(commit && { commit }) }, never);
const filesIn = (repo: Repository, path: string): string[] =>
  git(repo.url, ['ls-tree', '-r', '--name-only', '-z', 'main', '--', `${path}/`])
    .split('\0')
    .filter(Boolean)
    .map((each) => each.slice(path.length + 1));

test('several files, patterns and whole folders travel, each as its entry says', async () => {
  const repo = repository({
    'dev/values.yaml': 'image: { tag: "2" }\nreplicas: 1\n',
    'dev/config/app.conf': 'b\n',
    'dev/config/deep/x.bin': 'x\n',
    'dev/config/secret.key': 'dev\n',
    'dev/charts/a/values.yaml': 'tag: "2"\nmine: dev\n',
    'dev/other.txt': 'dev\n',
    'eu/values.yaml': 'image: { tag: "1" }\nreplicas: 9\n',
    'eu/config/app.conf': 'a\n',
    'eu/config/secret.key': 'eu\n',
    'eu/charts/a/values.yaml': 'tag: "1"\nmine: eu\n',
    'eu/other.txt': 'eu\n',
    'eu/config/own.conf': 'eu\n',
  });
  const content = await pin(repo, {
    promotion: {
      'values.yaml': { jsonPaths: ['$.image.tag'] },
      'config/': { except: ['**/*.key'] },
      'charts/*/values.yaml': { jsonPaths: ['$.tag'] },
    },
  });
  const preview = await driver.preview(at(repo, 'eu'), content, never);
  const paths = ['values.yaml', 'config/app.conf', 'config/deep/x.bin', 'charts/a/values.yaml'].map(
    (each) => `eu/${each}`,
  );
  expect(preview?.files.map((each) => each.path).toSorted()).toEqual(paths.toSorted());
  await driver.apply(at(repo, 'eu'), content, contextOf('k'));
  expect(repo.read('eu/values.yaml')).toBe('image: { tag: "2" }\nreplicas: 9\n');
  expect(repo.read('eu/config/app.conf')).toBe('b\n');
  expect(repo.read('eu/config/secret.key')).toBe('eu\n');
  expect(repo.read('eu/charts/a/values.yaml')).toBe('tag: "2"\nmine: eu\n');
  expect(repo.read('eu/other.txt')).toBe('eu\n');
  expect(repo.read('eu/config/own.conf')).toBe('eu\n');
  expect(await driver.matches(at(repo, 'eu'), content, never)).toMatchObject({ matches: true });
});

describe('what matches nothing', () => {
  const files = { 'dev/a.yaml': 'tag: "1"\n', 'eu/a.yaml': 'tag: "0"\n' };
  const promotion = { 'a.yaml': {}, 'extra/': {}, '**/*.json': {} };

  test('is a warning, or no release is created', async () => {
    const repo = repository(files);
    expect((await pin(repo, { promotion })).warnings).toEqual([
      'folder "dev" has no file "extra/": what the targets have of it stays',
      'folder "dev" has no file "**/*.json": what the targets have of it stays',
    ]);
    const refused = pin(repo, { promotion, whenAbsent: 'REFUSE' });
    await expect(refused).rejects.toThrow('folder "dev" has no file "extra/", "**/*.json"');
    await expect(refused).rejects.toThrow(PermanentError);
    expect((await pin(repo, { promotion, whenGone: 'DELETE' })).warnings?.[0]).toMatch(/is removed$/);
  });

  test('is refused where nothing else is left, and where a file is named', async () => {
    const repo = repository(files);
    for (const whenGone of ['KEEP', 'DELETE'] as const)
      await expect(pin(repo, { promotion: { 'x/': {} }, whenGone })).rejects.toThrow('so there is nothing to promote');
    await expect(pin(repo, { promotion: { 'a.yaml': {}, 'typo.yaml': {} } })).rejects.toThrow(
      'file "dev/typo.yaml" does not exist',
    );
  });
});

test('a file with JSON paths that the target lacks is refused, or left out and told', async () => {
  const repo = repository({ 'dev/a/v.yaml': 'tag: 2\n', 'dev/b/v.yaml': 'tag: 2\n', 'eu/a/v.yaml': 'tag: 1\n' });
  const promotion = { '*/v.yaml': { jsonPaths: ['$.tag'] } };
  const refused = driver.apply(at(repo, 'eu'), await pin(repo, { promotion }), contextOf('k'));
  await expect(refused).rejects.toThrow('file "eu/b/v.yaml" does not exist');
  const content = await pin(repo, { promotion, onMissing: 'SKIP' });
  const effect = await driver.apply(at(repo, 'eu'), content, contextOf('k2'));
  expect(effect.skipped).toEqual(['b/v.yaml: the target does not have this file']);
  expect(filesIn(repo, 'eu')).toEqual(['a/v.yaml']);
  expect(await driver.matches(at(repo, 'eu'), content, never)).toMatchObject({ matches: true });
});

describe('with whenGone: DELETE', () => {
  const promotion = { 'config/': { except: ['config/local.conf'] }, 'values.yaml': { jsonPaths: ['$.tag'] } };
  const files = {
    'dev/values.yaml': 'tag: "1"\n',
    'dev/config/a': 'a\n',
    'dev/config/b': 'b\n',
    'eu/values.yaml': 'tag: "0"\n',
    'eu/config/local.conf': 'eu\n',
    'eu/config/old/x': 'x\n',
    'eu/README': 'eu\n',
    'configs/x': 'x\n',
    'config/x': 'x\n',
  };
  const remove = (...paths: string[]): void => {
    const work = workOf('');
    git(work, ['pull', '--quiet', '--rebase', 'origin', 'main']);
    git(work, ['rm', '--quiet', '-r', '--', ...paths]);
    git(work, ['commit', '--quiet', '-m', 'Removed']);
    git(work, ['push', '--quiet', 'origin', 'HEAD:main']);
  };

  test('files that the source does not have go; what is left out, not promoted or elsewhere stays', async () => {
    const repo = repository(files);
    const content = await pin(repo, { promotion, whenGone: 'DELETE' });
    expect(await driver.matches(at(repo, 'eu'), content, never)).toMatchObject({ matches: false });
    const preview = await driver.preview(at(repo, 'eu'), content, never);
    expect(preview?.files).toContainEqual({ path: 'eu/config/old/x', kind: 'REMOVED', before: 'x\n', after: '' });
    const effect = await driver.apply(at(repo, 'eu'), content, contextOf('k'));
    expect(filesIn(repo, 'eu')).toEqual(['README', 'config/a', 'config/b', 'config/local.conf', 'values.yaml']);
    expect([repo.read('config/x'), repo.read('configs/x')]).toEqual(['x\n', 'x\n']);
    // Again with the key, and again without: it is there already.
    expect(await driver.apply(at(repo, 'eu'), content, contextOf('k', { tries: 1 }))).toMatchObject({
      commit: effect.commit,
    });
    expect(await driver.apply(at(repo, 'eu'), content, contextOf('k2'))).toMatchObject({ changed: false });
    expect(await driver.matches(at(repo, 'eu'), content, never)).toEqual({ commit: effect.commit, matches: true });
    repo.commit({ 'eu/config/byhand': 'x\n' }, 'By hand');
    const drifted = await driver.matches(at(repo, 'eu'), content, never);
    expect(drifted).toMatchObject({ matches: false, drift: { files: ['config/byhand'], subject: 'By hand' } });
  });

  test('a named file goes as well, and the whole folder without promotion', async () => {
    const repo = repository({ ...files, 'eu/one.txt': 'eu\n' });
    const content = await pin(repo, { promotion: { 'one.txt': {}, 'config/a': {} }, whenGone: 'DELETE' });
    expect(content.warnings).toEqual(['folder "dev" has no file "one.txt": what the targets have of it is removed']);
    await driver.apply(at(repo, 'eu'), content, contextOf('k'));
    expect(filesIn(repo, 'eu')).not.toContain('one.txt');
    await driver.apply(at(repo, 'eu'), await pin(repo, { whenGone: 'DELETE' }), contextOf('k2'));
    expect(filesIn(repo, 'eu')).toEqual(filesIn(repo, 'dev'));
    expect(repo.read('config/x')).toBe('x\n');
  });

  test('a rollback brings back what a version removed, byte for byte', async () => {
    const repo = repository(files);
    const how: PromotionTemplateSpec = { promotion, whenGone: 'DELETE' };
    const good = await pin(repo, { promotion });
    const { commit: live } = await driver.apply(at(repo, 'eu'), good, contextOf('forward-1'));
    const before = filesIn(repo, 'eu');
    remove('dev/config/b');
    const bad = await pin(repo, how);
    expect(bad.digest).not.toBe(good.digest);
    await driver.apply(at(repo, 'eu'), bad, contextOf('forward-2'));
    expect(filesIn(repo, 'eu')).toEqual(['README', 'config/a', 'config/local.conf', 'values.yaml']);
    const undo = { commit: live!, files: [], edited: [], removed: [bad.removes!] };
    const back = contextOf('back', { rollback: { takesBack: '2', reason: 'bad', undo } });
    const { commit } = await driver.apply(at(repo, 'eu'), good, back);
    expect(filesIn(repo, 'eu')).toEqual(before);
    expect(git(repo.url, ['rev-parse', 'main:eu'])).toBe(git(repo.url, ['rev-parse', `${live}:eu`]));
    expect(await driver.apply(at(repo, 'eu'), good, { ...back, tries: 1 })).toMatchObject({ commit });
  });

  test('a rollback leaves a removed file alone that a person has brought back since', async () => {
    const repo = repository(files);
    const good = await pin(repo, { promotion });
    const { commit: live } = await driver.apply(at(repo, 'eu'), good, contextOf('forward-1'));
    const bad = await pin(repo, { promotion, whenGone: 'DELETE' });
    await driver.apply(at(repo, 'eu'), bad, contextOf('forward-2'));
    repo.commit({ 'eu/config/old/x': 'mine\n' }, 'By hand');
    const undo = { commit: live!, files: [], edited: [], removed: [bad.removes!] };
    await driver.apply(at(repo, 'eu'), good, contextOf('back', { rollback: { takesBack: '2', reason: 'bad', undo } }));
    expect(repo.read('eu/config/old/x')).toBe('mine\n');
  });

  test('a rollback to a version that removes goes over files that came by hand, as a promotion of it would', async () => {
    const repo = repository(files);
    const how: PromotionTemplateSpec = { promotion, whenGone: 'DELETE' };
    const good = await pin(repo, how);
    const { commit: live } = await driver.apply(at(repo, 'eu'), good, contextOf('forward-1'));
    repo.commit({ 'dev/config/new': 'n\n' }, 'New');
    const bad = await pin(repo, how);
    await driver.apply(at(repo, 'eu'), bad, contextOf('forward-2'));
    repo.commit({ 'eu/config/byhand': 'x\n', 'eu/notes': 'mine\n' }, 'By hand');
    const undo = { commit: live!, files: ['config/new'], edited: [], removed: [bad.removes!] };
    const back = contextOf('back', { rollback: { takesBack: '2', reason: 'bad', undo } });
    const { commit } = await driver.apply(at(repo, 'eu'), good, back);
    expect(filesIn(repo, 'eu')).toEqual([
      'README',
      'config/a',
      'config/b',
      'config/local.conf',
      'notes',
      'values.yaml',
    ]);
    expect(await driver.matches(at(repo, 'eu'), good, never)).toMatchObject({ matches: true });
    expect(await driver.apply(at(repo, 'eu'), good, { ...back, tries: 1 })).toMatchObject({ commit });
  });

  test('a link and a submodule are not removed, and nothing behind a link is', async () => {
    const link = (path: string, to: string): void => {
      mkdirSync(dirname(workOf(path)), { recursive: true });
      symlinkSync(to, workOf(path));
    };
    const shared = { 'dev/a': 'a\n', 'shared/a': 'a\n', 'shared/extra': 'x\n' };
    const one = repository({ ...shared, 'eu/a': 'a\n' });
    link('eu/latest', 'a');
    one.commit({}, 'Link');
    const remains = async (repo: Repository, where: string): Promise<unknown> =>
      driver.apply(at(repo, where), await pin(repo, { whenGone: 'DELETE' }), contextOf('k'));
    await expect(remains(one, 'eu')).rejects.toThrow(
      '"eu/latest" is a symbolic link, and only plain files are removed',
    );

    const two = repository(shared);
    link('eu', 'shared');
    two.commit({}, 'Link');
    const before = two.head();
    await expect(remains(two, 'eu')).rejects.toThrow('"eu/extra" is not written: "eu" is a symbolic link');
    expect(two.head()).toBe(before);

    const three = repository({ ...shared, 'eu/a': 'a\n' });
    const work = workOf('');
    git(work, ['update-index', '--add', '--cacheinfo', `160000,${three.head()},eu/module`]);
    git(work, ['commit', '--quiet', '-m', 'Module']);
    git(work, ['push', '--quiet', 'origin', 'HEAD:main']);
    await expect(remains(three, 'eu')).rejects.toThrow('"eu/module" is a submodule, and only plain files are removed');
  });

  test('a folder that is a link to what the source has too is as it should be', async () => {
    const repo = repository({ 'base/c/a': 'a\n', 'dev/x': 'x\n', 'eu/x': 'x\n' });
    for (const each of ['dev', 'eu']) symlinkSync('../base/c', workOf(`${each}/c`));
    repo.commit({}, 'Links');
    const content = await pin(repo, { whenGone: 'DELETE' });
    expect(Object.keys(content.files).toSorted()).toEqual(['c/a', 'x']);
    expect(await driver.apply(at(repo, 'eu'), content, contextOf('k'))).toMatchObject({ changed: false });
  });
});

describe('names that differ in case alone', () => {
  test.each<[string, Record<string, string>, RegExp]>([
    ['a file', { 'eu/VALUES.yaml': '' }, /"eu\/values\.yaml" is not written: "eu\/VALUES\.yaml" is there/],
    ['a folder inside', { 'eu/Sub/y': '' }, /"eu\/sub" is not written: "eu\/Sub" is there/],
    ["another application's folder", { 'EU/values.yaml': '' }, /"eu" is not written: "EU" is there/],
    ['two ways of writing a letter', { 'eu/caf\u0065\u0301': '' }, /is not written/],
  ])('%s is not written beside its twin', async (_, there, message) => {
    const repo = repository({ 'dev/values.yaml': 'a\n', 'dev/sub/x': 'x\n', 'dev/caf\u00e9': 'c\n', ...there });
    const before = repo.head();
    const content = await pin(repo, {});
    await expect(driver.apply(at(repo, 'eu'), content, contextOf('k'))).rejects.toThrow(message);
    expect(repo.head()).toBe(before);
  });

  test('a change of case goes through where the old name is removed with it', async () => {
    const repo = repository({ 'dev/values.yaml': 'a\n', 'eu/VALUES.yaml': 'a\n' });
    await driver.apply(at(repo, 'eu'), await pin(repo, { whenGone: 'DELETE' }), contextOf('k'));
    expect(filesIn(repo, 'eu')).toEqual(['values.yaml']);
  });
});

describe('the version is read from', () => {
  const files = {
    'dev/Chart.yaml': 'name: x\nappVersion: 1.10\nversion: 3.0.0\n',
    'dev/kustomization.yaml': 'images:\n  - { name: web, newTag: v7 }\n  - { name: api, newTag: "8" }\n',
    'dev/package.json': '{ "version": "4.5.6" }',
    'dev/deployment.yaml': 'spec: { image: { tag: 2024-06-27 } }\n',
    'dev/VERSION': '\uFEFF 9.1.0-rc.1 \r\n',
  };
  test.each<[string, PromotionTemplateSpec['versionSource'], string]>([
    ['a Helm chart', { file: 'Chart.yaml', jsonPath: '$.appVersion' }, '1.10'],
    ['an image tag of Kustomize', { file: 'kustomization.yaml', jsonPath: "$.images[?@.name == 'api'].newTag" }, '8'],
    ['JSON', { file: 'package.json', jsonPath: '$.version' }, '4.5.6'],
    ['YAML', { file: 'deployment.yaml', jsonPath: '$.spec.image.tag' }, '2024-06-27'],
    ['plain text', { file: 'VERSION' }, '9.1.0-rc.1'],
  ])('%s', async (_, versionSource, label) => {
    expect((await pin(repository(files), { versionSource })).label).toBe(label);
  });

  test('the commit, where nothing else is said', async () => {
    const repo = repository(files);
    expect((await pin(repo, {})).label).toBe(repo.head().slice(0, 9));
  });

  test('no file that is more than a version', async () => {
    const repo = repository({ ...files, 'dev/LONG': 'one\ntwo\n', 'dev/EMPTY': ' \n' });
    const from = (file: string) => pin(repo, { versionSource: { file } });
    await expect(from('LONG')).rejects.toThrow('file "dev/LONG" has 2 lines, and its text is the version: one line');
    await expect(from('EMPTY')).rejects.toThrow('file "dev/EMPTY" is empty');
    await expect(from('NONE')).rejects.toThrow('file "dev/NONE" does not exist');
  });
});

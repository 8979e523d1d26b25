import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import type { GitDriverSpec, PromotionTemplateSpec } from '../../src/core/definitions.ts';
import { LIMITS } from '../../src/drivers/content.ts';
import { PermanentError, TransientError } from '../../src/drivers/driver.ts';
import { createGitDriver } from '../../src/drivers/git/driver.ts';
import { conformsToDriver } from './conformance.ts';
import { contextOf, git, makeFolder, Repository, settingsIn } from './repository.ts';

const folder = makeFolder();
afterAll(folder.remove);
const never = new AbortController().signal;
const driver = createGitDriver(settingsIn(folder.path('cache')));

let made = 0;
const repository = (files?: Record<string, string | Buffer>): Repository =>
  new Repository(folder, `r${(made += 1)}`, files);
const at = (repo: Repository, path: string): GitDriverSpec => ({
  type: 'git',
  repoURL: repo.url,
  branch: 'main',
  path,
});

const CHART = '# The chart\nname: billing\nappVersion: "1.4.2"   # quoted on purpose\n\nimage: {tag: v1}\n';
const template: PromotionTemplateSpec = {
  versionSource: { file: 'Chart.yaml', jsonPath: '$.appVersion' },
  promotion: { 'Chart.yaml': { jsonPaths: ['$appVersion', '$..tag'] } },
};

describe('the git driver', () => {
  conformsToDriver<GitDriverSpec>(() => {
    const repo = repository({ 'dev/Chart.yaml': CHART, 'eu/Chart.yaml': CHART.replace('1.4.2', '1.4.1') });
    return {
      driver,
      target: () => at(repo, 'eu'),
      content: () => driver.pin(at(repo, 'dev'), template, {}, never),
      observable: true,
    };
  });
});

test('only the promoted values change, every other byte stays', async () => {
  const eu = '# Mine\nname: billing-eu # keep\nappVersion: "1.4.1" # live\nimage:\n    tag:   v0\nreplicas: 3\n';
  const repo = repository({ 'dev/Chart.yaml': CHART, 'eu/Chart.yaml': eu, 'eu/other.yaml': 'a: 1\n' });
  const content = await driver.pin(at(repo, 'dev'), template, {}, never);
  expect(content).toMatchObject({
    label: '1.4.2',
    commit: repo.head(),
    author: 'Ada <ada@example.com>',
    message: 'First',
  });
  const effect = await driver.apply(at(repo, 'eu'), content, contextOf('values'));
  expect(repo.read('eu/Chart.yaml')).toBe(eu.replace('1.4.1', '1.4.2').replace('v0', 'v1'));
  expect(repo.changed()).toEqual(['eu/Chart.yaml']);
  expect(effect).toMatchObject({ commit: repo.head(), changed: true, author: 'Sluice <sluice@example.com>' });
  expect(effect.message).toMatch(
    /^Promote billing 1\.4\.2 to eu\n\nSluice-Release: release-1\nSluice-Environment: eu\nSluice-Application: billing-eu\nSluice-Key: values\nSluice-Signature: [\w-]{43}\nSluice-Instance: [0-9a-f]{16}$/,
  );
});

test('what was pinned is promoted, whatever comes into its source meanwhile', async () => {
  const repo = repository({ 'dev/Chart.yaml': CHART, 'eu/Chart.yaml': CHART.replace('1.4.2', '1.4.1') });
  const content = await driver.pin(at(repo, 'dev'), template, {}, never);
  const newer = CHART.replace('1.4.2', '1.5.0').replace('v1', 'v2');
  repo.commit({ 'dev/Chart.yaml': newer }, 'Next');
  await driver.apply(at(repo, 'eu'), content, contextOf('pinned'));
  expect(repo.read('eu/Chart.yaml')).toBe(CHART);
  expect(repo.read('dev/Chart.yaml')).toBe(newer);
});

test('a whole folder is promoted with its modes and bytes; what only the target has stays', async () => {
  const binary = Buffer.from([0, 255, 10, 13, 128]);
  const repo = repository({
    'dev/a b/ü"x.txt': 'é\r\n',
    'dev/logo.png': binary,
    'dev/run.sh': '#!/bin/sh\n',
    'eu/mine.txt': 'mine\n',
  });
  git(folder.path(`r${made}-work`), ['update-index', '--chmod=+x', 'dev/run.sh']);
  git(folder.path(`r${made}-work`), ['commit', '-qm', 'x']);
  git(folder.path(`r${made}-work`), ['push', '-q', 'origin', 'HEAD:main']);
  const content = await driver.pin(at(repo, 'dev'), undefined, {}, never);
  expect(content.label).toBe(repo.head().slice(0, 9));
  await driver.apply(at(repo, './eu/'), content, contextOf('folder'));
  expect(git(repo.url, ['rev-parse', 'main:dev/a b'])).toBe(git(repo.url, ['rev-parse', 'main:eu/a b']));
  expect(
    git(repo.url, ['ls-tree', 'main', 'eu/'])
      .replaceAll('eu/', '')
      .split('\n')
      .filter((l) => !l.includes('mine')),
  ).toEqual(git(repo.url, ['ls-tree', 'main', 'dev/']).replaceAll('dev/', '').split('\n'));
  expect(repo.read('eu/mine.txt')).toBe('mine\n');
});

test("a commit is dated by the engine's clock, whatever time this machine has", async () => {
  const repo = repository({ 'dev/Chart.yaml': CHART, 'eu/Chart.yaml': CHART.replace('1.4.2', '1.4.1') });
  const clock = { ...systemClock, now: () => new Date('2031-05-06T07:08:09.500Z') };
  const elsewhere = createGitDriver({ ...settingsIn(folder.path('cache-clock')), clock });
  const content = await elsewhere.pin(at(repo, 'dev'), template, {}, never);
  await elsewhere.apply(at(repo, 'eu'), content, contextOf('clock'));
  expect(git(repo.url, ['log', '-1', '--format=%aI %cI', 'main']).trim()).toBe(
    '2031-05-06T07:08:09+00:00 2031-05-06T07:08:09+00:00',
  );
});

test('content that is already right is no commit, and says who put it there', async () => {
  const repo = repository({ 'dev/Chart.yaml': CHART, 'eu/Chart.yaml': CHART });
  const first = repo.head();
  repo.commit({ 'README.md': 'later' }, 'Later');
  const content = await driver.pin(at(repo, 'dev'), template, {}, never);
  const effect = await driver.apply(at(repo, 'eu'), content, contextOf('same'));
  expect(effect).toMatchObject({ changed: false, commit: first, message: 'First' });
  expect(repo.count()).toBe(2);
});

test('the commit at which values became right is named, whatever touched their file since', async () => {
  const repo = repository({ 'dev/Chart.yaml': CHART, 'eu/Chart.yaml': CHART });
  repo.commit({ 'eu/Chart.yaml': CHART.replace('1.4.2', '1.4.1') }, 'Wrong');
  const right = repo.commit({ 'eu/Chart.yaml': CHART }, 'Right');
  repo.commit({ 'eu/Chart.yaml': `${CHART}replicas: 3\n` }, 'Scaled');
  repo.commit({ 'eu/Chart.yaml': `${CHART}replicas: 4\n` }, 'Scaled again');
  const content = await driver.pin(at(repo, 'dev'), template, {}, never);
  const effect = await driver.apply(at(repo, 'eu'), content, contextOf('became'));
  expect(effect).toMatchObject({ changed: false, commit: right, message: 'Right' });
});

test('a change by hand is seen: the content matches no longer', async () => {
  const repo = repository({ 'dev/Chart.yaml': CHART, 'eu/Chart.yaml': CHART });
  const content = await driver.pin(at(repo, 'dev'), template, {}, never);
  expect(await driver.matches(at(repo, 'eu'), content, never)).toEqual({ commit: repo.head(), matches: true });
  const byHand = repo.commit({ 'eu/Chart.yaml': CHART.replace('1.4.2', '9') }, 'By hand');
  expect(await driver.matches(at(repo, 'eu'), content, never)).toMatchObject({
    commit: byHand,
    matches: false,
    drift: { files: ['Chart.yaml'], commit: byHand, author: 'Ada <ada@example.com>', subject: 'By hand' },
  });
  expect(await driver.matches(at(repo, 'nowhere'), content, never)).toMatchObject({ matches: false });
});

test('a promotion over a change by hand is made and tells of it, one that must not is refused and writes nothing', async () => {
  const repo = repository({ 'dev/Chart.yaml': CHART, 'eu/Chart.yaml': CHART });
  const before = await driver.pin(at(repo, 'dev'), template, {}, never);
  repo.commit({ 'dev/Chart.yaml': CHART.replace('1.4.2', '1.5.0') }, 'Next');
  const content = await driver.pin(at(repo, 'dev'), template, {}, never);
  const over = (otherwise: 'REFUSE' | 'TELL') => ({ live: { contents: async () => [before], otherwise } });
  const byHand = repo.commit({ 'eu/Chart.yaml': CHART.replace('v1', 'v7') }, 'By hand');
  await expect(driver.apply(at(repo, 'eu'), content, contextOf('over', over('REFUSE')))).rejects.toThrow(
    /Chart.yaml was changed by hand by Ada <ada@example.com> in commit .*: nothing is written over that/,
  );
  expect(repo.head()).toBe(byHand);
  const effect = await driver.apply(at(repo, 'eu'), content, contextOf('over', over('TELL')));
  expect(effect).toMatchObject({ changed: true, drift: { files: ['Chart.yaml'], commit: byHand } });
});

test('a change beside the promoted values is nobody’s drift', async () => {
  const repo = repository({ 'dev/Chart.yaml': CHART, 'eu/Chart.yaml': CHART });
  const before = await driver.pin(at(repo, 'dev'), template, {}, never);
  repo.commit({ 'dev/Chart.yaml': CHART.replace('1.4.2', '1.5.0') }, 'Next');
  const content = await driver.pin(at(repo, 'dev'), template, {}, never);
  repo.commit({ 'eu/Chart.yaml': `${CHART}replicas: 3\n` }, 'By hand');
  const live = { contents: async () => [before], otherwise: 'REFUSE' as const };
  const effect = await driver.apply(at(repo, 'eu'), content, contextOf('beside', { live }));
  expect(effect).toMatchObject({ changed: true });
  expect(effect.drift).toBeUndefined();
});

test('a commit of the branch is pinned, short or long, and one elsewhere is refused', async () => {
  const repo = repository({ 'dev/Chart.yaml': CHART });
  const first = repo.head();
  repo.commit({ 'dev/Chart.yaml': CHART.replace('1.4.2', '1.5.0') }, 'Second');
  git(repo.url, ['branch', 'other', first]);
  const elsewhere = git(repo.url, ['commit-tree', `${first}^{tree}`, '-m', 'elsewhere']).trim();
  git(repo.url, ['update-ref', 'refs/heads/other', elsewhere]);
  for (const commit of [first, first.slice(0, 8)])
    expect(await driver.pin(at(repo, 'dev'), template, { commit }, never)).toMatchObject({
      label: '1.4.2',
      commit: first,
    });
  for (const commit of [elsewhere, 'feedbeef', 'HEAD~1', '--all'])
    await expect(driver.pin(at(repo, 'dev'), template, { commit }, never)).rejects.toThrow(PermanentError);
});

test('a crash between push and record: another process finds the effect and commits nothing', async () => {
  const repo = repository({ 'dev/Chart.yaml': CHART, 'eu/Chart.yaml': CHART.replace('1.4.2', '1') });
  const content = await driver.pin(at(repo, 'dev'), template, {}, never);
  const lost = await driver.apply(at(repo, 'eu'), content, contextOf('crash'));
  // Meanwhile somebody moved the environment on: the effect did happen all the same.
  repo.commit({ 'eu/Chart.yaml': CHART.replace('1.4.2', '2') }, 'Next');
  const another = createGitDriver(settingsIn(folder.path('cache-after-crash')));
  expect(await another.observe(at(repo, 'eu'), 'crash', never)).toEqual(lost);
  expect(await another.apply(at(repo, 'eu'), content, contextOf('crash', { tries: 1 }))).toEqual(lost);
  expect(repo.count()).toBe(3);
});

test.each([
  ['two processes with a cache each', ['cache-a', 'cache-b']],
  ['two processes on one cache', ['cache-c', 'cache-c']],
])('8 promotions into one repository at once lose nothing: %s', async (_name, caches) => {
  const targets = Object.fromEntries(
    Array.from({ length: 8 }, (_, i) => [`t${i}/Chart.yaml`, CHART.replace('1.4.2', 'old')]),
  );
  const repo = repository({ 'dev/Chart.yaml': CHART, ...targets });
  const drivers = caches.map((name) => createGitDriver(settingsIn(folder.path(`${name}-${made}`))));
  const content = await drivers[0]!.pin(at(repo, 'dev'), template, {}, never);
  const started = Date.now();
  // Each is asked for by both, as after a stalled job: 16 calls, 8 effects.
  const effects = await Promise.all(
    Array.from({ length: 16 }, (_, i) =>
      drivers[i % 2]!.apply(at(repo, `t${i >> 1}`), content, contextOf(`key-${i >> 1}`)),
    ),
  );
  console.info(`16 concurrent applies, 8 commits: ${Date.now() - started} ms`);
  expect(repo.keys().toSorted()).toEqual(Array.from({ length: 8 }, (_, i) => `key-${i}`));
  expect(repo.count()).toBe(9);
  for (let i = 0; i < 8; i += 1) {
    expect(repo.read(`t${i}/Chart.yaml`)).toBe(CHART);
    expect(effects[2 * i]!.commit).toBe(effects[2 * i + 1]!.commit);
  }
});

test.each<[string, Partial<GitDriverSpec>, string]>([
  ['a branch that is missing', { branch: 'nope' }, 'the branch does not exist'],
  ['a repository that is missing', { repoURL: '/nowhere/at-all.git' }, 'not found'],
  ['a path out of the repository', { path: '../x' }, 'must stay inside'],
  ['an absolute path', { path: '/etc' }, 'must stay inside'],
  ["git's own folder", { path: 'a/.GIT' }, 'must stay inside'],
  ['an option as a branch', { branch: '--upload-pack=evil' }, 'not a branch name'],
  ['an option as a repository', { repoURL: '--upload-pack=evil' }, 'not a repository address'],
  ['a command as a repository', { repoURL: 'ext::sh -c evil' }, 'not a repository address'],
  ['a protocol that is not allowed', { repoURL: 'git://example.com/x' }, 'not allowed'],
  ['an ssh host that is an option', { repoURL: 'ssh://-oProxyCommand=evil/x' }, 'not a repository address'],
])('%s is refused for good, by name', async (_name, wrong, words) => {
  const repo = repository({ 'dev/Chart.yaml': CHART });
  const failed = driver.pin({ ...at(repo, 'dev'), ...wrong }, undefined, {}, never);
  await expect(failed).rejects.toThrow(PermanentError);
  await expect(failed).rejects.toThrow(words);
});

test('an empty repository is refused by branch', async () => {
  await expect(driver.pin(at(repository(), '.'), undefined, {}, never)).rejects.toThrow(
    /branch "main".*is the repository empty/,
  );
});

test.each<[string, PromotionTemplateSpec, Record<string, string>, string]>([
  ['the file is missing', template, {}, 'file "eu/Chart.yaml" does not exist'],
  [
    'the parent is missing',
    { promotion: { 'Chart.yaml': { jsonPaths: ['$.image.tag'] } } },
    { 'eu/Chart.yaml': 'name: x\n' },
    '$.image.tag cannot be added',
  ],
  ['a folder is in its place', template, { 'eu/Chart.yaml/x': '1' }, '"eu/Chart.yaml" is a folder'],
  ['a file is in its path', template, { eu: '1' }, '"eu" is no folder'],
])('a promotion is refused and changes nothing when %s', async (_name, what, files, words) => {
  const repo = repository({ 'dev/Chart.yaml': CHART, ...files });
  const content = await driver.pin(at(repo, 'dev'), what, {}, never);
  const failed = driver.apply(at(repo, 'eu'), content, contextOf('refused'));
  await expect(failed).rejects.toThrow(PermanentError);
  await expect(failed).rejects.toThrow(words);
  await expect(failed).rejects.toThrow('application "billing-eu"');
  expect(repo.count()).toBe(1);
});

test('content that is not what was pinned is not written', async () => {
  const repo = repository({ 'dev/Chart.yaml': CHART, 'eu/Chart.yaml': 'appVersion: 1\nimage: {tag: a}\n' });
  const content = await driver.pin(at(repo, 'dev'), template, {}, never);
  const forged = JSON.parse(JSON.stringify(content).replaceAll('1.4.2', '6.6.6')) as typeof content;
  await expect(driver.apply(at(repo, 'eu'), forged, contextOf('forged'))).rejects.toThrow('not written');
  // A database may keep keys in another order: that is the same content.
  const reordered = {
    ...content,
    files: JSON.parse(
      JSON.stringify(content.files, (_k, v: unknown) =>
        v && typeof v === 'object' && !Array.isArray(v) ? Object.fromEntries(Object.entries(v).reverse()) : v,
      ),
    ) as typeof content.files,
  };
  expect((await driver.apply(at(repo, 'eu'), reordered, contextOf('reordered'))).changed).toBe(true);
});

test('a file that is too large is refused by name and size', async () => {
  const repo = repository({ 'dev/big.bin': Buffer.alloc(LIMITS.fileBytes + 1) });
  await expect(driver.pin(at(repo, 'dev'), undefined, {}, never)).rejects.toThrow(
    /"dev\/big.bin" has 1048577 bytes: at most/,
  );
});

test('a push that the server refuses is final, and its words are kept', async () => {
  const repo = repository({ 'dev/Chart.yaml': CHART, 'eu/Chart.yaml': CHART.replace('1.4.2', '1') });
  const content = await driver.pin(at(repo, 'dev'), template, {}, never);
  git(repo.url, ['config', 'receive.denyNonFastForwards', 'true']);
  writeFileSync(`${repo.url}/hooks/pre-receive`, '#!/bin/sh\necho "only on weekdays" >&2\nexit 1\n', { mode: 0o755 });
  const failed = driver.apply(at(repo, 'eu'), content, contextOf('hook'));
  await expect(failed).rejects.toThrow(PermanentError);
  await expect(failed).rejects.toThrow('only on weekdays');
});

test('a broken cache is thrown away, and the next try works', async () => {
  const repo = repository({ 'dev/Chart.yaml': CHART });
  const cache = folder.path('cache-broken');
  const own = createGitDriver(settingsIn(cache));
  const content = await own.pin(at(repo, 'dev'), template, {}, never);
  const mirror = `${cache}/${readdirSync(cache)[0]}`;
  const object = git(repo.url, ['rev-parse', 'main:dev/Chart.yaml']).trim();
  const file = `${mirror}/objects/${object.slice(0, 2)}/${object.slice(2)}`;
  chmodSync(file, 0o644);
  writeFileSync(file, readFileSync(file).subarray(0, 3));
  await expect(own.pin(at(repo, 'dev'), template, {}, never)).rejects.toThrow(TransientError);
  expect(await own.pin(at(repo, 'dev'), template, {}, never)).toEqual(content);
  rmSync(cache, { recursive: true });
  expect(await own.pin(at(repo, 'dev'), template, {}, never)).toEqual(content);
});

test('an outer GIT_DIR does not lead astray', async () => {
  const repo = repository({ 'dev/Chart.yaml': CHART, 'eu/Chart.yaml': CHART.replace('1.4.2', '1') });
  process.env['GIT_DIR'] = '/nowhere';
  process.env['GIT_WORK_TREE'] = '/nowhere';
  try {
    const content = await driver.pin(at(repo, 'dev'), template, {}, never);
    expect((await driver.apply(at(repo, 'eu'), content, contextOf('env'))).changed).toBe(true);
  } finally {
    delete process.env['GIT_DIR'];
    delete process.env['GIT_WORK_TREE'];
  }
});

test('how long an apply takes', async () => {
  const repo = repository({ 'dev/Chart.yaml': CHART, 'eu/Chart.yaml': CHART });
  const content = await driver.pin(at(repo, 'dev'), template, {}, never);
  const other = await driver.pin(at(repo, 'dev'), template, {}, never);
  const times: number[] = [];
  for (let i = 0; i < 5; i += 1) {
    repo.commit({ 'eu/Chart.yaml': CHART.replace('1.4.2', `0.${i}`) }, `Back ${i}`);
    const started = performance.now();
    await driver.apply(at(repo, 'eu'), i % 2 ? other : content, contextOf(`t-${i}`));
    times.push(performance.now() - started);
  }
  console.info(`ms per apply: ${times.map(Math.round).join(', ')}`);
  expect(repo.keys()).toHaveLength(5);
});

test('values are promoted in files of up to 10 MiB', { timeout: 120_000 }, async () => {
  // As the manifests that projects publish for their installation: 2 MB in one file.
  const resource = (index: number) =>
    `field${index}:\n  description: |-\n    ${'Words about it. '.repeat(30)}\n  type: string\n`;
  const large = Array.from({ length: 4_000 }, (_, index) => resource(index)).join('');
  const of = (tag: string) => `image:\n  tag: ${tag} # live\n${large}`;
  expect(large.length).toBeGreaterThan(2_000_000);
  const repo = repository({ 'dev/values.yaml': of('v2'), 'eu/values.yaml': of('v1') });
  const values = { promotion: { 'values.yaml': { jsonPaths: ['$.image.tag'] } } };
  const content = await driver.pin(at(repo, 'dev'), values, {}, never);
  await driver.apply(at(repo, 'eu'), content, contextOf('large'));
  expect(repo.read('eu/values.yaml')).toBe(of('v2'));
});

test('a file of which values are promoted has a limit of its own', async () => {
  const tooLarge = `tag: v1\n# ${'x'.repeat(LIMITS.editedFileBytes)}\n`;
  const repo = repository({ 'dev/values.yaml': 'tag: v2\n', 'big/values.yaml': tooLarge });
  const values = { promotion: { 'values.yaml': { jsonPaths: ['$.tag'] } } };
  const words = /"big\/values.yaml" has \d+ bytes: at most 10485760 are edited/;
  await expect(driver.pin(at(repo, 'big'), values, {}, never)).rejects.toThrow(words);
  const content = await driver.pin(at(repo, 'dev'), values, {}, never);
  await expect(driver.apply(at(repo, 'big'), content, contextOf('big'))).rejects.toThrow(words);
});

test.each([
  ['200 characters', 'v'.repeat(200), undefined],
  ['one more', 'v'.repeat(201), 'has 201 characters; at most 200 are taken'],
  ['an escape sequence', '"\\e]0;pwned\\a"', 'has U+001B in place 1'],
  ['another direction', '"v1\\u202Eevil"', 'has U+202E in place 3'],
  ['two lines', '"v1\\nv2"', 'has U+000A in place 3'],
])('a version of %s is a label that people read, or refused by file and path', async (_name, version, words) => {
  const repo = repository({ 'dev/Chart.yaml': `appVersion: ${version}\nimage: { tag: v1 }\n` });
  const pinned = driver.pin(at(repo, 'dev'), template, {}, never);
  if (words === undefined) expect((await pinned).label).toBe(version);
  else await expect(pinned).rejects.toThrow(`file "dev/Chart.yaml": the version at $.appVersion ${words}`);
});

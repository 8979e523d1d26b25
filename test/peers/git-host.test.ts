import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { PermanentError } from '../../src/drivers/driver.ts';
import { createGitDriver } from '../../src/drivers/git/driver.ts';
import { contextOf, settingsIn } from '../drivers/repository.ts';
import { ADA, git, ZERO } from './git.ts';
import { startGitHost } from './git-host.ts';
import type { GitHost, HostedRepository, RefMoved } from './git-host.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-peers-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const login = { username: 'sluice', password: 'pass word:1' };
const never = new AbortController().signal;

let host: GitHost;
let repository: HostedRepository;
let moves: RefMoved[];
beforeEach(async () => {
  host = await startGitHost({ login });
  repository = await host.repository('config');
  moves = [];
  host.onRefMoved((each) => moves.push(each));
  await repository.commit({ 'dev/a.yaml': 'v: 2\n', 'eu/a.yaml': 'v: 1\n' }, 'First');
});
afterEach(() => host.close());

/** What the git driver does with it. */
const promote = async (repoURL = repository.url) => {
  const driver = createGitDriver({
    ...settingsIn(mkdtempSync(join(folder, 'cache-'))),
    protocols: ['http'],
    credentials: { [`${host.url}/`]: login },
  });
  const target = { type: 'git' as const, repoURL, branch: 'main', path: 'eu' };
  const content = await driver.pin({ ...target, path: 'dev' }, undefined, {}, never);
  return await driver.apply(target, content, contextOf('k'));
};

/** A clone of a person, who logs in. */
const clone = async () => {
  const work = mkdtempSync(join(folder, 'work-'));
  const address = repository.url.replace('//', `//${login.username}:${encodeURIComponent(login.password)}@`);
  await git(work, ['clone', '--quiet', address, '.']);
  const commit = (...options: string[]) =>
    git(work, ['commit', '--quiet', '--allow-empty', '-m', 'By hand', ...options]);
  return { work, commit, git: (...args: string[]) => git(work, args) };
};

test('the driver fetches and pushes by HTTP with a login, and each move of a ref is told', async () => {
  expect((await promote()).changed).toBe(true);
  expect(await repository.read('eu/a.yaml')).toBe('v: 2\n');
  expect(repository.asked).toMatchObject({ pushes: 1 });
  expect(repository.asked.fetches).toBeGreaterThan(0);
  await repository.settled();
  const [first, second] = moves;
  expect(moves.map(({ ref, by }) => [ref, by])).toEqual([
    ['refs/heads/main', 'Ada'],
    ['refs/heads/main', 'sluice'],
  ]);
  expect(first).toMatchObject({ before: ZERO });
  expect(second).toMatchObject({ before: first!.after, after: await repository.head() });
});

test('a look at the refs is counted, and one without a login is refused', async () => {
  const { work } = await clone();
  const before = repository.asked.refs;
  await git(work, ['ls-remote', 'origin']);
  expect(repository.asked.refs).toBe(before + 1);
  await expect(git(work, ['ls-remote', repository.url], { env: { GIT_TERMINAL_PROMPT: '0' } })).rejects.toThrow(
    /could not read Username/,
  );
});

test('a branch is created once: the second push of the same name is refused', async () => {
  const [one, two] = [await clone(), await clone()];
  await one.commit();
  await two.commit('--author=Bo <bo@example.com>');
  await one.git('push', '--quiet', '--force-with-lease=refs/heads/x:', 'origin', 'HEAD:refs/heads/x');
  await expect(
    two.git('push', '--quiet', '--force-with-lease=refs/heads/x:', 'origin', 'HEAD:refs/heads/x'),
  ).rejects.toThrow('stale info');
  await repository.denyNonFastForwards();
  await expect(two.git('push', '--quiet', '--force', 'origin', 'HEAD:refs/heads/x')).rejects.toThrow(
    'non-fast-forward',
  );
});

test('a protected branch takes nothing from the driver, who says that it is final; another account may push', async () => {
  repository.insistOn({ protectedBranches: { main: { allow: ['root'] } } });
  await expect(promote()).rejects.toThrow(PermanentError);
  await expect(promote()).rejects.toThrow('Protected branch update failed for refs/heads/main');
  repository.insistOn({ protectedBranches: { main: { allow: ['root', 'sluice'] } } });
  expect((await promote()).changed).toBe(true);
});

test('a host that insists on a sign-off takes a commit that its author has signed off', async () => {
  repository.insistOn({ signedOff: true });
  const { commit, git: run } = await clone();
  await commit();
  await expect(run('push', '--quiet', 'origin', 'HEAD')).rejects.toThrow(
    `has no line "Signed-off-by: ${ADA.name} <${ADA.email}>"`,
  );
  await commit('--amend', '--signoff');
  await run('push', '--quiet', 'origin', 'HEAD');
  repository.insistOn({ authors: ['bot@example.com'] });
  await commit('--signoff');
  await expect(run('push', '--quiet', 'origin', 'HEAD')).rejects.toThrow('not a member: ada@example.com');
});

test('a host that insists on signatures takes those of the keys that it knows, no others', async () => {
  const keyOf = (name: string): string => {
    const file = join(mkdtempSync(join(folder, 'key-')), name);
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', file]);
    return file;
  };
  const [known, other] = [keyOf('known'), keyOf('other')];
  const publicKey = readFileSync(`${known}.pub`, 'utf8');
  repository.insistOn({ signed: { sshKeys: [{ email: ADA.email, publicKey }] } });
  const { work, git: run } = await clone();
  const signed = (key: string) =>
    git(work, [
      '-c',
      'gpg.format=ssh',
      '-c',
      `user.signingkey=${key}`,
      'commit',
      '--amend',
      '--allow-empty',
      '-S',
      '-m',
      'x',
    ]);
  await git(work, ['commit', '--quiet', '--allow-empty', '-m', 'By hand']);
  await expect(run('push', '--quiet', 'origin', 'HEAD')).rejects.toThrow('is not signed');
  await signed(other);
  await expect(run('push', '--quiet', 'origin', 'HEAD')).rejects.toThrow('by a key that is not known');
  await signed(known);
  await run('push', '--quiet', 'origin', 'HEAD');
});

test('what people do without a clone: files, a force push, a tag, a deleted branch', async () => {
  const first = (await repository.head())!;
  const second = await repository.commit({ 'dev/a.yaml': null, 'asia/b.yaml': 'v: 1\n' }, 'Asia\n\nIt is new.', {
    branch: 'feature',
    author: { name: 'Bo', email: 'bo@example.com' },
  });
  expect(await repository.read('dev/a.yaml', 'feature')).toBeUndefined();
  expect(await repository.read('asia/b.yaml', 'feature')).toBe('v: 1\n');
  expect(await repository.log('feature')).toMatchObject([
    { sha: second, parents: [first], subject: 'Asia', message: 'Asia\n\nIt is new.', author: 'bo@example.com' },
    { sha: first },
  ]);
  await repository.forcePush('feature', first);
  await repository.tag('v1');
  await repository.deleteBranch('feature');
  expect(await repository.head('feature')).toBeUndefined();
  expect(moves.slice(1).map(({ ref, before, after }) => [ref, before, after])).toEqual([
    ['refs/heads/feature', ZERO, second],
    ['refs/heads/feature', second, first],
    ['refs/tags/v1', ZERO, first],
    ['refs/heads/feature', first, ZERO],
  ]);
});

test('a renamed repository answers with its new address, an archived one takes no push', async () => {
  repository.archived = true;
  await expect(promote()).rejects.toThrow(PermanentError);
  repository.archived = false;
  const old = repository.url;
  host.rename('config', 'settings');
  await expect(promote(old)).rejects.toThrow('it has moved');
  expect(host.find('settings')).toBe(repository);
  expect((await promote()).changed).toBe(true);
});

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { refuseMessage } from '../../src/core/commit-message.ts';
import type { GitDriverSpec } from '../../src/core/definitions.ts';
import { checkSecret } from '../../src/core/secrets.ts';
import { PermanentError, TransientError } from '../../src/drivers/driver.ts';
import { createGitDriver } from '../../src/drivers/git/driver.ts';
import { publicPartOf } from '../../src/drivers/git/sign.ts';
import { startGitHost } from '../peers/git-host.ts';
import type { GitHost, HostedRepository } from '../peers/git-host.ts';
import { noSecrets } from './http-server.ts';
import { contextOf, git, makeFolder, Repository, settingsIn } from './repository.ts';

/** Branches whose host insists on how commits look: real git, and its own check of signatures. */

const BOT = { name: 'Release Bot', email: 'bot@acme.example' };
const never = new AbortController().signal;
const folder = makeFolder();
const home = mkdtempSync(join(tmpdir(), 'sl-'));
const gnupg = mkdtempSync(join(tmpdir(), 'sl-'));
let host: GitHost;
let ssh: { key: string; publicKey: string };
let gpg: string;

const asGnupg = (...args: string[]): string =>
  execFileSync('gpg', ['--batch', '--pinentry-mode', 'loopback', '--passphrase', '', ...args], {
    env: { PATH: process.env['PATH'], GNUPGHOME: gnupg },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });

function sshKey(name: string, ...more: string[]): { key: string; publicKey: string } {
  execFileSync('ssh-keygen', ['-q', '-N', '', '-C', '', ...more, '-f', join(home, name)]);
  return {
    key: readFileSync(join(home, name), 'utf8'),
    publicKey: readFileSync(join(home, `${name}.pub`), 'utf8').trim(),
  };
}

beforeAll(async () => {
  host = await startGitHost();
  ssh = sshKey('ssh', '-t', 'ed25519');
  asGnupg('--quick-generate-key', `${BOT.name} <${BOT.email}>`, 'ed25519', 'sign', 'never');
  gpg = asGnupg('--export-secret-keys', '--armor');
});
afterAll(async () => {
  await host.close();
  execFileSync('gpgconf', ['--kill', 'all'], { env: { PATH: process.env['PATH'], GNUPGHOME: gnupg } });
  for (const each of [home, gnupg]) rmSync(each, { recursive: true, force: true });
  folder.remove();
});

const keys: Record<string, () => string> = { ssh: () => ssh.key, gpg: () => gpg };

const driver = () =>
  createGitDriver({
    ...settingsIn(folder.path('cache')),
    protocols: ['http', 'file'],
    secrets: {
      ...noSecrets,
      signingKey: async (name) => {
        const value = keys[name]?.();
        if (value === undefined) throw new PermanentError(`there is no secret "${name}"`);
        return { name, value };
      },
    },
  });

const specOf = (repoURL: string, commits?: GitDriverSpec['commits']): GitDriverSpec => ({
  type: 'git',
  repoURL,
  branch: 'main',
  path: 'eu',
  ...(commits && { commits }),
});

let count = 0;
async function hosted(): Promise<HostedRepository> {
  const repository = await host.repository(`live-${(count += 1)}`);
  await repository.commit({ 'eu/a.yaml': 'v: 1\n', 'dev/a.yaml': 'v: 2\n' }, 'First');
  return repository;
}

async function promote(repository: HostedRepository, commits: GitDriverSpec['commits']) {
  const git = driver();
  const target = specOf(repository.url, commits);
  const content = await git.pin({ ...target, path: 'dev' }, undefined, {}, never);
  return { git, target, content, effect: await git.apply(target, content, contextOf(`key-${count}`)) };
}

describe('on a host that insists on signatures, sign-off and the author', () => {
  test.each(['ssh', 'gpg'])('a commit with a key of %s is taken, and known again', async (signingKey) => {
    const repository = await hosted();
    repository.insistOn({
      signed:
        signingKey === 'ssh' ? { sshKeys: [{ email: BOT.email, publicKey: ssh.publicKey }] } : { gnupgHome: gnupg },
      signedOff: true,
      authors: [BOT.email],
    });
    const { git, target, content, effect } = await promote(repository, { author: BOT, signOff: true, signingKey });
    expect(effect).toMatchObject({ changed: true, author: `${BOT.name} <${BOT.email}>` });
    expect(await repository.head()).toBe(effect.commit);
    // Asked again with the same key, also where the content was moved on since: the proof goes on working.
    expect(await git.apply(target, content, contextOf(`key-${count}`))).toMatchObject({ commit: effect.commit });
    await repository.commit({ 'eu/a.yaml': 'v: 3\n' }, 'By hand');
    expect(await git.apply(target, content, contextOf(`key-${count}`))).toMatchObject({ commit: effect.commit });
    expect(await git.observe(target, contextOf(`key-${count}`).key, never)).toMatchObject({ commit: effect.commit });
  });

  test('a commit without them is refused, and the message names what to set', async () => {
    const repository = await hosted();
    repository.insistOn({ signed: { sshKeys: [{ email: BOT.email, publicKey: ssh.publicKey }] } });
    await expect(promote(repository, { author: BOT })).rejects.toThrow(/signed.*driver\.git\.commits\.signingKey/s);
    repository.insistOn({ signedOff: true });
    await expect(promote(repository, { author: BOT, signingKey: 'ssh' })).rejects.toThrow(
      /Signed-off-by.*driver\.git\.commits\.signOff/s,
    );
    repository.insistOn({ signedOff: false, authors: [BOT.email] });
    await expect(promote(repository, { signingKey: 'ssh' })).rejects.toThrow(/author.*driver\.git\.commits\.author/s);
  });

  test('a key that the host does not know is refused there', async () => {
    const repository = await hosted();
    const other = sshKey('other', '-t', 'ed25519');
    repository.insistOn({ signed: { sshKeys: [{ email: BOT.email, publicKey: other.publicKey }] } });
    await expect(promote(repository, { author: BOT, signingKey: 'ssh' })).rejects.toThrow(PermanentError);
  });
});

test('a repository with long ids takes signatures, too', async () => {
  const repository = new Repository(folder, 'long', { 'eu/a.yaml': 'v: 1\n', 'dev/a.yaml': 'v: 2\n' }, 'sha256');
  const target = specOf(repository.url, { author: BOT, signingKey: 'ssh' });
  const content = await driver().pin({ ...target, path: 'dev' }, undefined, {}, never);
  const { commit } = await driver().apply(target, content, contextOf('long'));
  expect(git(repository.url, ['cat-file', 'commit', commit!])).toContain('gpgsig-sha256 -----BEGIN SSH SIGNATURE-----');
  expect(git(repository.url, ['fsck', '--strict'])).toBe('');
});

test('nothing of a key is left behind', async () => {
  const repository = await hosted();
  const before = readdirSync(tmpdir()).filter((name) => name.startsWith('sl-'));
  await promote(repository, { author: BOT, signingKey: 'gpg' });
  await promote(await hosted(), { author: BOT, signingKey: 'ssh' });
  expect(readdirSync(tmpdir()).filter((name) => name.startsWith('sl-'))).toEqual(before);
});

describe('the message of commits', () => {
  test('follows the template, and the trailers follow it', async () => {
    const repository = await hosted();
    const message = 'chore(${PRODUCT}): ${VERSION} to ${ENVIRONMENT}\n\nRefs: OPS-1';
    const { effect } = await promote(repository, { message, signOff: true, author: BOT });
    const said = await repository.git('log', '-1', '--format=%B', effect.commit!);
    const { product, environment } = contextOf('x');
    expect(said).toMatch(
      new RegExp(`^chore\\(${product}\\): \\S+ to ${environment}\n\nRefs: OPS-1\n\nSluice-Release: `),
    );
    expect(said.endsWith(`\nSigned-off-by: ${BOT.name} <${BOT.email}>`)).toBe(true);
    // One block, as `git interpret-trailers` sees it.
    expect(
      await repository.git('log', '-1', '--format=%(trailers:only,key=Sluice-Key,valueonly)', effect.commit!),
    ).not.toBe('');
  });

  test.each([
    ['Promote ${VERSION}', 0],
    ['${SUBJECT}', 0],
    ['', 1],
    ['Promote ${COMMIT}', 1],
    ['Fine\n\nSluice-Key: mine', 1],
    ['Fine\n\nsigned-off-by: me', 1],
  ])('%j is judged', (message, refusals) => {
    expect(refuseMessage(message)).toHaveLength(refusals);
  });
});

describe('a key that is to sign', () => {
  test('says what its host has to know', async () => {
    expect(await publicPartOf({ name: 'ssh', value: ssh.key }, never)).toContain(ssh.publicKey.split(' ')[1]);
    expect(await publicPartOf({ name: 'gpg', value: gpg }, never)).toMatch(/^[0-9A-F]{40}$/);
  });

  test.each(['rsa', 'ecdsa'])('may be one of %s', async (type) => {
    const { key, publicKey } = sshKey(type, '-t', type);
    expect(await publicPartOf({ name: type, value: key }, never)).toContain(publicKey.split(' ')[1]);
  });

  test.each([
    ['is ended', 'kill -9 $$'],
    ['has no room to write', 'echo "Unable to write signature: No space left on device" >&2; exit 255'],
  ])('a program that %s says nothing of the key', async (_what, script) => {
    const path = process.env['PATH'];
    const own = mkdtempSync(join(home, 'bin-'));
    writeFileSync(join(own, 'ssh-keygen'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    process.env['PATH'] = `${own}:${path}`;
    try {
      await expect(publicPartOf({ name: 'ssh', value: ssh.key }, never)).rejects.toThrow(TransientError);
    } finally {
      process.env['PATH'] = path;
    }
  });

  test('with a passphrase is unusable, and says so without the key', async () => {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', 'secret words', '-f', join(home, 'locked')]);
    const value = readFileSync(join(home, 'locked'), 'utf8');
    await expect(publicPartOf({ name: 'locked', value }, never)).rejects.toThrow(
      /the signing key of secret "locked" is unusable: ssh-keygen: /,
    );
  });

  test('that is expired or broken is unusable', async () => {
    await expect(
      publicPartOf({ name: 'gpg', value: gpg.replace(/\n[A-Za-z0-9+/]{20}/, '\nAAAA') }, never),
    ).rejects.toThrow(/unusable: gpg: /);
  });

  test.each([
    ['a public key', () => ssh.publicKey],
    ['something else', () => 'not a key at all'],
  ])('is none: %s', (_, value) => {
    const wrong = checkSecret({ name: 'bot', value: value(), description: null, use: { kind: 'SIGNING' } });
    expect(wrong).toMatchObject([{ message: expect.stringContaining('private key') as string }]);
  });
});

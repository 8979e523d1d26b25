import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { embeddedPackage } from '../../src/postgres/binaries.ts';
import { barrierFor } from '../../src/postgres/cluster.ts';
import { launcherFor, NOBODY } from '../../src/postgres/launcher.ts';
import { claim } from '../../src/postgres/owner.ts';

test.each([
  ['darwin', 'arm64'],
  ['win32', 'x64'],
  ['linux', 'riscv64'],
])('on %s %s a start without a database says what to set', (platform, arch) => {
  expect(() => embeddedPackage(platform, arch)).toThrow(/not on .*: set DATABASE_URL/);
});

const without =
  (...missing: string[]) =>
  ([tool]: string[]) =>
    !missing.includes(tool!);

test.each([
  [false, [], { watched: false, owner: undefined, starts: 'setpriv' }],
  [false, ['setpriv'], { watched: true, owner: undefined, starts: undefined }],
  [true, [], { watched: false, owner: undefined, starts: 'unshare' }],
  [true, ['unshare'], { watched: false, owner: NOBODY, starts: 'setpriv' }],
  [true, ['unshare', 'setpriv'], { watched: true, owner: NOBODY, starts: undefined }],
])('root: %s, without %j: the server never runs as root and always ends with us', (root, missing, expected) => {
  const { watched, owner, prefix } = launcherFor(root, without(...missing));
  expect({ watched, owner, starts: prefix[0] }).toEqual(expected);
});

test('a folder that only its owner can pass is found before PostgreSQL stumbles over it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-barrier-'));
  const inside = join(folder, 'a/b');
  await mkdir(inside, { recursive: true });
  expect(await barrierFor(NOBODY, inside)).toBe(folder);
  expect(await barrierFor(undefined, inside)).toBeUndefined();
  await rm(folder, { recursive: true });
});

test('a folder is claimed by one process at a time, and again after its release', async () => {
  const file = join(await mkdtemp(join(tmpdir(), 'sluice-claim-')), 'owner.json');
  const refuse = () => new Error('in use');
  const tries = await Promise.allSettled([claim(file, refuse), claim(file, refuse), claim(file, refuse)]);
  expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  const winner = tries.find((result) => result.status === 'fulfilled')!;
  await winner.value.note({ port: 5432 });
  await expect(claim(file, ({ port }) => new Error(`in use on ${port}`))).rejects.toThrow('in use on 5432');
  await winner.value.release();
  expect((await claim(file, refuse)).previous).toBeUndefined();
});

import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, expect, test } from 'vitest';
import { PermanentError, TransientError } from '../../src/drivers/driver.ts';
import { parseAddress, PROTOCOLS } from '../../src/drivers/git/address.ts';
import { createGitDriver } from '../../src/drivers/git/driver.ts';
import { reachOf } from '../../src/drivers/git/reach.ts';
import { NetworkGuard } from '../../src/drivers/network/guard.ts';
import { makeFolder, settingsIn } from './repository.ts';

const folder = makeFolder();
afterAll(folder.remove);
const closing: (() => void)[] = [];
afterEach(() => closing.splice(0).forEach((close) => close()));
const never = new AbortController().signal;
const PATH = process.env['PATH'];
afterEach(() => {
  process.env['PATH'] = PATH;
});

/** 127.0.0.2 stands for the Internet, 127.0.0.1 for what is inside. */
const INTERNET = ['127.0.0.2/32'];
const guardOf = (...answers: string[]): NetworkGuard => {
  let lookups = 0;
  return new NetworkGuard(INTERNET, async () => [
    { address: answers[Math.min(lookups++, answers.length - 1)]!, family: 4 },
  ]);
};

async function listen(address: string, port = 0, location?: string) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.url} ${request.headers.authorization ?? ''}`.trim());
    if (location === undefined) response.writeHead(404).end();
    else response.writeHead(302, { location }).end();
  });
  closing.push(() => {
    server.close();
    server.closeAllConnections();
  });
  await new Promise<void>((resolve) => server.listen(port, address, resolve));
  return { asked, port: (server.address() as AddressInfo).port };
}

let made = 0;
const pin = (repoURL: string, guard: NetworkGuard, credentials = {}) =>
  createGitDriver({
    ...settingsIn(folder.path(`cache-${(made += 1)}`)),
    protocols: PROTOCOLS,
    guard,
    credentials,
  }).pin({ type: 'git', repoURL, branch: 'main', path: '.' }, undefined, {}, never);

test('git over http connects to the address that was checked, and looks nothing up by itself', async () => {
  const outside = await listen('127.0.0.2');
  const inside = await listen('127.0.0.1', outside.port);
  // The name is in no DNS: what git knows of it is what it was told.
  await expect(pin(`http://rebind.test:${outside.port}/a.git`, guardOf('127.0.0.2', '127.0.0.1'))).rejects.toThrow(
    'the repository was not found',
  );
  expect(outside.asked).toEqual(['/a.git/info/refs?service=git-upload-pack']);
  expect(inside.asked).toEqual([]);
});

test.each([
  'http://127.0.0.1:PORT/a.git',
  'http://2130706433:PORT/a.git',
  'http://0x7f.1:PORT/a.git',
  'http://[::ffff:127.0.0.1]:PORT/a.git',
  'http://example.com@127.0.0.1:PORT/a.git',
  'http://inside.test:PORT/a.git',
  'http://inside.test.:PORT/a.git',
  'ssh://git@127.0.0.1:PORT/a.git',
  'ssh://git@2130706433:PORT/a.git',
  'ssh://git@0x7f.1:PORT/a.git',
  'ssh://[::1]:PORT/a.git',
  'ssh://git@example.com@127.0.0.1:PORT/a.git',
  'git@127.0.0.1:a.git',
  'git@2130706433:a.git',
  'git@inside.test:a.git',
])('%s is not called', async (form) => {
  const inside = await listen('127.0.0.1');
  const system = new NetworkGuard([]);
  const guard = form.includes('inside.test') ? guardOf('127.0.0.1') : system;
  const failed = await pin(form.replace('PORT', String(inside.port)), guard).catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(PermanentError);
  expect((failed as Error).message).toContain('does not call');
  expect(inside.asked).toEqual([]);
});

test.each([
  'ssh://%31%32%37.0.0.1/a.git',
  'ssh://-oProxyCommand=touch/a.git',
  'ssh://a b/a.git',
  'git@-oProxyCommand:a.git',
  'ext::sh -c touch% /tmp/x',
  'ext::touch',
  'transport::http://x/',
  '--upload-pack=touch',
  'ftp://example.com/a.git',
  'git://example.com/a.git',
])('%s is refused before anything is looked up', async (repoURL) => {
  let lookups = 0;
  const guard = new NetworkGuard([], async () => {
    lookups += 1;
    return [];
  });
  await expect(pin(repoURL, guard)).rejects.toThrow(PermanentError);
  expect(lookups).toBe(0);
});

test.each(['http://127.0.0.1:PORT/', 'http://169.254.169.254/latest/', 'http://rebind.test:PORT/b.git'])(
  'git is not redirected to %s, and its login goes nowhere else',
  async (location) => {
    const inside = await listen('127.0.0.1');
    const outside = await listen('127.0.0.2', 0, location.replace('PORT', String(inside.port)));
    const url = `http://rebind.test:${outside.port}/`;
    const failed = pin(`${url}a.git`, guardOf('127.0.0.2'), { [url]: { token: 's3cret' } });
    await expect(failed).rejects.toThrow(PermanentError);
    await expect(failed).rejects.toThrow('redirects are not followed');
    expect(inside.asked).toEqual([]);
  },
);

test('files are for those who allow them', async () => {
  const driver = createGitDriver({ ...settingsIn(folder.path('cache-file')), protocols: undefined });
  const spec = { type: 'git' as const, repoURL: `file://${folder.path('a.git')}`, branch: 'main', path: '.' };
  await expect(driver.pin(spec, undefined, {}, never)).rejects.toThrow('protocol file is not allowed here');
});

test('a host without an address may have one later', async () => {
  const guard = new NetworkGuard([], () => Promise.reject(new Error('ENOTFOUND')));
  await expect(pin('https://nowhere.test/a.git', guard)).rejects.toThrow(TransientError);
});

test('ssh connects to the address that was checked, and knows the host by its name', async () => {
  const told = folder.path('told');
  writeFileSync(folder.path('ssh'), `#!/bin/sh\nprintf '%s\\n' "$@" > ${told}\nexit 255\n`);
  chmodSync(folder.path('ssh'), 0o755);
  process.env['PATH'] = `${folder.path('')}:${PATH}`;
  await expect(pin('ssh://git@rebind.test:2222/a.git', guardOf('127.0.0.2', '127.0.0.1'))).rejects.toThrow();
  expect(existsSync(told)).toBe(true);
  const words = readFileSync(told, 'utf8').split('\n');
  expect(words).toEqual(expect.arrayContaining(['-oHostName=127.0.0.2', '-oHostKeyAlias=[rebind.test]:2222']));
  expect(words.slice(-5, -2)).toEqual(['-p', '2222', 'git@rebind.test']);
});

test.each([
  ['https://git.lan/a.git', []],
  ['ssh://git@git.lan/a.git', []],
  ['git@git.lan:a.git', []],
])('%s, which is trusted by its name, is left to git', async (url, expected) => {
  const reach = await reachOf(parseAddress(url), new NetworkGuard(['git.lan']));
  expect([...reach.settings, ...reach.ssh]).toEqual(expected);
});

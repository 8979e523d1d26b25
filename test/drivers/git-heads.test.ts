import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import type { GitDriverSpec } from '../../src/core/definitions.ts';
import { createGitDriver } from '../../src/drivers/git/driver.ts';
import { answerGit } from '../support/git-http.ts';
import { folderWithServers } from './folder-with-servers.ts';
import { contextOf, git, Repository, settingsIn } from './repository.ts';

const { folder, servers } = folderWithServers();

const never = new AbortController().signal;
const SECRET = 'tok-s3cret/with+signs';
const repo = new Repository(folder, 'watched', { 'dev/a.yaml': 'v: 1\n' });
git(repo.url, ['branch', 'release/1', 'main']);
// `ls-remote` takes a name for the end of a longer one.
git(repo.url, ['update-ref', 'refs/heads/x/refs/heads/main', 'main']);
const spec = (repoURL: string): GitDriverSpec => ({ type: 'git', repoURL, branch: 'main', path: 'dev' });

async function answering(status: number, headers: Record<string, string> = {}): Promise<string> {
  return listen((_, response) => response.writeHead(status, headers).end('no\n'));
}

async function listen(handler: Parameters<typeof createServer>[1]): Promise<string> {
  const server = createServer(handler);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const driverOf = (name: string, credentials = {}) =>
  createGitDriver({ ...settingsIn(folder.path(name)), protocols: ['http', 'file'], credentials });

test('branches that are there are answered with their commits, in one call, and no other', async () => {
  let exchanges = 0;
  const url = await listen((request, response) => {
    if (request.url?.includes('info/refs')) exchanges += 1;
    answerGit(folder.path(''), request, response);
  });
  const answer = await driverOf('cache-1').heads(spec(`${url}/watched.git`), ['main', 'release/1', 'gone'], never);
  const head = repo.head();
  expect(answer).toEqual({ kind: 'HEADS', heads: new Map(['main', 'release/1'].map((each) => [each, head])) });
  expect(exchanges).toBe(1);
});

test('a look does not wait for what holds the mirror', async () => {
  const driver = driverOf('cache-2');
  const stopping = new AbortController();
  let exchanges = 0;
  // The first exchange, which is that of the fetch, gets no answer.
  const url = await listen((request, response) => {
    exchanges += 1;
    if (exchanges > 1) answerGit(folder.path(''), request, response);
  });
  const pinning = driver.pin(spec(`${url}/watched.git`), undefined, {}, stopping.signal);
  pinning.catch(() => undefined);
  await expect.poll(() => exchanges).toBe(1);
  expect(await driver.heads(spec(`${url}/watched.git`), ['main'], never)).toMatchObject({ kind: 'HEADS' });
  stopping.abort(new Error('enough'));
  await expect(pinning).rejects.toThrow('enough');
});

test.each([
  ['a login that is refused', 401, {}, 'CREDENTIALS', undefined],
  ['a login without the right', 403, {}, 'CREDENTIALS', undefined],
  ['a repository that is not there', 404, {}, 'NOT_FOUND', undefined],
  ['a repository that has moved', 301, { location: 'https://elsewhere.example/r' }, 'REFUSED', undefined],
  ['too many calls', 429, { 'retry-after': '7' }, 'RATE_LIMITED', 7_000],
  ['too many calls, as GitHub says it', 403, { 'Retry-After': '61' }, 'RATE_LIMITED', 61_000],
  ['too many calls, without a time', 429, {}, 'RATE_LIMITED', undefined],
  ['an ill host', 502, {}, 'UNREACHABLE', undefined],
  ['a host that is being mended', 503, { 'retry-after': '120' }, 'RATE_LIMITED', 120_000],
])('%s is told apart', async (_name, status, headers, why, retryAfter) => {
  const url = await answering(status, headers);
  const credentials = { [`${url}/`]: { token: SECRET } };
  const answer = await driverOf('cache-3', credentials).heads(spec(`${url}/watched.git`), ['main'], never);
  expect(answer).toMatchObject({ kind: 'FAILED', why });
  expect((answer as { retryAfter?: number }).retryAfter).toBe(retryAfter);
  const { message } = answer as { message: string };
  expect(message).toContain(`repository "${url}/watched.git"`);
  expect(message).not.toMatch(/s3cret|header|http\.c/);
});

test('a time to come again may be a date', async () => {
  const url = await answering(429, { 'retry-after': new Date(Date.now() + 60_000).toUTCString() });
  const answer = await driverOf('cache-3').heads(spec(`${url}/r.git`), ['main'], never);
  const { retryAfter } = answer as { retryAfter: number };
  expect(retryAfter).toBeGreaterThan(50_000);
  expect(retryAfter).toBeLessThanOrEqual(60_000);
});

const comeAgain = (retryAfter: number): object => ({
  name: 'TransientError',
  retryAfter,
  message: expect.not.stringContaining('recv header') as unknown,
});

test.each([429, 403, 503])('a fetch that is answered %i says when to come again, too', async (status) => {
  const url = await answering(status, { 'retry-after': '120' });
  const pinned = driverOf('cache-busy').pin(spec(`${url}/busy.git`), undefined, {}, never);
  await expect(pinned).rejects.toMatchObject(comeAgain(120_000));
});

test.each([429, 403, 503])(
  'a push that is answered %i is no refusal where it says when to come again',
  async (status) => {
    const url = await listen((request, response) => {
      if (request.url?.includes('git-receive-pack')) response.writeHead(status, { 'retry-after': '61' }).end('no\n');
      else answerGit(folder.path(''), request, response);
    });
    const driver = driverOf(`cache-push-${status}`);
    const content = await driver.pin(spec(`${url}/watched.git`), undefined, {}, never);
    const target = { ...spec(`${url}/watched.git`), path: 'eu' };
    await expect(driver.apply(target, content, contextOf('k'))).rejects.toMatchObject(comeAgain(61_000));
    const proposed = driver.propose([{ target, content }], 'sluice/watched', contextOf('k'));
    await expect(proposed).rejects.toMatchObject(comeAgain(61_000));
  },
);

test('nobody there, no address, and a protocol that is not allowed are answers', async () => {
  const driver = driverOf('cache-4');
  expect(await driver.heads(spec('http://127.0.0.1:1/r.git'), ['main'], never)).toMatchObject({ why: 'UNREACHABLE' });
  expect(await driver.heads(spec('https://git.example/r.git'), ['main'], never)).toMatchObject({ why: 'REFUSED' });
  expect(await driver.heads(spec('not an address'), ['main'], never)).toMatchObject({ why: 'REFUSED' });
  expect(await driver.heads(spec(`file://${folder.path('nothing')}`), ['main'], never)).toMatchObject({
    why: 'NOT_FOUND',
  });
});

test('the end of the caller is thrown', async () => {
  const url = await listen(() => undefined);
  const ending = new AbortController();
  const look = driverOf('cache-5').heads(spec(`${url}/r.git`), ['main'], ending.signal);
  setTimeout(() => ending.abort(new Error('stopped')), 100);
  await expect(look).rejects.toThrow('stopped');
});

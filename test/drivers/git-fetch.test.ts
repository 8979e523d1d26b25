import { mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import type { GitDriverSpec, PromotionTemplateSpec } from '../../src/core/definitions.ts';
import { PermanentError, ThrottledError, TransientError } from '../../src/drivers/driver.ts';
import { contentDigest } from '../../src/drivers/content.ts';
import { CACHE_LIMITS, tidyCache } from '../../src/drivers/git/cache.ts';
import { createGitDriver } from '../../src/drivers/git/driver.ts';
import { answerGit } from '../support/git-http.ts';
import { folderWithServers } from './folder-with-servers.ts';
import { contextOf, git, Repository, settingsIn } from './repository.ts';

const { folder, servers } = folderWithServers();
const never = new AbortController().signal;
const template: PromotionTemplateSpec = { promotion: { 'values.yaml': { jsonPaths: ['$.tag'] } } };
const files = { 'dev/values.yaml': 'tag: "2"\n', 'eu/values.yaml': 'tag: "1"\n' };

type Answer = (request: IncomingMessage, response: ServerResponse, go: () => void) => void;

/** A real host; `answer` sees each request first, and lets it go on. */
async function host(answer: Answer): Promise<string> {
  const server = createServer((request, response) =>
    answer(request, response, () => answerGit(folder.path(''), request, response)),
  );
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const at = (base: string, name: string, path: string): GitDriverSpec => ({
  type: 'git',
  repoURL: `${base}/${name}.git`,
  branch: 'main',
  path,
});
const driverOn = (cache: string, more: object = {}) =>
  createGitDriver({ ...settingsIn(folder.path(cache)), protocols: ['http'], ...more });

const pkt = (text: string): string => `${(Buffer.byteLength(text) + 4).toString(16).padStart(4, '0')}${text}`;

test('a push that the host refuses in passing is tried again like a broken connection, and gets through', async () => {
  const repo = new Repository(folder, 'incident', files);
  git(repo.url, ['config', 'http.receivepack', 'true']);
  let pushes = 0;
  const base = await host((request, response, go) => {
    if (request.method !== 'POST' || !request.url?.endsWith('/git-receive-pack')) return go();
    pushes += 1;
    if (pushes > 2) return go();
    // As GitHub says it during an incident: the pack has arrived, and the ref was not moved.
    request.resume().on('end', () => {
      const report = `${pkt('unpack ok\n')}${pkt('ng refs/heads/main failure\n')}0000`;
      const body = `${pkt('\x02fatal error in commit_refs\n')}${pkt(`\x01${report}`)}0000`;
      response.writeHead(200, { 'content-type': 'application/x-git-receive-pack-result' }).end(body);
    });
  });
  const driver = driverOn('cache-incident');
  const content = await driver.pin(at(base, 'incident', 'dev'), template, {}, never);
  for (const tries of [0, 1]) {
    const failed = driver.apply(at(base, 'incident', 'eu'), content, contextOf('k', { tries }));
    await expect(failed).rejects.toThrow(TransientError);
    await expect(failed).rejects.toThrow(/could not take the push just now .*fatal error in commit_refs/);
  }
  const effect = await driver.apply(at(base, 'incident', 'eu'), content, contextOf('k', { tries: 2 }));
  expect(effect).toMatchObject({ changed: true, commit: repo.head() });
  expect([pushes, repo.count()]).toEqual([3, 2]);
});

test('a first fetch goes on beside the deadline of its caller, and the next caller finds it going on or done', async () => {
  new Repository(folder, 'large', files);
  let release!: () => void;
  const gate = new Promise<void>((resolve) => (release = resolve));
  let packs = 0;
  const asked: (() => void)[] = [];
  const base = await host((request, _response, go) => {
    if (request.method !== 'POST') return go();
    packs += 1;
    asked.shift()?.();
    void gate.then(go);
  });
  const driver = driverOn('cache-large');
  const source = at(base, 'large', 'dev');
  const patience = (milliseconds: number): AbortSignal => AbortSignal.timeout(milliseconds);
  const arrived = new Promise<void>((resolve) => asked.push(resolve));
  const first = driver.pin(source, template, {}, patience(2_000)).catch((error: unknown) => error);
  await arrived;
  expect(await first).toBeInstanceOf(ThrottledError);
  expect(await first).toMatchObject({
    message: expect.stringMatching(/still being fetched, for \d+ s so far .*goes on/),
  });
  // Still the same exchange: nobody began anew.
  const second = driver.pin(source, template, {}, patience(300)).catch((error: unknown) => error);
  expect(await second).toBeInstanceOf(ThrottledError);
  expect(packs).toBe(1);
  const third = driver.pin(source, template, {}, patience(60_000));
  release();
  expect((await third).files['values.yaml']).toMatchObject({ kind: 'values' });
});

/** Sends half of each pack, and the rest when it is let go. */
async function slowHost(): Promise<{
  base: string;
  at: () => number;
  most: () => number;
  ended: () => number;
  go: () => void;
}> {
  let [now, most, ended] = [0, 0, 0];
  let go!: () => void;
  const gate = new Promise<void>((resolve) => (go = resolve));
  const base = await host((request, response, pass) => {
    const isPack = request.method === 'POST';
    if (!isPack) return pass();
    const end = response.end.bind(response);
    response.on('close', () => (ended += 1));
    Object.assign(response, {
      end: (body: Buffer) => {
        // The listing of refs is small, and is asked for in the same way.
        if (body.length < 5_000) return end(body);
        now += 1;
        most = Math.max(most, now);
        response.write(body.subarray(0, body.length / 2));
        void gate.then(() => {
          now -= 1;
          end(body.subarray(body.length / 2));
        });
        return response;
      },
    });
    pass();
  });
  return { base, at: () => now, most: () => most, ended: () => ended, go };
}

/** So large that half of it says how far it is. */
function large(name: string): void {
  const noise = (index: number): string => Array.from({ length: 200 }, () => Math.random()).join(`${index}\n`);
  const many = Array.from({ length: 100 }, (_, index) => [`noise/${index}`, noise(index)]);
  new Repository(folder, name, { ...files, ...Object.fromEntries(many) });
}

test('a caller whose patience is over is told how far the fetch is, by promotions and reads alike', async () => {
  large('far');
  const { base, go } = await slowHost();
  const driver = driverOn('cache-far', { patienceMs: 1_500 });
  const reading = driver.pin(at(base, 'far', 'dev'), template, {}, never);
  const content = { label: '1', digest: contentDigest({}), files: {} };
  const promoting = driver.apply(at(base, 'far', 'eu'), content, contextOf('k'));
  for (const each of await Promise.allSettled([reading, promoting])) {
    expect(each).toMatchObject({ status: 'rejected', reason: { name: 'TransientError', retryAfter: 5_000 } });
    expect(String((each as PromiseRejectedResult).reason)).toMatch(/still being fetched.*Receiving objects: +\d+%/);
  }
  go();
  expect((await driver.pin(at(base, 'far', 'dev'), template, {}, never)).digest).toMatch(/^[0-9a-f]{64}$/);
  await driver.close();
});

test('a fetch that goes on without a caller ends with the process, and leaves nothing behind', async () => {
  large('ends');
  const { base, ended } = await slowHost();
  const driver = driverOn('cache-ends', { patienceMs: 1_000 });
  await expect(driver.pin(at(base, 'ends', 'dev'), template, {}, never)).rejects.toThrow('still being fetched');
  const cache = folder.path('cache-ends');
  expect(readdirSync(cache).map((each) => each.slice(0, 4))).toEqual(['new-']);
  const before = ended();
  await driver.close();
  await expect.poll(() => ended()).toBe(before + 1);
  expect(readdirSync(cache)).toEqual([]);
});

test('so many repositories are fetched for the first time at once, and the next caller of each is told', async () => {
  const names = Array.from({ length: 6 }, (_, index) => `many-${index}`);
  names.forEach(large);
  const { base, at: now, most, go } = await slowHost();
  const driver = driverOn('cache-many', { patienceMs: 2_000 });
  const pins = () => Promise.allSettled(names.map((name) => driver.pin(at(base, name, 'dev'), template, {}, never)));
  const reasons = (await pins()).map((each) => String((each as PromiseRejectedResult).reason));
  expect(now()).toBe(4);
  expect(reasons.filter((each) => each.includes('waits until other repositories are fetched'))).toHaveLength(2);
  go();
  await expect.poll(async () => (await pins()).every(({ status }) => status === 'fulfilled')).toBe(true);
  expect(most()).toBe(4);
  await driver.close();
});

test('what stands in the place of a copy and is none does not keep it from being fetched', async () => {
  const repo = new Repository(folder, 'remains', files);
  const cache = folder.path('cache-remains');
  const driver = createGitDriver(settingsIn(cache));
  const source: GitDriverSpec = { type: 'git', repoURL: repo.url, branch: 'main', path: 'dev' };
  const pinned = await driver.pin(source, template, {}, never);
  const [copy] = readdirSync(cache);
  rmSync(`${cache}/${copy}`, { recursive: true });
  mkdirSync(`${cache}/${copy}/objects/ab`, { recursive: true });
  expect(await driver.pin(source, template, {}, never)).toEqual(pinned);
  await driver.close();
});

test('a fetch that fails without a caller is told to the next one, which does not begin it again', async () => {
  new Repository(folder, 'fails', files);
  let asked = 0;
  let fail!: () => void;
  const gate = new Promise<void>((resolve) => (fail = resolve));
  const base = await host((request, response, go) => {
    if (request.method !== 'POST') return go();
    asked += 1;
    void gate.then(() => response.writeHead(403).end());
  });
  const driver = driverOn('cache-fails', { patienceMs: 500 });
  const pin = () => driver.pin(at(base, 'fails', 'dev'), template, {}, never);
  await expect(pin()).rejects.toThrow('still being fetched');
  fail();
  const told = (): Promise<string> =>
    pin().then(
      () => 'fetched',
      ({ message }: Error) => message,
    );
  await expect.poll(told).toContain('access was refused');
  expect(asked).toBe(1);
  expect(readdirSync(folder.path('cache-fails'))).toEqual([]);
});

test('a fetch whose caller was stopped is stopped', async () => {
  new Repository(folder, 'stopped', files);
  const begun: (() => void)[] = [];
  let closed = 0;
  const base = await host((request, response, go) => {
    if (request.method !== 'POST') return go();
    response.on('close', () => (closed += 1));
    begun.shift()?.();
  });
  const driver = driverOn('cache-stopped');
  const stop = new AbortController();
  const arrived = new Promise<void>((resolve) => begun.push(resolve));
  const running = driver.pin(at(base, 'stopped', 'dev'), template, {}, stop.signal).catch((error: unknown) => error);
  await arrived;
  stop.abort(new Error('stopped'));
  expect(await running).toMatchObject({ message: 'stopped' });
  await expect.poll(() => closed).toBe(1);
});

test('a repository over the limit of size is refused, and its copy is removed', async () => {
  const repo = new Repository(folder, 'huge', { 'dev/values.yaml': 'tag: "1"\n' });
  const line = (index: number): string => `${index} ${Math.sin(index)}\n`;
  repo.commit({ 'dev/noise.txt': Array.from({ length: 50_000 }, (_, index) => line(index)).join('') }, 'Noise');
  const cache = folder.path('cache-huge');
  const driver = createGitDriver({ ...settingsIn(cache), cacheLimits: { maxRepositoryBytes: 100_000 } });
  const source: GitDriverSpec = { type: 'git', repoURL: repo.url, branch: 'main', path: 'dev' };
  // So many objects that git keeps them as a pack.
  const filler = Array.from(
    { length: 150 },
    (_, i) =>
      `commit refs/heads/main\ncommitter a <a@b> ${1_700_000_000 + i} +0000\ndata 1\nc\n${i === 0 ? `from ${repo.head()}\n` : ''}M 644 inline dev/f${i}\ndata 2\n${i % 10}\n\n`,
  );
  git(repo.url, ['fast-import', '--quiet'], filler.join(''));
  const failed = driver.pin(source, template, {}, never);
  await expect(failed).rejects.toThrow(PermanentError);
  await expect(failed).rejects.toThrow('more than 100000 bytes, the limit of SLUICE_GIT_MAX_REPOSITORY_MB');
  expect(readdirSync(cache)).toEqual([]);
});

test('copies that nobody uses go by their age, then by what all take together, and leftovers with them', async () => {
  const cache = folder.path('cache-old');
  const now = Date.now();
  const hours = (count: number): number => count * 60 * 60 * 1000;
  const make = (name: string, age: number, bytes: number): void => {
    mkdirSync(`${cache}/${name}/objects/pack`, { recursive: true });
    writeFileSync(`${cache}/${name}/objects/pack/p.pack`, Buffer.alloc(bytes));
    const when = new Date(now - age);
    utimesSync(`${cache}/${name}`, when, when);
  };
  make('ancient.git', hours(24 * 31), 10);
  make('older.git', hours(30), 600);
  make('newer.git', hours(20), 600);
  make('now.git', 0, 5_000);
  make('new-abc', hours(25), 1);
  make('new-xyz', hours(1), 1);
  make('x.git.broken-1-1', hours(25), 1);
  make('somebody-elses', hours(24 * 100), 1);
  const packs = `${cache}/now.git/objects/pack`;
  for (const each of ['tmp_pack_old', 'tmp_pack_new']) writeFileSync(`${packs}/${each}`, '');
  utimesSync(`${packs}/tmp_pack_old`, new Date(now - hours(2)), new Date(now - hours(2)));
  const gone = await tidyCache(cache, { ...CACHE_LIMITS, maxBytes: 5_700 }, now);
  expect(gone.toSorted()).toEqual(['ancient.git', 'new-abc', 'older.git', 'x.git.broken-1-1']);
  expect(readdirSync(cache).toSorted()).toEqual(['new-xyz', 'newer.git', 'now.git', 'somebody-elses']);
  // A fetch that was cut off has left one, and another fetch is at work.
  expect(readdirSync(packs).toSorted()).toEqual(['p.pack', 'tmp_pack_new']);
  // What is in use stays, however large.
  expect(await tidyCache(cache, { ...CACHE_LIMITS, maxBytes: 1 }, now)).toEqual(['newer.git']);
});

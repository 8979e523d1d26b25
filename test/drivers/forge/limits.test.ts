import { afterEach, describe, expect, test } from 'vitest';
import { PermanentError, TransientError } from '../../../src/drivers/driver.ts';
import { serve } from '../http-server.ts';
import { answering, forgeOf, MemoryBudgets, TOKEN } from './support.ts';
import type { Reply } from './support.ts';

const call = { signal: new AbortController().signal };
const close: (() => void)[] = [];
afterEach(() => close.splice(0).forEach((each) => each()));

const PATH = {
  github: '/repos/acme/config/pulls/1',
  gitlab: '/projects/acme%2Fconfig/merge_requests/1',
  gitea: '/repos/acme/config/pulls/1',
};
const seconds = (later: number): string => String(Math.floor(Date.now() / 1_000) + later);

describe('limits of a host', () => {
  test.each<[string, keyof typeof PATH, Reply, number | undefined]>([
    [
      'GitHub: the secondary limit',
      'github',
      { status: 403, headers: { 'retry-after': '40' }, body: { message: 'You have exceeded a secondary rate limit.' } },
      40_000,
    ],
    [
      'GitHub: the secondary limit without a time',
      'github',
      {
        status: 403,
        body: { message: 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.' },
      },
      undefined,
    ],
    [
      'GitHub: the primary limit',
      'github',
      {
        status: 403,
        headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': seconds(600) },
        body: { message: 'API rate limit exceeded for user ID 1.' },
      },
      600_000,
    ],
    ['GitHub: 429', 'github', { status: 429, headers: { 'retry-after': '7' }, body: {} }, 7_000],
    [
      'GitLab',
      'gitlab',
      { status: 429, headers: { 'retry-after': '30', 'ratelimit-reset': seconds(30) }, body: 'Retry later\n' },
      30_000,
    ],
    [
      'GitLab: with its reset alone',
      'gitlab',
      { status: 429, headers: { 'ratelimit-remaining': '0', 'ratelimit-reset': seconds(50) }, body: 'Retry later\n' },
      50_000,
    ],
    ['Gitea', 'gitea', { status: 429, body: {} }, undefined],
    [
      'one that is being serviced',
      'gitea',
      { status: 503, headers: { 'retry-after': '120' }, body: 'maintenance' },
      120_000,
    ],
  ])('%s: waits as long as it says, and the next call is not even sent', async (_what, kind, reply, wait) => {
    const budgets = new MemoryBudgets();
    const {
      forge,
      asked,
      close: end,
      repository,
    } = await answering(kind, { [`GET ${PATH[kind]}`]: reply }, { budgets });
    close.push(end);
    const error: unknown = await forge.get(repository, 1, call).catch((each: unknown) => each);
    expect(error).toBeInstanceOf(TransientError);
    const { retryAfter, message } = error as TransientError;
    expect(message).toContain('lets secret "bot" wait');
    expect(retryAfter! / 1_000).toBeCloseTo((wait ?? 60_000) / 1_000, -1);
    expect(budgets.told[0]!.told.limited?.wait === undefined).toBe(wait === undefined);
    await expect(forge.get(repository, 1, call)).rejects.toThrow('calls of secret "bot" to');
    expect(asked).toHaveLength(1);
  });

  test('trap 32: a 403 that is about permissions is no limit: it names what is missing, and holds nobody', async () => {
    const budgets = new MemoryBudgets();
    const reply = {
      status: 403,
      headers: {
        'x-accepted-github-permissions': 'statuses=write',
        'x-ratelimit-remaining': '4999',
        'x-ratelimit-reset': seconds(600),
      },
      body: { message: 'Resource not accessible by personal access token' },
    };
    const {
      forge,
      repository,
      close: end,
    } = await answering('github', { 'POST /repos/acme/config/statuses/abc': reply }, { budgets });
    close.push(end);
    const set = forge.setStatus(repository, 'abc', { context: 'c', state: 'SUCCESS', description: 'd' }, call);
    await expect(set).rejects.toThrow(
      'secret "bot" may not set the status c in acme/config (403, Resource not accessible by personal access token); it needs statuses=write',
    );
    await expect(set).rejects.toBeInstanceOf(PermanentError);
    expect(budgets.told).toEqual([]);
  });

  test('the last calls of an hour are kept for urgent ones', async () => {
    const budgets = new MemoryBudgets();
    const headers = { 'x-ratelimit-remaining': '80', 'x-ratelimit-reset': seconds(600) };
    const pull = { status: 404, headers, body: { message: 'Not Found' } };
    const status = { status: 201, headers, body: {} };
    const {
      forge,
      repository,
      close: end,
    } = await answering(
      'github',
      { 'GET /repos/acme/config/pulls/1': pull, 'POST /repos/acme/config/statuses/abc': status },
      { budgets },
    );
    close.push(end);
    await expect(forge.get(repository, 1, call)).rejects.toThrow(PermanentError);
    await expect(forge.get(repository, 1, call)).rejects.toThrow('what is left is kept for urgent calls');
    const set = (state: 'SUCCESS' | 'FAILURE') =>
      forge.setStatus(repository, 'abc', { context: 'c', state, description: 'd' }, call);
    await expect(set('SUCCESS')).rejects.toBeInstanceOf(TransientError);
    await set('FAILURE');
  });
});

describe('an answer that is none', () => {
  test.each<[string, Reply | 'CUT' | 'SILENT' | 'GONE', RegExp]>([
    ['502', { status: 502, body: '<html>502 Bad Gateway</html>' }, /GitHub could not see pull request #1: 502/],
    ['a body that is cut', 'CUT', /broke off in its answer/],
    ['one that is later than the deadline', 'SILENT', /got no answer within 0.2 s/],
    ['a connection that is gone', 'GONE', /got no answer/],
  ])('%s is tried again later', async (_what, how, words) => {
    const server = await serve((_asked, response) => {
      if (how === 'SILENT') return;
      if (how === 'GONE') return void response.destroy();
      if (how !== 'CUT') return void response.writeHead(how.status).end(String(how.body));
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
      response.write('{"number": 1', () => response.destroy());
    });
    close.push(server.close);
    const repository = `http://${server.host}/acme/config`;
    // The others answer: on a busy machine that takes longer than this test wants to wait for the silent one.
    const forge = await forgeOf(repository, 'github', how === 'SILENT' ? { deadline: 200 } : {});
    const error: unknown = await forge.get(repository, 1, call).catch((each: unknown) => each);
    expect(error).toBeInstanceOf(TransientError);
    expect((error as Error).message).toMatch(words);
    expect((error as Error).message).not.toContain(TOKEN);
  });

  test('the caller who stops waiting gets its own reason, and the call is given back', async () => {
    const budgets = new MemoryBudgets();
    const server = await serve(() => undefined);
    close.push(server.close);
    const repository = `http://${server.host}/acme/config`;
    const stop = new AbortController();
    const forge = await forgeOf(repository, 'gitea', { budgets });
    const asked = forge.get(repository, 1, { signal: stop.signal });
    setTimeout(() => stop.abort(new Error('the step is over')), 50);
    await expect(asked).rejects.toThrow('the step is over');
    expect(budgets.rows.get('bot')!.leases).toEqual({});
  });

  test('an address that the operator does not allow is not called', async () => {
    const repository = 'http://10.1.2.3/acme/config';
    const forge = await forgeOf(repository, 'gitlab');
    await expect(forge.get(repository, 1, call)).rejects.toThrow(/was not sent:.*SLUICE_ALLOWED_NETWORKS/);
    await expect(forge.get(repository, 1, call)).rejects.toBeInstanceOf(PermanentError);
  });
});

import { connect } from 'node:net';
import { buildSchema, parse } from 'graphql';
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { DOCUMENTS } from '../../src/cli/operations.ts';
import { loadConfig } from '../../src/config.ts';
import { neighbourhood } from '../../src/server/client-address.ts';
import { costOf } from '../../src/server/cost.ts';
import { type ApiServer, startServer } from '../../src/server.ts';
import { openTestEngine, type TestEngine } from '../support/engine.ts';
import { EVENTS, overEventStream, overWebSocket, post } from './support/clients.ts';

let engine: TestEngine;
const servers: ApiServer[] = [];

beforeAll(async () => {
  engine = await openTestEngine({ name: 'postgres', queuePrefix: `t${process.pid}` });
});
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});
afterAll(() => engine.close());

/** A server of its own, with the settings as somebody would write them. */
async function serve(settings: Record<string, string>): Promise<string> {
  const { limits, allowedOrigins, trustedProxies, publicUrl } = loadConfig(settings);
  const config = { ...engine.app.config, limits, allowedOrigins, trustedProxies, publicUrl };
  const server = await startServer({ ...engine.app, config });
  servers.push(server);
  return server.url;
}

const QUERY = { query: '{ __typename }' };

describe('what an operation costs', () => {
  const schema = buildSchema(readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8'));
  const cost = (query: string, variables: Record<string, unknown> = {}, operationName?: string): number =>
    costOf(schema, { document: parse(query), variables, operationName });

  test.each([
    ['plain values are free', '{ __typename }', 0],
    ['an object', '{ release(id: "x") { id status } }', 1],
    ['objects in an object', '{ release(id: "x") { version { label } } }', 2],
    ['a list counts ten times', '{ release(id: "x") { promotions { steps { status } } } }', 1 + (1 + 10)],
    ['the example of the docs', '{ releases(first: 100) { nodes { promotions { steps { status } } } } }', 1_201],
    ['a page counts as often as it says', '{ releases(first: 50) { nodes { version { label } } } }', 1 + 50 * 2],
    ['and by its default', '{ releases { nodes { version { label } } } }', 1 + 20 * 2],
    ['and by its variable', 'query ($n: Int!) { releases(first: $n) { nodes { id } } }', 1 + 7 * 1],
    ['an absurd page is refused elsewhere', '{ releases(first: 2000000000) { nodes { id } } }', 1 + 100],
    ['a page of nothing', '{ releases(first: -5) { nodes { id } } }', 1 + 1],
    ['aliases count each', '{ a: release(id: "x") { id } b: release(id: "x") { id } }', 2],
    [
      'a fragment counts where it is spread',
      '{ a: release(id: "x") { ...f } } fragment f on Release { version { label } }',
      2,
    ],
    ['what is skipped is free', '{ releases(first: 100) @skip(if: true) { nodes { id } } }', 0],
    ['the schema is counted beside it (introspection.test.ts)', '{ __schema { types { fields { name } } } }', 0],
  ])('%s', (_name, query, expected) => expect(cost(query, { n: 7 })).toBe(expected));

  test('of several operations the one that runs', () => {
    const query = 'query A { release(id: "x") { id } } query B { releases(first: 9) { nodes { id } } }';
    expect([cost(query, {}, 'A'), cost(query, {}, 'B'), cost(query, {}, 'C')]).toEqual([1, 10, 0]);
  });

  test('an argument that is wrong hides nothing beside it', () => {
    const query =
      'query ($n: Int = 5) { a: releases(first: $n) { nodes { id } } b: releases(first: 100) { nodes { id } } }';
    expect(() => cost(query, { n: null })).toThrow('must not be null');
  });

  test('fragments that double at every level are given up on, fast', () => {
    const fragments = Array.from({ length: 40 }, (_, i) => `fragment f${i} on Release { ...f${i + 1} ...f${i + 1} }`);
    const query = `{ release(id: "x") { ...f0 } } ${fragments.join(' ')} fragment f40 on Release { id }`;
    const from = Date.now();
    expect(() => cost(query)).toThrow('more than 10000 fields');
    expect(Date.now() - from).toBeLessThan(10_000);
  });

  test('what the CLI asks is far below the limit', () => {
    const costs = Object.values(DOCUMENTS).map((query) => {
      const first = query.includes('$first') ? { first: 100, id: 'x' } : { id: 'x' };
      return costOf(schema, {
        document: parse(query),
        variables: { ...first, input: WHOLE[/\$input: (\w+)/.exec(query)?.[1] ?? ''] },
      });
    });
    expect(Math.max(...costs)).toBeLessThan(loadConfig({}).limits.cost / 2);
  });

  const WHOLE: Record<string, unknown> = {
    ReleaseTriggerInput: { product: 'p' },
    ReleaseTerminateInput: { id: 'x' },
    ReleaseRetryInput: { id: 'x' },
    ManifestsApplyInput: { manifests: 'x' },
  };

  const PAGE = 'releases(first: 100) { nodes { promotions { steps { status } } } }';
  const EXPENSIVE = `{ ${Array.from({ length: 60 }, (_, index) => `a${index}: ${PAGE}`).join(' ')} }`;

  test('too much of it is answered 400 on every transport, and nothing is executed', async () => {
    const url = await serve({});
    const answer = await post(url, { query: EXPENSIVE });
    expect([answer.status, answer.body.data]).toEqual([400, undefined]);
    expect(answer.body.errors![0]).toMatchObject({
      message: expect.stringMatching(/may cost \d+, and at most 50000 is allowed/),
      extensions: { code: 'TOO_EXPENSIVE' },
    });
    for (const transport of [overWebSocket, overEventStream]) {
      const watcher = await transport(url, {}, EXPENSIVE);
      await watcher.has(1);
      expect(watcher.results[0]!.errors![0]!.extensions).toEqual({ code: 'TOO_EXPENSIVE' });
      watcher.destroy();
    }
  });

  test('the limit is a setting', async () => {
    const url = await serve({ SLUICE_QUERY_COST: '100' });
    expect((await post(url, { query: '{ releases(first: 90) { nodes { id } } }' })).status).toBe(200);
    expect((await post(url, { query: '{ releases(first: 100) { nodes { id } } }' })).status).toBe(400);
  });
});

describe('how often a caller may ask', () => {
  test('over HTTP it is a 429 that says when to ask again', async () => {
    const url = await serve({ SLUICE_RATE_LIMIT: '3' });
    const answers = await Promise.all(Array.from({ length: 5 }, () => post(url, QUERY)));
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 200, 200, 429, 429]);
    const refused = answers.find(({ status }) => status === 429)!;
    const wait = Number(refused.headers.get('retry-after'));
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(10);
    expect(refused.body.errors![0]).toMatchObject({ extensions: { code: 'RATE_LIMITED', retryAfter: wait } });
  });

  test('all transports count together', async () => {
    const url = await serve({ SLUICE_RATE_LIMIT: '2' });
    expect((await post(url, QUERY)).status).toBe(200);
    const first = await overWebSocket(url);
    const second = await overWebSocket(url);
    await second.has(1);
    expect(second.results[0]!.errors![0]!.extensions).toMatchObject({ code: 'RATE_LIMITED' });
    const stream = await fetch(`${url}/graphql/stream?query={__typename}`, {
      headers: { accept: 'text/event-stream' },
    });
    expect([stream.status, Number(stream.headers.get('retry-after')) > 0]).toEqual([429, true]);
    first.destroy();
    second.destroy();
  });

  test('callers are told apart by address, as the proxy that is trusted says, and by nobody else', async () => {
    const from = (address: string) => ({ 'x-forwarded-for': address });
    const believing = await serve({ SLUICE_RATE_LIMIT: '1', SLUICE_TRUSTED_PROXIES: '127.0.0.1' });
    expect((await post(believing, QUERY, from('203.0.113.1'))).status).toBe(200);
    expect((await post(believing, QUERY, from('203.0.113.2'))).status).toBe(200);
    expect((await post(believing, QUERY, from('203.0.113.1'))).status).toBe(429);
    // What a client writes stands further left than what the proxy adds.
    expect((await post(believing, QUERY, from('198.51.100.9, 203.0.113.2'))).status).toBe(429);
    const cautious = await serve({ SLUICE_RATE_LIMIT: '1' });
    expect((await post(cautious, QUERY, from('203.0.113.1'))).status).toBe(200);
    expect((await post(cautious, QUERY, from('203.0.113.2'))).status).toBe(429);
  });

  test('a new token that is not good makes no new caller', async () => {
    const url = await serve({ SLUICE_RATE_LIMIT: '1' });
    expect((await post(url, QUERY, { 'x-some-token': 'a' })).status).toBe(200);
    expect((await post(url, QUERY, { 'x-some-token': 'b' })).status).toBe(429);
  });

  test('a server that only this machine reaches does not count; any other does, unless it is told otherwise', () => {
    expect(loadConfig({}).limits.operations).toBe(0);
    expect(loadConfig({ HOST: '0.0.0.0' }).limits.operations).toBe(1_000);
    expect(loadConfig({ HOST: '0.0.0.0', SLUICE_RATE_LIMIT: '0' }).limits.operations).toBe(0);
  });

  test.each([
    ['192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::1', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ])('%s is one of %s', (address, network) => expect(neighbourhood(address)).toBe(network));
});

describe('how much a caller may hold open', () => {
  const status = (url: string): Promise<number | 'open'> =>
    new Promise((resolve) => {
      const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
      socket.once('unexpected-response', (_, response) => resolve(response.statusCode!));
      socket.once('open', () => resolve('open'));
      socket.on('error', () => undefined);
    });

  test('WebSockets and event streams together, and a place is free again when one is closed', async () => {
    const url = await serve({ SLUICE_MAX_STREAMS: '2' });
    const socket = await overWebSocket(url);
    const stream = await overEventStream(url);
    expect(await status(url)).toBe(429);
    const refused = await fetch(`${url}/graphql/stream?query={__typename}`, {
      headers: { accept: 'text/event-stream' },
    });
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '10']);
    expect((await post(url, QUERY)).status).toBe(200);
    stream.destroy();
    await expect.poll(() => status(url)).toBe('open');
    socket.destroy();
  });

  test('subscriptions, on however many sockets', async () => {
    const url = await serve({ SLUICE_MAX_SUBSCRIPTIONS: '2' });
    const [first, second] = [await overWebSocket(url), await overEventStream(url)];
    const third = await overWebSocket(url);
    await third.has(1);
    expect(third.results[0]!.errors![0]!.extensions).toEqual({ code: 'TOO_MANY_SUBSCRIPTIONS' });
    first.destroy();
    second.destroy();
    // Both places are free again.
    const free = async (): Promise<boolean> => {
      const [a, b] = [await overWebSocket(url), await overWebSocket(url)];
      const refused = [...a.results, ...b.results].length;
      a.destroy();
      b.destroy();
      return refused === 0;
    };
    await expect.poll(free).toBe(true);
  });

  test('connections', async () => {
    const url = await serve({ SLUICE_MAX_CONNECTIONS: '2' });
    const { hostname, port } = new URL(url);
    const open = () => {
      const socket = connect(Number(port), hostname);
      socket.on('error', () => undefined);
      const closed = new Promise<'closed'>((resolve) => socket.once('close', () => resolve('closed')));
      return { socket, closed };
    };
    const held = [open(), open()];
    await Promise.all(held.map(({ socket }) => new Promise((resolve) => socket.once('connect', resolve))));
    expect(await open().closed).toBe('closed');
    for (const { socket } of held) socket.destroy();
    await expect
      .poll(() =>
        post(url, QUERY).then(
          (answer) => answer.status,
          () => 0,
        ),
      )
      .toBe(200);
  });
});

describe('who sends slowly is let go', () => {
  test.each([
    ['headers that never end', 'POST /graphql HTTP/1.1\r\nHost: localhost\r\n', 'X-More: 1\r\n'],
    [
      'a body that never ends',
      'POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n',
      ' ',
    ],
  ])('%s', async (_name, start, more) => {
    const url = await serve({ SLUICE_REQUEST_TIMEOUT_MS: '1000' });
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined);
    let answer = '';
    socket.on('data', (data) => (answer += data.toString()));
    socket.write(start);
    const drip = setInterval(() => socket.write(more), 100);
    await new Promise((resolve) => socket.once('close', resolve));
    clearInterval(drip);
    expect(answer).toContain('408');
  });

  test('and a stream that is open for long is no slow request', async () => {
    const url = await serve({ SLUICE_REQUEST_TIMEOUT_MS: '1000' });
    const [socket, stream] = [await overWebSocket(url), await overEventStream(url)];
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    await engine.saveBilling();
    await engine.trigger({ product: 'billing', version: '1.0.0' });
    await Promise.all([socket.has(1), stream.has(1)]);
    socket.destroy();
    stream.destroy();
  });
});

describe('pages of other sites', () => {
  const preflight = (url: string, origin: string, path = '/graphql') =>
    fetch(`${url}${path}`, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type',
      },
    });
  const PORTAL = 'https://portal.example.com';

  test('are told nothing unless they are on the list', async () => {
    const url = await serve({});
    const answer = await preflight(url, PORTAL);
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    const asked = await post(url, QUERY, { origin: PORTAL });
    expect([asked.status, asked.body.errors![0]!.extensions]).toEqual([403, { code: 'FORBIDDEN' }]);
    expect(asked.headers.get('access-control-allow-origin')).toBeNull();
  });

  test.each(['/graphql', '/graphql/stream'])(
    'on the list may use %s, with a token and without cookies',
    async (path) => {
      const url = await serve({ SLUICE_ALLOWED_ORIGINS: `${PORTAL} https://other.example` });
      const { headers, status } = await preflight(url, PORTAL, path);
      expect(status).toBe(204);
      expect(headers.get('access-control-allow-origin')).toBe(PORTAL);
      expect(headers.get('access-control-allow-headers')).toContain('authorization');
      expect(headers.get('access-control-allow-credentials')).toBeNull();
      expect(headers.get('vary')).toContain('Origin');
      expect(
        (await preflight(url, 'https://portal.example.com.evil.test', path)).headers.get('access-control-allow-origin'),
      ).toBeNull();
    },
  );

  test('on the list get answers', async () => {
    const url = await serve({ SLUICE_ALLOWED_ORIGINS: PORTAL });
    const asked = await post(url, QUERY, { origin: PORTAL });
    expect([asked.status, asked.headers.get('access-control-allow-origin')]).toEqual([200, PORTAL]);
    expect((await post(url, QUERY, { origin: 'null' })).status).toBe(403);
  });

  test('our own pages are ours behind a proxy as well', async () => {
    const url = await serve({ SLUICE_PUBLIC_URL: 'https://sluice.example.com/app' });
    expect((await post(url, QUERY, { origin: 'https://sluice.example.com' })).status).toBe(200);
  });

  test.each(['*', 'portal.example.com', 'https://x.example/path', 'null', 'https://*.example.com'])(
    '%s is no origin',
    (origin) => expect(() => loadConfig({ SLUICE_ALLOWED_ORIGINS: origin })).toThrow('SLUICE_ALLOWED_ORIGINS'),
  );
});

test('the subscription of the tests is a subscription', () => expect(parse(EVENTS).kind).toBe('Document'));

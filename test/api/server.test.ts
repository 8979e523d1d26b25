import { readFileSync } from 'node:fs';
import { get } from 'node:http';
import { connect } from 'node:net';
import { parse } from 'graphql';
import { serverAudits } from 'graphql-http';
import { GraphQLError } from 'graphql';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { type ApiServer, startServer } from '../../src/server.ts';
import { openTestEngine, type TestEngine } from '../support/engine.ts';
import { answerOf, EVENTS, overWebSocket, post } from './support/clients.ts';

let engine: TestEngine;
let server: ApiServer;
let url: string;

beforeAll(async () => {
  engine = await openTestEngine({ name: 'postgres', queuePrefix: `t${process.pid}` });
  server = await startServer(engine.app);
  ({ url } = server);
});
afterAll(async () => {
  await server.close();
  await engine.close();
});

const stillUp = async (): Promise<void> => {
  expect((await post(url, { query: '{ __typename }' })).body).toEqual({ data: { __typename: 'Query' } });
};

describe('GraphQL over HTTP', () => {
  test('every audit that the specification makes a must is passed', async () => {
    const audits = serverAudits({ url: () => `${url}/graphql` });
    const results = await Promise.all(audits.map((audit) => audit.fn()));
    const failed = results.filter((each) => each.status === 'error');
    expect(failed.map(({ name, reason }: { name: string; reason?: string }) => `${name}: ${reason}`)).toEqual([]);
    expect(results.length).toBeGreaterThan(50);
  });

  test('answers in the media type that was asked for', async () => {
    const answer = await post(url, { query: '{ __typename }' });
    expect(answer.type).toBe('application/graphql-response+json; charset=utf-8');
    expect(answer.status).toBe(200);
  });

  test('tells its schema to whoever asks', async () => {
    const { body } = await post(url, { query: '{ __schema { queryType { name } } }' });
    expect(body.data).toEqual({ __schema: { queryType: { name: 'Query' } } });
  });

  test('a simple request of another site is refused before it is executed', async () => {
    const answer = await answerOf(
      await fetch(`${url}/graphql?query={__typename}`, { headers: { 'content-type': 'text/plain' } }),
    );
    expect(answer.status).toBe(400);
    expect(answer.body.errors![0]!.message).toContain('CSRF');
  });

  test('several operations in one request are refused', async () => {
    const answer = await post(url, [{ query: '{ __typename }' }, { query: '{ __typename }' }]);
    expect(answer.status).toBe(400);
    expect(answer.body.errors![0]!.message).toContain('batching');
  });
});

describe('what is sent compressed', () => {
  const SCHEMA = '{ __schema { types { name description } } }';
  const encodingOf = async (body: object, path = '/graphql'): Promise<string | null> => {
    const headers = { 'content-type': 'application/json', 'accept-encoding': 'gzip' };
    const response = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    await response.arrayBuffer();
    return response.headers.get('content-encoding');
  };

  test('an answer above 8 kB is, where the client takes it, and says the same', async () => {
    const asked = (encoding: string) => post(url, { query: SCHEMA }, { 'accept-encoding': encoding });
    const [plain, zipped] = [await asked('identity'), await asked('gzip')];
    expect([plain, zipped].map(({ headers }) => headers.get('content-encoding'))).toEqual([null, 'gzip']);
    expect(zipped.body).toEqual(plain.body);
    expect(zipped.headers.get('vary')).toContain('Accept-Encoding');
    expect(await encodingOf({ query: '{ __typename }' })).toBeNull();
  });

  test('one of a mutation is not, by proxies either: it can hold a secret beside text of its reader', async () => {
    const names = Array.from({ length: 100 }, (_, index) => `a${index}`);
    const one = (name: string) =>
      `${name}: productDelete(input: { name: "${name.padEnd(200, 'x')}" }) { userErrors { message } }`;
    const answer = await post(
      url,
      { query: `mutation { ${names.map(one).join(' ')} }` },
      { 'accept-encoding': 'gzip' },
    );
    expect(JSON.stringify(answer.body).length).toBeGreaterThan(20_000);
    expect(answer.headers.get('content-encoding')).toBeNull();
    expect(answer.headers.get('cache-control')).toContain('no-transform');
  });

  test('a stream is not: each event leaves at once', async () => {
    expect(await encodingOf({ query: SCHEMA }, '/graphql/stream')).toBeNull();
  });

  test('files of the pages are', async () => {
    const response = await fetch(`${url}/schemas/PromotionFlow.json`, { headers: { 'accept-encoding': 'gzip' } });
    expect(response.headers.get('content-encoding')).toBe('gzip');
    expect(await response.json()).toHaveProperty('$schema');
  });
});

describe('what is too much', () => {
  test('a query of 5 MB is answered 413 in GraphQL shape, and the server stays up', async () => {
    const answer = await post(url, { query: `{ __typename ${' '.repeat(5_000_000)} }` });
    expect(answer.status).toBe(413);
    expect(answer.body.errors).toEqual([
      {
        message: 'the request is too large: at most 1048576 bytes are read',
        extensions: { code: 'PAYLOAD_TOO_LARGE' },
      },
    ]);
    await stillUp();
  });

  test.each([
    ['tokens', `{ ${'__typename '.repeat(6_000)} }`, '5000 tokens'],
    [
      'aliases',
      `{ ${Array.from({ length: 101 }, (_, index) => `a${index}: releaseEventLog { edges { cursor } }`).join(' ')} }`,
      'Aliases limit of 100 exceeded',
    ],
    ['levels', nested(20), 'Query depth limit of 15 exceeded'],
    [
      'fragments in a circle',
      '{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }',
      'Cannot spread fragment',
    ],
  ])('a query of too many %s is answered 400 and says why', async (_, query, why) => {
    const answer = await post(url, { query });
    expect(answer.status).toBe(400);
    expect(answer.body.errors!.map((each) => each.message).join('\n')).toContain(why);
  });

  test('the same limits hold over WebSocket', async () => {
    const watcher = await overWebSocket(url, {}, `subscription { ${'__typename '.repeat(6_000)} }`);
    await watcher.has(1);
    expect(watcher.results[0]!.errors![0]!.message).toContain('5000 tokens');
    watcher.destroy();
  });

  test('a WebSocket message that is too large closes that socket alone', async () => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    const closed = new Promise<number>((resolve) => socket.once('close', resolve));
    socket.on('error', () => undefined);
    socket.once('open', () => socket.send('x'.repeat(2_000_000)));
    expect(await closed).toBe(1009);
    await stillUp();
  });

  test('the introspection that IDEs send is within the limits', async () => {
    const { getIntrospectionQuery } = await import('graphql');
    const query = getIntrospectionQuery({ inputValueDeprecation: true, specifiedByUrl: true });
    expect(parse(query).kind).toBe('Document');
    expect((await post(url, { query })).body.errors).toBeUndefined();
  });
});

describe('what goes wrong', () => {
  test('inside stays inside: the client gets a number, the log the error', async () => {
    const error = vi.spyOn(engine.app.log, 'error');
    const query = vi.spyOn(engine.app.pool, 'query').mockRejectedValue(new Error('password=hunter2'));
    try {
      const { body, status } = await post(url, { query: '{ windowState(environment: "dev") { closed } }' });
      expect(status).toBeLessThan(600);
      const [only] = body.errors!;
      expect(only!.extensions).toEqual({ code: 'INTERNAL_SERVER_ERROR', logId: expect.any(String) });
      expect(JSON.stringify(body)).not.toContain('hunter2');
      expect(JSON.stringify(body)).not.toContain('stack');
      const [logged] = error.mock.calls.at(-1) as unknown as [{ logId: string; error: Error }];
      expect(logged.logId).toBe(only!.extensions!['logId']);
      expect(logged.error.message).toBe('password=hunter2');
    } finally {
      query.mockRestore();
      error.mockRestore();
    }
  });

  test.each([
    ['first', '{ releaseEventLog(first: 1001) { edges { cursor } } }', 'must be from 1 to 1000'],
    ['after', '{ releaseEventLog(after: "nonsense") { edges { cursor } } }', "'nonsense' is not a cursor"],
    ['filter', '{ releaseEventLog(filter: {releaseId: "x"}) { edges { cursor } } }', "'x' is not the id of a release"],
    ['a NUL', '{ releaseEventLog(filter: {product: "a\\u0000b"}) { edges { cursor } } }', 'NUL character'],
  ])('in the arguments is told: %s', async (_, query, why) => {
    const [error] = (await post(url, { query })).body.errors!;
    expect(error!.message).toContain(why);
    expect(error!.extensions!['code']).toBe('BAD_USER_INPUT');
  });

  test.each([
    ['not JSON', '{"query": ', 400],
    ['nothing', '', 400],
    ['a number', '7', 400],
    ['null', 'null', 400],
  ])('a body that is %s is a 400 in GraphQL shape', async (_, body, status) => {
    const answer = await post(url, body);
    expect(answer.status).toBe(status);
    expect(answer.body.errors![0]!.message).not.toBe('');
  });

  test('noise on the socket does not disturb anybody else', async () => {
    const { hostname, port } = new URL(url);
    for (const noise of [
      '\0\x01\x02',
      'GET / HTTP/9\r\n\r\n',
      'POST /graphql HTTP/1.1\r\nContent-Length: 99999\r\n\r\n{',
    ]) {
      const socket = connect(Number(port), hostname);
      socket.on('error', () => undefined);
      await new Promise((resolve) => socket.once('connect', resolve));
      socket.write(noise);
      socket.destroy();
    }
    await stillUp();
    expect(new GraphQLError('x')).toBeInstanceOf(Error);
  });
});

describe('who may come in', () => {
  const upgrade = (path: string, headers: Record<string, string>): Promise<number | 'open'> =>
    new Promise((resolve) => {
      const socket = new WebSocket(`${url.replace('http', 'ws')}${path}`, 'graphql-transport-ws', { headers });
      socket.once('unexpected-response', (_, response) => resolve(response.statusCode!));
      socket.once('open', () => {
        socket.close();
        resolve('open');
      });
      socket.on('error', () => undefined);
    });

  test.each<[string, Record<string, string>, number | 'open']>([
    ['a program', {}, 'open'],
    ['a page of our own', { origin: 'OURS' }, 'open'],
    ['a page of another site', { origin: 'https://evil.example' }, 403],
    ['a page without a site', { origin: 'null' }, 403],
  ])('by WebSocket: %s', async (_, headers, expected) => {
    expect(await upgrade('/graphql', headers['origin'] === 'OURS' ? { origin: url } : headers)).toBe(expected);
  });

  test.each([
    ['evil.example', 421],
    ['evil.example:4000', 421],
    ['localhost', 200],
    ['127.0.0.1', 200],
    ['[::1]:4000', 200],
  ])('a page whose name was made to point at loopback is refused: host %s, %i', async (host, expected) => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      get(new URL('/healthz', url), { headers: { host } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).on('error', reject);
    });
    expect(status).toBe(expected);
  });

  test('a WebSocket elsewhere is a 404', async () => {
    expect(await upgrade('/elsewhere', {})).toBe(404);
  });

  test('by event stream: no page of another site, and nothing that a form can send', async () => {
    const stream = `${url}/graphql/stream`;
    const foreign = await fetch(`${stream}?query={__typename}`, {
      headers: { accept: 'text/event-stream', origin: 'https://evil.example' },
    });
    expect(foreign.status).toBe(403);
    const form = await fetch(stream, {
      method: 'POST',
      headers: { accept: 'text/event-stream', 'content-type': 'text/plain; application/json' },
      body: '{}',
    });
    expect(form.status).toBe(415);
  });

  test('a site that is on the list', async () => {
    const config = { ...engine.app.config, allowedOrigins: ['https://portal.example.com'] };
    const other = await startServer({ ...engine.app, config });
    const socket = new WebSocket(`${other.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', {
      origin: 'https://portal.example.com',
    });
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    socket.terminate();
    await other.close();
  });

  test('a socket that subscribes without end is told to stop', async () => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    await new Promise((resolve) => socket.once('open', resolve));
    const refused = new Promise<string>((resolve) => {
      socket.on('message', (data: Buffer) => {
        const message = JSON.parse(data.toString()) as {
          type: string;
          id: string;
          payload?: { extensions: { code: string } }[];
        };
        if (message.type === 'error') resolve(`${message.id} ${message.payload![0]!.extensions.code}`);
        if (message.type === 'connection_ack') {
          for (let id = 1; id <= 251; id += 1)
            socket.send(JSON.stringify({ id: String(id), type: 'subscribe', payload: { query: EVENTS } }));
        }
      });
    });
    socket.send(JSON.stringify({ type: 'connection_init' }));
    expect(await refused).toBe('251 TOO_MANY_SUBSCRIPTIONS');
    socket.terminate();
  });
});

describe('besides GraphQL', () => {
  test('a living process says so', async () => {
    expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ status: 'ok' });
  });

  test('the front page is the web app, or how to build it', async () => {
    const answer = await fetch(url, { redirect: 'manual' });
    const text = await answer.text();
    if (answer.status === 404) expect(text).toContain('npm run build:web');
    else expect(text).toContain('<title>Sluice</title>');
  });

  test('the IDE is there, or how to build it', async () => {
    const answer = await fetch(`${url}/graphiql/`);
    const text = await answer.text();
    if (answer.status === 404) expect(text).toContain('npm run build:web');
    else expect(text).toContain('<html');
  });

  test('the schemas of manifests are there for editors and Kubernetes, and the list of them', async () => {
    const list = (await (await fetch(`${url}/schemas`)).json()) as string[];
    expect(list).toContain('/schemas/PromotionFlow.json');
    expect(list).toContain('/schemas/crds/promotionflows.yaml');
    const flow = await fetch(`${url}/schemas/PromotionFlow.json`, { headers: { origin: 'https://editor.example' } });
    expect(flow.headers.get('access-control-allow-origin')).toBe('*');
    expect(await flow.text()).toBe(readFileSync('schemas/PromotionFlow.json', 'utf8'));
    expect(await (await fetch(`${url}/schemas/crds/promotionflows.yaml`)).text()).toContain('kind: PromotionFlow');
    for (const path of ['/schemas/Nothing.json', '/schemas/crds', '/schemas/%2e%2e/package.json', '/schemas/%ff'])
      expect([path, (await fetch(`${url}${path}`)).status >= 400]).toEqual([path, true]);
  });

  test('nowhere is a 404 in GraphQL shape', async () => {
    const answer = await answerOf(await fetch(`${url}/nowhere`));
    expect([answer.status, answer.body.errors![0]!.extensions]).toEqual([404, { code: 'NOT_FOUND' }]);
  });

  test('every answer carries the headers that keep a browser from harm, and none that names the software', async () => {
    const { headers } = await fetch(`${url}/healthz`);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(headers.get('x-powered-by')).toBeNull();
  });

  test('a server that is closed listens no more, whoever was connected', async () => {
    const other = await startServer(engine.app);
    const watcher = await overWebSocket(other.url);
    await post(other.url, { query: '{ __typename }' });
    await other.close();
    await watcher.gone;
    await expect(fetch(`${other.url}/healthz`)).rejects.toThrow();
    await other.close();
  });

  test('a process that only works answers for its health and for nothing else', async () => {
    const { app } = engine;
    const other = await startServer({ ...app, config: { ...app.config, role: 'worker' } });
    expect((await fetch(`${other.url}/healthz`)).status).toBe(200);
    expect((await post(other.url, { query: '{ __typename }' })).status).toBe(404);
    await other.close();
  });
});

/** As deep as one likes, on any schema. */
function nested(depth: number): string {
  return `{ __type(name: "Query") { ${'ofType { '.repeat(depth)} name ${'}'.repeat(depth)} } }`;
}

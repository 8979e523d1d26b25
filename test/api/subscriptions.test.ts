import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createClient } from 'graphql-ws';
import { createClient as createSseClient } from 'graphql-sse';
import { WebSocket } from 'ws';
import type { ReleaseEvent } from '../../src/core/events.ts';
import { toNodeId } from '../../src/schema/node-id.ts';
import { type ApiServer, startServer } from '../../src/server.ts';
import { LogWriter, newRelease, steps } from '../events/support/writer.ts';
import { openTestEngine, type TestEngine } from '../support/engine.ts';
import { forEachBackend } from '../support/backends.ts';
import {
  EVENTS,
  overEventStream,
  overWebSocket,
  post,
  type Edge,
  type Transport,
  type Watcher,
} from './support/clients.ts';

const numbers = (edges: Edge[]): number[] => edges.map(({ node }) => node.sequence);
const oneTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
const TRANSPORTS: [string, Transport][] = [
  ['graphql-ws', overWebSocket],
  ['server-sent events', overEventStream],
];

let engine: TestEngine;
let writer: LogWriter;
const servers: ApiServer[] = [];
const watchers: Watcher[] = [];

const inPostgres = { name: 'postgres', queuePrefix: `t${process.pid}` } as const;

beforeAll(async () => {
  engine = await openTestEngine(inPostgres);
  writer = await LogWriter.connect(engine.databaseUrl);
});
afterEach(async () => {
  for (const each of watchers.splice(0)) each.destroy();
  await Promise.all(servers.splice(0).map((each) => each.close()));
});
afterAll(async () => {
  await writer.close();
  await engine.close();
});

async function serve(app = engine.app, events = {}): Promise<ApiServer> {
  const server = await startServer(app, { events: { pollMs: 30_000, ...events } });
  servers.push(server);
  return server;
}

async function watch(transport: Transport, ...args: Parameters<Transport>): Promise<Watcher> {
  const watcher = await transport(...args);
  watchers.push(watcher);
  return watcher;
}

const of = (release: string): { filter: Record<string, unknown> } => ({
  filter: { releaseId: toNodeId('Release', release) },
});

describe.each(TRANSPORTS)('over %s', (_, transport) => {
  test('a subscription that was cut off goes on with its cursor: each later event once', async () => {
    const { url } = await serve();
    const release = newRelease();
    const first = await watch(transport, url, { ...of(release), after: '' });
    await writer.many(release, steps(5));
    await first.has(5);
    first.destroy();
    await first.gone;
    await writer.many(release, steps(3));
    // Cut after the third, whatever else had been on its way.
    const second = await watch(transport, url, { ...of(release), after: first.edges()[2]!.cursor });
    await second.has(5);
    await writer.many(release, steps(2));
    await second.has(7);
    expect(numbers([...first.edges().slice(0, 3), ...second.edges()])).toEqual(oneTo(10));
  });

  test('a restart of the server cuts it off without calling it complete, and the cursor is good at the next one', async () => {
    const server = await serve();
    const release = newRelease();
    const first = await watch(transport, server.url, { ...of(release), after: '' });
    await writer.many(release, steps(2));
    await first.has(2);
    await server.close();
    const code = await first.gone;
    expect(first.completed).toBe(false);
    if (transport === overWebSocket) expect(code).toBe(1001);
    await writer.many(release, steps(2));
    const next = await serve();
    const second = await watch(transport, next.url, { ...of(release), after: first.edges().at(-1)!.cursor });
    await second.has(2);
    expect(numbers([...first.edges(), ...second.edges()])).toEqual(oneTo(4));
  });

  test('a cursor of one server is good at another one', async () => {
    const [one, two] = [await serve(), await serve(await engine.another())];
    const release = newRelease();
    const first = await watch(transport, one.url, { ...of(release), after: '' });
    await writer.many(release, steps(3));
    await first.has(3);
    const second = await watch(transport, two.url, { ...of(release), after: first.edges()[1]!.cursor });
    await writer.many(release, steps(1));
    await Promise.all([first.has(4), second.has(2)]);
    expect(numbers(second.edges())).toEqual([3, 4]);
  });

  test('a client that does not read is not buffered for, and is served to the end when it reads again', async () => {
    const { url } = await serve(engine.app, { ringSize: 10 });
    const release = newRelease();
    const query = EVENTS.replace('__typename', '__typename ... on ReleaseTerminating { reason }');
    const lazy = await watch(transport, url, { ...of(release), after: '' }, query);
    lazy.pause();
    const reason = 'x'.repeat(50_000);
    // Two of a decision, as most decisions have.
    const write = async (): Promise<void> => {
      for (let round = 0; round < 300; round += 1)
        await writer.many(release, Array(2).fill({ type: 'ReleaseTerminating', reason }) as ReleaseEvent[]);
    };
    await write();
    const quick = await watch(overWebSocket, url, { ...of(release), after: '' });
    await quick.has(600);
    // One page for the lazy one, and the network's own buffers, are full by now.
    const full = memory();
    await write();
    await quick.has(1_200);
    // 30 MB more were written. What the writer has just sent is freed a moment later.
    for (let tries = 0; tries < 100 && memory() - full >= 20_000_000; tries += 1) await wait(100);
    expect(memory() - full).toBeLessThan(20_000_000);
    expect(lazy.results.length).toBeLessThan(1_200);
    lazy.resume();
    await lazy.has(1_200);
    expect(numbers(lazy.edges())).toEqual(oneTo(1_200));
  }, 240_000);

  test('a cursor that is none is refused in words, an expired one with the oldest cursor', async () => {
    const { url } = await serve();
    const nonsense = await watch(transport, url, { after: 'nonsense' });
    await nonsense.has(1);
    expect(nonsense.results[0]!.errors![0]).toMatchObject({
      message: expect.stringContaining("'nonsense' is not a cursor"),
      extensions: { code: 'BAD_USER_INPUT' },
    });
    await writer.write(newRelease());
    const foreign = Buffer.from('after.999.999.0123abcd').toString('base64url');
    const expired = await watch(transport, url, { after: foreign });
    await expired.has(1);
    const { extensions } = expired.results[0]!.errors![0]!;
    expect(extensions).toMatchObject({ code: 'CURSOR_EXPIRED' });
    const again = await watch(transport, url, { after: extensions!['oldestCursor'] as string });
    await again.has(1);
    expect(again.edges()).toHaveLength(again.results.length);
  });

  test('an operation that is not valid is answered with its errors', async () => {
    const { url } = await serve();
    const watcher = await watch(transport, url, {}, 'subscription { releaseEvents { cursor nothing } }');
    await watcher.has(1);
    expect(watcher.results[0]!.errors![0]!.message).toContain('Cannot query field "nothing"');
  });
});

describe('client libraries', () => {
  test('graphql-ws reconnects by itself after a restart, and its retry carries the last cursor', async () => {
    let server = await serve();
    const { port } = server;
    const release = newRelease();
    const client = createClient({
      url: `ws://127.0.0.1:${port}/graphql`,
      webSocketImpl: WebSocket,
      retryAttempts: 500,
      retryWait: () => wait(50),
      shouldRetry: () => true,
    });
    const seen: number[] = [];
    const variables = { ...of(release), after: '' };
    const five = new Promise<void>((resolve, reject) => {
      client.subscribe<{ releaseEvents: Edge }>(
        { query: EVENTS, variables },
        {
          next: ({ data }) => {
            variables.after = data!.releaseEvents.cursor;
            if (seen.push(data!.releaseEvents.node.sequence) === 5) resolve();
          },
          error: reject,
          complete: () => undefined,
        },
      );
    });
    await writer.many(release, steps(3));
    while (seen.length < 3) await wait(5);
    await server.close();
    await writer.many(release, steps(2));
    server = await startServer({ ...engine.app, config: { ...engine.app.config, port } });
    servers.push(server);
    await five;
    expect(seen).toEqual(oneTo(5));
    await client.dispose();
  });

  test('graphql-sse reads the stream', async () => {
    const { url } = await serve();
    const release = newRelease();
    const client = createSseClient({ url: `${url}/graphql/stream` });
    const events = client.iterate<{ releaseEvents: Edge }>({ query: EVENTS, variables: { ...of(release), after: '' } });
    await writer.many(release, steps(2));
    const first = await events.next();
    expect((first.value as { data: { releaseEvents: Edge } }).data.releaseEvents.node.sequence).toBe(1);
    await events.return?.();
    client.dispose();
  });

  test('a plain EventSource gets along with a GET', async () => {
    const { url } = await serve();
    const release = newRelease();
    await writer.write(release);
    const query = new URLSearchParams({ query: EVENTS, variables: JSON.stringify({ ...of(release), after: '' }) });
    const response = await fetch(`${url}/graphql/stream?${query.toString()}`, {
      headers: { accept: 'text/event-stream' },
    });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const reader = response.body!.getReader();
    let text = '';
    while (!text.includes('ReleaseStarted')) text += new TextDecoder().decode((await reader.read()).value);
    await reader.cancel();
  });
});

test('a hundred that watch the same screen cost one execution per event, whatever cursors they came with', async () => {
  const { url } = await serve();
  const release = newRelease();
  const first = await watch(overWebSocket, url, of(release));
  await writer.many(release, steps(3));
  // The log ends below the server's oldest open transaction, and other tests share the server: from here on the three are old.
  await first.has(3);
  const { cursor } = first.edges()[2]!;
  const many = await Promise.all(
    Array.from({ length: 100 }, (_, index) =>
      watch(overWebSocket, url, { ...of(release), after: index % 2 ? cursor : null }),
    ),
  );
  await writer.many(release, steps(2));
  await Promise.all(many.map((each) => each.has(2)));
  for (const each of many) expect(numbers(each.edges())).toEqual([4, 5]);
});

forEachBackend((backend) => {
  test('a release is followed from its first event to its last, and the log says the same', async () => {
    const real = await openTestEngine(backend);
    const [one, two] = [await startServer(real.app), await startServer(await real.another())];
    try {
      await real.saveBilling();
      const watcher = await watch(overWebSocket, two.url, { filter: { product: 'billing' } });
      const query = 'subscription { releaseEvents { cursor node { sequence releaseId release { id status } } } }';
      const nested = await watch(overEventStream, one.url, {}, query);
      await real.startWorker();
      const id = await real.trigger({ product: 'billing', version: '1.0.0' });
      await real.ended(id);
      const count = (await real.events(id)).length;
      await watcher.has(count);
      expect(numbers(watcher.edges())).toEqual(oneTo(count));
      expect(watcher.edges()[0]!.node.__typename).toBe('ReleaseQueued');
      expect(watcher.edges().at(-1)!.node).toMatchObject({
        __typename: 'ReleaseSucceeded',
        releaseStatus: 'SUCCEEDED',
      });
      await nested.has(count);
      for (const { node } of nested.edges() as { node: { releaseId: string; release?: { id: string } } }[]) {
        expect(node.release!.id).toBe(node.releaseId);
      }
      const logged: Edge[] = [];
      for (let after: string | null = null, more = true; more;) {
        const query = `query ($after: String) { releaseEventLog(first: 10, after: $after) {
          edges { cursor node { __typename sequence releaseId releaseStatus } } pageInfo { hasNextPage endCursor } } }`;
        const { body } = await post(one.url, { query, variables: { after } });
        const page = body.data!['releaseEventLog'] as {
          edges: Edge[];
          pageInfo: { hasNextPage: boolean; endCursor: string };
        };
        logged.push(...page.edges);
        ({ hasNextPage: more, endCursor: after } = page.pageInfo);
      }
      expect(logged).toEqual(watcher.edges());
    } finally {
      await Promise.all([one.close(), two.close()]);
      await real.close();
    }
  });
});

/** Bytes in use, garbage taken out. */
function memory(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { deleteGrant } from '../../src/commands/access/change-grants.ts';
import { createToken } from '../../src/commands/access/create-token.ts';
import { revokeToken } from '../../src/commands/access/revoke-token.ts';
import { LogWriter, newRelease } from '../events/support/writer.ts';
import { bearer, type GuardedServer, openGuarded, SOMEBODY, type Token } from './support.ts';

let guarded: GuardedServer;
let writer: LogWriter;
const closers: (() => void)[] = [];
beforeAll(async () => {
  guarded = await openGuarded();
  for (const product of ['billing', 'shop']) await guarded.engine.saveBilling(product);
  writer = await LogWriter.connect(guarded.engine.databaseUrl);
});
afterEach(() => {
  for (const close of closers.splice(0)) close();
});
afterAll(async () => {
  await writer.close();
  await guarded.close();
});

const EVENTS = `subscription ($after: String) { releaseEvents(after: $after) { cursor node {
  __typename product ... on PromotionEvent { environment } ... on ReleaseQueued { environments } } } }`;

interface Watched {
  events: { cursor: string; node: { __typename: string; product: string; environment?: string } }[];
  /** How it ended: a close code and its reason, or the last error of a stream. */
  end: Promise<{ code: unknown; reason: string }>;
}
type Watch = (token: Token, url?: string, after?: string) => Promise<Watched>;

const overSocket: Watch = (token, url = guarded.url, after) =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    closers.push(() => socket.terminate());
    const events: Watched['events'] = [];
    const end = new Promise<{ code: unknown; reason: string }>((ended) =>
      socket.on('close', (code, reason) => ended({ code, reason: reason.toString() })),
    );
    void end.then(({ reason }) => reject(new Error(reason)));
    const send = (message: object): void => socket.send(JSON.stringify(message));
    socket.on('error', reject);
    socket.on('open', () => send({ type: 'connection_init', payload: bearer(token) }));
    socket.on('pong', () => resolve({ events, end }));
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as { type: string; payload: { data?: { releaseEvents: never } } };
      if (message.type === 'connection_ack') {
        send({ id: '1', type: 'subscribe', payload: { query: EVENTS, variables: { after } } });
        setTimeout(() => socket.ping(), 100);
      }
      if (message.type === 'next' && message.payload.data) events.push(message.payload.data.releaseEvents);
      if (message.type === 'error') reject(new Error(JSON.stringify(message.payload)));
    });
  });

const overStream: Watch = async (token, url = guarded.url, after) => {
  const abort = new AbortController();
  closers.push(() => abort.abort());
  const response = await fetch(`${url}/graphql/stream`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...bearer(token) },
    body: JSON.stringify({ query: EVENTS, variables: { after } }),
    signal: abort.signal,
  });
  const events: Watched['events'] = [];
  const read = async (): Promise<{ code: unknown; reason: string }> => {
    let text = '';
    let last = { code: null as unknown, reason: '' };
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      text += Buffer.from(chunk).toString();
      for (let at = text.indexOf('\n\n'); at >= 0; at = text.indexOf('\n\n')) {
        const json = /data: (\{.*)/.exec(text.slice(0, at))?.[1];
        text = text.slice(at + 2);
        if (json === undefined) continue;
        const { data, errors } = JSON.parse(json) as {
          data?: { releaseEvents: Watched['events'][number] };
          errors?: { message: string; extensions: { code: string } }[];
        };
        if (data) events.push(data.releaseEvents);
        if (errors?.[0]) last = { code: errors[0].extensions.code, reason: errors[0].message };
      }
    }
    return last;
  };
  const end = read().catch((error: Error) => ({ code: null, reason: error.message }));
  return { events, end };
};

const TRANSPORTS: [string, Watch, unknown][] = [
  ['WebSocket', overSocket, 4401],
  ['event stream', overStream, 'UNAUTHENTICATED'],
];

const promotion = (environment: string) => ({
  type: 'PromotionStarted' as const,
  environment,
  attempt: 1,
  before: 'PENDING' as const,
  status: 'RUNNING' as const,
});

describe.each(TRANSPORTS)('over a %s', (_name, watch, refusedWith) => {
  test('only what the caller may see arrives', async () => {
    const token = await guarded.token('VIEWER', { products: { names: ['billing'] }, environments: { names: ['eu'] } });
    const all = await watch(await guarded.token('VIEWER'));
    // "From now on" is from what the server has read: what an earlier test wrote last may still be on its way, and so may be the subscription.
    const marked = async () => {
      await writer.write(newRelease(), promotion('eu'), 'marker');
      return all.events.some(({ node }) => node.product === 'marker');
    };
    await expect.poll(marked, { interval: 100 }).toBe(true);
    const some = await watch(token, guarded.url, all.events.findLast(({ node }) => node.product === 'marker')!.cursor);
    const since = () => all.events.slice(all.events.findLastIndex(({ node }) => node.product === 'marker') + 1);
    for (const product of ['shop', 'billing']) {
      const environments = ['dev', 'eu'];
      const queued = { type: 'ReleaseQueued' as const, product, flow: 'f', version: '1', environments };
      await writer.write(newRelease(), queued, product);
      for (const environment of environments) await writer.write(newRelease(), promotion(environment), product);
    }
    await expect.poll(() => since().length).toBe(6);
    await expect.poll(() => some.events.length).toBe(2);
    expect(some.events.map(({ node }) => [node.__typename, node.product, node.environment])).toEqual([
      ['ReleaseQueued', 'billing', undefined],
      ['PromotionStarted', 'billing', 'eu'],
    ]);
    expect(some.events[0]?.node).toMatchObject({ environments: ['eu'] });
    // The cursor is good for a caller who sees less than what lies behind it.
    const again = await watch(token, guarded.url, since()[3]!.cursor);
    await expect.poll(() => again.events.length).toBe(1);
    expect(again.events[0]).toEqual(some.events[1]);
  });

  test('it ends when the token expires, and says so', async () => {
    const token = await guarded.token('VIEWER', {}, new Date(Date.now() + 5_000));
    const { end } = await watch(token);
    expect(await end).toEqual({ code: refusedWith, reason: expect.stringContaining('has expired') });
  });

  test('it ends when the token is revoked, also at another server', async () => {
    const other = await guarded.another();
    const token = await guarded.token('VIEWER');
    const [here, there] = [await watch(token), await watch(token, other.url)];
    const untouched = await watch(await guarded.token('VIEWER'));
    await revokeToken(guarded.engine.app, { id: token.id }, SOMEBODY);
    for (const { end } of [here, there]) {
      expect(await end).toEqual({ code: refusedWith, reason: expect.stringContaining('was revoked') });
    }
    const goesOn = async () => {
      await writer.write(newRelease(), promotion('eu'), 'billing');
      return untouched.events.length > 0;
    };
    await expect.poll(goesOn, { interval: 100 }).toBe(true);
  });

  test('what is granted later is seen from then on, and what is taken away no longer', async () => {
    const subject = `follower-${Math.random().toString(36).slice(2)}`;
    const kinds = { subjectKind: 'SERVICE_ACCOUNT' as const, subject, role: 'VIEWER' as const };
    await guarded.grant({ ...kinds, products: { names: ['billing'] } });
    const { value } = await createToken(
      guarded.engine.app,
      { name: 'x', subjectKind: 'SERVICE_ACCOUNT', subject, scope: null, expiresAt: null },
      SOMEBODY,
    );
    const { events } = await watch({ id: value!.stored.id, text: value!.token });
    const products = () => new Set(events.map(({ node }) => node.product));
    const write = async () => {
      await writer.write(newRelease(), promotion('eu'), 'billing');
      await writer.write(newRelease(), promotion('eu'), 'shop');
    };
    await expect.poll(async () => (await write(), products()), { interval: 300 }).toEqual(new Set(['billing']));
    const grant = await guarded.grant({ ...kinds, products: { names: ['shop'] } });
    await expect.poll(async () => (await write(), products()), { interval: 300 }).toEqual(new Set(['billing', 'shop']));
    await deleteGrant(guarded.engine.app, { id: grant }, SOMEBODY);
    await expect
      .poll(
        async () => {
          const before = events.length;
          await write();
          await new Promise((resolve) => setTimeout(resolve, 200));
          const news = events.slice(before).map(({ node }) => node.product);
          return news.length > 0 && !news.includes('shop');
        },
        { interval: 300 },
      )
      .toBe(true);
  });
});

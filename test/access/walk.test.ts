import { WebSocket } from 'ws';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createToken } from '../../src/commands/access/create-token.ts';
import { rootFields } from '../../src/resolvers/access/guard.ts';
import { ruleOf } from '../../src/resolvers/access/rules.ts';
import { buildApiSchema } from '../../src/schema/build.ts';
import { ADMIN, bearer, codeOf, type GuardedServer, openGuarded, SOMEBODY, type Token } from './support.ts';
import { sampleOperation } from './sample.ts';

// The whole schema is asked by callers who may not: a new field is in here by itself.
const schema = buildApiSchema();
const mutations = rootFields(schema.getMutationType());
const queries = rootFields(schema.getQueryType());
const subscriptions = rootFields(schema.getSubscriptionType());

let guarded: GuardedServer;
let powerless: Token;
let viewer: Token;
beforeAll(async () => {
  guarded = await openGuarded();
  await guarded.engine.saveBilling();
  const { value } = await createToken(
    guarded.engine.app,
    { name: 'nothing granted', subjectKind: 'SERVICE_ACCOUNT', subject: 'powerless', scope: null, expiresAt: null },
    SOMEBODY,
  );
  powerless = { id: value!.stored.id, text: value!.token };
  viewer = await guarded.token('VIEWER');
});
afterAll(() => guarded.close());

const ask = (token: Token | null, kind: 'query' | 'mutation', field: (typeof mutations)[number]) => {
  const { query, variables } = sampleOperation(kind, field);
  return guarded.ask(token, query, variables);
};

test('there is something to walk', () => {
  expect(mutations.length).toBeGreaterThan(30);
  expect(queries.length).toBeGreaterThan(20);
  expect(subscriptions.length).toBeGreaterThan(0);
});

describe.each(mutations.map((field) => [field.name, field] as const))('mutation %s', (_name, field) => {
  test('is refused to whoever does not say who they are', async () => {
    const answer = await ask(null, 'mutation', field);
    expect([answer.status, codeOf(answer), answer.body.data ?? null]).toEqual([401, 'UNAUTHENTICATED', null]);
  });

  test('is refused to whoever has no role, and to whoever may only look', async () => {
    for (const token of [powerless, viewer]) {
      const answer = await ask(token, 'mutation', field);
      expect([codeOf(answer), answer.body.data ?? null]).toEqual(['FORBIDDEN', null]);
    }
  });
});

test.each(queries.map((field) => [field.name, field] as const))(
  'query %s needs a caller with a role',
  async (_name, field) => {
    expect(codeOf(await ask(null, 'query', field))).toBe('UNAUTHENTICATED');
    const expected = ruleOf(field)?.kind === 'signed-in' ? undefined : 'FORBIDDEN';
    expect(codeOf(await ask(powerless, 'query', field))).toBe(expected);
  },
);

describe.each(subscriptions.map((field) => [field.name, field] as const))('subscription %s', (_name, field) => {
  const operation = sampleOperation('subscription', field);

  test('over a WebSocket: no connection without a caller, no event without a role', async () => {
    const stranger = await overSocket(null, operation);
    expect(stranger).toEqual({ code: 4401, reason: expect.stringContaining('needs to know who is calling') });
    const known = await overSocket(powerless, operation);
    expect(known).toMatchObject({ errors: [{ extensions: { code: 'FORBIDDEN' } }] });
  });

  test('over an event stream as well', async () => {
    const stream = (token: Token | null) =>
      fetch(`${guarded.url}/graphql/stream`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...bearer(token) },
        body: JSON.stringify(operation),
      });
    const stranger = await stream(null);
    expect(await stranger.text()).toContain('UNAUTHENTICATED');
    const known = await stream(powerless);
    expect(await known.text()).toContain('FORBIDDEN');
  });
});

test('nothing was changed by all of that, and every refusal of a known caller is in the audit log', async () => {
  const { body } = await guarded.ask(
    ADMIN,
    '{ products { nodes { name } } apiTokens { nodes { name } } roleGrants { nodes { id } } }',
  );
  expect(body.data).toMatchObject({ products: { nodes: [{ name: 'billing' }] }, roleGrants: { nodes: [] } });
  const rows: { actor: string; outcome: string; count: number }[] = await guarded.engine.app.dataSource.query(
    'SELECT actor, outcome, count(DISTINCT action)::int AS count FROM audit_log GROUP BY actor, outcome ORDER BY actor',
  );
  expect(rows).toEqual([
    { actor: 'service-account/powerless', outcome: 'FORBIDDEN', count: mutations.length },
    { actor: expect.stringMatching(/^service-account\/viewer-/), outcome: 'FORBIDDEN', count: mutations.length },
  ]);
});

interface Message {
  type: string;
  payload?: { errors?: unknown } | unknown[];
}

/** What a subscription is answered first, or how the connection was closed. */
function overSocket(token: Token | null, payload: object): Promise<object> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${guarded.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    socket.on('error', reject);
    socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    socket.on('open', () => {
      const authorization = token && { Authorization: `Bearer ${token.text}` };
      socket.send(JSON.stringify({ type: 'connection_init', payload: authorization }));
    });
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as Message;
      if (message.type === 'connection_ack') socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload }));
      else if (message.type === 'error') resolve({ errors: message.payload });
      else if (message.type === 'next') resolve(message.payload as object);
    });
  });
}

import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { processDelivery } from '../../src/commands/process-delivery.ts';
import { receiveDelivery } from '../../src/commands/receive-delivery.ts';
import { setSecret } from '../../src/commands/set-secret.ts';
import { readDelivery, claimDelivery } from '../../src/store/deliveries.ts';
import { type ApiServer, startServer } from '../../src/server.ts';
import { openTestEngine, type TestEngine } from '../support/engine.ts';
import { liveVersions, POLICY, rollbackOf, rollbacksOf, statuses } from '../engine/rollback/support.ts';
import { newWebhookId, signWebhook, type SignedWebhook } from '../support/webhooks.ts';
import { post } from './support/clients.ts';

let engine: TestEngine;
let server: ApiServer;
/** The example of the specification. */
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const NEXT = `whsec_${randomBytes(32).toString('base64')}`;

beforeAll(async () => {
  const backend = { name: 'postgres' as const, queuePrefix: `t${randomBytes(5).toString('hex')}` };
  engine = await openTestEngine(backend, { SLUICE_ENCRYPTION_KEY: randomBytes(32).toString('base64') });
  await engine.saveBilling();
  await keep('argo-1', SECRET, 'argo');
  await keep('argo-2', NEXT, 'argo');
  await keep('other', NEXT, 'other-source');
  server = await startServer(engine.app);
  await engine.startWorker();
  await engine.ended(await engine.trigger({ product: 'billing', version: '1.4.2' }));
});
afterAll(async () => {
  await server.close();
  await engine.close();
});

async function keep(name: string, value: string, source: string, products: string[] = []): Promise<void> {
  const use = { kind: 'WEBHOOK' as const, source, products };
  const { refusals } = await setSecret(engine.app, { name, value, description: null, use }, 'ada');
  if (refusals) throw new Error(JSON.stringify(refusals));
}

const REPORT = { product: 'billing', environment: 'us-east', version: '1.4.2', status: 'SUCCEEDED' };

interface Message {
  id?: string;
  timestamp?: string;
  body?: string | Buffer;
  secret?: string;
  source?: string;
  headers?: Record<string, string>;
}

const signed = ({ secret = SECRET, body = JSON.stringify(REPORT), ...message }: Message): SignedWebhook =>
  signWebhook({ ...message, secret, body });

async function send(message: Message = {}): Promise<{ status: number; body: Record<string, unknown>; said: string }> {
  const { headers, body } = signed(message);
  const response = await fetch(`${server.url}/hooks/rollouts/${message.source ?? 'argo'}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers, ...message.headers },
    body: new Uint8Array(body),
  });
  const said = await response.text();
  return { status: response.status, body: JSON.parse(said) as Record<string, unknown>, said };
}

const delivery = (id: unknown) => readDelivery(engine.app.pool, id as string);
const stored = async (): Promise<number> => {
  const { rows } = await engine.app.pool.query<{ count: number }>(
    'SELECT count(*)::int AS count FROM webhook_delivery',
  );
  return rows[0]!.count;
};

describe('what is signed', () => {
  test('is stored, answered, and then processed', async () => {
    const { status, body } = await send();
    expect([status, body['status']]).toEqual([202, 'PENDING']);
    await expect.poll(async () => (await delivery(body['delivery']))?.status).toBe('DONE');
    const kept = (await delivery(body['delivery']))!;
    expect(kept).toMatchObject({ source: 'argo', verifiedBy: 'argo-1', outcome: 'noted', attempts: 1 });
    expect(JSON.parse(kept.body)).toEqual(REPORT);
    expect(Object.keys(kept.headers).sort()).toEqual(['content-type', 'user-agent', 'webhook-id', 'webhook-timestamp']);
  });

  test('comes into the log of the release and into the audit log, as the doing of its source', async () => {
    const { body } = await send({ body: JSON.stringify({ ...REPORT, message: 'all pods are up' }) });
    await expect.poll(async () => (await delivery(body['delivery']))?.status).toBe('DONE');
    const { rows: events } = await engine.app.pool.query(
      `SELECT actor FROM logged_event WHERE event::text LIKE '%all pods are up%'`,
    );
    expect(events).toEqual([{ actor: 'webhook/argo' }]);
    const { rows: audit } = await engine.app.pool.query(
      `SELECT actor, credential, action, transport, address, outcome FROM audit_log WHERE input::text LIKE '%all pods are up%'`,
    );
    const from = { credential: 'webhook secret argo-1', transport: 'WEBHOOK', address: '127.0.0.1' };
    expect(audit).toEqual([{ actor: 'webhook/argo', action: 'rolloutReport', outcome: 'DONE', ...from }]);
  });

  test('by either secret of a source, while one is replaced by the next', async () => {
    expect((await send({ secret: NEXT })).status).toBe(202);
    expect((await send({ secret: SECRET })).status).toBe(202);
  });

  test('by one of several signatures', async () => {
    const { headers } = signed({ id: 'several' });
    const signature = `v1,${randomBytes(32).toString('base64')} ${headers['webhook-signature']} v1a,x`;
    const { 'webhook-timestamp': timestamp } = headers;
    const answer = await send({ id: 'several', timestamp, headers: { 'webhook-signature': signature } });
    expect(answer.status).toBe(202);
  });

  test('and sent twice is one delivery', async () => {
    const message = { id: newWebhookId(), timestamp: String(Math.floor(Date.now() / 1000)) };
    const [first, second] = await Promise.all([send(message), send(message)]);
    expect([first.status, second.status].sort((a, b) => a - b)).toEqual([200, 202]);
    expect(first.body['delivery']).toBe(second.body['delivery']);
    await expect.poll(async () => (await delivery(first.body['delivery']))?.status).toBe('DONE');
    expect((await send({ id: message.id })).status).toBe(200);
    expect((await delivery(first.body['delivery']))!.attempts).toBe(1);
  });

  test('and tells something else under an id that was used is a conflict', async () => {
    const id = newWebhookId();
    await send({ id });
    const other = await send({ id, body: JSON.stringify({ ...REPORT, status: 'FAILED' }) });
    expect([other.status, other.said]).toEqual([409, expect.stringContaining('another message came before')]);
  });

  test('the id of one source says nothing about that of another', async () => {
    const id = newWebhookId();
    expect((await send({ id })).status).toBe(202);
    expect((await send({ id, source: 'other-source', secret: NEXT })).status).toBe(202);
  });

  test.each([
    ['not JSON', '{"product"', 400],
    ['not a report', '{"type": "ping"}', 400],
    ['empty', '', 400],
    ['not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 409],
  ])('and %s is told so', async (_name, body, status) => {
    expect((await send({ body })).status).toBe(status);
  });

  test('and names what is not there is stored as refused', async () => {
    const { body } = await send({ body: JSON.stringify({ ...REPORT, environment: 'mars' }) });
    await expect.poll(async () => (await delivery(body['delivery']))?.status).toBe('REFUSED');
    expect((await delivery(body['delivery']))!.outcome).toContain('"mars"');
  });
});

describe('a rollout that failed', () => {
  test('takes the region and its siblings back, from one signed message on', async () => {
    await engine.saveBilling('signed', { rollbackPolicies: [{ ...POLICY, targets: POLICY.targets.slice(0, 1) }] });
    for (const version of ['1', '2']) await engine.ended(await engine.trigger({ product: 'signed', version }));
    const report = { product: 'signed', environment: 'us-east', status: 'FAILED', message: 'pods crash' };
    const message = { id: newWebhookId(), body: JSON.stringify(report) };
    const { status, body } = await send(message);
    expect(status).toBe(202);
    const rollback = await rollbackOf(engine, 'signed');
    expect(statuses(rollback)).toEqual({ 'us-east': 'SUCCEEDED', eu: 'SUCCEEDED', asia: 'SUCCEEDED' });
    const cause = { kind: 'REPORTED', environment: 'us-east', reason: 'pods crash', by: 'webhook/argo' };
    expect(rollback.release.plan.rollback?.cause).toMatchObject(cause);
    expect(await liveVersions(engine, 'signed')).toMatchObject({ 'us-east': '1', eu: '1', asia: '1', 'asia-2': '2' });
    await expect.poll(async () => (await delivery(body['delivery']))?.outcome).toBe('a rollback was started');
    // The same message again is the same rollback.
    await send(message);
    expect(await rollbacksOf(engine, 'signed', 1)).toHaveLength(1);
  });
});

describe('whose secret', () => {
  const KEY = `whsec_${randomBytes(32).toString('base64')}`;
  const outcomeOf = async (source: string): Promise<string | null | undefined> => {
    const { status, body } = await send({ source, secret: KEY });
    expect(status).toBe(202);
    await expect.poll(async () => (await delivery(body['delivery']))?.status).not.toBe('PENDING');
    const kept = await delivery(body['delivery']);
    return `${kept?.status} ${kept?.outcome}`;
  };

  test('is for some products tells of no other one', async () => {
    await keep('for-billing', KEY, 'team-a', ['shop', 'bill*']);
    await keep('for-shop', KEY, 'team-b', ['shop', '*-shop']);
    expect(await outcomeOf('team-a')).toBe('DONE noted');
    expect(await outcomeOf('team-b')).toBe(
      'REFUSED messages signed with "for-shop" report on shop, *-shop only, not on billing',
    );
    const { rows } = await engine.app.pool.query(
      `SELECT outcome, reasons FROM audit_log WHERE actor = 'webhook/team-b'`,
    );
    expect(rows).toEqual([{ outcome: 'REFUSED', reasons: [expect.stringContaining('not on billing')] }]);
  });

  test('is gone is believed no more, not even for what it signed before', async () => {
    await keep('for-a-while', KEY, 'team-c');
    const { body } = await send({ source: 'team-c', secret: KEY });
    await expect.poll(async () => (await delivery(body['delivery']))?.status).toBe('DONE');
    await engine.app.pool.query(`DELETE FROM secret WHERE name = 'for-a-while'`);
    const query = `mutation ($id: ID!) { webhookDeliveryReplay(input: {id: $id}) { delivery { status outcome } } }`;
    const again = await post(server.url, { query, variables: { id: body['delivery'] } });
    expect(again.body.data!['webhookDeliveryReplay']).toEqual({
      delivery: { status: 'REFUSED', outcome: 'secret "for-a-while", which signed it, is there no more' },
    });
    expect((await send({ source: 'team-c', secret: KEY })).status).toBe(401);
  });
});

describe('what is not signed as it should be is not stored', () => {
  const seconds = (off: number): string => String(Math.floor(Date.now() / 1000) + off);

  test.each<[string, Message, number]>([
    ['unsigned', { headers: { 'webhook-signature': '' } }, 401],
    ['signed by somebody else', { secret: `whsec_${randomBytes(24).toString('base64')}` }, 401],
    ['signed for another source', { source: 'other-source' }, 401],
    ['for a source that is not there', { source: 'nobody' }, 401],
    ['too old', { timestamp: seconds(-400) }, 401],
    ['too new', { timestamp: seconds(400) }, 401],
    ['with another id than was signed', { headers: { 'webhook-id': 'msg_forged' } }, 401],
    ['with another time than was signed', { headers: { 'webhook-timestamp': seconds(-5) } }, 401],
    ['with a signature of another version', { headers: { 'webhook-signature': 'v2,abc' } }, 401],
    ['with a short signature', { headers: { 'webhook-signature': 'v1,YQ==' } }, 401],
    ['too large', { body: JSON.stringify({ ...REPORT, message: 'x'.repeat(300_000) }) }, 413],
    ['compressed', { headers: { 'content-encoding': 'gzip' } }, 415],
  ])('%s', async (_name, message, status) => {
    const before = await stored();
    const answer = await send(message);
    expect(answer.status).toBe(status);
    expect(answer.body['errors']).toEqual([expect.objectContaining({ message: expect.any(String) })]);
    expect(await stored()).toBe(before);
  });

  test('a source that is not there is told what a wrong signature is told', async () => {
    const [wrong, nobody] = [
      await send({ secret: `whsec_${randomBytes(24).toString('base64')}` }),
      await send({ source: 'nobody' }),
    ];
    expect(wrong.said.replace('argo', 'X')).toBe(nobody.said.replace('nobody', 'X'));
  });

  test('another body than was signed', async () => {
    const { headers } = signed({});
    const response = await fetch(`${server.url}/hooks/rollouts/argo`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ ...REPORT, status: 'FAILED' }),
    });
    expect(response.status).toBe(401);
  });

  test('only POST is taken', async () => {
    expect((await fetch(`${server.url}/hooks/rollouts/argo`)).status).toBe(404);
  });

  test('without the key that opens the secrets it is tried again later', async () => {
    const { rows } = await engine.app.pool.query<{ sealed: Buffer }>(`SELECT sealed FROM secret WHERE name = 'argo-1'`);
    await engine.app.pool.query(
      `UPDATE secret SET sealed = '\\x00112233445566778899aabbccddeeff0011' WHERE name = 'argo-1'`,
    );
    expect((await send()).status).toBe(503);
    await engine.app.pool.query(`UPDATE secret SET sealed = $1 WHERE name = 'argo-1'`, [rows[0]!.sealed]);
    expect((await send()).status).toBe(202);
  });
});

describe('what was stored and not processed', () => {
  /** As if the process had ended right after it answered. */
  async function cutOff(body: Record<string, unknown> = REPORT): Promise<string> {
    const message = signed({ body: JSON.stringify(body) });
    const received = await receiveDelivery(engine.app, {
      purpose: 'rollouts',
      source: 'argo',
      address: null,
      ...message,
    });
    if (received.kind !== 'STORED') throw new Error(received.reason);
    return received.delivery.id;
  }

  test('is found by the sweep of a worker', async () => {
    const id = await cutOff();
    await expect.poll(async () => (await delivery(id))?.status).toBe('DONE');
  });

  test('is taken by one at a time, and by the next when that one does not come back', async () => {
    const id = await cutOff({ ...REPORT, environment: 'eu' });
    const now = engine.app.clock.now();
    const soon = new Date(now.getTime() + 30_000);
    await engine.app.pool.query(
      `UPDATE webhook_delivery SET status = 'PENDING', due_at = $2, attempts = 0 WHERE id = $1`,
      [id, new Date(now.getTime() + 60_000)],
    );
    expect(await claimDelivery(engine.app.pool, id, now, soon)).toBeUndefined();
    const later = new Date(now.getTime() + 61_000);
    const taken = await Promise.all(
      [1, 2, 3].map(() => claimDelivery(engine.app.pool, id, later, new Date(later.getTime() + 30_000))),
    );
    expect(taken.filter(Boolean)).toHaveLength(1);
  });

  test('is tried again when something inside went wrong, and says so meanwhile', async () => {
    const broken = {
      ...engine.app,
      definitions: { current: () => Promise.reject(new Error('password=hunter2')) } as never,
    };
    const message = signed({ body: JSON.stringify({ ...REPORT, environment: 'asia' }) });
    const received = await receiveDelivery(engine.app, {
      purpose: 'rollouts',
      source: 'argo',
      address: null,
      ...message,
    });
    const { id } = (received as Extract<typeof received, { kind: 'STORED' }>).delivery;
    // Whoever comes first: the broken attempt, or the sweep.
    await processDelivery(broken, id);
    await expect.poll(async () => (await delivery(id))?.status).toBe('DONE');
    expect((await delivery(id))!.outcome).not.toContain('hunter2');
  });
});

describe('in the API', () => {
  const LIST = `query ($first: Int!, $after: String, $filter: WebhookDeliveryFilterInput) {
    webhookDeliveries(first: $first, after: $after, filter: $filter) {
      nodes { id source webhookId status outcome headers { key value } body verifiedBy replays } pageInfo { hasNextPage endCursor }
    }
  }`;
  type Page = {
    nodes: { id: string; source: string; status: string; replays: number }[];
    pageInfo: { endCursor: string };
  };
  const list = async (variables: Record<string, unknown>): Promise<Page> =>
    (await post(server.url, { query: LIST, variables })).body.data!['webhookDeliveries'] as Page;

  test('deliveries are listed, newest first, page by page, and found by source and status', async () => {
    const first = await list({ first: 2 });
    const second = await list({ first: 2, after: first.pageInfo.endCursor });
    expect(new Set([...first.nodes, ...second.nodes].map(({ id }) => id)).size).toBe(4);
    const others = await list({ first: 50, filter: { source: 'other-source' } });
    expect(others.nodes.map(({ source }) => source)).toEqual(['other-source']);
    const refused = await list({ first: 50, filter: { status: 'REFUSED' } });
    expect(new Set(refused.nodes.map(({ status }) => status))).toEqual(new Set(['REFUSED']));
    expect(JSON.stringify(first)).not.toMatch(/signature/i);
  });

  test('one is processed once more when somebody asks for it', async () => {
    const { body } = await send();
    await expect.poll(async () => (await delivery(body['delivery']))?.status).toBe('DONE');
    const query = `mutation ($id: ID!) { webhookDeliveryReplay(input: {id: $id}) { delivery { status outcome replays } userErrors { code } } }`;
    const again = await post(server.url, { query, variables: { id: body['delivery'] } });
    expect(again.body.data!['webhookDeliveryReplay']).toEqual({
      delivery: { status: 'DONE', outcome: 'noted', replays: 1 },
      userErrors: [],
    });
    const gone = await post(server.url, { query, variables: { id: '00000000-0000-4000-8000-000000000000' } });
    expect(gone.body.data!['webhookDeliveryReplay']).toMatchObject({
      delivery: null,
      userErrors: [{ code: 'NOT_FOUND' }],
    });
  });
});

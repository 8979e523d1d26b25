import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createGrant, deleteGrant } from '../../src/commands/access/change-grants.ts';
import { setSecret } from '../../src/commands/set-secret.ts';
import { triggerRelease } from '../../src/commands/trigger-release.ts';
import type { PromotionState, ReleaseState } from '../../src/core/release.ts';
import { type ApiServer, startServer } from '../../src/server.ts';
import { readDelivery } from '../../src/store/deliveries.ts';
import { approvalOf } from '../core/support/builders.ts';
import { SOMEBODY } from '../access/support.ts';
import { openTestEngine, type TestEngine } from '../support/engine.ts';
import { newWebhookId, newWebhookSecret, signWebhook } from '../support/webhooks.ts';
import { post } from './support/clients.ts';

let engine: TestEngine;
let server: ApiServer;
const SECRET = newWebhookSecret();
const REPORTS = newWebhookSecret();
const NAMED = newWebhookSecret();
const BOARD = 'service-account/change-board';
const asks = { staging: approvalOf('1 of %approver'), regions: approvalOf('1 of linus') };
let grant: string;

beforeAll(async () => {
  const backend = { name: 'postgres' as const, queuePrefix: `t${randomBytes(5).toString('hex')}` };
  engine = await openTestEngine(backend, { SLUICE_ENCRYPTION_KEY: randomBytes(32).toString('base64') });
  for (const product of ['billing', 'shop'])
    await engine.saveBilling(product, { concurrency: 'PIPELINE', approvals: asks });
  await keep('board', SECRET, 'board', { products: ['billing'], decidesAs: 'change-board' });
  await keep('reports', REPORTS, 'reports', { products: [] });
  grant = await allow('change-board');
  server = await startServer(engine.app);
  await engine.startWorker();
});
afterAll(async () => {
  await server.close();
  await engine.close();
});

async function keep(name: string, value: string, source: string, use: { products: string[]; decidesAs?: string }) {
  const given = { name, value, description: null, use: { kind: 'WEBHOOK' as const, source, ...use } };
  const { refusals } = await setSecret(engine.app, given, 'ada');
  if (refusals) throw new Error(JSON.stringify(refusals));
}

async function allow(subject: string): Promise<string> {
  const given = { subjectKind: 'SERVICE_ACCOUNT', subject, role: 'APPROVER', products: {}, environments: {} } as const;
  return (await createGrant(engine.app, given, SOMEBODY)).value!.id;
}

let version = 0;
async function asked(product = 'billing'): Promise<string> {
  const id = await engine.trigger({ product, version: `${(version += 1)}.0.0` });
  await engine.reached(id, ({ promotions }) => promotions[1]?.approval !== null);
  return id;
}

async function shortIdOf(id: string): Promise<string> {
  const { rows } = await engine.app.pool.query('SELECT product, number FROM release WHERE id = $1', [id]);
  return `${rows[0].product}#${rows[0].number}`;
}

const staging = ({ promotions }: ReleaseState): PromotionState => promotions[1] as PromotionState;

interface Sent {
  body: object;
  id?: string;
  secret?: string;
  source?: string;
}

async function send({ body, id, secret = SECRET, source = 'board' }: Sent, path = 'approvals') {
  const signed = signWebhook({ secret, body, id });
  const response = await fetch(`${server.url}/hooks/${path}/${source}`, {
    method: 'POST',
    headers: signed.headers,
    body: new Uint8Array(signed.body),
  });
  return { status: response.status, answer: (await response.json()) as { delivery: string } };
}

/** Sent, and processed. */
async function decided(message: Sent): Promise<string> {
  const { status, answer } = await send(message);
  expect(status).toBe(202);
  await expect.poll(async () => (await readDelivery(engine.app.pool, answer.delivery))?.status).not.toBe('PENDING');
  const { status: end, outcome } = (await readDelivery(engine.app.pool, answer.delivery))!;
  return `${end} ${outcome}`;
}

const message = (release: string, more: object = {}) => ({
  type: 'approval.decision',
  data: { release, environment: 'staging', decision: 'APPROVE', ...more },
});

describe('a signed decision', () => {
  test('approves in the name of its service account, once however often it is sent', async () => {
    const release = await asked();
    const id = newWebhookId();
    const body = message(release, { comment: 'CHG-4711' });
    expect(await decided({ body, id })).toBe(`DONE approved by ${BOARD}`);
    expect((await send({ body, id })).status).toBe(200);
    const state = await engine.reached(release, (seen) => staging(seen).status === 'SUCCEEDED');
    expect(staging(state).approval?.decisions).toMatchObject([
      { kind: 'APPROVED', by: BOARD, comment: 'CHG-4711', via: 'WEBHOOK' },
    ]);
    const { rows } = await engine.app.pool.query(
      `SELECT actor, credential, action, transport, address, outcome, before, after FROM audit_log
       WHERE input->>'releaseId' = $1`,
      [release],
    );
    expect(rows).toEqual([
      {
        actor: BOARD,
        credential: 'webhook secret board',
        action: 'promotionApprove',
        transport: 'WEBHOOK',
        address: '127.0.0.1',
        outcome: 'DONE',
        before: expect.objectContaining({ status: 'SUSPENDED' }),
        after: expect.anything(),
      },
    ]);
  });

  test('decides on a step that asks, by the name of its action', async () => {
    await engine.save('PromotionWorkflow', 'asking', {
      actions: [{ name: 'sign-off', type: 'approval', parameters: { rules: [{ roles: ['approver'] }] } }],
    });
    await engine.save('PromotionPolicy', 'asking', {
      priority: 1,
      selector: { product: { names: ['stepped'] }, targetEnvironment: { names: ['dev'] } },
      policy: { postAction: 'asking' },
      locked: [],
    });
    await engine.saveBilling('stepped', { concurrency: 'PIPELINE', approvals: asks });
    await keep('stepped', NAMED, 'stepped', { products: ['stepped'], decidesAs: 'change-board' });
    const release = await engine.trigger({ product: 'stepped', version: '1' });
    const asking = ({ promotions }: ReleaseState) => promotions[0]?.steps.find((each) => each.asked);
    await engine.reached(release, (state) => asking(state) !== undefined);
    const body = message(release, { environment: 'dev', step: 'sign-off' });
    expect(await decided({ body, secret: NAMED, source: 'stepped' })).toBe(`DONE approved by ${BOARD}`);
    const state = await engine.reached(release, (seen) => asking(seen)?.status === 'SUCCEEDED');
    expect(asking(state)?.outputs).toEqual({ APPROVED_BY: BOARD });
  });

  test('rejects for good, and says why; the release may be named by product and number', async () => {
    const release = await asked();
    const body = message(await shortIdOf(release), { decision: 'reject', comment: 'no change window booked' });
    expect(await decided({ body })).toBe(`DONE rejected by ${BOARD}`);
    const { firstProblem } = await engine.ended(release);
    expect(firstProblem?.message).toBe(`rejected by ${BOARD}: no change window booked`);
  });

  test('counts for no rule that does not name it, and not before somebody is asked', async () => {
    const release = await asked();
    expect(await decided({ body: message(release, { environment: 'eu' }) })).toContain(
      'REFUSED eu is not asked for yet',
    );
    await decided({ body: message(release) });
    await engine.reached(release, ({ promotions }) => promotions[3]?.approval !== null);
    expect(await decided({ body: message(release, { environment: 'eu' }) })).toMatch(
      new RegExp(`^REFUSED ${BOARD} is not among those who decide on eu`),
    );
  });

  test('is about one attempt: what was said of the first does not count for the second, and a replay neither', async () => {
    const release = await asked();
    const id = newWebhookId();
    // Refused for now, since it comes too early.
    const early = await send({ body: message(release, { environment: 'eu' }), id });
    await decided({ body: message(release, { decision: 'REJECT' }) });
    await engine.ended(release);
    await post(server.url, {
      query: `mutation { releaseRetry(input: { releaseId: "${release}" }) { userErrors { message } } }`,
    });
    await engine.reached(release, (seen) => staging(seen).attempt === 2 && staging(seen).approval !== null);
    expect(await decided({ body: message(release) })).toBe(
      'REFUSED staging is in attempt 2, this decision is about attempt 1',
    );
    const replay = `mutation { webhookDeliveryReplay(input: { id: "${early.answer.delivery}" }) { delivery { status } } }`;
    const { body } = await post(server.url, { query: replay });
    expect(body.data).toEqual({ webhookDeliveryReplay: { delivery: { status: 'REFUSED' } } });
    expect(await decided({ body: message(release, { attempt: 2 }) })).toBe(`DONE approved by ${BOARD}`);
  });

  test('may do what its service account may at the moment, of the products that its secret is for', async () => {
    const other = await asked('shop');
    expect(await decided({ body: message(other) })).toBe(
      'REFUSED messages signed with "board" report on billing only, not on shop',
    );
    const release = await asked();
    await deleteGrant(engine.app, { id: grant }, SOMEBODY);
    expect(await decided({ body: message(release) })).toBe(
      `REFUSED ${BOARD} is not allowed to APPROVE for product "billing" in environment "staging": that takes a grant of APPROVER or ADMIN there`,
    );
    expect(staging((await engine.app.releaseEngine.look(release, { fresh: true }))!.state).approval?.decisions).toEqual(
      [],
    );
    const { rows } = await engine.app.pool.query(
      `SELECT outcome, reasons FROM audit_log WHERE input->>'releaseId' = $1`,
      [release],
    );
    expect(rows).toEqual([{ outcome: 'REFUSED', reasons: [expect.stringContaining('is not allowed to APPROVE')] }]);
    grant = await allow('change-board');
    expect(await decided({ body: message(release) })).toContain('DONE');
  });

  test('is not for who triggered the release', async () => {
    const made = await triggerRelease(engine.app, { product: 'billing', version: 'own' }, BOARD);
    const release = made.value!.releaseId;
    await engine.reached(release, ({ promotions }) => promotions[1]?.approval !== null);
    expect(await decided({ body: message(release) })).toContain(
      'is the initiator of the release and may not approve staging too',
    );
  });
});

describe('what may not decide', () => {
  test.each<[string, Omit<Sent, 'body'>, string]>([
    ['the secret of a source that reports rollouts', { secret: REPORTS, source: 'reports' }, 'approvals'],
    ['a secret that decides, where rollouts are reported', {}, 'rollouts'],
    ['another secret', { secret: newWebhookSecret() }, 'approvals'],
  ])('%s is not believed', async (_name, given, path) => {
    expect((await send({ ...given, body: message('00000000-0000-4000-8000-000000000000') }, path)).status).toBe(401);
  });

  test.each<[string, object, string]>([
    ['another type', { type: 'rollout.report', data: {} }, 'it must be approval.decision'],
    ['no decision', { release: 'r', environment: 'e' }, 'must be one of APPROVE, REJECT'],
    ['no release', { environment: 'e', decision: 'APPROVE' }, 'release and environment are needed'],
    [
      'an attempt that is no number',
      { release: 'r', environment: 'e', decision: 'APPROVE', attempt: '1' },
      'attempt must be',
    ],
    [
      'somebody to decide as',
      { release: 'r', environment: 'e', decision: 'APPROVE', by: 'root' },
      'the field "by" is not known',
    ],
  ])('%s is told so', async (_name, body, why) => {
    const { status, answer } = await send({ body });
    expect([status, JSON.stringify(answer)]).toEqual([400, expect.stringContaining(why.replaceAll('"', '\\"'))]);
  });

  test('a release that is not there is refused', async () => {
    expect(await decided({ body: message('00000000-0000-4000-8000-000000000000') })).toContain(
      'REFUSED there is no release',
    );
  });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startManualRollback } from '../../src/commands/start-manual-rollback.ts';
import { approvalOf } from '../core/support/builders.ts';
import { POLICY } from '../engine/rollback/support.ts';
import { codeOf, type GuardedServer, messageOf, openGuarded, type Token } from './support.ts';

let guarded: GuardedServer;
const tokens: Record<string, Token> = {};
let rollback: string;
let forward: string;

const asked = async (version: string): Promise<string> => {
  const { engine } = guarded;
  const id = await engine.trigger({ product: 'billing', version });
  await engine.reached(id, ({ promotions }) => promotions[1]?.approval !== null);
  return id;
};

beforeAll(async () => {
  guarded = await openGuarded();
  const { engine } = guarded;
  await engine.startWorker();
  await engine.saveBilling('back', { rollbackPolicies: [POLICY] });
  for (const version of ['1', '2']) await engine.ended(await engine.trigger({ product: 'back', version }));
  const order = { product: 'back', environments: ['eu'], reason: 'test' };
  rollback = (await startManualRollback(engine.app, order, 'grace')).value!.rollbackId;
  await engine.saveBilling('billing', { approvals: { staging: approvalOf('2') }, concurrency: 'PIPELINE' });
  forward = await asked('1');
  for (const role of ['OPERATOR', 'APPROVER', 'RELEASER', 'ADMIN'] as const) tokens[role] = await guarded.token(role);
}, 60_000);
afterAll(() => guarded.close());

async function decide(by: Token | string, mutation: string, type: string, input: object): Promise<string> {
  const query = `mutation ($input: ${type}!) { made: ${mutation}(input: $input) { userErrors { code message } } }`;
  const answer = await guarded.ask(by, query, { input });
  const payload = answer.body.data?.['made'] as { userErrors: { code: string; message: string }[] } | undefined;
  if (!payload) return `${String(codeOf(answer))}: ${messageOf(answer)}`;
  return payload.userErrors.map(({ code, message }) => `${code}: ${message}`).join() || 'done';
}
const onPromotion = (by: Token | string, verb: string, releaseId: string, environment = 'staging') =>
  decide(by, `promotion${verb}`, 'PromotionDecisionInput', { releaseId, environment });
const onTarget = (by: Token, verb: string, rollbackId: string, environment = 'asia-2') =>
  decide(by, `rollbackTarget${verb}`, 'RollbackTargetDecisionInput', { rollbackId, environment });

describe('what a decision takes follows from what the release is', () => {
  test.each(['Approve', 'Reject'])(
    'rollbackTarget%s does not decide on a release that travels its flow',
    async (verb) => {
      const { engine } = guarded;
      for (const role of ['OPERATOR', 'ADMIN']) {
        const said = await onTarget(tokens[role] as Token, verb, forward, 'staging');
        expect(said).toBe(`NOT_FOUND: there is no rollback "${forward}"`);
      }
      expect(await onPromotion(tokens['OPERATOR'] as Token, verb, forward)).toMatch(
        /^FORBIDDEN: .* is not allowed to APPROVE /,
      );
      expect((await engine.reached(forward, () => true)).promotions[1]?.approval?.decisions).toEqual([]);
    },
  );

  test.each(['Approve', 'Reject'])('promotion%s on a rollback takes the permission to roll back', async (verb) => {
    const approver = tokens['APPROVER'] as Token;
    expect(await onPromotion(approver, verb, rollback, 'asia-2')).toMatch(/^FORBIDDEN: .* is not allowed to ROLLBACK /);
    expect(await onTarget(approver, verb, rollback)).toMatch(/^FORBIDDEN: .* is not allowed to ROLLBACK /);
    const link = { releaseId: rollback, environment: 'asia-2', decision: verb.toUpperCase() };
    expect(await decide(approver, 'approvalLinkCreate', 'ApprovalLinkCreateInput', link)).toMatch(
      /is not allowed to ROLLBACK/,
    );
  });

  test('and so does taking a rollback up again, or ending it', async () => {
    const releaser = tokens['RELEASER'] as Token;
    for (const [mutation, type] of [
      ['releaseRetry', 'ReleaseRetryInput'],
      ['releaseTerminate', 'ReleaseTerminateInput'],
    ] as const) {
      expect(await decide(releaser, mutation, type, { releaseId: rollback })).toMatch(/is not allowed to ROLLBACK/);
    }
    expect(await decide(releaser, 'releaseRetry', 'ReleaseRetryInput', { releaseId: forward })).toMatch(/^WRONG_STATE/);
  });

  test('who may roll back decides on it by either command, which is what `sluice approve` gives', async () => {
    expect(await onPromotion(tokens['OPERATOR'] as Token, 'Approve', rollback, 'asia-2')).toBe('done');
    expect(await onTarget(tokens['OPERATOR'] as Token, 'Approve', rollback)).toBe('done');
  });
});

const MAKE = `mutation ($input: ApiTokenCreateInput!) { made: apiTokenCreate(input: $input) { secret userErrors { message } } }`;
async function make(by: Token | string, subject: string, role: string, product?: string): Promise<string> {
  const scope = [{ role, products: product ? { names: [product] } : {} }];
  const { body } = await guarded.ask(by, MAKE, { input: { name: 'x', subject, scope } });
  const { secret, userErrors } = body.data!['made'] as { secret: string; userErrors: unknown[] };
  expect(userErrors).toEqual([]);
  return secret;
}

async function trigger(by: string, version: string): Promise<string> {
  const query = `mutation ($input: ReleaseTriggerInput!) { made: releaseTrigger(input: $input) { release { uuid } userErrors { message } } }`;
  const { body } = await guarded.ask(by, query, { input: { product: 'billing', version } });
  const { uuid } = (body.data!['made'] as { release: { uuid: string } }).release;
  await guarded.engine.reached(uuid, ({ promotions }) => promotions[1]?.approval !== null);
  return uuid;
}

describe('an admin of one product', () => {
  test('is one person, whatever accounts and links are made with that', async () => {
    // The admin of all made the first token; nothing else of it counts here.
    const mallory = await make(tokens['ADMIN'] as Token, 'mallory', 'ADMIN', 'billing');
    const [left, right] = [
      await make(mallory, 'left', 'ADMIN', 'billing'),
      await make(mallory, 'right', 'APPROVER', 'billing'),
    ];
    const third = await make(left, 'third', 'APPROVER', 'billing');

    const own = await trigger(mallory, '10');
    for (const token of [mallory, left, right, third]) {
      expect(await onPromotion(token, 'Approve', own)).toMatch(
        /^NOT_AN_APPROVER: service-account\/mallory is the initiator/,
      );
    }
    // The other way round: triggered by an account that mallory made, approved by mallory or by another one.
    const others = await trigger(left, '11');
    for (const token of [mallory, right, third]) {
      expect(await onPromotion(token, 'Approve', others)).toMatch(
        /^NOT_AN_APPROVER: service-account\/left is the initiator/,
      );
    }
    // Somebody else triggered: mallory's approval counts, and once.
    const foreign = await asked('12');
    expect(await onPromotion(third, 'Approve', foreign)).toBe('done');
    for (const token of [mallory, left, right]) {
      expect(await onPromotion(token, 'Approve', foreign)).toMatch(/and one person counts once$/);
    }
    const link = { releaseId: foreign, environment: 'staging', decision: 'APPROVE' };
    const bring = (by: string | Token, approver?: string) =>
      decide(by, 'approvalLinkCreate', 'ApprovalLinkCreateInput', { ...link, approver });
    expect(await bring(mallory, 'bob')).toMatch(
      /^FORBIDDEN: .*is not allowed to BRING_APPROVALS .*MESSENGER or ADMIN without limits/,
    );
    expect(await bring(tokens['APPROVER'] as Token, 'bob')).toMatch(/^FORBIDDEN: .*is not allowed to BRING_APPROVALS/);
    expect(await bring(right)).toMatch(/one person counts once/);
  });

  test('a messenger brings what people say, and both are told', async () => {
    const id = await asked('13');
    const messenger = await make(tokens['ADMIN'] as Token, 'messenger', 'MESSENGER', 'billing');
    const query = `mutation ($input: ApprovalLinkCreateInput!) { made: approvalLinkCreate(input: $input) { url userErrors { message } } }`;
    const link = (approver: string) => ({
      input: { releaseId: id, environment: 'staging', decision: 'APPROVE', approver },
    });
    for (const name of ['bob', 'carol']) {
      const { body } = await guarded.ask(messenger, query, link(name));
      const { pathname } = new URL((body.data!['made'] as { url: string }).url);
      const done = await fetch(`${guarded.url}${pathname}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{}',
      });
      expect(done.status).toBe(200);
    }
    const { body } = await guarded.ask(messenger, query, link('service-account/board'));
    expect((body.data!['made'] as { userErrors: object[] }).userErrors).toMatchObject([
      { message: expect.stringContaining('is not a person') },
    ]);
    const events = await guarded.engine.events(id);
    const given = events.filter(({ type }) => type === 'ApprovalGiven');
    expect(given).toMatchObject([
      { by: 'bob', broughtBy: ['service-account/messenger', expect.stringMatching(/admin/), 'somebody'] },
      { by: 'carol' },
    ]);
    const shown = await guarded.ask(
      tokens['APPROVER'] as Token,
      `query ($id: ID!) { release(id: $id) { promotions { approval { decisions { by broughtBy } } } } }`,
      { id },
    );
    expect(JSON.stringify(shown.body)).toContain('"by":"bob","broughtBy":["service-account/messenger"');
    expect(events.find(({ type }) => type === 'ApprovalGranted')).toMatchObject({ approvedBy: 'bob, carol' });
  });
});

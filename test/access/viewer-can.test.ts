import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createToken } from '../../src/commands/access/create-token.ts';
import type { Grant } from '../../src/core/access/index.ts';
import { toNodeId } from '../../src/schema/node-id.ts';
import { approvalOf } from '../core/support/builders.ts';
import { type GuardedServer, messageOf, openGuarded, SOMEBODY, type Token } from './support.ts';

// What `viewerCan` says is compared with what the mutation answers right after it: by who asks, and by what the release does.

let guarded: GuardedServer;
const tokens: Record<string, Token> = {};

const operatorOf = (limits: Partial<Grant>): Promise<Token> => guarded.token('OPERATOR', limits);

beforeAll(async () => {
  guarded = await openGuarded();
  const { engine } = guarded;
  await engine.saveBilling('billing', { approvals: { staging: approvalOf('1') }, concurrency: 'PIPELINE' });
  await engine.save('Product', 'other', { promotionFlows: [], concurrency: 'QUEUE', queueLimit: 5 });
  await engine.save('ReleaseWindow', 'always', {
    kind: 'ALLOW',
    timeZone: 'UTC',
    from: '2020-01-01T00:00',
    to: '2100-01-01T00:00',
    selector: { environments: {}, products: {} },
    holds: ['PROMOTE'],
    onClose: 'FINISH',
    runway: false,
  });
  await engine.startWorker();
  tokens['viewer'] = await guarded.token('VIEWER');
  tokens['operator'] = await operatorOf({});
  tokens['approver'] = await guarded.token('APPROVER');
  tokens['admin'] = await guarded.token('ADMIN');
  tokens['operator in staging'] = await operatorOf({ environments: { names: ['staging'] } });
  // A token of a person that may less than the person.
  await guarded.grant({ subject: 'ada', role: 'ADMIN' });
  const scope = [{ role: 'RELEASER' as const, products: { names: ['billing'] }, environments: {} }];
  const input = { name: 'less', subjectKind: 'USER' as const, subject: 'ada', scope, expiresAt: null };
  const { value } = await createToken(engine.app, input, SOMEBODY);
  tokens['limited token of an admin'] = { id: value!.stored.id, text: value!.token };
  tokens['foreigner'] = await guarded.token('ADMIN', { products: { names: ['other'] } });
}, 60_000);
afterAll(() => guarded?.close());

const CALLERS = ['viewer', 'operator', 'approver', 'admin', 'operator in staging', 'limited token of an admin'];

interface Said {
  allowed: boolean;
  reason: string | null;
}

/** A release as each row wants it; another one where the last one was changed. */
const STATES: Record<string, () => Promise<string>> = {
  'waits for an approval': async () => {
    const id = await guarded.engine.trigger({ product: 'billing', version: String(Math.random()) });
    await guarded.engine.reached(id, ({ promotions }) => promotions[1]?.approval !== null);
    return id;
  },
  'was terminated': async () => {
    const id = await STATES['waits for an approval']!();
    const ended = await guarded.ask(
      tokens['admin']!,
      `mutation { releaseTerminate(input: { releaseId: "${id}" }) { userErrors { message } } }`,
    );
    expect(ended.body.errors).toBeUndefined();
    await guarded.engine.ended(id);
    return id;
  },
};

const soon = (): string => new Date(Date.now() + 3_600_000).toISOString();
/** Where the answer is on the release's side, and the mutation. */
const ORDERS: [where: 'release' | 'promotion', action: string, mutation: string, input: (id: string) => string][] = [
  ['release', 'retry', 'releaseRetry', (id) => `releaseId: "${id}"`],
  ['release', 'terminate', 'releaseTerminate', (id) => `releaseId: "${id}"`],
  ['promotion', 'retry', 'releaseRetry', (id) => `releaseId: "${id}", environment: "staging"`],
  ['promotion', 'skip', 'promotionSkip', (id) => `releaseId: "${id}", environment: "staging", reason: "test"`],
  ['promotion', 'approve', 'promotionApprove', (id) => `releaseId: "${id}", environment: "staging"`],
  ['promotion', 'reject', 'promotionReject', (id) => `releaseId: "${id}", environment: "staging"`],
  [
    'promotion',
    'override',
    'windowOverride',
    (id) => `releaseId: "${id}", environment: "staging", windows: ["always"], reason: "test", expiresAt: "${soon()}"`,
  ],
];

/** Why a mutation refuses; null: it is done. */
async function refusalOf(token: Token, mutation: string, input: string): Promise<string | null> {
  const answer = await guarded.ask(
    token,
    `mutation { it: ${mutation}(input: { ${input} }) { userErrors { message } } }`,
  );
  if (answer.body.errors) return messageOf(answer);
  const { it } = answer.body.data as { it: { userErrors: { message: string }[] } };
  return it.userErrors[0]?.message ?? null;
}

describe.each(Object.keys(STATES))('of a release that %s', (state) => {
  test.each(CALLERS)('what %s could do is what the mutations answer', async (caller) => {
    const token = tokens[caller]!;
    let id = await STATES[state]!();
    for (const [where, action, mutation, input] of ORDERS) {
      const asked = await guarded.ask(
        token,
        `{ release(id: "${id}") { viewerCan { retry { allowed reason } terminate { allowed reason } }
            promotions(names: ["staging"]) { viewerCan { retry { allowed reason } skip { allowed reason } approve { allowed reason } reject { allowed reason } override { allowed reason } } } } }`,
      );
      const { release } = asked.body.data as {
        release: { viewerCan: Record<string, Said>; promotions: { viewerCan: Record<string, Said> }[] };
      };
      const said = (where === 'release' ? release.viewerCan : release.promotions[0]!.viewerCan)[action] as Said;
      const reason = await refusalOf(token, mutation, input(id));
      expect([action, said]).toEqual([action, { allowed: reason === null, reason }]);
      if (reason === null) id = await STATES[state]!();
    }
  });
});

const PLACES: [on: string, action: string, mutation: string, input: string][] = [
  [
    'environment(name: "eu") { viewerCan(product: "billing")',
    'hold',
    'environmentHold',
    'environment: "eu", product: "billing", reason: "test"',
  ],
  ['environment(name: "eu") { viewerCan', 'hold', 'environmentHold', 'environment: "eu", reason: "test"'],
  ['environment(name: "eu") { viewerCan', 'edit', 'environmentUpdate', 'name: "eu", kind: PRODUCTION'],
  [
    'environment(name: "eu") { viewerCan(product: "billing")',
    'release',
    'environmentRelease',
    'environment: "eu", product: "billing"',
  ],
  ['product(name: "billing") { viewerCan', 'edit', 'productUpdate', 'name: "billing", queueLimit: 50'],
  ['product(name: "billing") { viewerCan', 'trigger', 'releaseTrigger', 'product: "billing", version: "9"'],
  [
    'promotionFlow(name: "to-production") { viewerCan',
    'edit',
    'promotionFlowUpdate',
    'name: "to-production", description: "changed"',
  ],
];

test.each(CALLERS)('at places, what %s could do is what the mutations answer to who asks', async (caller) => {
  const token = tokens[caller]!;
  for (const [on, action, mutation, input] of PLACES) {
    const asked = await guarded.ask(token, `{ it: ${on} { ${action} { allowed reason } } } }`);
    const { it } = asked.body.data as { it: { viewerCan: Record<string, Said> } | null };
    const reason = await refusalOf(token, mutation, input);
    // What is not seen cannot be asked about.
    if (it === null) expect([action, reason]).not.toEqual([action, null]);
    else expect([on, action, it.viewerCan[action]]).toEqual([on, action, { allowed: reason === null, reason }]);
  }
});

test('who sees nothing of it is told nothing of it', async () => {
  const id = await STATES['waits for an approval']!();
  const asked = await guarded.ask(
    tokens['foreigner']!,
    `{ release(id: "${id}") { viewerCan { retry { reason } } }
      skeleton: node(id: "${toNodeId('ReleaseSkeleton', id)}") { id } promotion: node(id: "${toNodeId('EnvironmentPromotion', `${id}/1`)}") { id } product(name: "billing") { viewerCan { edit { reason } } } }`,
  );
  expect(asked.body).toEqual({ data: { release: null, skeleton: null, promotion: null, product: null } });
});

test('the permissions of a caller at a place are those that its grants give there', async () => {
  const asked = (token: Token | string, where: string) =>
    guarded
      .ask(token, `{ viewer { permissions${where} } }`)
      .then(({ body }) => (body.data as { viewer: { permissions: string[] } }).viewer.permissions);
  expect(await asked(tokens['viewer']!, '')).toEqual(['VIEW']);
  const inStaging = await asked(tokens['operator in staging']!, '(product: "billing", environment: "staging")');
  expect(inStaging).toContain('ROLLBACK');
  expect(await asked(tokens['operator in staging']!, '(product: "billing", environment: "eu")')).toEqual([]);
  expect(await asked(tokens['limited token of an admin']!, '(product: "billing")')).not.toContain('APPROVE');
});

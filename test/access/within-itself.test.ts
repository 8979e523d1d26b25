import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApprovalLink } from '../../src/commands/create-approval-link.ts';
import { createToken } from '../../src/commands/access/create-token.ts';
import type { Grant } from '../../src/core/access/index.ts';
import { approvalOf } from '../core/support/builders.ts';
import { newWebhookSecret } from '../support/webhooks.ts';
import { ADMIN, codeOf, type GuardedServer, openGuarded, SOMEBODY } from './support.ts';

// Whatever a token makes that acts by itself later is neither wider nor longer than the token.
let guarded: GuardedServer;
type Limits = Pick<Grant, 'products' | 'environments'>;
const HOUR = 3_600_000;
const SOON = new Date(Date.now() + HOUR);
const SOONER = new Date(Date.now() + HOUR / 2).toISOString();
const LATER = new Date(Date.now() + 2 * HOUR).toISOString();
const BILLING: Limits = { products: { names: ['billing'] }, environments: {} };
const EVERYWHERE: Limits = { products: {}, environments: {} };

const tokens: Record<string, string> = {};
beforeAll(async () => {
  const SLUICE_ENCRYPTION_KEY = Buffer.alloc(32, 7).toString('base64');
  guarded = await openGuarded({ SLUICE_ENCRYPTION_KEY });
  await guarded.engine.saveBilling('billing', { approvals: { staging: approvalOf('1') } });
  await guarded.grant({ subject: 'alice', role: 'ADMIN' });
  const of = async (name: string, role: 'VIEWER' | 'ADMIN', limits: Limits, expiresAt: Date | null) => {
    const scope = [{ role, ...limits }];
    const input = { name, subjectKind: 'USER' as const, subject: 'alice', scope, expiresAt };
    const { value, refusals } = await createToken(guarded.engine.app, input, SOMEBODY);
    if (refusals) throw new Error(JSON.stringify(refusals));
    tokens[name] = value.token;
  };
  await of('viewer of billing', 'VIEWER', BILLING, null);
  await of('admin of billing', 'ADMIN', BILLING, null);
  await of('viewer for an hour', 'VIEWER', BILLING, SOON);
  await of('admin for an hour', 'ADMIN', EVERYWHERE, SOON);
  await of('admin', 'ADMIN', EVERYWHERE, null);
});
afterAll(() => guarded.close());

const CREATE = `mutation ($input: ApiTokenCreateInput!) { made: apiTokenCreate(input: $input) { secret userErrors { code path message } } }`;
const scope = (role: string, product?: string) => [{ role, products: product ? { names: [product] } : {} }];
const self = { subjectKind: 'USER', subject: 'alice' };
const account = { subjectKind: 'SERVICE_ACCOUNT', subject: 'new-one' };

interface Made {
  secret: string | null;
  userErrors: { code: string; path: string[]; message: string }[];
}

async function made(by: string, input: object): Promise<string> {
  const answer = await guarded.ask(tokens[by] as string, CREATE, { input: { name: 'x', ...input } });
  const payload = answer.body.data?.['made'] as Made | undefined;
  if (!payload) return String(codeOf(answer));
  return payload.secret === null ? payload.userErrors.map(({ path }) => path.slice(1).join('.')).join() : 'made';
}

describe('a token', () => {
  test.each<[by: string, what: string, input: object, answer: string]>([
    ['viewer of billing', 'for oneself, no scope', self, 'scope'],
    ['viewer of billing', 'for oneself, wider role', { ...self, scope: scope('ADMIN', 'billing') }, 'scope.0'],
    ['viewer of billing', 'for oneself, wider place', { ...self, scope: scope('VIEWER') }, 'scope.0'],
    ['viewer of billing', 'for oneself, the same', { ...self, scope: scope('VIEWER', 'billing') }, 'made'],
    ['viewer of billing', 'for a service account', { ...account, scope: scope('VIEWER', 'billing') }, 'FORBIDDEN'],
    ['admin of billing', 'for oneself, no scope', self, 'scope'],
    ['admin of billing', 'for oneself, wider place', { ...self, scope: scope('VIEWER') }, 'scope.0'],
    ['admin of billing', 'for oneself, narrower', { ...self, scope: scope('APPROVER', 'billing') }, 'made'],
    ['admin of billing', 'a service account, no scope', account, 'scope'],
    ['admin of billing', 'a service account, wider', { ...account, scope: scope('VIEWER', 'shop') }, 'scope.0'],
    ['admin of billing', 'a messenger', { ...account, scope: scope('MESSENGER', 'billing') }, 'scope.0'],
    ['admin of billing', 'somebody else', { ...self, subject: 'bob', scope: scope('VIEWER', 'billing') }, 'subject'],
    ['viewer for an hour', 'no end', { ...self, scope: scope('VIEWER', 'billing') }, 'expiresAt'],
    [
      'viewer for an hour',
      'a later end',
      { ...self, scope: scope('VIEWER', 'billing'), expiresAt: LATER },
      'expiresAt',
    ],
    ['viewer for an hour', 'an earlier end', { ...self, scope: scope('VIEWER', 'billing'), expiresAt: SOONER }, 'made'],
    ['viewer for an hour', 'no scope', { ...self, expiresAt: SOONER }, 'scope'],
    ['admin for an hour', 'no end, of another kind', { ...account, scope: scope('VIEWER') }, 'expiresAt'],
    ['admin for an hour', 'an earlier end, no scope', { ...account, expiresAt: SOONER }, 'made'],
    ['admin', 'no end', { ...account, scope: scope('ADMIN') }, 'made'],
    ['admin', 'a messenger', { ...account, scope: scope('MESSENGER', 'billing') }, 'made'],
    ['admin', 'for oneself, no scope', self, 'scope'],
  ])('of a %s: %s', async (by, _, input, answer) => {
    expect(await made(by, input)).toBe(answer);
  });
});

const REFUSED = '{ userErrors { code message } }';
async function refused(by: string, mutation: string, type: string, input: object): Promise<string> {
  const query = `mutation ($input: ${type}!) { made: ${mutation}(input: $input) ${REFUSED} }`;
  const answer = await guarded.ask(tokens[by] as string, query, { input });
  const { userErrors = [] } = (answer.body.data?.['made'] ?? {}) as { userErrors?: { message: string }[] };
  return userErrors[0]?.message ?? (codeOf(answer) as string | undefined) ?? 'made';
}

test.each<[by: string, answer: RegExp]>([
  ['admin for an hour', /^the token that you use ends at .*, and nothing made with it lasts longer/],
  ['admin', /^made$/],
])('a grant, and a secret that signs orders, of a token that is %s', async (by, answer) => {
  const grant = { subjectKind: 'USER', subject: 'bob', role: 'VIEWER' };
  expect(await refused(by, 'roleGrantCreate', 'RoleGrantCreateInput', grant)).toMatch(answer);
  const webhook = { source: 'board', decidesAs: 'board' };
  const secret = { name: `board-${by.length}`, secretValue: newWebhookSecret(), webhook };
  expect(await refused(by, 'secretSet', 'SecretSetInput', secret)).toMatch(answer);
  // One that only sends something acts when others do.
  const plain = { name: 'plain', secretValue: 'long-enough-1', hosts: ['hooks.example.com'] };
  expect(await refused(by, 'secretSet', 'SecretSetInput', plain)).toBe('made');
});

test('a link ends with the token that made it', async () => {
  const { engine } = guarded;
  const worker = await engine.startWorker();
  const releaseId = await engine.trigger({ product: 'billing', version: '1' });
  await engine.reached(releaseId, ({ promotions }) => promotions[1]?.approval !== null);
  await worker.close();
  const input = { releaseId, environment: 'staging', decision: 'approve' as const, expiresIn: 5 * HOUR };
  const alice = { name: 'alice', kind: 'PERSON' as const, groups: [], roles: [] };
  const end = async (lasts?: number) =>
    (await createApprovalLink(engine.app, input, alice, { credential: null, lasts })).value?.link.expiresAt;
  expect(await end(SOON.getTime())).toEqual(SOON);
  expect((await end())!.getTime()).toBeGreaterThan(SOON.getTime() + HOUR);
});

describe('the name of a service account that others count on', () => {
  const mine = (subject: string) =>
    made('admin of billing', { ...account, subject, scope: scope('VIEWER', 'billing') });

  test('is not for who has limits: it has rights, tokens, or a webhook that speaks for it, beyond these', async () => {
    expect(await mine('free')).toBe('made');
    expect(await mine('free')).toBe('made');
    await guarded.grant({ subjectKind: 'SERVICE_ACCOUNT', subject: 'granted', role: 'VIEWER' });
    const { engine } = guarded;
    const token = (subject: string, of: Limits | null) =>
      createToken(
        engine.app,
        {
          name: 'x',
          subjectKind: 'SERVICE_ACCOUNT',
          subject,
          scope: of && [{ role: 'VIEWER', ...of }],
          expiresAt: null,
        },
        SOMEBODY,
      );
    await token('wide', EVERYWHERE);
    await token('whatever', null);
    await token('theirs-within', BILLING);
    const webhook = { source: 'gate', decidesAs: 'gate' };
    const secret = { name: 'gate', secretValue: newWebhookSecret(), webhook };
    await refused('admin', 'secretSet', 'SecretSetInput', secret);
    for (const subject of ['granted', 'wide', 'whatever', 'gate', 'admin']) expect(await mine(subject)).toBe('subject');
    expect(await mine('theirs-within')).toBe('made');
    expect(await made('admin', { ...account, subject: 'granted', scope: scope('VIEWER') })).toBe('made');
  });

  test('nor is one that a rule of an approval names, where nothing else is known of it', async () => {
    expect(await mine('change-board')).toBe('made');
    await guarded.engine.saveBilling('billing', {
      approvals: { staging: approvalOf('1 of service-account/change-board') },
    });
    expect(await mine('change-board')).toBe('subject');
    expect(await mine('board')).not.toBe('made');
  });
});

test('a name that somebody took before shows neither what the other one has', async () => {
  const taken = { ...account, subject: 'taken', scope: scope('VIEWER', 'billing') };
  const first = await guarded.ask(tokens['admin of billing'] as string, CREATE, { input: { name: 'first', ...taken } });
  const { secret } = first.body.data!['made'] as Made;
  await made('admin', { ...taken, name: 'theirs', scope: scope('ADMIN') });
  await guarded.grant({ subjectKind: 'SERVICE_ACCOUNT', subject: 'taken', role: 'OPERATOR' });
  // Both were made by alice; the second one by another token of hers, which has no limits.
  await guarded.engine.app.pool.query(`UPDATE api_token SET created_by = 'somebody' WHERE name = 'theirs'`);
  const { body } = await guarded.ask(secret, '{ apiTokens { nodes { name } } roleGrants { nodes { role } } }');
  expect(body.data).toEqual({ apiTokens: { nodes: [{ name: 'first' }] }, roleGrants: { nodes: [] } });
});

test('without limits an admin is who an admin is', async () => {
  const answer = await guarded.ask(ADMIN, CREATE, { input: { name: 'x', ...account, scope: scope('ADMIN') } });
  expect((answer.body.data!['made'] as Made).secret).not.toBeNull();
});

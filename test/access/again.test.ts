import { afterAll, beforeAll, expect, test } from 'vitest';
import { createToken } from '../../src/commands/access/create-token.ts';
import type { Grant } from '../../src/core/access/index.ts';
import { ENVIRONMENTS, REGIONS } from '../support/engine.ts';
import type { Answer } from '../api/support/clients.ts';
import { codeOf, type GuardedServer, openGuarded, SOMEBODY, type Token } from './support.ts';

// A caller with a narrow grant calls again with the key, because the answer was lost. What the call would do by now may be more than the
// caller may do; what it did is not.

let guarded: GuardedServer;
const OWN = ENVIRONMENTS.filter((each) => each !== 'dev');

/** Of one program, so that its tokens have their keys in common. */
async function tokenFor(environments: string[], role: Grant['role'] = 'OPERATOR'): Promise<Token> {
  const input = {
    name: 'test',
    subjectKind: 'SERVICE_ACCOUNT' as const,
    subject: 'ci',
    scope: [{ role, products: { names: ['billing'] }, environments: { names: environments } }],
    expiresAt: null,
  };
  const { value, refusals } = await createToken(guarded.engine.app, input, SOMEBODY);
  if (refusals) throw new Error(JSON.stringify(refusals));
  return { id: value.stored.id, text: value.token };
}

beforeAll(async () => {
  guarded = await openGuarded();
  await guarded.engine.saveBilling();
  await guarded.engine.startWorker();
});
afterAll(() => guarded.close());

/** What the mutation has made, or said. */
interface Done {
  release: { uuid: string };
  rollback: { uuid: string };
  outcome: string;
  userErrors: { code: string }[];
}

const doneOf = ({ body }: Answer): Done => body.data?.['done'] as Done;

const trigger = (token: Token, input: object) =>
  guarded.ask(
    token,
    'mutation ($input: ReleaseTriggerInput!) { done: releaseTrigger(input: $input) { release { uuid } userErrors { code } } }',
    { input: { product: 'billing', ...input } },
  );
const rollBack = (token: Token, input: object) =>
  guarded.ask(
    token,
    'mutation ($input: RollbackInput!) { done: rollbackStart(input: $input) { rollback { uuid } userErrors { code } } }',
    { input: { product: 'billing', reason: 'leaks', ...input } },
  );

test('a release is answered that today would go further, and to nobody who may not promote where it went', async () => {
  const ci = await tokenFor(OWN);
  const input = { version: '1', idempotencyKey: 'build 1' };
  const first = await trigger(ci, input);
  const id = doneOf(first).release.uuid;
  expect(id).toBeDefined();
  await guarded.engine.ended(id);
  await guarded.engine.save('Environment', 'moon', { kind: 'PRODUCTION' });
  await guarded.engine.save('Application', 'billing-moon', {
    product: 'billing',
    environment: 'moon',
    driver: { type: 'simulate' },
    health: { type: 'none' },
  });
  await guarded.engine.save('PromotionFlow', 'to-production', {
    triggerEnvironment: 'dev',
    productSelector: {},
    onFailure: 'FINISH_RUNNING',
    steps: [
      { environment: 'staging', dependsOn: ['dev'] },
      { group: 'regions', dependsOn: ['staging'] },
      { environment: 'asia-2', dependsOn: ['regions'] },
      { environment: 'moon', dependsOn: ['asia-2'] },
    ],
  });
  expect(doneOf(await trigger(ci, input))).toEqual(doneOf(first));
  // Another call, and another caller's key: they would make a release.
  expect(codeOf(await trigger(ci, { ...input, idempotencyKey: 'build 2' }))).toBe('FORBIDDEN');
  expect(codeOf(await trigger(ci, { ...input, version: '2' }))).toBe('FORBIDDEN');
  expect(codeOf(await trigger(await guarded.token('OPERATOR', { environments: { names: OWN } }), input))).toBe(
    'FORBIDDEN',
  );
  // The same program, which may by now promote to the regions alone, or nowhere.
  expect(codeOf(await trigger(await tokenFor(REGIONS), input))).toBe('FORBIDDEN');
  expect(codeOf(await trigger(await tokenFor(OWN, 'VIEWER'), input))).toBe('FORBIDDEN');
});

test('a rollback of a version is answered that is live nowhere by now', async () => {
  const { engine } = guarded;
  const ci = await tokenFor([...ENVIRONMENTS, 'moon']);
  for (const version of ['3', '4']) await engine.ended(await engine.trigger({ product: 'billing', version }));
  const input = { version: '4', idempotencyKey: 'incident 1' };
  const first = await rollBack(ci, input);
  const id = doneOf(first).rollback.uuid;
  expect(id).toBeDefined();
  expect((await engine.ended(id)).status).toBe('SUCCEEDED');
  expect(doneOf(await rollBack(ci, input))).toEqual(doneOf(first));
  expect(codeOf(await rollBack(ci, { ...input, idempotencyKey: 'incident 2' }))).toBe('FORBIDDEN');
  expect(codeOf(await rollBack(await tokenFor(REGIONS), input))).toBe('FORBIDDEN');
});

test('what comes of a report names the environments that its reporter sees, and no others', async () => {
  const { engine } = guarded;
  await engine.saveBilling('shop', {
    rollbackPolicies: [
      {
        when: { groups: ['regions'] },
        targets: [{ siblings: true, condition: 'SAME_VERSION', mode: 'AUTOMATIC' }],
        maxFailureAge: 1_200_000,
        onTargetFailure: 'CONTINUE',
        markBad: { scope: 'NONE' },
      },
    ],
  });
  await engine.ended(await engine.trigger({ product: 'shop', version: '1' }));
  const report = async (environments: string[]): Promise<string> => {
    const token = await guarded.token('RELEASER', { environments: { names: environments } });
    const answer = await guarded.ask(
      token,
      `mutation { done: rolloutReport(input: { product: "shop", environment: "eu", status: UNKNOWN, message: "the probe timed out" }) {
        outcome rollback { uuid } userErrors { message } } }`,
    );
    expect(doneOf(answer)).toMatchObject({ rollback: null, userErrors: [] });
    return doneOf(answer).outcome;
  };
  // Only a certain failure starts a rollback.
  expect(await report(ENVIRONMENTS)).toMatch(/^nothing goes back\. .*\beu: .*\basia: /);
  const own = await report(['eu']);
  expect(own).toMatch(/^nothing goes back\. eu: /);
  expect(own).not.toMatch(/asia|us-east/);
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RollbackPolicySpec } from '../../src/core/definitions.ts';
import { ERRORS, openTestApi } from './support/api.ts';
import type { TestApi } from './support/api.ts';

/** What a rollback would do, asked over the API, on what real releases have left behind. */
let api: TestApi;
beforeAll(async () => {
  api = await openTestApi();
  await api.startWorker();
  await api.saveBilling('billing', { rollbackPolicies: [POLICY] });
});
afterAll(() => api.close());

const POLICY: RollbackPolicySpec = {
  when: { groups: ['regions'] },
  targets: [
    { siblings: true, condition: 'SAME_VERSION', mode: 'AUTOMATIC' },
    { downstream: true, condition: 'SAME_VERSION', mode: 'APPROVAL' },
  ],
  maxFailureAge: 1_200_000,
  onTargetFailure: 'CONTINUE',
  maxParallel: 2,
  markBad: { scope: 'PRODUCT' },
};

const PLAN = `query ($input: RollbackInput!) { planRollback(input: $input) {
  plan { version { label } maxParallel onTargetFailure markBad cause { kind environment by reason releaseId }
    targets { environment decision reason from { label } to { label } toReleaseId approval { rules { count } } window opensAt } }
  ${ERRORS} } }`;

interface Shown {
  targets: { environment: string; decision: string; from?: { label: string }; to?: { label: string } }[];
}

async function planned(input: object): Promise<Shown & Record<string, unknown>> {
  const { planRollback } = await api.ask(PLAN, { input: { product: 'billing', reason: 'it is slow', ...input } });
  expect(planRollback.userErrors).toEqual([]);
  return planRollback.plan;
}

const told = ({ targets }: Shown): Record<string, string> =>
  Object.fromEntries(
    targets.map(({ environment, decision, from, to }) => [
      environment,
      to ? `${decision} ${from?.label} > ${to.label}` : decision,
    ]),
  );

async function released(version: string): Promise<string> {
  const id = await api.trigger({ product: 'billing', version });
  expect((await api.ended(id)).status).toBe('SUCCEEDED');
  return id;
}

test('nothing was ever released: nothing goes back, and it says so', async () => {
  const plan = await planned({ environments: ['eu'] });
  expect(told(plan)).toEqual({ eu: 'LEFT_ALONE' });
});

test('each environment goes back to its own last version, the ones behind when somebody agrees', async () => {
  const first = await released('1.0.0');
  const second = await released('2.0.0');
  const plan = await planned({ environments: ['us-east'] });
  expect(told(plan)).toEqual({
    'us-east': 'INCLUDED 2.0.0 > 1.0.0',
    asia: 'INCLUDED 2.0.0 > 1.0.0',
    eu: 'INCLUDED 2.0.0 > 1.0.0',
    'asia-2': 'PROPOSED 2.0.0 > 1.0.0',
  });
  const idOf = (id: string) => Buffer.from(`Release:${id}`).toString('base64url');
  expect(plan).toMatchObject({
    version: { label: '2.0.0' },
    cause: { kind: 'MANUAL', environment: 'us-east', by: 'ada', reason: 'it is slow' },
    maxParallel: 2,
    onTargetFailure: 'CONTINUE',
    markBad: 'PRODUCT',
  });
  const { targets, cause } = plan as unknown as { targets: object[]; cause: { releaseId: string } };
  expect([idOf(second), second]).toContain(cause.releaseId.replace(/=+$/, ''));
  expect(targets[0]).toMatchObject({
    reason: 'us-east goes back from 2.0.0 to 1.0.0: ada asked for it',
    approval: null,
    window: null,
  });
  expect([idOf(first), first]).toContain((targets[0] as { toReleaseId: string }).toReleaseId.replace(/=+$/, ''));
  expect(targets.at(-1)).toMatchObject({ approval: { rules: [{ count: 1 }] } });
});

test('everything that runs a version, but for where versions start', async () => {
  expect(told(await planned({ version: '2.0.0' }))).toEqual({
    asia: 'INCLUDED 2.0.0 > 1.0.0',
    'asia-2': 'INCLUDED 2.0.0 > 1.0.0',
    dev: 'LEFT_ALONE',
    eu: 'INCLUDED 2.0.0 > 1.0.0',
    staging: 'INCLUDED 2.0.0 > 1.0.0',
    'us-east': 'INCLUDED 2.0.0 > 1.0.0',
  });
});

test('an application says that no rollback touches it, a version is marked bad, a window holds rollbacks', async () => {
  const definition = await api.app.dataSource.query<{ annotations: object }[]>(
    `UPDATE application SET annotations = '{"sluice.dev/no-rollback": "an audit"}' WHERE name = 'billing-eu' RETURNING annotations`,
  );
  expect(definition).toHaveLength(2);
  await api.save('ReleaseWindow', 'no-rollbacks-in-asia', {
    kind: 'DENY',
    timeZone: 'UTC',
    from: '2020-01-01T00:00',
    to: '2029-01-01T00:00',
    selector: { environments: { names: ['asia'] }, products: {} },
    holds: ['ROLLBACK'],
    onClose: 'FINISH',
    runway: false,
  });
  const plan = await planned({ environments: ['us-east'] });
  expect(told(plan)).toMatchObject({ eu: 'LEFT_ALONE', asia: 'INCLUDED 2.0.0 > 1.0.0' });
  expect(plan.targets.find((each) => each.environment === 'asia')).toMatchObject({
    window: expect.stringContaining('no-rollbacks-in-asia'),
    opensAt: '2029-01-01T00:00:00.000Z',
  });
  const { versionMarkBad } = await api.ask(
    `mutation { versionMarkBad(input: { product: "billing", version: "1.0.0", reason: "leaks" }) { ${ERRORS} } }`,
  );
  expect(versionMarkBad.userErrors).toEqual([]);
  expect((await planned({ environments: ['us-east'] })).targets[0]).toMatchObject({
    decision: 'IMPOSSIBLE',
    reason: 'no earlier version in us-east is good: 1.0.0 is marked bad',
  });
});

test('nothing goes back below the floor that a release brought', async () => {
  const input = { product: 'billing', version: '3.0.0', rollbackFloor: '3.0.0' };
  const { planRelease } = await api.ask(
    `query ($input: ReleaseTriggerInput!) { planRelease(input: $input) { plan { rollbackFloor } ${ERRORS} } }`,
    { input },
  );
  expect(planRelease).toEqual({ plan: { rollbackFloor: '3.0.0' }, userErrors: [] });
  expect((await api.ended(await api.trigger(input))).status).toBe('SUCCEEDED');
  expect((await planned({ environments: ['staging'] })).targets[0]).toMatchObject({
    decision: 'IMPOSSIBLE',
    reason: 'no earlier version in staging is good: 2.0.0 is older than 3.0.0, below which 3.0.0 allows no rollback',
  });
  const refused = await api.ask(
    `query ($input: ReleaseTriggerInput!) { planRelease(input: $input) { plan { rollbackFloor } ${ERRORS} } }`,
    { input: { ...input, rollbackFloor: ' ' } },
  );
  expect(refused.planRelease.userErrors).toMatchObject([{ code: 'INVALID', path: ['input', 'rollbackFloor'] }]);
});

test.each<[string, object, string, string[], RegExp]>([
  ['no product', { product: 'biling', environments: ['eu'] }, 'NOT_FOUND', ['product'], /no product "biling"/],
  ['neither environments nor a version', {}, 'INVALID', ['environments'], /either/],
  ['both', { environments: ['eu'], version: '2.0.0' }, 'INVALID', ['environments'], /either/],
  ['no environment', { environments: [] }, 'INVALID', ['environments'], /name an environment/],
  ['an unknown one', { environments: ['us-eats'] }, 'NOT_FOUND', ['environments', '0'], /Did you mean "us-east"/],
  ['an unknown version', { version: '9' }, 'NOT_FOUND', ['version'], /has no version "9"/],
  ['a version that is live nowhere', { version: '1.0.0' }, 'WRONG_STATE', ['version'], /live in no environment/],
  ['no reason', { environments: ['eu'], reason: ' ' }, 'INVALID', ['reason'], /a reason is needed/],
  ['a text that no database keeps', { environments: ['eu'], to: '\0' }, 'INVALID', ['to'], /NUL/],
])('with %s it is refused where that stands', async (_title, input, code, path, message) => {
  const { planRollback } = await api.ask(PLAN, { input: { product: 'billing', reason: 'slow', ...input } });
  expect(planRollback).toMatchObject({
    plan: null,
    userErrors: [{ code, path: ['input', ...path], message: expect.stringMatching(message) }],
  });
});

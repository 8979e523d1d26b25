import { afterAll, beforeAll, expect, test } from 'vitest';
import { ERRORS, openTestApi } from './support/api.ts';
import type { TestApi } from './support/api.ts';

/** Rollback policies of a flow, in and out of the API. */
let api: TestApi;
beforeAll(async () => {
  api = await openTestApi();
  await api.saveBilling();
});
afterAll(() => api.close());

const SHOWN = `rollbackPolicies { when { environments groups causes } observeFor maxFailureAge maxParallel onTargetFailure budget
  markBad { scope expiresAfter }
  targets { environments group siblings downstream condition mode approval { rules { count users } forbidInitiator expiry onExpiry } } }`;
const update = `mutation ($input: PromotionFlowUpdateInput!) {
  payload: promotionFlowUpdate(input: $input) { promotionFlow { ${SHOWN} manifest } ${ERRORS} } }`;

const policy = {
  when: { groups: ['regions'], causes: ['FAILED', 'REPORTED'] },
  targets: [
    { siblings: true },
    { environments: ['asia-2'], condition: 'ALWAYS', mode: 'APPROVAL', approval: { rules: [{ users: ['ann'] }] } },
  ],
  observeFor: '10m',
  maxFailureAge: '5m',
  budget: 3,
  markBad: { scope: 'GROUP', expiresAfter: '24h' },
};

test('what is written is shown, with what was left out', async () => {
  const { payload } = await api.ask(update, { input: { name: 'to-production', rollbackPolicies: [policy, {}] } });
  expect(payload.userErrors).toEqual([]);
  const { manifest, rollbackPolicies } = payload.promotionFlow;
  const none = { environments: null, group: null, siblings: null, downstream: null, approval: null };
  expect(rollbackPolicies).toEqual([
    {
      when: { environments: null, groups: ['regions'], causes: ['FAILED', 'REPORTED'] },
      targets: [
        { ...none, siblings: true, condition: 'SAME_VERSION', mode: 'AUTOMATIC' },
        {
          ...none,
          environments: ['asia-2'],
          condition: 'ALWAYS',
          mode: 'APPROVAL',
          approval: { rules: [{ count: 1, users: ['ann'] }], forbidInitiator: true, expiry: '24h', onExpiry: 'FAIL' },
        },
      ],
      observeFor: '10m',
      maxFailureAge: '5m',
      maxParallel: null,
      onTargetFailure: 'STOP',
      budget: 3,
      markBad: { scope: 'GROUP', expiresAfter: '24h' },
    },
    {
      when: { environments: null, groups: null, causes: null },
      targets: [],
      observeFor: null,
      maxFailureAge: '20m',
      maxParallel: null,
      onTargetFailure: 'STOP',
      budget: null,
      markBad: { scope: 'PRODUCT', expiresAfter: null },
    },
  ]);
  const applied = await api.ask(
    `mutation ($text: String!) { manifestsApply(input: { text: $text }) { changes { change } ${ERRORS} } }`,
    { text: manifest },
  );
  expect(applied.manifestsApply).toMatchObject({ changes: [{ change: 'UNCHANGED' }], userErrors: [] });
});

test('what is wrong is refused where it stands, and null takes all policies away', async () => {
  const wrong = { ...policy, targets: [{ siblings: true, group: 'regions' }, { environments: ['mars'] }], budget: 0 };
  const refused = await api.ask(update, { input: { name: 'to-production', rollbackPolicies: [wrong] } });
  expect(refused.payload.userErrors.map((each: { path: string[] }) => each.path.join('.')).sort()).toEqual([
    'input.rollbackPolicies.0.budget',
    'input.rollbackPolicies.0.targets.0',
    'input.rollbackPolicies.0.targets.1.environments.0',
  ]);
  const { payload } = await api.ask(update, { input: { name: 'to-production', rollbackPolicies: null } });
  expect(payload).toMatchObject({ promotionFlow: { rollbackPolicies: null }, userErrors: [] });
});

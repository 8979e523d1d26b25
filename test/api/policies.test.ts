import { afterAll, beforeAll, expect, test } from 'vitest';
import { ERRORS, openTestApi } from './support/api.ts';
import type { TestApi } from './support/api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await openTestApi();
  await api.saveBilling('billing');
  const { errors } = await applied(`${workflow('scan')}---\n${workflow('consent')}---\n${policy}---\n${base}`);
  expect(errors).toEqual([]);
});
afterAll(() => api.close());

const workflow = (name: string) => `apiVersion: sluice.dev/v1
kind: PromotionWorkflow
metadata: { name: ${name} }
spec: { actions: [{ name: run, type: simulate }] }
`;
/** As Codefresh published it. */
const policy = `apiVersion: codefresh.io/v1beta1
kind: PromotionPolicy
metadata:
  name: eu-checks
spec:
  priority: 2
  selector:
    product:
      names:
        - billing
    targetEnvironment:
      names:
        - eu
  policy:
    preAction: scan
    action: commit
`;
const base = `apiVersion: sluice.dev/v1
kind: PromotionPolicy
metadata:
  name: base
spec:
  priority: 100
  selector:
    targetEnvironment:
      kinds:
        - PRODUCTION
  policy:
    preAction: consent
  locked:
    - preAction
`;

async function applied(text: string): Promise<{ errors: { message: string }[] }> {
  const { manifestsApply } = await api.ask(
    `mutation ($text: String!) { manifestsApply(input: { text: $text }) { changes { name change warnings } userErrors { message } } }`,
    { text },
  );
  return { ...manifestsApply, errors: manifestsApply.userErrors };
}

const SETTINGS =
  'settings { setting workflow action pullRequest { merge } origin policy policyRevision priority locked }';
const evaluate = (environment: string, flow?: string) =>
  api.ask(
    `query ($environment: String!, $flow: String) { evaluatePolicy(product: "billing", environment: $environment, flow: $flow) {
      ${SETTINGS} policies { name } findings { kind refuses setting message } } }`,
    { environment, flow },
  );
const short = (
  settings: {
    setting: string;
    workflow: string | null;
    action: string | null;
    origin: string;
    policy: string | null;
  }[],
) =>
  settings.map(
    ({ setting, workflow: name, action, origin, policy: by }) => `${setting} ${name ?? action} of ${by ?? origin}`,
  );

test('manifests of both forms are given back as they were applied', async () => {
  const { promotionPolicies } = await api.ask('{ promotionPolicies(first: 10) { nodes { name manifest } } }');
  expect(promotionPolicies.nodes).toEqual([
    { name: 'base', manifest: base },
    { name: 'eu-checks', manifest: policy },
  ]);
});

test('evaluatePolicy says what holds, where it comes from, and what is missing', async () => {
  const { evaluatePolicy } = await evaluate('eu');
  expect(short(evaluatePolicy.settings)).toEqual([
    'PRE_ACTION consent of base',
    'PRE_ACTION scan of eu-checks',
    'ACTION COMMIT of eu-checks',
  ]);
  expect(evaluatePolicy.settings[0]).toMatchObject({ locked: true, policyRevision: 1, priority: 100 });
  expect(evaluatePolicy.policies).toEqual([{ name: 'eu-checks' }, { name: 'base' }]);
  expect(evaluatePolicy.findings).toEqual([]);
  const asia = (await evaluate('asia')).evaluatePolicy;
  expect(short(asia.settings)).toEqual(['PRE_ACTION consent of base', 'ACTION COMMIT of DEFAULT']);
  expect(asia.findings).toMatchObject([{ kind: 'MISSING', refuses: false, setting: 'ACTION' }]);
});

test('what is not there is said by its name', async () => {
  const answers = await Promise.all(
    ['nowhere', 'eu'].map((environment) => evaluate(environment, 'no-flow').catch((error: Error) => error.message)),
  );
  expect(answers).toEqual([
    expect.stringContaining('there is no environment "nowhere"'),
    expect.stringContaining('flow "no-flow" is not there'),
  ]);
});

test('a release freezes the settings and says when there are newer ones', async () => {
  const flow = 'to-production';
  const planned = await api.ask(
    `query { planRelease(input: { product: "billing", version: "1.0.0" }) { plan { promotions { name ${SETTINGS} } } ${ERRORS} } }`,
  );
  const inPlan = planned.planRelease.plan.promotions.find((each: { name: string }) => each.name === 'eu');
  expect(short(inPlan.settings)).toEqual(short((await evaluate('eu', flow)).evaluatePolicy.settings));

  const { releaseTrigger } = await api.ask(
    `mutation { releaseTrigger(input: { product: "billing", version: "1.0.0" }) { release { id } ${ERRORS} } }`,
  );
  expect(releaseTrigger.userErrors).toEqual([]);
  const frozen = async () => {
    const { release } = await api.ask(
      `query ($id: ID!) { release(id: $id) { promotions { name policy { newerExists ${SETTINGS} } } } }`,
      { id: releaseTrigger.release.id },
    );
    return release.promotions.find((each: { name: string }) => each.name === 'eu').policy;
  };
  const before = await frozen();
  expect(before).toEqual({ newerExists: false, settings: inPlan.settings });
  const changed = await api.ask(
    `mutation { promotionPolicyUpdate(input: { name: "eu-checks", priority: 3 }) { promotionPolicy { revision } ${ERRORS} } }`,
  );
  expect(changed.promotionPolicyUpdate).toEqual({ promotionPolicy: { revision: 2 }, userErrors: [] });
  expect(await frozen()).toEqual({ newerExists: true, settings: inPlan.settings });

  // Without it the releases to come are made without it, and this one goes on with what it froze.
  const removed = await api.ask(`mutation { promotionPolicyDelete(input: { name: "eu-checks" }) { ${ERRORS} } }`);
  expect(removed.promotionPolicyDelete.userErrors).toEqual([]);
  expect(short((await evaluate('eu', flow)).evaluatePolicy.settings)).toEqual([
    'PRE_ACTION consent of base',
    'ACTION COMMIT of DEFAULT',
  ]);
  expect((await frozen()).settings).toEqual(inPlan.settings);
  expect((await applied(policy)).errors).toEqual([]);
});

test('a contradiction is refused when it is planned, and told before', async () => {
  const locked = `mutation { promotionPolicyCreate(input: { name: "by-hand", priority: 1, policy: { action: NONE }, locked: [ACTION],
    selector: { targetEnvironment: { names: ["asia"] } } }) { ${ERRORS} } }`;
  expect((await api.ask(locked)).promotionPolicyCreate.userErrors).toEqual([]);
  await applied(`apiVersion: sluice.dev/v1
kind: PromotionPolicy
metadata: { name: all-commit }
spec: { priority: 0, policy: { action: commit } }
`);
  const { evaluatePolicy } = await evaluate('asia');
  expect(evaluatePolicy.findings).toEqual([
    {
      kind: 'CONTRADICTION',
      refuses: true,
      setting: 'ACTION',
      message: 'policy "all-commit" says action commit, and policy "by-hand" has locked none: change one of them',
    },
  ]);
  const { planRelease } = await api.ask(
    `query { planRelease(input: { product: "billing", version: "2.0.0" }) { plan { product } ${ERRORS} } }`,
  );
  expect(planRelease).toMatchObject({
    plan: null,
    userErrors: [{ message: expect.stringMatching(/^in "asia": policy "all-commit" says action commit/) }],
  });
  for (const name of ['by-hand', 'all-commit'])
    await api.ask(`mutation { promotionPolicyDelete(input: { name: "${name}" }) { ${ERRORS} } }`);
});

test('a pull request that a policy brings to a target without a host is refused when it is planned', async () => {
  const create = `mutation { promotionPolicyCreate(input: { name: "by-pr", priority: 1, policy: { action: PR },
    selector: { targetEnvironment: { names: ["asia"] } } }) { ${ERRORS} } }`;
  expect((await api.ask(create)).promotionPolicyCreate.userErrors).toEqual([]);
  const { releaseTrigger } = await api.ask(
    `mutation { releaseTrigger(input: { product: "billing", version: "3.0.0" }) { release { id } ${ERRORS} } }`,
  );
  expect(releaseTrigger).toMatchObject({
    release: null,
    userErrors: [{ message: expect.stringMatching(/in "asia" is promoted by pull request/) }],
  });
  await api.ask(`mutation { promotionPolicyDelete(input: { name: "by-pr" }) { ${ERRORS} } }`);
});

test('a policy that is wrong by itself is refused at the place, and a workflow that it names stays', async () => {
  const create = (input: string) =>
    api.ask(`mutation { promotionPolicyCreate(input: { name: "x", priority: 1, ${input} }) { ${ERRORS} } }`);
  const errorsOf = async (input: string) => (await create(input)).promotionPolicyCreate.userErrors;
  expect(await errorsOf('policy: {}, locked: [ACTION]')).toMatchObject([
    { message: 'action is locked and not set: set it, or unlock it', path: ['input', 'locked', '0'] },
  ]);
  expect(await errorsOf('policy: { preAction: "gone" }')).toMatchObject([
    { code: 'UNKNOWN_REFERENCE', path: ['input', 'policy', 'preAction'] },
  ]);
  const { promotionWorkflowDelete } = await api.ask(
    `mutation { promotionWorkflowDelete(input: { name: "scan" }) { ${ERRORS} } }`,
  );
  expect(promotionWorkflowDelete.userErrors).toMatchObject([
    { code: 'IN_USE', message: expect.stringContaining('PromotionPolicy "eu-checks"') },
  ]);
});

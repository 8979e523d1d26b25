import { afterAll, beforeAll, expect, test } from 'vitest';
import { ERRORS, openTestApi } from './support/api.ts';
import type { TestApi } from './support/api.ts';
import { PATIENCE } from '../support/patience.ts';

// What people see of releases that start by themselves, and what they do about it. The driver has no commits: what was reported is news.

let api: TestApi;
beforeAll(async () => {
  api = await openTestApi();
  await api.startWorker();
  await api.saveBilling();
});
afterAll(() => api?.close());

const report = (version: string, application = 'billing-dev') =>
  api.ask(`mutation ($input: DeploymentReportInput!) { deploymentReport(input: $input) { ${ERRORS} } }`, {
    input: { application, version },
  });
const FIELDS = `uuid id status kind reason by flowName environmentName state { application version epoch } release { shortId trigger { kind actor candidateId commits { commit } } version { label } }`;
const candidates = async () =>
  (await api.ask(`{ candidates(filter: { product: "billing" }) { nodes { ${FIELDS} } } }`)).candidates.nodes;
const act = async (mutation: string, input: object) => {
  const type = mutation === 'candidateDismiss' ? 'CandidateDismissInput' : 'CandidateInput';
  const query = `mutation ($input: ${type}!) { ${mutation}(input: $input) { candidate { ${FIELDS} } ${ERRORS} } }`;
  return (await api.ask(query, { input }))[mutation];
};

async function until(holds: (newest: { status: string; reason: string }) => boolean) {
  for (const deadline = Date.now() + PATIENCE; ;) {
    const [newest] = await candidates();
    if (newest && holds(newest)) return newest;
    if (Date.now() > deadline) throw new Error(`not reached: ${JSON.stringify(newest)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test('trap 30: the first report is noted, each other version after it is one release, and the same one told again is none', async () => {
  await report('1');
  expect(await candidates()).toEqual([]);
  const { triggers } = await api.ask('{ triggers(product: "billing") { applicationName version outcome epoch } }');
  expect(triggers).toEqual([
    {
      applicationName: 'billing-dev',
      version: '1',
      epoch: 0,
      outcome: 'first report: "1", and the next version counts',
    },
  ]);
  await Promise.all([report('2'), report('2'), report('2')]);
  const newest = await until(({ status }) => status === 'RELEASED');
  await report('2');
  expect(await candidates()).toHaveLength(1);
  expect(newest).toMatchObject({
    kind: 'DEPLOYMENT',
    flowName: 'to-production',
    state: [{ application: 'billing-dev', version: '2', epoch: 1 }],
    release: {
      version: { label: '2' },
      trigger: { kind: 'DEPLOYMENT', actor: null, candidateId: newest.id, commits: [] },
    },
  });
  // Back to what it ran before is another change.
  await report('1');
  await until(({ status, reason }) => status === 'RELEASED' && reason !== '');
  await expect.poll(async () => (await candidates()).length).toBe(2);
  expect((await api.ask(`{ node(id: "${newest.id}") { ... on Candidate { status } } }`)).node).toEqual({
    status: 'RELEASED',
  });
});

test('paused triggers hold a candidate, say why, and let it go when they are resumed', async () => {
  const pause =
    'mutation ($input: TriggerPauseInput!) { triggerPause(input: $input) { pauses { productName reason by } userErrors { message } } }';
  expect((await api.ask(pause, { input: { product: 'billing', reason: '' } })).triggerPause.userErrors).toHaveLength(1);
  const made = await api.ask(pause, { input: { product: 'billing', reason: 'the team is away' } });
  expect(made.triggerPause).toEqual({
    pauses: [{ productName: 'billing', reason: 'the team is away', by: 'ada' }],
    userErrors: [],
  });
  await report('3');
  const waiting = await until(({ reason }) => reason.includes('paused'));
  expect(waiting).toMatchObject({
    status: 'WAITING',
    reason: 'automatic triggers are paused by ada: the team is away',
  });
  const resume =
    'mutation ($input: TriggerResumeInput!) { triggerResume(input: $input) { pauses { reason } userErrors { message } } }';
  expect((await api.ask(resume, { input: {} })).triggerResume.userErrors).toMatchObject([
    {
      message:
        'automatic triggers of all products are not paused; those of product "billing" are: end that with `triggerResume` (`sluice trigger resume billing`)',
    },
  ]);
  await api.ask(resume, { input: { product: 'billing' } });
  expect(await until(({ status }) => status === 'RELEASED')).toMatchObject({ uuid: waiting.uuid });
});

test('a person dismisses a candidate, has it looked at again, and releases it at once: then it is MANUAL', async () => {
  await api.ask('mutation { triggerPause(input: { reason: "by hand" }) { userErrors { message } } }');
  await report('4');
  const { uuid, id } = await until(({ reason }) => reason.includes('by hand'));
  const dismissed = await act('candidateDismiss', { candidateId: uuid, reason: 'a test' });
  expect(dismissed.candidate).toMatchObject({ status: 'DISMISSED', reason: 'a test', by: 'ada' });
  expect((await act('candidateRetry', { candidateId: id })).candidate).toMatchObject({ status: 'WAITING' });
  const released = await act('candidateRelease', { candidateId: id });
  expect(released.candidate).toMatchObject({
    status: 'RELEASED',
    by: 'ada',
    release: { version: { label: '4' }, trigger: { kind: 'MANUAL', actor: 'ada' } },
  });
  const again = await act('candidateRelease', { candidateId: id });
  expect(again).toMatchObject({
    candidate: null,
    userErrors: [
      {
        code: 'WRONG_STATE',
        message: `candidate ${uuid.slice(0, 8)} of "billing" is RELEASED and cannot be released: it is release ${released.candidate.release.shortId}`,
      },
    ],
  });
  expect(await act('candidateRelease', { candidateId: 'nothing' })).toMatchObject({
    userErrors: [{ code: 'NOT_FOUND' }],
  });
  await api.ask('mutation { triggerResume(input: {}) { userErrors { message } } }');
});

test('one that a newer one came after is told so by the names under which both are listed', async () => {
  await api.ask('mutation { triggerPause(input: { reason: "one by one" }) { userErrors { message } } }');
  await report('5');
  const older = await until(({ reason }) => reason.includes('one by one'));
  await act('candidateDismiss', { candidateId: older.uuid, reason: 'a test' });
  await report('6');
  const newer = await until(({ reason }) => reason.includes('one by one'));
  expect((await act('candidateRetry', { candidateId: older.uuid })).userErrors).toMatchObject([
    {
      code: 'WRONG_STATE',
      message: `candidate ${newer.uuid.slice(0, 8)} of "billing" came after candidate ${older.uuid.slice(0, 8)} of "billing": name that one, or release the commit by itself`,
    },
  ]);
  await act('candidateDismiss', { candidateId: newer.uuid, reason: 'a test' });
  await api.ask('mutation { triggerResume(input: {}) { userErrors { message } } }');
});

test('what would be chosen and what a push would do can be asked before', async () => {
  const { explainFlowSelection } = await api.ask(
    '{ explainFlowSelection(product: "billing", environment: "dev", message: "hotfix") { environment flow explanation } }',
  );
  expect(explainFlowSelection).toEqual([
    {
      environment: 'dev',
      flow: 'to-production',
      explanation: expect.arrayContaining([expect.stringContaining('taken')]),
    },
  ]);
  const manifest = [
    'apiVersion: sluice.dev/v1',
    'kind: PromotionFlow',
    'metadata: { name: draft }',
    'spec: { triggerEnvironment: dev, productSelector: { names: [billing] }, steps: [{ environment: eu, dependsOn: [dev] }] }',
  ].join('\n');
  const asked = `query ($draft: PromotionFlowDraftInput) { explainFlowSelection(product: "billing", environment: "dev", draft: $draft) {
    flow flows { flowName isTaken entry reason } } }`;
  const [drafted] = (await api.ask(asked, { draft: { manifest } })).explainFlowSelection;
  expect(drafted.flows.map((each: { flowName: string }) => each.flowName)).toEqual(['draft', 'to-production']);
  expect(drafted.flows.filter((each: { isTaken: boolean }) => each.isTaken)).toMatchObject([
    { flowName: drafted.flow },
  ]);
  expect((await api.ask(asked, {})).explainFlowSelection[0].flows).toHaveLength(1);
  const { explainTrigger } = await api.ask(
    '{ explainTrigger(repository: "https://git.example.com/nothing.git") { nothing applications { outcome } } }',
  );
  expect(explainTrigger).toEqual({
    nothing: 'no application that triggers releases is in this repository',
    applications: [],
  });
});

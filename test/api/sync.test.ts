import { afterAll, beforeAll, expect, test } from 'vitest';
import { ERRORS, openTestApi } from './support/api.ts';
import type { TestApi } from './support/api.ts';

let api: TestApi;
let id: string;
let uuid: string;

const trigger = `mutation ($input: ReleaseTriggerInput!) { releaseTrigger(input: $input) { release { id uuid } ${ERRORS} } }`;
const report = (input: object) =>
  api
    .ask(
      `mutation ($input: DeploymentReportInput!) { deploymentReport(input: $input) {
        application { name sync { type report { limit } } } accepted ${ERRORS} } }`,
      { input },
    )
    .then((answer) => answer.deploymentReport);
const released = () =>
  api
    .ask(
      `query ($id: ID!) { release(id: $id) { status
        waitingFor { __typename message who ... on WaitingForSync { step { name phase status } } } } }`,
      { id },
    )
    .then((answer) => answer.release);

beforeAll(async () => {
  api = await openTestApi();
  await api.saveBilling('billing', { sync: (environment) => (environment === 'eu' ? { type: 'report' } : undefined) });
  await api.startWorker();
  const { releaseTrigger } = await api.ask(trigger, { input: { product: 'billing', version: '1.4.2' } });
  expect(releaseTrigger.userErrors).toEqual([]);
  ({ id, uuid } = releaseTrigger.release);
  await api.reached(uuid, (state) => state.status === 'SUSPENDED');
});
afterAll(() => api.close());

test('a target that nobody saw run the change is waited for, by name', async () => {
  const { status, waitingFor } = await released();
  expect(status).toBe('SUSPENDED');
  expect(waitingFor[0]).toEqual({
    __typename: 'WaitingForSync',
    message: 'eu: billing-eu/SYNC waits for a report that billing-eu runs 1.4.2',
    who: 'the target of billing-eu',
    step: { name: 'billing-eu/SYNC', phase: 'SYNC', status: 'WAITING' },
  });
});

test('what is no report is refused, and another version is no sync', async () => {
  expect((await report({ application: 'gone', version: '1' })).userErrors).toMatchObject([{ code: 'NOT_FOUND' }]);
  expect((await report({ application: 'billing-eu' })).userErrors).toMatchObject([
    { code: 'INVALID', path: ['input', 'version'] },
  ]);
  expect((await report({ application: 'billing-eu', commit: 'main' })).userErrors).toMatchObject([
    { code: 'INVALID', path: ['input', 'commit'] },
  ]);
  const sync = { type: 'REPORT', report: { limit: null } };
  expect(await report({ application: 'billing-eu', version: '1.3.0' })).toEqual({
    application: { name: 'billing-eu', sync },
    accepted: true,
    userErrors: [],
  });
  await expect
    .poll(async () => (await released()).waitingFor[0].message)
    .toBe('eu: billing-eu/SYNC billing-eu runs 1.3.0, not 1.4.2');
  const old = await report({ application: 'billing-eu', version: '1.4.2', at: '2020-01-01T00:00:00Z' });
  expect(old.accepted).toBe(false);
});

test('a report from a clock that is ahead keeps no later one out', async () => {
  const ahead = { application: 'billing-eu', at: '2099-01-01T00:00:00Z' };
  expect((await report({ ...ahead, version: '1.3.1' })).accepted).toBe(true);
  expect((await report({ application: 'billing-eu', version: '1.3.2' })).accepted).toBe(true);
  const healthReport = (input: object) =>
    api
      .ask(`mutation ($input: HealthReportInput!) { healthReport(input: $input) { accepted ${ERRORS} } }`, { input })
      .then((answer) => answer.healthReport.accepted);
  expect(await healthReport({ ...ahead, status: 'DEGRADED' })).toBe(true);
  expect(await healthReport({ application: 'billing-eu', status: 'HEALTHY' })).toBe(true);
});

test('the version goes on at once, and its deployment says how it was verified', async () => {
  expect((await report({ application: 'billing-eu', version: '1.4.2' })).accepted).toBe(true);
  expect((await api.ended(uuid)).status).toBe('SUCCEEDED');
  const { deployments } = await api.ask(`{ deployments(first: 20) { nodes { environmentName verified } } }`);
  const verified = Object.fromEntries(
    deployments.nodes.map((each: { environmentName: string; verified: string }) => [
      each.environmentName,
      each.verified,
    ]),
  );
  expect(verified).toMatchObject({ eu: 'SYNC_AND_HEALTH', asia: 'HEALTH_ONLY', staging: 'HEALTH_ONLY' });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { POLICY } from '../engine/rollback/support.ts';
import { ERRORS, openTestApi } from './support/api.ts';
import type { TestApi } from './support/api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await openTestApi();
  await api.startWorker();
});
afterAll(() => api?.close());

const ROLLBACK = `id uuid status productName version { label } cause { kind environment reason by } origins { uuid }
  targets { environment decision status reason from { label } to { label } promotion { status } } release { kind trigger { kind } }`;
const START = `mutation ($input: RollbackInput!) { rollbackStart(input: $input) { rollback { ${ROLLBACK} } ${ERRORS} } }`;
const REPORT = `mutation ($input: RolloutReportInput!) { rolloutReport(input: $input) {
  outcome release { uuid } rollback { ${ROLLBACK} } ${ERRORS} } }`;
const decide = (verb: string): string =>
  `mutation ($input: RollbackTargetDecisionInput!) { rollbackTarget${verb}(input: $input) { rollback { ${ROLLBACK} } ${ERRORS} } }`;
const SHOW = `query ($id: ID!) { rollback(id: $id) { ${ROLLBACK} } }`;

/** Versions 1 and 2 of a product of its own, both everywhere. */
async function released(product: string): Promise<string> {
  await api.saveBilling(product, { rollbackPolicies: [POLICY] });
  await api.ended(await api.trigger({ product, version: '1' }));
  const id = await api.trigger({ product, version: '2' });
  await api.ended(id);
  return id;
}

const targets = (rollback: { targets: { environment: string; status: string }[] }): Record<string, string> =>
  Object.fromEntries(rollback.targets.map((each) => [each.environment, each.status]));

test('a deployment shows what somebody changed by hand', async () => {
  await released('drifted');
  const drift = { since: '2026-03-01T12:00:00.000Z', files: ['values.yaml'], commit: 'c0ffee', author: 'Ann <ann@x>' };
  await api.app.pool.query(
    `UPDATE deployment SET drift = $1, looked_at = $2 WHERE product = 'drifted' AND environment = 'eu' AND version = '2'`,
    [JSON.stringify(drift), drift.since],
  );
  const shown = await api.ask(
    `{ deployments(selector: { products: ["drifted"], environments: ["eu", "asia"] }) {
      nodes { environmentName version { label } observedAt unseen drift { since files commit author subject } } } }`,
  );
  expect(shown.deployments.nodes).toEqual([
    { environmentName: 'asia', version: { label: '2' }, observedAt: null, unseen: null, drift: null },
    {
      environmentName: 'eu',
      version: { label: '2' },
      observedAt: drift.since,
      unseen: null,
      drift: { ...drift, subject: null },
    },
  ]);
});

describe('a person', () => {
  test('takes one environment back: what the policy says goes along, and afterwards it is on hold', async () => {
    const bad = await released('one');
    const input = { product: 'one', environments: ['eu'], reason: 'customers complain', idempotencyKey: 'k' };
    const { rollback, userErrors } = (await api.ask(START, { input })).rollbackStart;
    expect(userErrors).toEqual([]);
    expect(rollback).toMatchObject({
      productName: 'one',
      version: { label: '2' },
      cause: { kind: 'MANUAL', environment: 'eu', reason: 'customers complain', by: 'ada' },
      origins: [{ uuid: bad }],
      release: { kind: 'ROLLBACK', trigger: { kind: 'ROLLBACK' } },
    });
    expect((await api.ask(START, { input })).rollbackStart.rollback.id).toBe(rollback.id);
    await api.reached(
      rollback.uuid,
      ({ promotions }) => promotions.filter((each) => each.status === 'SUCCEEDED').length === 3,
    );
    const shown = (await api.ask(SHOW, { id: rollback.id })).rollback;
    expect(targets(shown)).toEqual({
      eu: 'ROLLED_BACK',
      'us-east': 'ROLLED_BACK',
      asia: 'ROLLED_BACK',
      'asia-2': 'PROPOSED',
    });
    const held = await api.ask(
      '{ environmentHolds(filter: { product: "one", active: true }) { nodes { environmentName rollback { uuid } } } }',
    );
    expect(held.environmentHolds.nodes.map((each: { environmentName: string }) => each.environmentName).sort()).toEqual(
      ['asia', 'eu', 'us-east'],
    );

    // Proposed, and approved.
    const decision = { rollbackId: rollback.id, environment: 'asia-2', comment: 'yes' };
    expect((await api.askAs('grace', decide('Approve'), { input: decision })).rollbackTargetApprove.userErrors).toEqual(
      [],
    );
    await api.ended(rollback.uuid);
    const done = (await api.ask(SHOW, { id: rollback.uuid })).rollback;
    expect(done.status).toBe('SUCCEEDED');
    expect(targets(done)['asia-2']).toBe('ROLLED_BACK');
    await api.reached(bad, ({ promotions }) => promotions.filter((each) => each.status === 'ROLLED_BACK').length === 4);
    const of = await api.ask(
      `{ release(id: "${bad}") { status rollbacks { uuid } promotions { name status } } rollbacks(product: "one") { nodes { uuid } } node(id: "${rollback.id}") { ... on Rollback { uuid } } }`,
    );
    expect(of.release).toMatchObject({ status: 'FAILED', rollbacks: [{ uuid: rollback.uuid }] });
    expect(of.rollbacks.nodes).toEqual([{ uuid: rollback.uuid }]);
    expect(of.node).toEqual({ uuid: rollback.uuid });
  });

  test('takes a version back wherever it is live, to a version of her choice; a proposal that is rejected stays', async () => {
    await released('all');
    await api.ended(await api.trigger({ product: 'all', version: '3' }));
    const input = { product: 'all', version: '3', to: '1', reason: 'wrong prices' };
    const { rollback } = (await api.ask(START, { input })).rollbackStart;
    await api.ended(rollback.uuid);
    const shown = (await api.ask(SHOW, { id: rollback.id })).rollback;
    const back = shown.targets.filter((each: { status: string }) => each.status === 'ROLLED_BACK');
    expect(
      back.map((each: { environment: string; to: { label: string } }) => [each.environment, each.to.label]).sort(),
    ).toEqual(['asia', 'asia-2', 'eu', 'staging', 'us-east'].map((each) => [each, '1']));
    expect(targets(shown)['dev']).toBe('LEFT_ALONE');
  });

  test.each([
    ['a product that is not there', { product: 'mars', environments: ['eu'], reason: 'x' }, 'NOT_FOUND'],
    ['no reason', { product: 'one', environments: ['eu'], reason: ' ' }, 'INVALID'],
    ['a version that runs nowhere', { product: 'one', version: '99', reason: 'x' }, 'NOT_FOUND'],
  ])('is refused for %s', async (_, input, code) => {
    const { rollback, userErrors } = (await api.ask(START, { input })).rollbackStart;
    expect(rollback).toBe(null);
    expect(userErrors[0]).toMatchObject({ code });
  });

  test('is told at once, environment by environment, when nothing would go back', async () => {
    await api.saveBilling('first', { rollbackPolicies: [POLICY] });
    await api.ended(await api.trigger({ product: 'first', version: '1' }));
    const input = { product: 'first', environments: ['eu'], reason: 'x' };
    const { userErrors } = (await api.ask(START, { input })).rollbackStart;
    expect(userErrors).toMatchObject([{ code: 'WRONG_STATE' }]);
    expect(userErrors[0].message).toContain('eu: eu never ran an earlier version');
  });
});

describe('a report from outside', () => {
  test('of a rollout that failed long after the release starts one rollback, however often it is told', async () => {
    const bad = await released('told');
    const input = { product: 'told', environment: 'us-east', version: '2', status: 'FAILED', message: 'pods crash' };
    const { rolloutReport: first } = await api.ask(REPORT, { input }, 'argo');
    expect(first).toMatchObject({
      outcome: 'a rollback was started',
      release: { uuid: bad },
      rollback: { cause: { kind: 'REPORTED', environment: 'us-east', reason: 'pods crash', by: 'argo' } },
    });
    const { rolloutReport: again } = await api.ask(REPORT, { input }, 'argo');
    expect(again.rollback.uuid).toBe(first.rollback.uuid);
    await api.reached(
      first.rollback.uuid,
      ({ promotions }) => promotions.filter((each) => each.status === 'SUCCEEDED').length === 3,
    );
    expect((await api.ask('{ rollbacks(product: "told") { nodes { uuid } } }')).rollbacks.nodes).toHaveLength(1);
    const reported = (await api.events(bad)).filter((each) => each.type === 'RolloutReported');
    expect(reported[0]).toMatchObject({ environment: 'us-east', rollout: 'FAILED', message: 'pods crash' });
    const reject = { rollbackId: first.rollback.id, environment: 'asia-2', comment: 'no' };
    expect((await api.ask(decide('Reject'), { input: reject }, 'grace')).rollbackTargetReject.userErrors).toEqual([]);
    const state = await api.ended(first.rollback.uuid);
    expect(state.status).toBe('SUCCEEDED');
    expect(targets((await api.ask(SHOW, { id: first.rollback.uuid })).rollback)['asia-2']).toBe('LEFT_ALONE');
  });

  test.each(['SUCCEEDED', 'UNKNOWN'])('of one that %s is noted and starts nothing', async (status) => {
    const product = `noted-${status.toLowerCase()}`;
    const id = await released(product);
    const { rolloutReport } = await api.ask(REPORT, { input: { product, environment: 'eu', status } });
    expect(rolloutReport).toMatchObject({ rollback: null, release: { uuid: id }, userErrors: [] });
    expect((await api.ask(`{ rollbacks(product: "${product}") { nodes { uuid } } }`)).rollbacks.nodes).toEqual([]);
  });

  test('of what was never there is refused', async () => {
    const input = { product: 'told', environment: 'eu', version: '77', status: 'FAILED' };
    const { rolloutReport } = await api.ask(REPORT, { input });
    expect(rolloutReport.userErrors).toMatchObject([{ code: 'NOT_FOUND', path: ['input', 'version'] }]);
  });
});

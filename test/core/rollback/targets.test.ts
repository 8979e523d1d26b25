import { describe, expect, test } from 'vitest';
import type { ApprovalDecision } from '../../../src/core/approvals/approval.ts';
import type { PlannedApplication, ReleasePlan } from '../../../src/core/plan.ts';
import { NO_FACTS } from '../../../src/core/release.ts';
import type { Facts, PromotionState, PromotionStatus } from '../../../src/core/release.ts';
import { createRelease } from '../../../src/core/create.ts';
import { limitGate, liveGate } from '../../../src/core/rollback/gates.ts';
import { policyFor, reachOf } from '../../../src/core/rollback/reach.ts';
import type { RollbackDecision } from '../../../src/core/rollback/rollback.ts';
import { targetStatuses } from '../../../src/core/rollback/target-status.ts';
import { distinct, named, sameVersion } from '../../../src/core/rollback/words.ts';
import { approvalOf, flowOf, planOf } from '../support/builders.ts';
import { NOW, policyOf, REGIONS, target, versionOf } from './support.ts';

const flow = planOf(flowOf('dev > {us, eu, asia}'));

/** A rollback of us, eu and asia, as a plan; `more` changes it. */
function rollback(more: Partial<NonNullable<ReleasePlan['rollback']>> = {}, expects?: PlannedApplication['expects']) {
  const promotions = flow.promotions.slice(1).map((each) => ({
    ...each,
    dependsOn: [],
    required: 0,
    applications: each.applications.map((application) => ({ ...application, expects })),
    restores: { from: versionOf('2.0'), to: versionOf('1.4'), origin: 'r2' },
  }));
  const plan = {
    ...flow,
    promotions,
    rollback: { targets: [], maxParallel: null, onTargetFailure: 'STOP', ...more },
  } as unknown as ReleasePlan;
  const { state } = createRelease('rb', plan, '2.0', NOW, null);
  return { plan, state };
}

describe('what has become of a target', () => {
  const told = (decision: RollbackDecision, promotion: Partial<PromotionState> = {}, asks = false, at = 'eu') => {
    const reason = 'as decided';
    const { plan, state } = rollback({
      targets: [{ environment: at, decision, reason, from: null, to: null, approval: null }],
    });
    const position = plan.promotions.findIndex(({ name }) => name === 'eu');
    Object.assign(plan.promotions[position]!, { approval: asks ? approvalOf('1') : null });
    Object.assign(state.promotions[position]!, promotion);
    return targetStatuses(plan, state).map((each) => `${each.status}: ${each.reason}`);
  };
  const problem = { message: 'broken', at: '', environment: 'eu' };
  const one: ApprovalDecision = { kind: 'APPROVED', by: 'ada', at: 1, comment: null, via: 'API', rules: [0] };
  const asked = (...decisions: ApprovalDecision[]) => ({ requestedAt: 1, expiresAt: 9e15, expiredAt: null, decisions });

  test.each<[string, string[], string[]]>([
    ['left alone', told('LEFT_ALONE', {}, false, 'mars'), ['LEFT_ALONE: as decided']],
    ['impossible', told('IMPOSSIBLE', {}, false, 'mars'), ['IMPOSSIBLE: as decided']],
    ['not in the plan', told('INCLUDED', {}, false, 'mars'), ['LEFT_ALONE: as decided']],
    ['waits', told('INCLUDED'), ['WAITING: as decided']],
    ['the first of the plan', told('INCLUDED', {}, false, 'us'), ['WAITING: as decided']],
    ['waits for people', told('PROPOSED', { approval: asked() }, true), ['PROPOSED: as decided']],
    ['waits, and people have agreed', told('PROPOSED', { approval: asked(one) }, true), ['WAITING: as decided']],
    ['goes back', told('INCLUDED', { status: 'RUNNING', startedAt: 1 }), ['ROLLING_BACK: as decided']],
    ['went back', told('INCLUDED', { status: 'SUCCEEDED', startedAt: 1 }), ['ROLLED_BACK: as decided']],
    ['failed', told('INCLUDED', { status: 'FAILED', startedAt: 1, problem }), ['FAILED: broken']],
    ['failed without a word', told('INCLUDED', { status: 'FAILED', startedAt: 1 }), ['FAILED: as decided']],
    ['failed before it began', told('INCLUDED', { status: 'TERMINATED', problem }), ['LEFT_ALONE: broken']],
    ['was left out', told('INCLUDED', { status: 'SKIPPED', problem }), ['LEFT_ALONE: broken']],
  ])('%s', (_what, statuses, expected) => {
    expect(statuses).toEqual(expected);
  });

  test('a release that is no rollback has none', () => {
    expect(targetStatuses(flow, createRelease('r', flow, '1', NOW, null).state)).toEqual([]);
  });
});

describe('may it go back now?', () => {
  const live = (id: string, digest: string): Facts => ({
    ...NO_FACTS,
    live: Object.fromEntries(
      flow.promotions.flatMap((each) => each.applications.map(({ name }) => [name, { id, digest, label: '9' }])),
    ),
  });
  const expected = { deployment: 'd1', digests: ['a', 'b'] };
  test.each<[string, PlannedApplication['expects'], Facts, string]>([
    ['what nobody expected anything of', undefined, NO_FACTS, 'pass'],
    ['what is live as it was', expected, live('d1', 'z'), 'pass'],
    ['another deployment of the same', expected, live('d2', 'b'), 'pass'],
    ['something else', expected, live('d2', 'z'), 'fail'],
    ['nothing', expected, NO_FACTS, 'fail'],
    ['nothing, as expected', { deployment: null, digests: [] }, NO_FACTS, 'pass'],
    ['something where nothing was', { deployment: null, digests: [] }, live('d2', 'z'), 'fail'],
  ])('live is %s', (_what, expects, facts, verdict) => {
    const { plan, state } = rollback({}, expects);
    expect(liveGate.ask({ plan, state, position: 1, facts, now: 0 })).toMatchObject({ gate: 'LIVE', verdict });
  });

  test.each<[string, number | null, PromotionStatus[], string]>([
    ['without a limit', null, ['RUNNING', 'PENDING', 'RUNNING'], 'pass'],
    ['below it', 2, ['RUNNING', 'PENDING', 'PENDING'], 'pass'],
    ['at it', 2, ['RUNNING', 'PENDING', 'RUNNING'], 'wait'],
    ['at one', 1, ['RUNNING', 'PENDING', 'PENDING'], 'wait'],
    ['itself does not count', 1, ['PENDING', 'RUNNING', 'PENDING'], 'pass'],
    ['who is through does not count', 1, ['SUCCEEDED', 'PENDING', 'FAILED'], 'pass'],
  ])('how many at once: %s', (_what, maxParallel, statuses, verdict) => {
    const { plan, state } = rollback({ maxParallel });
    statuses.forEach((status, position) =>
      Object.assign(state.promotions[position]!, { status, startedAt: status === 'PENDING' ? null : NOW }),
    );
    expect(limitGate.ask({ plan, state, position: 1, facts: NO_FACTS, now: 0 })).toMatchObject({
      gate: 'LIMIT',
      verdict,
    });
  });
});

describe('whom a policy reaches', () => {
  const plan = planOf(flowOf(REGIONS));
  test.each<[string, string, Parameters<typeof target>[0], string[]]>([
    ['by name, without the cause', 'eu', { environments: ['eu', 'staging', 'staging'] }, ['staging']],
    ['a group', 'staging', { group: 'regions' }, ['us-east', 'eu', 'asia']],
    ['a group that is not there', 'staging', { group: 'none' }, []],
    ['siblings', 'eu', { siblings: true }, ['us-east', 'asia']],
    ['siblings of the first', 'us-east', { siblings: true }, ['eu', 'asia']],
    ['siblings of what is in no group', 'staging', { siblings: true }, []],
    ['downstream of the first', 'dev', { downstream: true }, ['staging', 'us-east', 'eu', 'asia', 'asia-2']],
    ['downstream of a member', 'eu', { downstream: true }, ['asia-2']],
    ['downstream of the last', 'asia-2', { downstream: true }, []],
    ['downstream of nowhere', 'mars', { downstream: true }, []],
  ])('%s', (_what, cause, what, expected) => {
    expect(reachOf(plan, cause, target(what)).sort()).toEqual([...expected].sort());
    // In the order of the plan.
    const order = plan.promotions.map(({ name }) => name);
    const found = reachOf(plan, cause, target(what));
    expect(found).toEqual([...found].sort((a, b) => order.indexOf(a) - order.indexOf(b)));
  });

  test.each<[string, Parameters<typeof policyOf>[0]['when'], boolean]>([
    ['everything', {}, true],
    ['its cause', { causes: ['DEGRADED', 'FAILED'] }, true],
    ['another cause', { causes: ['DEGRADED'] }, false],
    ['its environment', { environments: ['asia', 'eu'] }, true],
    ['its group', { groups: ['none', 'regions'] }, true],
    ['another environment', { environments: ['asia'] }, false],
    ['neither', { environments: [], groups: [] }, false],
  ])('a policy for %s', (_what, when, fits) => {
    const rollbackPolicies = [policyOf({ when })];
    expect(policyFor({ ...plan, rollbackPolicies }, { kind: 'FAILED', environment: 'eu' }) !== null).toBe(fits);
  });
});

describe('versions in words', () => {
  const digest = 'sha256:0123456789abcdef';
  test.each([
    [{ label: '1.4', digest }, '1.4'],
    [{ label: '', digest }, 'sha256:01234'],
    [{ label: '', digest: '' }, 'an unknown version'],
  ])('%j', (version, words) => {
    expect(named(version)).toBe(words);
  });

  test('two of one name are told by what they hold', () => {
    const other = { label: '1.4', digest: 'sha256:fedcba9876543210' };
    expect(distinct({ label: '1.4', digest }, other)).toEqual(['1.4 (sha256:01234)', '1.4 (sha256:fedcb)']);
    expect(distinct({ label: '1.4', digest }, { label: '1.4', digest })).toEqual(['1.4', '1.4']);
    expect(distinct({ label: '1.4', digest }, { label: '1.5', digest })).toEqual(['1.4', '1.5']);
  });

  test.each([
    ['a', 'a', true],
    ['a', 'b', false],
    ['', '', false],
  ])('%j and %j are the same: %s', (a, b, same) => {
    expect(sameVersion({ label: 'x', digest: a }, { label: 'y', digest: b })).toBe(same);
    expect(sameVersion(null, { label: 'y', digest: b })).toBe(false);
    expect(sameVersion({ label: 'x', digest: a }, undefined)).toBe(false);
  });
});

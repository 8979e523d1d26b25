import { expect, test } from 'vitest';
import type { ApprovalSpec } from '../../../src/core/definitions.ts';
import { planRollback } from '../../../src/core/rollback/plan-rollback.ts';
import { ANYONE } from '../../../src/core/rollback/judge.ts';
import { check, MINUTE, policyOf, questionOf, target, type Row } from './support.ts';

const regions = { 'us-east': '1.4 2.0?', eu: '1.3 2.0', asia: '1.2 2.0' };
const all = { 'us-east': 'INCLUDED 2.0 > 1.4', eu: 'INCLUDED 2.0 > 1.3', asia: 'INCLUDED 2.0 > 1.2' };
const nobody = (reason: string): Record<string, string> => ({
  'us-east': `LEFT_ALONE: ${reason}`,
  eu: `LEFT_ALONE: ${reason}`,
  asia: `LEFT_ALONE: ${reason}`,
});

/** What keeps a rollback from starting by itself, from looping and from growing. */
const rows: Row[] = [
  [
    'a rollback is never rolled back',
    { environments: { 'us-east': '1.3 2.0 2.1! 2.0~', eu: '1.9', asia: '1.9' } },
    {
      'us-east':
        'IMPOSSIBLE: 2.0 was brought to us-east by a rollback, and a rollback is never rolled back: a person has to look',
      eu: 'LEFT_ALONE',
      asia: 'LEFT_ALONE',
    },
  ],
  [
    'nor is it in a region that only runs the same version',
    { environments: { ...regions, eu: '1.3 2.0 2.1! 2.0~' } },
    {
      'us-east': 'INCLUDED 2.0 > 1.4',
      eu: 'IMPOSSIBLE: 2.0 was brought to eu by a rollback, and a rollback is never rolled back: a person has to look',
      asia: 'INCLUDED 2.0 > 1.2',
    },
  ],
  [
    'nor does ALWAYS walk it further back',
    {
      environments: { 'us-east': '1.4 2.0?', eu: '1.2 1.3 2.0! 1.3~' },
      policy: { targets: [target({ environments: ['eu'], condition: 'ALWAYS' })] },
    },
    {
      'us-east': 'INCLUDED 2.0 > 1.4',
      eu: 'LEFT_ALONE: 1.3 was brought to eu by a rollback, and a rollback is never rolled back',
    },
  ],
  [
    'the second failure of a version in an environment needs a person',
    { environments: { ...regions, 'us-east': '1.4 2.0? 1.4~ 2.0? =2.0' } },
    {
      ...all,
      'us-east':
        'PROPOSED 2.0 > 1.4: us-east goes back from 2.0 to 1.4: the promotion to 2.0 failed; a person has to agree: 2.0 was already taken back by itself in us-east once, by rollback back-from-2.0',
    },
  ],
  [
    'the second time counts for each environment alone',
    { environments: { ...regions, eu: '1.3 2.0 1.3~ 2.0 =2.0' } },
    { ...all, eu: 'PROPOSED 2.0 > 1.3' },
  ],
  [
    'another version that was taken back before does not count',
    { environments: { ...regions, 'us-east': '1.4 1.5? 1.4~ 2.0? =1.5' } },
    all,
  ],
  [
    'nor does another content of the same name',
    { environments: { ...regions, 'us-east': '1.4 2.0#first? 1.4~ 2.0? =2.0#first' } },
    all,
  ],
  [
    'an old failure starts nothing',
    { environments: regions, age: 21 },
    nobody('the failure in us-east was 21 min ago, and none older than 20 min starts a rollback by itself'),
  ],
  ['a failure as old as is allowed does', { environments: regions, age: 20 }, all],
  [
    'the policy says how old it may be',
    { environments: regions, age: 6, policy: { maxFailureAge: 5 * MINUTE } },
    nobody('the failure in us-east was 6 min ago, and none older than 5 min starts a rollback by itself'),
  ],
  [
    'what nobody is sure of starts nothing',
    { environments: regions, indefinite: true },
    nobody('it is not certain that 2.0 is bad in us-east: only a certain failure starts a rollback'),
  ],
  [
    'without a policy nothing goes back by itself',
    { environments: regions, policy: null },
    { 'us-east': 'LEFT_ALONE: no rollback policy fits what happened in us-east: nothing goes back by itself' },
  ],
  [
    'when nobody knows the release, nobody knows its policies',
    { environments: regions, noPlan: true },
    { 'us-east': 'LEFT_ALONE' },
  ],
  [
    'a policy for other causes does not fit',
    { environments: regions, policy: { when: { causes: ['DEGRADED', 'REPORTED'] } } },
    { 'us-east': 'LEFT_ALONE' },
  ],
  [
    'a policy for this cause does',
    { environments: regions, policy: { when: { causes: ['DEGRADED', 'REPORTED'] } }, kind: 'REPORTED' },
    all,
  ],
  [
    'a policy for another environment does not fit',
    { environments: regions, policy: { when: { environments: ['asia-2'] } } },
    { 'us-east': 'LEFT_ALONE' },
  ],
  [
    'a policy for the environment itself does',
    { environments: regions, policy: { when: { environments: ['asia-2', 'us-east'] } } },
    all,
  ],
  [
    'a policy for the group of the environment does',
    { environments: regions, policy: { when: { environments: ['asia-2'], groups: ['regions'] } } },
    all,
  ],
  [
    'the first policy that fits is taken, not the best one',
    {
      environments: regions,
      policies: [{ when: { environments: ['eu'] } }, { targets: [] }, { when: { groups: ['regions'] } }],
    },
    { 'us-east': 'INCLUDED 2.0 > 1.4' },
  ],
  [
    'over the budget a person decides',
    { environments: regions, policy: { budget: 2 } },
    {
      'us-east': 'INCLUDED 2.0 > 1.4',
      asia: 'INCLUDED 2.0 > 1.2',
      eu: "PROPOSED 2.0 > 1.3: eu goes back from 2.0 to 1.3 because 2.0 failed in us-east; a person has to agree: the policy's budget of environments that go back by themselves is used up",
    },
  ],
  [
    'a budget of one is for the environment that failed',
    { environments: regions, policy: { budget: 1 } },
    { 'us-east': 'INCLUDED 2.0 > 1.4', eu: 'PROPOSED 2.0 > 1.3', asia: 'PROPOSED 2.0 > 1.2' },
  ],
  [
    'who is left alone, impossible or proposed uses no budget',
    {
      environments: { 'us-east': '1.4 2.0?', eu: '1.3 2.0', asia: '2.0', 'asia-2': '1.1 2.0' },
      policy: {
        budget: 2,
        targets: [
          target({ environments: ['dev', 'asia'] }),
          target({ environments: ['eu'], mode: 'APPROVAL' }),
          target({ downstream: true }),
        ],
      },
    },
    {
      'us-east': 'INCLUDED 2.0 > 1.4',
      dev: 'LEFT_ALONE',
      asia: 'IMPOSSIBLE',
      eu: 'PROPOSED 2.0 > 1.3',
      'asia-2': 'INCLUDED 2.0 > 1.1',
    },
  ],
  [
    'a change by hand in the environment that failed: a person decides whether it may be lost',
    { environments: { ...regions, 'us-east': '1.4 2.0?*' } },
    {
      ...all,
      'us-east':
        'PROPOSED 2.0 > 1.4: us-east goes back from 2.0 to 1.4: the promotion to 2.0 failed; a person has to agree: us-east was changed by hand, and that change would be lost',
    },
  ],
  [
    'the environment that failed has nothing to go back to: the others still go',
    { environments: { ...regions, 'us-east': '2.0?' } },
    { ...all, 'us-east': 'IMPOSSIBLE: us-east never ran an earlier version' },
  ],
];

check(rows);

test('who has to agree is what the policy says, and anyone who may roll back where it says nothing', () => {
  const approval: ApprovalSpec = {
    rules: [{ count: 2, groups: ['sre'] }],
    forbidInitiator: false,
    expiry: MINUTE,
    onExpiry: 'WAIT',
  };
  const targets = [
    target({ environments: ['eu'], mode: 'APPROVAL', approval }),
    target({ environments: ['asia'], mode: 'APPROVAL' }),
  ];
  const plan = planRollback(questionOf({ environments: regions, policy: { targets } }));
  expect(plan.targets.map((each) => each.approval)).toEqual([null, approval, ANYONE]);
});

test('the limits and the mark are those of the policy', () => {
  const policy = policyOf({
    maxParallel: 2,
    onTargetFailure: 'CONTINUE',
    markBad: { scope: 'GROUP', expiresAfter: MINUTE },
  });
  expect(planRollback(questionOf({ environments: regions, policy }))).toMatchObject({
    maxParallel: 2,
    onTargetFailure: 'CONTINUE',
    markBad: { scope: 'GROUP', expiresAfter: MINUTE },
  });
});

test('the environment of the cause comes first, then the targets in the order of the policy', () => {
  const targets = [target({ downstream: true }), target({ siblings: true })];
  const plan = planRollback(questionOf({ environments: regions, at: 'eu', policy: { targets } }));
  expect(plan.targets.map((each) => each.environment)).toEqual(['eu', 'asia-2', 'asia', 'us-east']);
});

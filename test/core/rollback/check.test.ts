import { describe, expect, test } from 'vitest';
import type { RollbackPolicySpec, RollbackTargetSpec } from '../../../src/core/definitions.ts';
import { checkFlow } from '../../../src/core/flow.ts';
import { flowOf } from '../support/builders.ts';
import { MINUTE, policyOf, REGIONS, target } from './support.ts';

function check(policies: Partial<RollbackPolicySpec>[], flow = REGIONS, when: 'SAVED' | 'RELEASED' = 'SAVED') {
  const { spec, environments, groups, workflows } = flowOf(flow, { rollbackPolicies: policies.map(policyOf) });
  const members = new Map(Object.entries(groups).map(([name, group]) => [name, group.environments.names ?? []]));
  members.set('elsewhere', ['mars']);
  const known = { environments: new Set([...environments, 'mars']), groups: members, workflows: new Set(workflows) };
  return checkFlow(spec, known, when);
}

const wrongTarget = (what: Partial<RollbackTargetSpec>): Partial<RollbackPolicySpec> => ({ targets: [target(what)] });
const approval = {
  rules: [{ count: 2, users: ['ann'] }],
  forbidInitiator: true,
  expiry: MINUTE,
  onExpiry: 'FAIL' as const,
};

describe('what is right is accepted', () => {
  test.each<[string, Partial<RollbackPolicySpec>]>([
    ['the smallest policy', { targets: [] }],
    ['siblings', { when: { groups: ['regions'] }, targets: [target({ siblings: true })] }],
    ['siblings of one member', { when: { environments: ['eu', 'asia-2'] }, targets: [target({ siblings: true })] }],
    ['a member of a group by name', wrongTarget({ environments: ['eu', 'staging', 'asia-2'] })],
    ['a group', wrongTarget({ group: 'regions', condition: 'ALWAYS' })],
    ['downstream, when somebody agrees', wrongTarget({ downstream: true, mode: 'APPROVAL' })],
    [
      'every limit',
      { observeFor: MINUTE, maxParallel: 1, budget: 3, markBad: { scope: 'GROUP', expiresAfter: MINUTE } },
    ],
  ])('%s', (_name, policy) => {
    expect(check([policy])).toEqual({ refusals: [], warnings: [] });
  });
});

describe('what is wrong is refused at its place', () => {
  test.each<[string, Partial<RollbackPolicySpec>, string, RegExp]>([
    ['a target that names nothing', wrongTarget({}), 'targets.0', /exactly one of .*; this one has none of them/],
    ['a target that names nothing but no', wrongTarget({ siblings: false }), 'targets.0', /none of them/],
    [
      'a target that names two things',
      wrongTarget({ siblings: true, group: 'regions' }),
      'targets.0',
      /this one has group and siblings/,
    ],
    ['an environment that does not exist', wrongTarget({ environments: ['euu'] }), 'targets.0.environments.0', /"eu"/],
    [
      'an environment that the flow does not promote',
      wrongTarget({ environments: ['eu', 'mars'] }),
      'targets.0.environments.1',
      /"mars" is not in the flow/,
    ],
    ['the trigger environment', wrongTarget({ environments: ['dev'] }), 'targets.0.environments.0', /"dev"/],
    ['a group as an environment', wrongTarget({ environments: ['regions'] }), 'targets.0.environments.0', /a group/],
    ['no environment at all', wrongTarget({ environments: [] }), 'targets.0.environments', /name an environment/],
    ['a group that the flow does not have', wrongTarget({ group: 'elsewhere' }), 'targets.0.group', /"elsewhere"/],
    ['an environment as a group', wrongTarget({ group: 'eu' }), 'targets.0.group', /an environment/],
    [
      'siblings of what is in no group',
      { when: { environments: ['asia-2'] }, targets: [target({ siblings: true })] },
      'targets.0.siblings',
      /none of the environments that the policy is for is in a group/,
    ],
    ['an approval without asking', wrongTarget({ downstream: true, approval }), 'targets.0.approval', /AUTOMATIC/],
    [
      'an approval that nobody can give',
      wrongTarget({ downstream: true, mode: 'APPROVAL', approval }),
      'targets.0.approval.rules',
      /can never be given/,
    ],
    [
      'a condition that is none',
      wrongTarget({ group: 'regions', condition: 'SAME' as never }),
      'targets.0.condition',
      /"SAME"/,
    ],
    ['a mode that is none', wrongTarget({ group: 'regions', mode: 'AUTO' as never }), 'targets.0.mode', /"AUTO"/],
    ['an unknown environment in when', { when: { environments: ['us'] } }, 'when.environments.0', /"us"/],
    ['an unknown group in when', { when: { groups: ['region'] } }, 'when.groups.0', /Did you mean "regions"/],
    ['no cause', { when: { causes: [] } }, 'when.causes', /leave causes out/],
    ['a cause that is none', { when: { causes: ['BROKEN' as never] } }, 'when.causes.0', /"BROKEN"/],
    ['a budget of nothing', { budget: 0 }, 'budget', /"0"; .* from 1/],
    ['half an environment', { maxParallel: 1.5 }, 'maxParallel', /"1.5"/],
    ['no time', { observeFor: 0 }, 'observeFor', /"0" ms/],
    ['a failure age below zero', { maxFailureAge: -1 }, 'maxFailureAge', /"-1" ms/],
    [
      'a mark that is over at once',
      { markBad: { scope: 'PRODUCT', expiresAfter: 0 } },
      'markBad.expiresAfter',
      /"0" ms/,
    ],
    ['a mark of nothing that expires', { markBad: { scope: 'NONE', expiresAfter: 1 } }, 'markBad.expiresAfter', /NONE/],
    ['a scope that is none', { markBad: { scope: 'WORLD' as never } }, 'markBad.scope', /"WORLD"/],
    ['an onTargetFailure that is none', { onTargetFailure: 'GO' as never }, 'onTargetFailure', /"GO"/],
    ['too many targets', { targets: Array.from({ length: 51 }, () => target({ group: 'regions' })) }, 'targets', /51/],
  ])('%s', (_name, policy, path, message) => {
    const { refusals } = check([{ targets: [] }, policy]);
    expect(refusals.map((each) => each.path.join('.'))).toEqual([`spec.rollbackPolicies.1.${path}`]);
    expect(refusals[0]?.message).toMatch(message);
  });

  test('what has left the flow since it was saved keeps no release from going out, and is a warning', () => {
    const policies = [{ when: { environments: ['mars', 'us-west'] }, targets: [target({ group: 'gone' })] }];
    const { refusals, warnings } = check(policies, REGIONS, 'RELEASED');
    expect(refusals).toEqual([]);
    expect(warnings.map(({ path, message }) => [path.slice(2).join('.'), message])).toEqual([
      ['0.when.environments.0', expect.stringContaining('environment "mars" is not in the flow')],
      ['0.when.environments.1', expect.stringContaining('environment "us-west" is not in the flow')],
      ['0.targets.0.group', expect.stringContaining('group "gone" is not in the flow')],
    ]);
    expect(
      check([{ targets: [target({ downstream: true, mode: 'NO' as never })] }], REGIONS, 'RELEASED').refusals,
    ).toHaveLength(1);
  });

  test('siblings in a flow without groups', () => {
    const { refusals } = check([{ targets: [target({ siblings: true })] }], 'dev > staging > {eu, asia}');
    expect(refusals).toMatchObject([
      { path: ['spec', 'rollbackPolicies', 0, 'targets', 0, 'siblings'], message: expect.stringMatching(/no group/) },
    ]);
  });

  test('more policies than anybody can read', () => {
    const { refusals } = check(Array.from({ length: 51 }, () => ({ targets: [] })));
    expect(refusals).toMatchObject([{ path: ['spec', 'rollbackPolicies'] }]);
  });
});

test('a policy behind one that fits everything is warned of', () => {
  const { refusals, warnings } = check([{ when: { causes: ['FAILED'] } }, {}, { when: { environments: ['eu'] } }]);
  expect({ refusals, warnings }).toEqual({
    refusals: [],
    warnings: [
      {
        message: 'rollback policy 2 fits everything, so the ones behind it are never taken',
        path: ['spec', 'rollbackPolicies', 1],
      },
    ],
  });
});

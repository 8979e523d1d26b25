import { describe, expect, test } from 'vitest';
import { DAY } from '../../src/core/definitions.ts';
import type { ApprovalRule, FlowStepSpec, PromotionFlowSpec, RollbackPolicySpec } from '../../src/core/definitions.ts';
import { checkFlow, sentencesOf } from '../../src/core/flow.ts';
import type { Known } from '../../src/core/flow.ts';
import { policyOf, target } from './rollback/support.ts';

const YEAR = 366 * DAY;

const known: Known = {
  environments: new Set(['dev', 'qa', 'eu', 'asia', 'mars']),
  groups: new Map([
    ['europe', ['eu']],
    ['asia', ['qa']],
    ['far', ['asia', 'mars']],
  ]),
  workflows: new Set(['tests']),
};

const env = (environment: string, ...dependsOn: string[]): FlowStepSpec => ({ environment, dependsOn });
const group = (name: string, ...dependsOn: string[]): FlowStepSpec => ({ group: name, dependsOn });
const flow = (steps: FlowStepSpec[], more: Partial<PromotionFlowSpec> = {}): PromotionFlowSpec => ({
  triggerEnvironment: 'dev',
  steps,
  onFailure: 'FINISH_RUNNING',
  ...more,
});
const step = (more: Partial<FlowStepSpec>): PromotionFlowSpec => flow([{ ...env('eu', 'dev'), ...more }]);
const places = (spec: PromotionFlowSpec): string[] => checkFlow(spec, known).refusals.map(({ path }) => path.join('.'));

const word = (length: number): string => 'a'.repeat(length);
const rule = (more: Partial<ApprovalRule>): PromotionFlowSpec =>
  step({ approval: { rules: [{ count: 1, ...more }], forbidInitiator: true, expiry: DAY, onExpiry: 'FAIL' } });
const expiring = (expiry: number, maxAge = YEAR): PromotionFlowSpec =>
  flow(
    [{ ...env('eu', 'dev'), approval: { rules: [{ count: 1 }], forbidInitiator: true, expiry, onExpiry: 'FAIL' } }],
    { maxAge },
  );
const rules = (length: number): PromotionFlowSpec =>
  step({ approval: { rules: Array(length).fill({ count: 1 }), forbidInitiator: true, expiry: DAY, onExpiry: 'FAIL' } });
const workflow = (name: string): PromotionFlowSpec =>
  flow([env('eu', 'dev'), { workflow: 'tests', name, dependsOn: ['eu'] }]);
const policies = (...all: Partial<RollbackPolicySpec>[]): PromotionFlowSpec =>
  flow([env('eu', 'dev')], { rollbackPolicies: all.map((each) => policyOf({ targets: [], ...each })) });
const quorum = (count: number | undefined): PromotionFlowSpec =>
  flow([
    env('eu', 'dev'),
    env('qa', 'dev'),
    { ...env('mars', 'eu', 'qa'), dependsOnPolicy: { policy: 'AT_LEAST', count } },
  ]);

describe('the most that is allowed, and one more', () => {
  test.each<[string, (amount: number) => PromotionFlowSpec, number, string]>([
    ['an approval may be awaited', expiring, YEAR, 'steps.0.approval.expiry'],
    ['an approval has rules', rules, 20, 'steps.0.approval.rules'],
    ['a rule asks for people', (count) => rule({ count }), 100, 'steps.0.approval.rules.0.count'],
    ["a rule's name", (length) => rule({ name: word(length) }), 200, 'steps.0.approval.rules.0.name'],
    [
      'a rule names people',
      (length) => rule({ users: Array.from({ length }, (_, each) => `u${each}`) }),
      200,
      'steps.0.approval.rules.0.users',
    ],
    ["a person's name", (length) => rule({ users: [word(length)] }), 200, 'steps.0.approval.rules.0.users.0'],
    ['a soak', (soak) => step({ soak }), YEAR, 'steps.0.soak'],
    ["an environment's timeout", (timeout) => step({ timeout }), YEAR, 'steps.0.timeout'],
    ["a workflow step's name", (length) => workflow(word(length)), 63, 'steps.1.name'],
    ['dependencies that must succeed', quorum, 2, 'steps.2.dependsOnPolicy.count'],
    ['rollback policies', (length) => policies(...Array(length).fill({})), 50, 'rollbackPolicies'],
    ['environments side by side', (maxParallel) => policies({ maxParallel }), 10_000, 'rollbackPolicies.0.maxParallel'],
    [
      'targets of a policy',
      (length) => policies({ targets: Array(length).fill(target({ environments: ['eu'] })) }),
      50,
      'rollbackPolicies.0.targets',
    ],
    [
      'environments of a target',
      (length) => policies({ targets: [target({ environments: Array(length).fill('eu') })] }),
      1000,
      'rollbackPolicies.0.targets.0.environments',
    ],
    ['an observation', (observeFor) => policies({ observeFor }), YEAR, 'rollbackPolicies.0.observeFor'],
  ])('%s', (_name, make, most, place) => {
    expect(places(make(most))).toEqual([]);
    expect(places(make(most + 1))).toEqual([`spec.${place}`]);
  });

  test.each<[string, (amount: number) => PromotionFlowSpec, number, string]>([
    ['a soak', (soak) => step({ soak }), 0, 'steps.0.soak'],
    ['dependencies that must succeed', quorum, 1, 'steps.2.dependsOnPolicy.count'],
    ['environments side by side', (maxParallel) => policies({ maxParallel }), 1, 'rollbackPolicies.0.maxParallel'],
    ["an environment's timeout", (timeout) => step({ timeout }), 1, 'steps.0.timeout'],
    ['an approval may be awaited', expiring, 1, 'steps.0.approval.expiry'],
  ])('the least that is allowed, and one less: %s', (_name, make, least, place) => {
    expect(places(make(least))).toEqual([]);
    expect(places(make(least - 1))).toEqual([`spec.${place}`]);
  });

  test.each<[string, PromotionFlowSpec, PromotionFlowSpec, string]>([
    ['the letters of a step', workflow('a-1'), workflow('a_1'), 'steps.1.name'],
    ['letters in the name of a rule', rule({ name: ' a ' }), rule({ name: '  ' }), 'steps.0.approval.rules.0.name'],
    [
      "a group's name",
      rule({ groups: [word(200)] }),
      rule({ groups: [word(201)] }),
      'steps.0.approval.rules.0.groups.0',
    ],
    [
      'two people, of whom one is named, or a role',
      rule({ count: 2, users: ['a'], roles: ['r'] }),
      rule({ count: 2, users: ['a'] }),
      'steps.0.approval.rules',
    ],
    ['a count for AT_LEAST', quorum(1), quorum(undefined), 'steps.2.dependsOnPolicy.count'],
    ['a budget', policies({ budget: 10_000 }), policies({ budget: 10_001 }), 'rollbackPolicies.0.budget'],
    ['a hook', step({ hooks: { onStart: 'tests' } }), step({ hooks: { onStart: 'none' } }), 'steps.0.hooks.onStart'],
  ])('%s', (_name, fits, not, place) => {
    expect(places(fits)).toEqual([]);
    expect(places(not)).toEqual([`spec.${place}`]);
  });
});

describe('one mistake is told once, where it is', () => {
  test.each<[string, PromotionFlowSpec, string[]]>([
    ['half a dependency', quorum(1.5), ['steps.2.dependsOnPolicy.count']],
    [
      'a count where all must succeed',
      step({ dependsOnPolicy: { policy: 'ALL', count: 1 } }),
      ['steps.0.dependsOnPolicy.count'],
    ],
    ['no count where all must succeed', step({ dependsOnPolicy: { policy: 'ALL' } }), []],
    ['capitals in the name of a workflow step', workflow('Tests'), ['steps.1.name']],
    ['the name of a workflow step is a group', workflow('europe'), ['steps.1.name']],
    ['a policy of what promotes nothing', flow([{ policy: {}, dependsOn: ['dev'] }]), ['steps.0']],
    ['a soak of two things', step({ workflow: 'tests', name: 'eu', soak: 1 }), ['steps.0']],
    [
      'a soak of a workflow',
      flow([env('eu', 'dev'), { workflow: 'tests', name: 't', dependsOn: ['eu'], soak: 1 }]),
      ['steps.1.soak'],
    ],
    ['the same group twice', flow([group('europe', 'dev'), group('europe', 'dev')]), ['steps.1.group']],
    [
      'a group that is called like an environment',
      flow([env('asia', 'dev'), group('asia', 'asia')]),
      ['steps.1.group'],
    ],
    [
      'a group like an environment of a later group',
      flow([group('asia', 'dev'), group('far', 'dev')]),
      ['steps.0.group'],
    ],
    [
      'a group like an environment of an earlier group',
      flow([group('far', 'dev'), group('asia', 'dev')]),
      ['steps.1.group'],
    ],
    [
      'siblings of what is not in the flow',
      policies({ when: { environments: ['mars', 'eu'] }, targets: [target({ siblings: true })] }),
      ['rollbackPolicies.0.when.environments.0'],
    ],
    ['a hook that is left empty', step({ hooks: { onStart: undefined, onFail: null as never } }), []],
  ])('%s', (_name, spec, expected) => {
    expect(places(spec)).toEqual(expected.map((each) => `spec.${each}`));
    expect(checkFlow(spec, known).warnings).toEqual([]);
  });

  test('a workflow step that is called like an environment of a group', () => {
    const spec = flow([group('europe', 'dev'), { workflow: 'tests', name: 'eu', dependsOn: ['dev'] }]);
    expect([...new Set(places(spec))]).toEqual(['spec.steps.1.name']);
  });
});

describe('what is allowed and may surprise', () => {
  test.each([
    [DAY, []],
    [DAY + 1, [expect.stringMatching(/may wait .* for its approval/)]],
  ])('an approval of %i ms in a release of a day', (expiry, warnings) => {
    const check = checkFlow(expiring(expiry, DAY), known);
    expect([check.refusals, sentencesOf(check.warnings)]).toEqual([[], warnings]);
  });

  test.each<[string, Partial<RollbackPolicySpec>[], number]>([
    ['the first of two', [{}, { when: { causes: ['FAILED'] } }], 1],
    ['the second of three', [{ when: { causes: ['FAILED'] } }, {}, { when: { causes: ['DEGRADED'] } }], 1],
    ['the last', [{ when: { causes: ['FAILED'] } }, {}], 0],
    ['the only one', [{}], 0],
  ])('a rollback policy that fits everything: %s', (_name, all, warnings) => {
    expect(checkFlow(policies(...all), known).warnings).toHaveLength(warnings);
  });
});

test('of a group that comes twice three members are told', () => {
  const five = Array.from({ length: 5 }, (_, each) => `e${each}`);
  const more = { ...known, environments: new Set(['dev', ...five]), groups: new Map([['all', five]]) };
  const { refusals } = checkFlow(flow([group('all', 'dev'), group('all', 'dev')]), more);
  expect(refusals).toHaveLength(3);
  expect(refusals[0]?.message).toContain('by step 1 (group "all") and by step 2 (group "all")');
});

test('a name stands for one step', () => {
  const named = (...names: string[]): PromotionFlowSpec =>
    flow([env('eu', 'dev'), ...names.map((name) => ({ workflow: 'tests', name, dependsOn: ['eu'] }))]);
  expect(checkFlow(named('a', 'a'), known).refusals).toMatchObject([
    {
      path: ['spec', 'steps', 2, 'name'],
      message: 'the name "a" stands for step 2 and for step 3; dependsOn could mean either',
    },
  ]);
  expect(places(named('a', 'b'))).toEqual([]);
});

test.each([
  [20, false],
  [21, true],
])('a ring of %i steps is told by its ends only: %s', (length, byItsEnds) => {
  const names = Array.from({ length }, (_, each) => `e${each}`);
  const ring = flow(names.map((name, each) => env(name, names.at(each - 1) as string, ...(each === 0 ? ['dev'] : []))));
  const [refused] = checkFlow(ring, { ...known, environments: new Set(['dev', ...names]) }).refusals;
  const told = (/each other: (.*?);/.exec(refused?.message ?? '')?.[1] ?? '').split(' → ');
  expect(told).toHaveLength(21);
  expect(told.includes('…')).toBe(byItsEnds);
  expect([...told.slice(0, 10), ...told.slice(-2)]).toEqual([...names.slice(0, 10), `e${length - 1}`, 'e0']);
});

import { describe, expect, test } from 'vitest';
import type { FlowStepSpec, PromotionFlowSpec, RollbackPolicySpec } from '../../src/core/definitions.ts';
import { checkFlow, dependenciesOf, dependentsOf, editFlow, findingsOf, type Known } from '../../src/core/flow.ts';
import { DEFAULT_PULL_REQUEST } from '../../src/core/definitions.ts';
import type { FlowEdit } from '../../src/core/kinds/flow-edit.ts';
import { rollbackPolicy } from '../../src/core/kinds/rollback-policy.ts';
import { fallbacksOf } from '../../src/core/kinds/shape.ts';
import { exportManifest, parseManifests, sameDefinition } from '../../src/manifests/index.ts';
import { fc } from './property.ts';
import { frozen } from './support/frozen.ts';

const ENVIRONMENTS = Array.from({ length: 12 }, (_, i) => `e${i}`);
const known: Known = {
  environments: new Set([
    'dev',
    'qa',
    'staging',
    'us-east',
    'eu',
    'asia',
    'asia-2',
    ...ENVIRONMENTS,
    'a',
    'b',
    'c',
    'x',
  ]),
  groups: new Map([
    ['regions', ['asia', 'eu', 'us-east']],
    ['europe', ['eu']],
    ['letters', ['a', 'b', 'c']],
    ['single', ['x']],
  ]),
  workflows: new Set(['smoke-tests', 'announce', 'migrate']),
};

/** `env('eu', 'staging', 'qa')`: eu after staging and qa. */
const env = (environment: string, ...dependsOn: string[]): FlowStepSpec => ({ environment, dependsOn });
const group = (name: string, ...dependsOn: string[]): FlowStepSpec => ({ group: name, dependsOn });
const flow = (steps: FlowStepSpec[], more: Partial<PromotionFlowSpec> = {}): PromotionFlowSpec =>
  frozen({ triggerEnvironment: 'dev', steps, onFailure: 'FINISH_RUNNING', ...more });
const policyFor = (more: Partial<RollbackPolicySpec>): RollbackPolicySpec => ({
  ...fallbacksOf(rollbackPolicy),
  ...more,
});
const targetOf = (more: object) => ({ condition: 'SAME_VERSION' as const, mode: 'AUTOMATIC' as const, ...more });

const add = (steps: FlowStepSpec[], after: string[], before: string[] = []): FlowEdit => ({
  type: 'addSteps',
  steps,
  after,
  before,
});
const remove = (step: string, dependents?: 'RECONNECT' | 'REMOVE', ...reconnectTo: string[]): FlowEdit => ({
  type: 'removeStep',
  step,
  dependents,
  reconnectTo,
});
const wait = (step: string, ...dependsOn: string[]): FlowEdit => ({ type: 'setDependencies', step, dependsOn });
const rename = (step: string, to: string): FlowEdit => ({ type: 'renameStep', step, to });
const change = (step: string, settings: object): FlowEdit => ({ type: 'changeStep', step, settings });
const changeFlow = (settings: object): FlowEdit => ({ type: 'changeFlow', settings });

/** The flow that comes of the edits, which must not be refused. */
function edited(spec: PromotionFlowSpec, ...edits: FlowEdit[]) {
  const result = editFlow(spec, edits, known.groups);
  if (result.refusals) throw new Error(JSON.stringify(result.refusals));
  return result;
}
const after = (spec: PromotionFlowSpec, ...edits: FlowEdit[]): PromotionFlowSpec => edited(spec, ...edits).spec;
const found = (spec: PromotionFlowSpec, ...edits: FlowEdit[]) => {
  const result = edited(spec, ...edits);
  return findingsOf(result, checkFlow(result.spec, known));
};

const line = flow([env('qa', 'dev'), env('staging', 'qa'), env('eu', 'staging'), env('asia', 'staging', 'qa')]);

describe('adding', () => {
  test('a step added after another depends on it without being told, after several on all, and side by side', () => {
    const { steps } = after(line, add([env('us-east'), env('asia-2', 'qa')], ['eu', 'asia', 'eu']));
    expect(steps).toEqual([...line.steps, env('us-east', 'eu', 'asia'), env('asia-2', 'eu', 'asia', 'qa')]);
  });

  test('all settings of a new step are kept', () => {
    const step = { ...group('letters'), soak: 5, policy: { action: 'pr' as const }, timeout: 7 };
    expect(after(line, add([step], ['eu'])).steps.at(-1)).toEqual({ ...step, dependsOn: ['eu'] });
  });

  test('a step between two others takes the place of what the later one came after', () => {
    const { steps } = after(line, add([env('us-east')], ['staging'], ['asia']));
    expect(steps.slice(3)).toEqual([env('asia', 'us-east', 'qa'), env('us-east', 'staging')]);
  });

  test('a step before another comes after all that this one came after', () => {
    const { steps } = after(line, add([env('us-east'), env('asia-2')], [], ['asia']));
    expect(steps.slice(3)).toEqual([
      env('asia', 'us-east', 'asia-2'),
      env('us-east', 'staging', 'qa'),
      env('asia-2', 'staging', 'qa'),
    ]);
  });

  test('a step after one member of a group does not free the next one from the others', () => {
    const grouped = flow([group('regions', 'dev'), env('qa', 'regions'), env('staging', 'asia')]);
    expect(after(grouped, add([env('x')], ['asia'], ['qa', 'staging'])).steps).toEqual([
      group('regions', 'dev'),
      env('qa', 'regions', 'x'),
      env('staging', 'x'),
      env('x', 'asia'),
    ]);
    expect(after(grouped, add([env('x')], ['regions'], ['staging'])).steps[2]).toEqual(env('staging', 'x'));
  });
});

describe('removing', () => {
  test('connects what depended on it to what it depended on', () => {
    expect(after(line, remove('staging', 'RECONNECT')).steps).toEqual([
      env('qa', 'dev'),
      env('eu', 'qa'),
      env('asia', 'qa'),
    ]);
  });

  test('connects it to what the caller says, once each', () => {
    const spec = flow([...line.steps, env('asia-2', 'eu', 'asia')]);
    expect(after(spec, remove('asia', undefined, 'staging', 'qa')).steps.at(-1)).toEqual(
      env('asia-2', 'eu', 'staging', 'qa'),
    );
  });

  test('takes everything behind it, also what waits for other steps besides', () => {
    expect(after(flow([...line.steps, env('asia-2', 'eu', 'qa')]), remove('eu', 'REMOVE')).steps).toEqual([
      env('qa', 'dev'),
      env('staging', 'qa'),
      env('asia', 'staging', 'qa'),
    ]);
  });

  test('a step that waited for it alone starts when it would have: its quorum is handed on', () => {
    const any = { ...env('asia-2', 'eu', 'asia'), dependsOnPolicy: { policy: 'ANY' as const } };
    const all = { ...env('us-east', 'asia-2'), dependsOnPolicy: { policy: 'ALL' as const } };
    const spec = flow([...line.steps, any, all]);
    expect(after(spec, remove('asia-2', 'RECONNECT')).steps.at(-1)).toEqual({ ...any, environment: 'us-east' });
  });

  test('where a quorum cannot stay what it was, that is said at the step, wherever later edits move it', () => {
    const any = { ...env('asia-2', 'eu', 'asia'), dependsOnPolicy: { policy: 'ANY' as const } };
    const spec = flow([...line.steps, any, env('us-east', 'asia-2', 'qa')]);
    const { spec: left, notes } = edited(spec, remove('asia-2', 'RECONNECT'), remove('eu', 'RECONNECT'));
    expect(left.steps.at(-1)).toEqual(env('us-east', 'staging', 'asia', 'qa'));
    expect(notes).toEqual([
      {
        message: expect.stringContaining('step "us-east" depends on "eu", "asia" in place of "asia-2"'),
        path: ['edits', 0, 'step'],
        flowPath: ['spec', 'steps', 3, 'dependsOnPolicy'],
      },
    ]);
  });

  test.each([
    [1, 1],
    [2, 2],
    [3, 2],
  ])('at least %i of three become at least %i of the two that are left', (count, left) => {
    const joined = { ...env('x', 'eu', 'qa', 'asia'), dependsOnPolicy: { policy: 'AT_LEAST' as const, count } };
    const spec = flow([env('eu', 'dev'), env('qa', 'dev'), env('asia', 'qa'), joined]);
    expect(after(spec, remove('asia', undefined, 'qa')).steps.at(-1)).toMatchObject({
      dependsOn: ['eu', 'qa'],
      dependsOnPolicy: { count: left },
    });
  });

  test('rollback policies lose what is gone, and those that were for nothing else go with it', () => {
    const policies = [
      policyFor({ when: { environments: ['eu'] }, targets: [targetOf({ environments: ['asia'] })] }),
      policyFor({ when: { environments: ['eu', 'asia'], groups: ['letters'] } }),
      policyFor({ when: { environments: ['eu'], groups: ['letters'] } }),
      policyFor({ targets: [targetOf({ environments: ['eu'] }), targetOf({ environments: ['eu', 'asia'] })] }),
    ];
    const spec = flow([...line.steps, group('letters', 'eu')], { rollbackPolicies: policies });
    const { spec: left, notes } = edited(spec, remove('eu', 'RECONNECT'));
    expect(left.rollbackPolicies).toEqual([
      policyFor({ when: { environments: ['asia'], groups: ['letters'] } }),
      policyFor({ when: { groups: ['letters'] } }),
      policyFor({ targets: [targetOf({ environments: ['asia'] })] }),
    ]);
    expect(notes.map(({ message }) => message)).toEqual([
      'rollbackPolicies.0 was only for what is removed with "eu", and is removed, too',
      'rollbackPolicies.3.targets.0 was only for what is removed with "eu", and is removed, too',
    ]);
    expect(checkFlow(left, known).refusals).toEqual([]);
  });

  test('of a group also its members go from rollback policies; the last policy takes the list with it', () => {
    const policies = [policyFor({ when: { environments: ['a', 'b'] }, targets: [targetOf({ group: 'letters' })] })];
    const spec = flow([...line.steps, group('letters', 'eu')], { rollbackPolicies: policies });
    expect(after(spec, remove('letters'))).toEqual(line);
  });
});

describe('a fault goes back to the edit that brought it', () => {
  const siblings = { rollbackPolicies: [policyFor({ targets: [targetOf({ siblings: true })] })] };
  const grouped = flow([...line.steps, group('letters', 'eu')], siblings);

  test('when the last group leaves a policy about its members', () => {
    expect(found(grouped, remove('letters')).problems).toMatchObject([
      { path: ['edits', 0, 'step'], flowPath: ['spec', 'rollbackPolicies', 0, 'targets', 0, 'siblings'] },
    ]);
  });

  test('when another group has other members than those that a policy names', () => {
    const named = { rollbackPolicies: [policyFor({ when: { environments: ['b'] } })] };
    const spec = flow([...line.steps, group('letters', 'eu')], named);
    expect(found(spec, rename('letters', 'single')).problems).toMatchObject([
      { path: ['edits', 0, 'to'], flowPath: ['spec', 'rollbackPolicies', 0, 'when', 'environments', 0] },
    ]);
  });

  test('also when a later edit has consequences for the same place', () => {
    const wrong = changeFlow({ rollbackPolicies: [policyFor({ when: { environments: ['mars'] } })] });
    expect(found(grouped, wrong, remove('letters')).problems).toMatchObject([
      { path: ['edits', 0, 'settings', 'rollbackPolicies', 0, 'when', 'environments', 0] },
    ]);
  });

  test('and not to one about a step that is gone and had the same name', () => {
    const spec = flow([env('qa', 'dev'), { ...env('eu', 'dev'), soak: -1 }]);
    expect(found(spec, change('qa', { soak: 5 }), remove('qa'), rename('eu', 'qa')).problems).toMatchObject([
      { path: null, flowPath: ['spec', 'steps', 0, 'soak'] },
    ]);
  });
});

describe('a draft that is wrong can be edited', () => {
  test('an environment that comes twice keeps its rollback policy while one of both is there', () => {
    const policies = { rollbackPolicies: [policyFor({ when: { environments: ['eu'] } })] };
    const spec = flow([...line.steps, group('regions', 'qa')], policies);
    expect(after(spec, remove('regions'))).toEqual(flow([...line.steps], policies));
  });

  test('a name that leads nowhere is not doubled by a step that gets it', () => {
    const spec = flow([env('eu', 'dev'), env('asia', 'eu', 'x')]);
    expect(after(spec, rename('eu', 'x')).steps[1]).toEqual(env('asia', 'x'));
  });
});

describe('renaming', () => {
  const spec = flow([...line.steps, { workflow: 'migrate', name: 'm', dependsOn: ['eu'] }, env('x', 'm', 'eu')], {
    rollbackPolicies: [
      policyFor({ when: { environments: ['eu'] }, targets: [targetOf({ environments: ['asia', 'eu'] })] }),
    ],
  });

  test.each([
    ['eu', 'us-east'],
    ['m', 'schema'],
    ['dev', 'e1'],
    ['eu', 'regions'],
  ])('%s to %s: everything that named it names the new one, and nothing else changes', (from, to) => {
    const renamed = after(spec, rename(from, to));
    expect(JSON.stringify(renamed)).toBe(JSON.stringify(spec).replaceAll(`"${from}"`, `"${to}"`));
  });

  test('of a group moves what names the group; a member that is no longer there is told with the edit', () => {
    const grouped = flow([group('regions', 'dev'), env('qa', 'regions'), env('x', 'asia')]);
    const { spec: renamed } = edited(grouped, rename('regions', 'europe'));
    expect(renamed.steps).toEqual([group('europe', 'dev'), env('qa', 'europe'), env('x', 'asia')]);
    expect(found(grouped, rename('regions', 'europe')).problems).toMatchObject([
      { code: 'UNKNOWN_REFERENCE', path: ['edits', 0, 'to'], flowPath: ['spec', 'steps', 2, 'dependsOn', 0] },
    ]);
  });
});

describe('settings', () => {
  const policy = { preAction: 'smoke-tests', action: 'pr' as const };
  const spec = flow([{ ...env('eu', 'dev'), policy, soak: 5, hooks: { onStart: 'announce' } }], { timeout: 9 });

  test('what is given replaces what is there, null removes it, the rest stays', () => {
    const [step] = after(
      spec,
      change('eu', { timeout: 7, soak: null, policy: { action: 'commit', postAction: 'announce' } }),
    ).steps;
    expect(step).toEqual({
      ...env('eu', 'dev'),
      timeout: 7,
      policy: { preAction: 'smoke-tests', action: 'commit', postAction: 'announce' },
      hooks: { onStart: 'announce' },
    });
  });

  test('an object of which nothing is left is left out; what has a default has it again', () => {
    const bare = after(
      spec,
      change('eu', { policy: { preAction: null, action: null }, hooks: { onStart: null }, soak: null }),
      changeFlow({ timeout: null, onFailure: 'STOP', description: 'To Europe' }),
      changeFlow({ onFailure: null, hooks: { onFail: 'announce' } }),
    );
    expect(bare).toEqual(flow([env('eu', 'dev')], { description: 'To Europe', hooks: { onFail: 'announce' } }));
  });

  test('a fault of a setting is told at the setting that was given', () => {
    const proposed = { action: 'commit' as const, pullRequest: DEFAULT_PULL_REQUEST };
    const flowPath = ['spec', 'steps', 0, 'policy', 'pullRequest'];
    expect(found(spec, change('eu', { policy: proposed })).problems).toMatchObject([
      { path: ['edits', 0, 'settings', 'policy', 'pullRequest'], flowPath },
    ]);
    const pr = flow([{ ...env('eu', 'dev'), policy: { ...proposed, action: 'pr' } }]);
    expect(found(pr, change('eu', { policy: { action: 'commit' } })).problems).toMatchObject([
      { path: ['edits', 0, 'settings', 'policy'], flowPath },
    ]);
    expect(found(spec, change('eu', { policy: { action: 'none', preAction: null } })).warnings).toMatchObject([
      { path: ['edits', 0, 'settings', 'policy', 'action'], flowPath: ['spec', 'steps', 0, 'policy', 'action'] },
    ]);
    expect(found(spec, changeFlow({ timeout: -1 })).problems).toMatchObject([
      { path: ['edits', 0, 'settings', 'timeout'], flowPath: ['spec', 'timeout'] },
    ]);
  });

  test('a step that its workflow gives a name has its faults told at the edits, and so have those that named it', () => {
    const nameless = add([{ dependsOn: [] }], ['dev']);
    const into = (workflow: string): FlowEdit => ({ type: 'changeStep', step: '', settings: { workflow } });
    const steps = ['spec', 'steps'];
    expect(found(spec, nameless, into('announce')).problems).toMatchObject([
      { path: ['edits', 0, 'steps', 0], flowPath: [...steps, spec.steps.length, 'name'] },
    ]);
    const two = add([{ dependsOn: [] }, { dependsOn: [] }], ['dev']);
    for (const { path } of found(spec, two, into('announce')).problems)
      expect(path?.slice(0, 3)).toEqual(['edits', 0, 'steps']);
    const later = add([env('qa')], ['announce']);
    const other: FlowEdit = { type: 'changeStep', step: 'announce', settings: { workflow: 'migrate' } };
    expect(found(spec, nameless, into('announce'), later, other).problems.map(({ path }) => path)).toEqual(
      expect.arrayContaining([['edits', 3, 'settings', 'workflow']]),
    );
  });

  test('a warning has its places, too; what was there before has none among the edits', () => {
    const idle = { policy: { action: 'none' as const } };
    const { warnings } = found(flow([{ ...env('eu', 'dev'), ...idle }]), add([{ ...env('qa'), ...idle }], ['eu']));
    expect(warnings.map(({ path, flowPath }) => [path, flowPath])).toEqual([
      [null, ['spec', 'steps', 0, 'policy', 'action']],
      [
        ['edits', 0, 'steps', 0, 'policy', 'action'],
        ['spec', 'steps', 1, 'policy', 'action'],
      ],
    ]);
  });
});

describe('an edit without a meaning is refused at its place, with the place in the flow', () => {
  const grouped = flow([group('regions', 'dev'), env('qa', 'regions')]);
  type Row = [string, PromotionFlowSpec, FlowEdit, string, (string | number)[], (string | number)[], RegExp];
  const table: Row[] = [
    ['nothing to add', line, add([], ['qa']), 'INVALID', ['steps'], [], /name a step/],
    ['add after nothing', line, add([env('x')], []), 'INVALID', ['after'], [], /for example "dev"/],
    [
      'add after a stranger',
      line,
      add([env('x')], ['mars']),
      'UNKNOWN_REFERENCE',
      ['after', 0],
      [],
      /which has "dev", "qa"/,
    ],
    [
      'add before a stranger',
      line,
      add([env('x')], ['qa'], ['mars']),
      'NOT_FOUND',
      ['before', 0],
      [],
      /"mars" is not in/,
    ],
    [
      'add before the trigger',
      line,
      add([env('x')], ['qa'], ['dev']),
      'INVALID',
      ['before', 0],
      ['triggerEnvironment'],
      /trigger/,
    ],
    [
      'add what is there',
      line,
      add([env('x'), env('eu')], ['qa']),
      'DUPLICATE',
      ['steps', 1, 'environment'],
      ['steps', 2],
      /already/,
    ],
    [
      'add the trigger',
      line,
      add([env('dev')], ['qa']),
      'DUPLICATE',
      ['steps', 0, 'environment'],
      ['triggerEnvironment'],
      /already/,
    ],
    [
      'add one thing twice',
      line,
      add([env('x'), env('x')], ['qa']),
      'DUPLICATE',
      ['steps', 1, 'environment'],
      [],
      /already/,
    ],
    [
      'add by a group',
      line,
      add([group('europe')], ['qa']),
      'DUPLICATE',
      ['steps', 0, 'group'],
      ['steps', 2],
      /has "eu", which/,
    ],
    [
      'add to a group',
      grouped,
      add([env('eu')], ['qa']),
      'DUPLICATE',
      ['steps', 0, 'environment'],
      ['steps', 0],
      /already/,
    ],
    [
      'add on a stranger',
      line,
      add([env('x', 'mars')], ['qa']),
      'UNKNOWN_REFERENCE',
      ['steps', 0, 'dependsOn', 0],
      [],
      /"mars"/,
    ],
    ['add a circle', line, add([env('x', 'a'), env('a', 'x')], ['qa']), 'CYCLE', ['steps'], ['steps', 4], /x → a → x/],
    ['add on itself', line, add([env('x', 'x')], ['qa']), 'CYCLE', ['steps'], ['steps', 4], /x → x/],
    [
      'add before and behind',
      line,
      add([env('x')], ['eu'], ['qa']),
      'CYCLE',
      ['before'],
      ['steps', 0],
      /qa → staging → eu → x → qa/,
    ],
    ['remove the trigger', line, remove('dev', 'REMOVE'), 'INVALID', ['step'], ['triggerEnvironment'], /trigger/],
    ['remove a stranger', line, remove('mars'), 'NOT_FOUND', ['step'], [], /not in the flow/],
    ['remove a member', grouped, remove('eu', 'REMOVE'), 'INVALID', ['step'], ['steps', 0], /by group "regions"/],
    [
      'remove without a word',
      line,
      remove('staging'),
      'INVALID',
      ['dependents'],
      ['steps', 1],
      /"eu", "asia" depend on "staging": reconnect to one of "qa", "dev"/,
    ],
    [
      'reconnect forwards',
      line,
      remove('staging', undefined, 'qa', 'eu'),
      'INVALID',
      ['reconnectTo', 1],
      ['steps', 1],
      /does not come before/,
    ],
    [
      'reconnect and remove',
      line,
      remove('staging', 'REMOVE', 'qa'),
      'INVALID',
      ['reconnectTo'],
      [],
      /nothing is left to reconnect/,
    ],
    ['wait for nothing', line, wait('eu'), 'UNREACHABLE', ['dependsOn'], [], /for example "dev"/],
    ['wait for itself', line, wait('eu', 'qa', 'eu'), 'CYCLE', ['dependsOn'], ['steps', 2], /eu → eu/],
    ['wait for what follows', line, wait('qa', 'eu'), 'CYCLE', ['dependsOn'], ['steps', 0], /qa → staging → eu → qa/],
    ['wait for a stranger', line, wait('eu', 'mars'), 'UNKNOWN_REFERENCE', ['dependsOn', 0], [], /"mars"/],
    ['the trigger waits', line, wait('dev', 'eu'), 'INVALID', ['step'], ['triggerEnvironment'], /waits for nothing/],
    ['rename a stranger', line, rename('mars', 'x'), 'NOT_FOUND', ['step'], [], /"mars"/],
    ['rename a member', grouped, rename('eu', 'x'), 'INVALID', ['step'], ['steps', 0], /by group/],
    ['rename to what is there', line, rename('eu', 'asia'), 'DUPLICATE', ['to'], ['steps', 3], /"asia" is already/],
    [
      'rename to the trigger',
      line,
      rename('eu', 'dev'),
      'DUPLICATE',
      ['to'],
      ['triggerEnvironment'],
      /"dev" is already/,
    ],
    [
      'rename to a member',
      flow([...grouped.steps, group('letters', 'qa')]),
      rename('letters', 'europe'),
      'DUPLICATE',
      ['to'],
      ['steps', 0],
      /"eu" is already/,
    ],
    [
      'settings of the trigger',
      line,
      change('dev', { soak: 1 }),
      'INVALID',
      ['step'],
      ['triggerEnvironment'],
      /triggerWorkflow/,
    ],
  ];
  test.each(table)('%s', (_, spec, edit, code, path, flowPath, message) => {
    const { refusals } = editFlow(spec, [rename('qa', 'qa'), edit], known.groups);
    expect(refusals).toEqual([
      {
        code,
        message: expect.stringMatching(message),
        path: ['edits', 1, ...path],
        flowPath: flowPath.length > 0 ? ['spec', ...flowPath] : [],
      },
    ]);
  });

  test('a flow that goes round in a circle already can be edited, and the check tells of the circle', () => {
    const ring = flow([env('qa', 'dev', 'eu'), env('eu', 'qa')]);
    expect(after(ring, wait('qa', 'dev'))).toEqual(flow([env('qa', 'dev'), env('eu', 'qa')]));
    expect(found(ring, add([env('x')], ['eu'])).problems).toMatchObject([{ code: 'CYCLE', path: null }]);
  });

  test('a hundred edits are made at once, and no more', () => {
    const edits = Array.from({ length: 101 }, () => changeFlow({}));
    expect(editFlow(line, edits.slice(1)).refusals).toBeUndefined();
    expect(editFlow(line, edits).refusals).toMatchObject([
      { path: ['edits'], message: expect.stringContaining('at most 100') },
    ]);
  });

  test('the last step can go: the flow that is left is told of, with the edit', () => {
    expect(found(flow([env('eu', 'dev')]), remove('eu')).problems).toMatchObject([
      { message: expect.stringContaining('no target'), path: ['edits', 0, 'step'], flowPath: ['spec', 'steps'] },
    ]);
  });
});

describe('properties', () => {
  const namesOf = ({ steps }: PromotionFlowSpec): string[] =>
    steps.map((step) => step.environment ?? step.group ?? step.name!);
  const below = (limit: number) => fc.integer({ min: 0, max: limit - 1 });

  /** A sound flow over e0…e7, two groups and a workflow step: quorums, policies, dependencies on single members, rollback policies. */
  const soundFlow = fc
    .record({
      targets: fc.shuffledSubarray([...ENVIRONMENTS.slice(0, 8), 'letters', 'single', 'm'], { minLength: 1 }),
      picks: fc.array(fc.array(below(100), { minLength: 1, maxLength: 3 }), { minLength: 11, maxLength: 11 }),
      quorums: fc.array(below(6), { minLength: 11, maxLength: 11 }),
      order: fc.infiniteStream(below(1000)),
      policies: fc.array(fc.tuple(fc.array(below(100), { maxLength: 2 }), fc.array(below(100), { maxLength: 2 })), {
        maxLength: 3,
      }),
    })
    .map(({ targets, picks, quorums, order, policies }) => {
      const names = ['dev'];
      const steps = targets.map((target, i): FlowStepSpec => {
        const dependsOn = [...new Set(picks[i]!.map((pick) => names[pick % names.length]!))];
        names.push(target, ...(target === 'letters' ? ['b'] : []));
        const quorum = quorums[i]!;
        const count = 1 + (quorum % dependsOn.length);
        const rule = quorum === 0 ? { policy: 'ANY' as const } : { policy: 'AT_LEAST' as const, count };
        const what =
          target === 'm'
            ? { workflow: 'migrate', name: 'm' }
            : target.length > 2
              ? { group: target }
              : { environment: target };
        const own = target !== 'm' && quorum === 5 ? { policy: { action: 'pr' as const }, soak: 1000 } : {};
        return { ...what, dependsOn, ...own, ...(quorum < 2 && { dependsOnPolicy: rule }) };
      });
      const single = steps.flatMap(({ environment }) => environment ?? []);
      const siblings = steps.some((step) => step.group !== undefined) ? [targetOf({ siblings: true })] : [];
      const rollbackPolicies = policies.map(([when, to]) => {
        const environments = [...new Set(when.map((pick) => single[pick % single.length]))].filter(
          (each) => each !== undefined,
        );
        const targetsOf = [...new Set(to.map((pick) => single[pick % single.length]))].filter(
          (each) => each !== undefined,
        );
        return policyFor({
          when: environments.length > 0 && siblings.length === 0 ? { environments } : { causes: ['FAILED'] },
          targets: targetsOf.length > 0 ? [targetOf({ environments: targetsOf })] : siblings,
        });
      });
      const shuffled = steps.map((step) => [order.next().value!, step] as const).sort(([a], [b]) => a - b);
      return flow(
        shuffled.map(([, step]) => step),
        rollbackPolicies.length > 0 ? { rollbackPolicies } : {},
      );
    });

  const nonsense = fc.constantFrom('mars', 'Mars!', '', 'regions', 'a', 'dev', '__proto__');
  const fresh = fc.constantFrom('e8', 'e9', 'e10', 'e11', 'x');
  const nothing = fc.constant<string[]>([]);
  const newStep: fc.Arbitrary<FlowStepSpec> = fc.oneof(
    { arbitrary: fresh.map((name) => env(name)), weight: 4 },
    fc.record({ environment: fc.oneof(fresh, nonsense), dependsOn: fc.array(fresh, { maxLength: 1 }) }),
    fc.record({ group: fc.constantFrom('letters', 'single', 'regions', 'nowhere'), dependsOn: nothing }),
    fc.record({
      workflow: fc.constantFrom('migrate', 'nothing'),
      name: fc.oneof(fresh, nonsense),
      dependsOn: nothing,
    }),
    fc.record({ dependsOn: nothing }),
  );
  const settings = fc.record(
    {
      soak: fc.constantFrom(null, 0, 60_000, -1),
      policy: fc.constantFrom(
        null,
        { action: 'none' },
        { preAction: 'migrate' },
        { preAction: null },
        { action: 'pr' },
      ),
      hooks: fc.constantFrom(null, { onStart: 'announce' }, { onStart: 'nothing' }),
      dependsOnPolicy: fc.constantFrom(
        null,
        { policy: 'ANY' },
        { policy: 'AT_LEAST', count: 2 },
        { policy: 'AT_LEAST' },
      ),
      workflow: fc.constantFrom('announce', 'nothing', null),
    },
    { requiredKeys: [] },
  );
  const flowSettings = fc.record(
    {
      timeout: fc.constantFrom(null, 5, -5),
      triggerWorkflow: fc.constantFrom('migrate', 'nothing', null),
      onFailure: fc.constantFrom('STOP', null),
      rollbackPolicies: fc.oneof(
        fc.constant(null),
        fc.constant<RollbackPolicySpec[]>([policyFor({ targets: [targetOf({ siblings: true })] })]),
        fc.constant<RollbackPolicySpec[]>([
          policyFor({
            when: { environments: ['e1'], groups: ['letters'] },
            targets: [targetOf({ environments: ['e2', 'mars'] })],
          }),
        ]),
      ),
    },
    { requiredKeys: [] },
  );
  /** Mostly of what is in the flow, sometimes of what could be, sometimes nonsense. */
  const editOf = (spec: PromotionFlowSpec): fc.Arbitrary<FlowEdit> => {
    const there = fc.constantFrom('dev', ...namesOf(spec));
    const name = fc.oneof({ arbitrary: there, weight: 15 }, { arbitrary: fresh, weight: 2 }, nonsense);
    const names = fc.array(name, { maxLength: 3 });
    return fc.oneof(
      fc.record({
        type: fc.constant('addSteps' as const),
        steps: fc.array(newStep, { maxLength: 2 }),
        after: names,
        before: fc.oneof(nothing, names),
      }),
      fc.record({
        type: fc.constant('removeStep' as const),
        step: name,
        dependents: fc.constantFrom(undefined, 'RECONNECT' as const, 'REMOVE' as const),
        reconnectTo: fc.oneof(nothing, names),
      }),
      fc.record({ type: fc.constant('setDependencies' as const), step: name, dependsOn: names }),
      fc.record({ type: fc.constant('renameStep' as const), step: name, to: fc.oneof(fresh, name) }),
      fc.record({ type: fc.constant('changeStep' as const), step: name, settings }),
      fc.record({ type: fc.constant('changeFlow' as const), settings: flowSettings }),
    );
  };
  const flowAndEdits = soundFlow.chain((spec) =>
    fc.tuple(fc.constant(spec), fc.array(editOf(spec), { minLength: 1, maxLength: 5 })),
  );

  test('flows of these tests are sound', () => {
    fc.assert(
      fc.property(soundFlow, (spec) => {
        expect(checkFlow(spec, known).refusals).toEqual([]);
      }),
    );
  });

  test('after any edits the flow is sound, or each fault has the edit that it goes back to, or the refused edit is named', () => {
    const reached = new Map<string, number>();
    const count = (what: string): unknown => reached.set(what, (reached.get(what) ?? 0) + 1);
    fc.assert(
      fc.property(flowAndEdits, ([spec, edits]) => {
        const isThere = (path: (string | number)[]): boolean =>
          // oxlint-disable-next-line typescript/no-explicit-any
          path.reduce((value: any, key) => (value === undefined || value === null ? undefined : value[key]), {
            edits,
          } as unknown) !== undefined;
        const result = editFlow(spec, edits, known.groups);
        if (result.refusals) {
          expect(result.refusals.length).toBeGreaterThan(0);
          const refused = Number(result.refusals[0]!.path![1]);
          count(`${edits[refused]!.type} refused`);
          for (const { path } of result.refusals) {
            expect(path!.slice(0, 2)).toEqual(['edits', refused]);
            // A list that is empty, and a choice that was not made, are not there to be pointed at.
            expect(isThere(path!) || path!.at(-1) === 'dependents').toBe(true);
          }
          const before = editFlow(spec, edits.slice(0, refused), known.groups);
          expect(before.refusals).toBeUndefined();
          expect(editFlow(before.spec!, [edits[refused]!], known.groups).refusals).toHaveLength(result.refusals.length);
          return;
        }
        for (const { type } of edits) count(`${type} made`);
        const { problems } = findingsOf(result, checkFlow(result.spec, known));
        count(problems.length === 0 ? 'sound' : 'at fault');
        for (const problem of problems) {
          expect(problem, JSON.stringify([spec, edits])).toMatchObject({
            path: ['edits', expect.any(Number), ...problem.path!.slice(2)],
          });
          expect(isThere(problem.path!)).toBe(true);
        }
        if (problems.length > 0) return;
        const definition = {
          kind: 'PromotionFlow' as const,
          metadata: { name: 'f', labels: {}, annotations: {} },
          spec: result.spec,
        };
        const read = parseManifests(exportManifest(definition));
        expect(read.errors).toEqual([]);
        expect(sameDefinition(read.definitions[0]!.definition, definition)).toBe(true);
      }),
      { numRuns: Math.max(1_000, Number(process.env.FC_RUNS ?? 0)) },
    );
    const types = ['addSteps', 'removeStep', 'setDependencies', 'renameStep', 'changeStep'];
    for (const what of types.flatMap((type) => [`${type} refused`, `${type} made`]))
      expect([what, (reached.get(what) ?? 0) > 3]).toEqual([what, true]);
    for (const what of ['changeFlow made', 'sound', 'at fault']) expect(reached.get(what)).toBeGreaterThan(20);
  });

  const stepOf = (spec: PromotionFlowSpec, pick: number): string => namesOf(spec)[pick % spec.steps.length]!;
  /** What comes before and behind, directly or not. */
  const walked = (spec: PromotionFlowSpec, start: string, next: typeof dependentsOf): Set<string> => {
    const all = new Set(next(spec, start, known.groups));
    for (const each of all) for (const more of next(spec, each, known.groups)) all.add(more);
    return all;
  };

  /** Without the last group nothing has siblings: what such a rollback policy is to say then is for a person. */
  const faultsOf = (spec: PromotionFlowSpec) =>
    checkFlow(spec, known).refusals.filter(({ path }) => path.at(-1) !== 'siblings');

  test('a step that is added and removed leaves the flow as it was', () => {
    fc.assert(
      fc.property(soundFlow, fc.array(below(100), { minLength: 1, maxLength: 3 }), (spec, picks) => {
        const edits = [
          add(
            [env('e11')],
            picks.map((pick) => stepOf(spec, pick)),
          ),
          remove('e11'),
        ];
        expect(checkFlow(after(spec, edits[0]!), known).refusals).toEqual([]);
        expect(after(spec, ...edits)).toEqual(spec);
      }),
    );
  });

  test('a step that is added before another and removed leaves the same dependencies', () => {
    const plain = ({ dependsOnPolicy: _rule, ...step }: FlowStepSpec): FlowStepSpec => step;
    fc.assert(
      fc.property(soundFlow, below(100), (found_, pick) => {
        const spec = flow(found_.steps.map(plain));
        const back = after(spec, add([env('e11')], [], [stepOf(spec, pick)]), remove('e11', 'RECONNECT'));
        const sorted = (each: PromotionFlowSpec) =>
          each.steps.map((step) => ({ ...step, dependsOn: [...step.dependsOn].sort() }));
        expect(sorted(back)).toEqual(sorted(spec));
      }),
    );
  });

  test('removing with reconnection keeps the order of the rest, and touches only what depended on it', () => {
    let between = 0;
    fc.assert(
      fc.property(soundFlow, below(100), (spec, pick) => {
        const name = stepOf(spec, pick);
        const behind = dependentsOf(spec, name, known.groups);
        if (behind.length > 0) between += 1;
        const left = after(spec, remove(name, 'RECONNECT'));
        expect(namesOf(left)).toEqual(namesOf(spec).filter((each) => each !== name));
        for (const each of namesOf(left)) {
          const order = walked(spec, each, dependenciesOf);
          order.delete(name);
          expect(walked(left, each, dependenciesOf)).toEqual(order);
          if (behind.includes(each)) continue;
          expect(left.steps[namesOf(left).indexOf(each)]).toBe(spec.steps[namesOf(spec).indexOf(each)]);
        }
        if (left.steps.length > 0) expect(faultsOf(left)).toEqual([]);
      }),
    );
    expect(between).toBeGreaterThan(20);
  });

  test('removing with all that follows removes exactly that', () => {
    fc.assert(
      fc.property(soundFlow, below(100), (spec, pick) => {
        const name = stepOf(spec, pick);
        const gone = walked(spec, name, dependentsOf).add(name);
        const left = after(spec, remove(name, 'REMOVE'));
        expect(left.steps).toEqual(spec.steps.filter((_, at) => !gone.has(namesOf(spec)[at]!)));
        if (left.steps.length > 0) expect(faultsOf(left)).toEqual([]);
      }),
    );
  });

  test('renaming moves every name and nothing else, and back again gives the flow back', () => {
    fc.assert(
      fc.property(soundFlow, below(100), (spec, pick) => {
        const from = pick % 5 === 0 ? 'dev' : stepOf(spec, pick);
        const to = known.groups.has(from) ? 'europe' : from === 'm' ? 'm2' : 'e11';
        const renamed = after(spec, rename(from, to));
        expect(JSON.stringify(renamed)).toBe(JSON.stringify(spec).replaceAll(`"${from}"`, `"${to}"`));
        if (!known.groups.has(from)) expect(checkFlow(renamed, known).refusals).toEqual([]);
        expect(after(renamed, rename(to, from))).toEqual(spec);
      }),
    );
  });

  test('dependencies and settings of one step change that step alone', () => {
    fc.assert(
      fc.property(
        soundFlow,
        below(100),
        fc.array(below(100), { minLength: 1, maxLength: 3 }),
        settings,
        (spec, pick, others, given) => {
          const name = stepOf(spec, pick);
          const dependsOn = [...new Set(others.map((each) => stepOf(spec, each)))];
          const circle = dependsOn.some((each) => each === name || walked(spec, name, dependentsOf).has(each));
          const waits = editFlow(spec, [wait(name, ...dependsOn)], known.groups);
          expect(waits.refusals?.[0]?.code).toBe(circle ? 'CYCLE' : undefined);
          for (const now of [...(waits.spec ? [waits.spec] : []), after(spec, change(name, given))]) {
            expect({ ...now, steps: [] }).toEqual({ ...spec, steps: [] });
            const others = (each: PromotionFlowSpec) => each.steps.filter((_, at) => namesOf(spec)[at] !== name);
            expect(others(now)).toEqual(others(spec));
          }
        },
      ),
    );
  });
});

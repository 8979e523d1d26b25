import { fc } from './property.ts';
import { describe, expect, test } from 'vitest';
import { DEFAULT_PULL_REQUEST } from '../../src/core/definitions.ts';
import type { FlowStepSpec, PromotionFlowSpec } from '../../src/core/definitions.ts';
import {
  checkFlow,
  dependenciesOf,
  dependentsOf,
  editFlow,
  flowGraph,
  topologicalOrder,
  type Known,
} from '../../src/core/flow.ts';
import { processorTime } from '../support/processor-time.ts';

const known: Known = {
  environments: new Set(['dev', 'qa', 'staging', 'us-east', 'eu', 'asia', 'asia-2']),
  groups: new Map([
    ['regions', ['asia', 'eu', 'us-east']],
    ['europe', ['eu']],
    ['everything', ['asia', 'dev', 'eu']],
    ['nowhere', []],
  ]),
  workflows: new Set(['smoke-tests', 'announce', 'migrate']),
};

/** `env('eu', 'staging', 'qa')`: eu after staging and qa. */
const env = (environment: string, ...dependsOn: string[]): FlowStepSpec => ({ environment, dependsOn });
const group = (name: string, ...dependsOn: string[]): FlowStepSpec => ({ group: name, dependsOn });
const flow = (steps: FlowStepSpec[], more: Partial<PromotionFlowSpec> = {}): PromotionFlowSpec => ({
  triggerEnvironment: 'dev',
  steps,
  onFailure: 'FINISH_RUNNING',
  ...more,
});
const refusalsOf = (spec: PromotionFlowSpec) => checkFlow(spec, known).refusals;

test("the user's own picture is accepted and drawn", () => {
  const spec = flow([env('staging', 'dev'), group('regions', 'staging'), env('asia-2', 'us-east')]);
  const billing = { ...spec, steps: [env('staging', 'dev'), group('regions', 'staging'), env('asia-2', 'regions')] };
  expect(checkFlow(billing, known)).toEqual({ refusals: [], warnings: [] });
  expect(topologicalOrder(billing)).toEqual(['dev', 'staging', 'regions', 'asia-2']);
  const { nodes, edges } = flowGraph(billing, known.groups);
  expect(nodes.map((node) => `${node.kind} ${node.name}: ${node.environments.join(',')}`)).toEqual([
    'trigger dev: dev',
    'environment staging: staging',
    'group regions: asia,eu,us-east',
    'environment asia-2: asia-2',
  ]);
  expect(edges.map(({ from, to }) => `${from} > ${to}`)).toEqual([
    'dev > staging',
    'staging > regions',
    'regions > asia-2',
  ]);
});

test('a step may depend on one member of a group, and is drawn after the group', () => {
  const spec = flow([group('regions', 'dev'), env('asia-2', 'asia')]);
  expect(refusalsOf(spec)).toEqual([]);
  expect(flowGraph(spec, known.groups).edges).toContainEqual({ from: 'regions', to: 'asia-2', member: 'asia' });
  expect(dependentsOf(spec, 'regions', known.groups)).toEqual(['asia-2']);
});

describe('a wrong flow is refused at the exact place', () => {
  const table: [string, PromotionFlowSpec, string, (string | number)[], RegExp][] = [
    [
      'cycle',
      flow([env('staging', 'dev'), env('eu', 'staging', 'asia'), env('asia', 'eu')]),
      'CYCLE',
      [1, 'dependsOn', 1],
      /eu → asia → eu;/,
    ],
    ['self-dependency', flow([env('eu', 'dev', 'eu')]), 'CYCLE', [0, 'dependsOn', 1], /"eu" depends on itself/],
    [
      'group on its member',
      flow([group('regions', 'dev', 'eu')]),
      'CYCLE',
      [0, 'dependsOn', 1],
      /its own environment "eu"/,
    ],
    [
      'unknown environment',
      flow([env('stagin', 'dev')]),
      'UNKNOWN_REFERENCE',
      [0, 'environment'],
      /"stagin" does not exist.* Did you mean "staging"/,
    ],
    [
      'group as environment',
      flow([env('regions', 'dev')]),
      'UNKNOWN_REFERENCE',
      [0, 'environment'],
      /write "group: regions"/,
    ],
    ['environment as group', flow([group('eu', 'dev')]), 'UNKNOWN_REFERENCE', [0, 'group'], /write "environment: eu"/],
    [
      'environment twice',
      flow([env('eu', 'dev'), env('eu', 'dev')]),
      'DUPLICATE',
      [1, 'environment'],
      /"eu" is in the flow twice: by step 1 .* and by step 2/,
    ],
    [
      'by two groups',
      flow([group('regions', 'dev'), group('europe', 'dev')]),
      'DUPLICATE',
      [1, 'group'],
      /"eu".*by step 1 \(group "regions"\) and by step 2 \(group "europe"\)/,
    ],
    [
      'by group and step',
      flow([env('eu', 'dev'), group('europe', 'eu')]),
      'DUPLICATE',
      [1, 'group'],
      /"eu".*environment "eu".*group "europe"/,
    ],
    [
      'trigger in a group',
      flow([group('everything', 'dev')]),
      'DUPLICATE',
      [0, 'group'],
      /"dev".*by the trigger environment/,
    ],
    ['empty group', flow([group('nowhere', 'dev')]), 'INVALID', [0, 'group'], /"nowhere" is empty/],
    ['unknown group', flow([group('region', 'dev')]), 'UNKNOWN_REFERENCE', [0, 'group'], /Did you mean "regions"/],
    [
      'unknown dependency',
      flow([env('eu', 'nirvana')]),
      'UNKNOWN_REFERENCE',
      [0, 'dependsOn', 0],
      /"nirvana", which is neither/,
    ],
    [
      'dependency outside',
      flow([env('eu', 'dev', 'staging')]),
      'UNKNOWN_REFERENCE',
      [0, 'dependsOn', 1],
      /"staging", which is not part of this flow/,
    ],
    [
      'group that is no step',
      flow([env('asia-2', 'dev', 'regions')]),
      'UNKNOWN_REFERENCE',
      [0, 'dependsOn', 1],
      /"asia", "eu", "us-east"/,
    ],
    ['no dependency', flow([env('eu')]), 'UNREACHABLE', [0, 'dependsOn'], /"eu" depends on nothing.*\[dev\]/],
    ['same dependency twice', flow([env('eu', 'dev', 'dev')]), 'DUPLICATE', [0, 'dependsOn', 1], /"dev" twice/],
    ['no environment at all', flow([{ dependsOn: ['dev'] }]), 'INVALID', [0], /exactly one of .* none of them/],
    [
      'environment and group',
      flow([{ environment: 'qa', group: 'europe', dependsOn: ['dev'] }]),
      'INVALID',
      [0],
      /environment "qa" and group "europe"/,
    ],
    [
      'unknown pre-action',
      flow([{ ...env('eu', 'dev'), policy: { preAction: 'smoke-test' } }]),
      'UNKNOWN_REFERENCE',
      [0, 'policy', 'preAction'],
      /Did you mean "smoke-tests"/,
    ],
    [
      'how pull requests are opened where none is',
      flow([
        { ...env('eu', 'dev'), policy: { action: 'commit', pullRequest: { ...DEFAULT_PULL_REQUEST, draft: true } } },
      ]),
      'INVALID',
      [0, 'policy', 'pullRequest'],
      /opens no pull requests/,
    ],
    ['timeout of nothing', flow([{ ...env('eu', 'dev'), timeout: 0 }]), 'INVALID', [0, 'timeout'], /timeout is "0" ms/],
    ['negative soak', flow([{ ...env('eu', 'dev'), soak: -1 }]), 'INVALID', [0, 'soak'], /soak is "-1" ms/],
    [
      'quorum too large',
      flow([{ ...env('eu', 'dev'), dependsOnPolicy: { policy: 'AT_LEAST', count: 2 } }]),
      'INVALID',
      [0, 'dependsOnPolicy', 'count'],
      /count is 2.*has 1 dep/,
    ],
    [
      'quorum of none',
      flow([{ ...env('eu', 'dev'), dependsOnPolicy: { policy: 'AT_LEAST' } }]),
      'INVALID',
      [0, 'dependsOnPolicy', 'count'],
      /needs a count/,
    ],
    [
      'nameless workflow step',
      flow([env('eu', 'dev'), { workflow: 'migrate', dependsOn: ['eu'] }]),
      'INVALID',
      [1, 'name'],
      /needs a name/,
    ],
    [
      'a name taken twice',
      flow([
        { workflow: 'migrate', name: 'm', dependsOn: ['dev'] },
        { workflow: 'migrate', name: 'm', dependsOn: ['dev'] },
      ]),
      'DUPLICATE',
      [1, 'name'],
      /name "m" stands for/,
    ],
    [
      'a name of an environment',
      flow([env('eu', 'dev'), { workflow: 'migrate', name: 'qa', dependsOn: ['eu'] }]),
      'DUPLICATE',
      [1, 'name'],
      /also an environment's/,
    ],
    [
      'a policy on a workflow',
      flow([env('eu', 'dev'), { workflow: 'migrate', name: 'm', dependsOn: ['eu'], policy: {} }]),
      'INVALID',
      [1, 'policy'],
      /promotes nothing/,
    ],
    [
      'a renamed environment',
      flow([{ ...env('eu', 'dev'), name: 'europe-1' }]),
      'INVALID',
      [0, 'name'],
      /remove name "europe-1"/,
    ],
  ];
  test.each(table)('%s', (_, spec, code, path, message) => {
    const refusals = refusalsOf(spec);
    expect(refusals).toEqual([{ code, path: ['spec', 'steps', ...path], message: expect.stringMatching(message) }]);
  });

  test('no target, an unknown trigger, trigger workflow, hook and a bad timeout', () => {
    const spec = flow([], { triggerEnvironment: 'de', triggerWorkflow: 'x', hooks: { onFail: 'y' }, timeout: -5 });
    expect(refusalsOf(spec).map((each) => each.path.join('.'))).toEqual([
      'spec.triggerEnvironment',
      'spec.triggerWorkflow',
      'spec.hooks.onFail',
      'spec.timeout',
      'spec.steps',
    ]);
  });
});

test('what a policy may set is left to the plan: action none is saved with a warning, pull requests without an action are', () => {
  const policy = (given: FlowStepSpec['policy']) => flow([{ ...env('eu', 'dev'), policy: given }]);
  const none = policy({ action: 'none' });
  expect(checkFlow(none, known)).toEqual({
    refusals: [],
    warnings: [
      {
        message:
          'action none in step "eu" changes nothing by itself; a release is refused unless a policy names the preAction that does the work',
        path: ['spec', 'steps', 0, 'policy', 'action'],
      },
    ],
  });
  expect(checkFlow(none, known, 'RELEASED').warnings).toEqual([]);
  expect(checkFlow(policy({ action: 'none', preAction: 'smoke-tests' }), known).warnings).toEqual([]);
  expect(checkFlow(policy({ pullRequest: DEFAULT_PULL_REQUEST }), known)).toEqual({ refusals: [], warnings: [] });
});

test('a flow with a hundred thousand mistakes gets a hundred of them and a count', () => {
  const steps = Array.from({ length: 1000 }, (_, i) =>
    env(`e${i}`, ...Array.from({ length: 100 }, (__, j) => `x${j}`)),
  );
  const refusals = refusalsOf(flow(steps));
  expect(refusals).toHaveLength(101);
  expect(refusals[100]!.message).toMatch(/and \d+ more problems/);
});

describe('properties', () => {
  /** A random DAG over e0…en: each step depends on some earlier ones (or the trigger), written in a shuffled order. */
  const dag = fc
    .integer({ min: 1, max: 40 })
    .chain((size) =>
      fc.tuple(
        ...Array.from({ length: size }, (_, i) =>
          fc.uniqueArray(fc.integer({ min: -1, max: i - 1 }), { minLength: 1, maxLength: 4 }),
        ),
      ),
    )
    .chain((lists) => {
      const steps = lists.map((list, i) => env(`e${i}`, ...list.map((each) => (each < 0 ? 'dev' : `e${each}`))));
      return fc.shuffledSubarray(steps, { minLength: steps.length });
    })
    .map((steps) => flow(steps));
  const all: Known = {
    environments: new Set(['dev', ...Array.from({ length: 50 }, (_, i) => `e${i}`)]),
    groups: new Map(),
    workflows: new Set(),
  };

  test('every DAG is accepted, and its order puts each step after what it waits for', () => {
    let joins = 0;
    fc.assert(
      fc.property(dag, (spec) => {
        expect(checkFlow(spec, all).refusals).toEqual([]);
        const order = topologicalOrder(spec);
        expect(order).toHaveLength(spec.steps.length + 1);
        const at = new Map(order.map((name, i) => [name, i]));
        for (const step of spec.steps) {
          if (step.dependsOn.length > 1) joins++;
          for (const name of step.dependsOn) expect(at.get(name)!).toBeLessThan(at.get(step.environment!)!);
        }
      }),
    );
    expect(joins).toBeGreaterThan(100);
  });

  test('one edge back makes a cycle, named in order', () => {
    let reached = 0;
    fc.assert(
      fc.property(dag, fc.nat(), fc.nat(), (spec, a, b) => {
        const from = spec.steps[a % spec.steps.length]!.environment!;
        // Any way from `from` to `to` closes a cycle with a dependency of `from` on `to`.
        const behind = [...walk(spec, from)];
        if (behind.length === 0) return;
        reached++;
        const to = behind[b % behind.length]!;
        const steps = spec.steps.map((step) =>
          step.environment === from ? { ...step, dependsOn: [...step.dependsOn, to] } : step,
        );
        const [refused] = checkFlow(flow(steps), all).refusals;
        expect(refused!.code).toBe('CYCLE');
        const names = /each other: (.*?);/.exec(refused!.message)![1]!.split(' → ');
        expect(names[0]).toBe(names.at(-1));
        for (let i = 1; i < names.length; i++) {
          if (names[i] === '…' || names[i - 1] === '…') continue;
          expect(dependenciesOf(flow(steps), names[i]!)).toContain(names[i - 1]);
        }
        const [, , step, , at] = refused!.path as [string, string, number, string, number];
        expect(steps[step]!.dependsOn[at]).toBe(names.at(-2));
      }),
    );
    expect(reached).toBeGreaterThan(30);
  });

  function walk(spec: PromotionFlowSpec, start: string): Set<string> {
    const found = new Set(dependentsOf(spec, start));
    for (const name of found) for (const next of dependentsOf(spec, name)) found.add(next);
    return found;
  }
});

describe('size', () => {
  const names = Array.from({ length: 10_000 }, (_, i) => `e${i}`);
  const big: Known = { environments: new Set(['dev', ...names]), groups: new Map(), workflows: new Set() };

  test('a chain of 10,000 steps does not overflow the stack, nor does a cycle of as many', () => {
    const chain = flow(names.map((name, i) => env(name, i === 0 ? 'dev' : names[i - 1]!)));
    expect(checkFlow(chain, big).refusals).toEqual([]);
    expect(topologicalOrder(chain)).toHaveLength(10_001);
    const edit = { type: 'removeStep' as const, step: 'e1', dependents: 'REMOVE' as const, reconnectTo: [] };
    expect(editFlow(chain, [edit]).spec!.steps).toHaveLength(1);
    const ring = flow(names.map((name, i) => env(name, names.at(i - 1)!)));
    const [refused] = checkFlow(ring, big).refusals;
    expect(refused!.code).toBe('CYCLE');
    expect(refused!.message.length).toBeLessThan(500);
  });

  test('1,000 steps in layers of 50, each on all of the layer before, are checked in well under a second', () => {
    const layered = flow(
      names.slice(0, 1000).map((name, i) => {
        const layer = Math.floor(i / 50);
        return env(name, ...(layer === 0 ? ['dev'] : names.slice((layer - 1) * 50, layer * 50)));
      }),
    );
    expect(processorTime(() => expect(checkFlow(layered, big).refusals).toEqual([]))).toBeLessThan(1_000);
  });
});

import { expect, test } from 'vitest';
import type { FlowStepSpec, PromotionFlowSpec } from '../../src/core/definitions.ts';
import { dependenciesOf, edgeTargets, editFlow, layoutOf } from '../../src/core/flow.ts';
import { fc } from './property.ts';

const groups = new Map([['regions', ['eu', 'asia']]]);
const flow = (...steps: FlowStepSpec[]): PromotionFlowSpec => ({
  triggerEnvironment: 'dev',
  onFailure: 'FINISH_RUNNING',
  steps,
});

//  dev > staging > regions > asia-2
//     └> qa ───────────────────┘
const picture = flow(
  { environment: 'staging', dependsOn: ['dev'] },
  { environment: 'qa', dependsOn: ['dev'] },
  { group: 'regions', dependsOn: ['staging'] },
  { environment: 'asia-2', dependsOn: ['asia', 'qa'] },
);

test('a node stands one column behind the last one that it waits for', () => {
  const { nodes, edges } = layoutOf(picture, groups);
  expect(nodes.map(({ name, rank }) => [name, rank])).toEqual([
    ['dev', 0],
    ['staging', 1],
    ['qa', 1],
    ['regions', 2],
    ['asia-2', 3],
  ]);
  expect(edges).toContainEqual({ from: 'regions', to: 'asia-2', member: 'asia' });
  const circle = flow({ environment: 'a', dependsOn: ['b'] }, { environment: 'b', dependsOn: ['a'] });
  expect(layoutOf(circle, groups).nodes.map(({ rank }) => rank)).toEqual([0, null, null]);
});

test('of every node it is said whether it may wait for another one, and why it may not', () => {
  expect(edgeTargets(picture, groups, 'regions')).toEqual([
    { name: 'dev', reason: 'the flow begins in "dev", which waits for nothing' },
    { name: 'staging', reason: '"regions" waits for "staging": both would wait for each other' },
    { name: 'qa', reason: null },
    { name: 'regions', reason: '"regions" cannot wait for itself' },
    { name: 'asia-2', reason: '"asia-2" waits for "regions" already' },
  ]);
  expect(edgeTargets(picture, groups, 'eu')).toEqual(edgeTargets(picture, groups, 'regions'));
  expect(edgeTargets(picture, groups, 'nowhere')).toBeNull();
});

test('a target is allowed exactly where the edit that adds the dependency closes no circle', () => {
  const names = ['dev', 'a', 'b', 'c', 'd', 'e'];
  let [yes, no] = [0, 0];
  const edge = fc.tuple(fc.nat(4), fc.nat(4)).filter(([from, to]) => from < to);
  fc.assert(
    fc.property(fc.array(edge), fc.constantFrom(...names), (all, from) => {
      const spec = flow(
        ...names.slice(1).map((environment, to) => ({
          environment,
          dependsOn: [...new Set(['dev', ...all.filter((each) => each[1] === to).map((each) => names[each[0] + 1]!)])],
        })),
      );
      for (const { name, reason } of edgeTargets(spec, groups, from)!) {
        if (name === 'dev' || name === from) continue;
        const dependsOn = dependenciesOf(spec, name, groups);
        if (dependsOn.includes(from)) {
          expect(reason).toContain('already');
          continue;
        }
        const edited = editFlow(
          spec,
          [{ type: 'setDependencies', step: name, dependsOn: [...dependsOn, from] }],
          groups,
        );
        expect(reason === null).toBe(edited.refusals === undefined);
        if (reason === null) yes += 1;
        else no += 1;
      }
    }),
  );
  expect(Math.min(yes, no)).toBeGreaterThan(20);
});

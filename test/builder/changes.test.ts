import { expect, test } from 'vitest';
import { placeFlow } from '../../web/app/src/builder/chart/place.ts';
import {
  actionChangesBetween,
  changesBetween,
  openDocument,
  openWorkflow,
} from '../../web/app/src/builder/document/index.ts';
import { placeActions } from '../../web/app/src/builder/workflow/place.ts';

const SAVED = openDocument(`apiVersion: sluice.dev/v1
kind: PromotionFlow
metadata: { name: f }
spec:
  triggerEnvironment: dev
  steps:
    - { environment: staging, dependsOn: [dev], soak: 1h, policy: { preAction: checks } }
    - { environment: eu, dependsOn: [staging] }
    - { environment: asia, dependsOn: [eu] }
`);

const DRAFT = openDocument(`apiVersion: sluice.dev/v1
kind: PromotionFlow
metadata: { name: f }
spec:
  triggerEnvironment: dev
  timeout: 2h
  steps:
    - { environment: staging, dependsOn: [dev], soak: 60m, policy: { preAction: smoke }, timeout: 5m }
    - { environment: us, dependsOn: [staging] }
    - { environment: asia, dependsOn: [us] }
`);

const KNOWN = { environments: new Set<string>(), groups: new Map(), workflows: new Set<string>() };

test('a draft differs from the saved flow by node, by edge and by setting, in words; another spelling is no difference', () => {
  const changes = changesBetween(SAVED, DRAFT, KNOWN)!;
  expect(Object.fromEntries(changes.nodes)).toEqual({
    staging: { change: 'CHANGED', words: ['policy.preAction: checks → smoke', 'timeout: 5m is new'] },
    us: { change: 'ADDED', words: [] },
    asia: { change: 'CHANGED', words: ['dependsOn: eu → us'] },
    eu: { change: 'REMOVED', words: [] },
  });
  expect(changes.edges.map(({ from, to, change }) => `${change} ${from} > ${to}`)).toEqual([
    'ADDED staging > us',
    'ADDED us > asia',
    'REMOVED staging > eu',
    'REMOVED eu > asia',
  ]);
  expect(changes.whole).toEqual(['timeout: 2h is new']);
  expect(changesBetween(SAVED, SAVED, KNOWN)).toEqual({
    saved: SAVED.flow!.spec,
    nodes: new Map(),
    edges: [],
    whole: [],
  });
});

test('the chart draws what is gone beside what is there, and moves nothing that it does not have to', () => {
  const spec = DRAFT.flow!.spec;
  const before = placeFlow(spec, new Map());
  const changes = changesBetween(SAVED, DRAFT, KNOWN)!;
  const chart = placeFlow(spec, new Map(), before, changes);
  expect(chart.nodes.map(({ name }) => name)).toEqual(['dev', 'staging', 'us', 'asia', 'eu']);
  expect(chart.edges.filter(({ change }) => change === 'REMOVED').map(({ from, to }) => `${from} > ${to}`)).toEqual([
    'staging > eu',
    'eu > asia',
  ]);
  // The very same objects: nothing of them is drawn again.
  for (const each of before.nodes) expect(chart.nodes.find(({ name }) => name === each.name)).toBe(each);
  const back = placeFlow(spec, new Map(), chart);
  expect(back.nodes).toEqual(before.nodes);
});

const workflow = (actions: string) =>
  openWorkflow(`apiVersion: sluice.dev/v1
kind: PromotionWorkflow
metadata: { name: w }
spec:
  description: ${actions.includes('load') ? 'Before' : 'After'}
  actions:
${actions}`);
const WAS = workflow(`    - { name: unit, type: wait, parameters: { duration: 1m } }
    - { name: load, type: wait, dependsOn: [unit], parameters: { duration: 1m } }
    - { name: tell, type: wait, dependsOn: [load], parameters: { duration: 1m } }
`);
const IS = workflow(`    - { name: unit, type: wait, parameters: { duration: 60s } }
    - { name: tell, type: wait, dependsOn: [smoke, unit], timeout: 1h, parameters: { duration: 2m } }
    - { name: smoke, type: simulate, dependsOn: [unit] }
`);

test('a draft of a workflow differs from the saved one by action, and the graph draws what is gone', () => {
  const changes = actionChangesBetween(WAS, IS)!;
  expect(Object.fromEntries(changes.nodes)).toMatchObject({
    tell: { change: 'CHANGED', words: expect.arrayContaining(['timeout: 1h is new']) },
    smoke: { change: 'ADDED' },
    load: { change: 'REMOVED' },
  });
  expect(changes.nodes.get('tell')!.words).toContain('dependsOn: load → smoke, unit');
  expect(changes.whole).toEqual(['description: Before → After']);
  expect(actionChangesBetween(WAS, WAS)).toMatchObject({ nodes: new Map(), edges: [], whole: [] });

  const { actions } = IS.workflow!.spec;
  const before = placeActions(actions);
  const chart = placeActions(actions, before, changes);
  expect(chart.nodes.map(({ name }) => name)).toEqual(['unit', 'tell', 'smoke', 'load']);
  expect(chart.edges.map(({ from, to, change = '' }) => `${change} ${from} > ${to}`.trim())).toEqual([
    'ADDED smoke > tell',
    'ADDED unit > tell',
    'ADDED unit > smoke',
    'REMOVED unit > load',
    'REMOVED load > tell',
  ]);
  expect(placeActions(actions, chart).nodes).toEqual(before.nodes);
});

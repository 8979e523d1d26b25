import { expect, test } from 'vitest';
import { placeFlow } from '../../web/app/src/builder/chart/place.ts';
import { changesBetween, openDocument } from '../../web/app/src/builder/document/index.ts';

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
  expect(changes.flow).toEqual(['timeout: 2h is new']);
  expect(changesBetween(SAVED, SAVED, KNOWN)).toEqual({
    saved: SAVED.flow!.spec,
    nodes: new Map(),
    edges: [],
    flow: [],
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

import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { AnyDefinition, Definition, Kind } from '../../src/core/definitions.ts';
import { checkFlow, topologicalOrder } from '../../src/core/flow.ts';
import { selectFlow } from '../../src/core/trigger/select-flow.ts';
import { resolveMembers } from '../../src/core/selectors.ts';
import { checkDefinition } from '../../src/core/validate.ts';
import { parseManifests } from '../../src/manifests/index.ts';

const folder = new URL('../../examples/billing/', import.meta.url);
const all: AnyDefinition[] = readdirSync(folder)
  .filter((name) => name.endsWith('.yaml'))
  .sort()
  .flatMap((fileName) => {
    const text = readFileSync(new URL(fileName, folder), 'utf8').replaceAll('${REPO_BASE}', 'file:///srv/git');
    const { definitions, errors } = parseManifests(text, { fileName });
    expect(errors).toEqual([]);
    return definitions.map((each) => each.definition);
  });
const of = <K extends Kind>(kind: K) => all.filter((each) => each.kind === kind) as unknown as Definition<K>[];

test("the sample is the user's picture, and nothing in it is refused", () => {
  for (const each of all) expect(checkDefinition(each)).toEqual([]);
  const environments = of('Environment').map(({ metadata, spec }) => ({ ...metadata, kind: spec.kind }));
  const groups = new Map(
    of('EnvironmentGroup').map(({ metadata, spec }) => [
      metadata.name,
      resolveMembers(spec, environments).map((each) => each.name),
    ]),
  );
  expect(groups).toEqual(new Map([['regions', ['asia', 'eu', 'us-east']]]));
  const [flow] = of('PromotionFlow');
  const check = checkFlow(flow!.spec, {
    environments: new Set(environments.map((each) => each.name)),
    groups,
    workflows: new Set(of('PromotionWorkflow').map((each) => each.metadata.name)),
  });
  expect(check).toEqual({ refusals: [], warnings: [] });
  expect(topologicalOrder(flow!.spec)).toEqual(['dev', 'staging', 'regions', 'asia-2']);
  expect(selectFlow(of('Product')[0]!, 'dev', undefined, of('PromotionFlow')).flow).toBe(flow);
});

test('the sample with hooks is right together with the rest of the sample', () => {
  const text = readFileSync(new URL('hooks/04-flow.yaml', folder), 'utf8');
  const { definitions, errors } = parseManifests(text, { fileName: '04-flow.yaml' });
  expect(errors).toEqual([]);
  const own = definitions.map((each) => each.definition);
  for (const each of own) expect(checkDefinition(each)).toEqual([]);
  const spec = (own.find(({ kind }) => kind === 'PromotionFlow') as Definition<'PromotionFlow'>).spec;
  const names = (kind: Kind, from: AnyDefinition[]) =>
    from.filter((each) => each.kind === kind).map(({ metadata }) => metadata.name);
  const workflows = new Set(names('PromotionWorkflow', [...all, ...own]));
  const environments = new Set(names('Environment', all));
  expect(
    checkFlow(spec, { environments, groups: new Map([['regions', ['asia', 'eu', 'us-east']]]), workflows }),
  ).toEqual({
    refusals: [],
    warnings: [],
  });
  const hooks = [spec.hooks, ...spec.steps.map((each) => each.hooks)].flatMap((each) => Object.values(each ?? {}));
  expect(hooks.filter((name) => !workflows.has(name))).toEqual([]);
  expect(hooks).toHaveLength(6);
});

test('Billing has an application in every environment', () => {
  const places = of('Application').map(({ spec }) => spec.environment);
  expect(places.sort()).toEqual(
    of('Environment')
      .map((each) => each.metadata.name)
      .sort(),
  );
});

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

test('Billing has an application in every environment', () => {
  const places = of('Application').map(({ spec }) => spec.environment);
  expect(places.sort()).toEqual(
    of('Environment')
      .map((each) => each.metadata.name)
      .sort(),
  );
});

import type { AnyDefinition, Kind } from '../../src/core/definitions.ts';
import { KINDS, SPECS } from '../../src/core/kinds/index.ts';
import { referencesIn } from '../../src/core/kinds/walk.ts';
import { parseManifests } from '../../src/manifests/index.ts';

/** A definition that manifests name and do not bring. */
export interface Stub {
  kind: Kind;
  name: string;
}

/** The least that each kind may be. Flows and groups have two environments of their own. */
const LEAST: Partial<Record<Kind, string>> = {
  Environment: '{ kind: NON_PRODUCTION }',
  EnvironmentGroup: '{ environments: { names: [stub-target] } }',
  PromotionTemplate: '{}',
  PromotionWorkflow: '{ actions: [{ name: stub, type: simulate }] }',
  PromotionFlow:
    '{ triggerEnvironment: stub-trigger, steps: [{ environment: stub-target, dependsOn: [stub-trigger] }] }',
  Product: '{}',
};
const OWN_ENVIRONMENTS = ['stub-trigger', 'stub-target'].map((name): Stub => ({ kind: 'Environment', name }));
const NAME = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** What the texts name and none of them brings, each once, by kind and name. A name that nothing can have is left to the refusal of its file. */
export function stubsFor(texts: readonly string[]): Stub[] {
  const brought = texts.flatMap((text) => parseManifests(text).definitions.map(({ definition }) => definition));
  const known = new Set(brought.map(({ kind, metadata }) => `${kind}/${metadata.name}`));
  const stubs = new Map<string, Stub>();
  for (const { kind, name } of brought.flatMap(namedIn)) {
    const key = `${kind}/${name}`;
    if (!known.has(key) && LEAST[kind] !== undefined && NAME.test(name)) stubs.set(key, { kind, name });
  }
  const needsEnvironments = [...stubs.values()].some(
    ({ kind }) => kind === 'PromotionFlow' || kind === 'EnvironmentGroup',
  );
  return [...(needsEnvironments ? OWN_ENVIRONMENTS : []), ...stubs.values()].sort(
    (a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) || (a.name < b.name ? -1 : 1),
  );
}

/** Also products and environments that a policy selects by name: they may be missing, and then it is for nothing. */
function namedIn({ kind, spec }: AnyDefinition): Stub[] {
  const references: Stub[] = referencesIn(SPECS[kind], spec);
  if (kind !== 'PromotionPolicy') return references;
  const { product, targetEnvironment } = spec.selector;
  return [
    ...references,
    ...(product.names ?? []).map((name): Stub => ({ kind: 'Product', name })),
    ...(targetEnvironment.names ?? []).map((name): Stub => ({ kind: 'Environment', name })),
  ];
}

export function manifestOf({ kind, name }: Stub): string {
  return `apiVersion: sluice.dev/v1\nkind: ${kind}\nmetadata: { name: ${name} }\nspec: ${LEAST[kind]}\n`;
}

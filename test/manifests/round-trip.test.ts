import { expect, test } from 'vitest';
import type { AnyDefinition, Definition } from '../../src/core/definitions.ts';
import {
  diffManifests,
  exportManifest,
  exportManifests,
  parseManifests,
  sameDefinition,
} from '../../src/manifests/index.ts';
import { fc } from '../core/property.ts';
import { definition } from './arbitrary.ts';

const one = (text: string) => {
  const { definitions, errors } = parseManifests(text);
  expect(errors).toEqual([]);
  expect(definitions).toHaveLength(1);
  return definitions[0]!.definition;
};

test('every definition is read back as it was, whatever texts it holds', { timeout: 120_000 }, () => {
  const reached: Record<string, number> = {};
  fc.assert(
    fc.property(definition, (each) => {
      const text = exportManifest(each);
      const back = one(text);
      expect(back).toEqual(each);
      expect(sameDefinition(back, each)).toBe(true);
      expect(exportManifest(back)).toBe(text);
      expect(diffManifests(each, back)).toBe('');
      const form = `${each.kind} ${/^apiVersion: (.*)$/m.exec(text)![1]}`;
      reached[form] = (reached[form] ?? 0) + 1;
    }),
    { numRuns: 700 },
  );
  // Both forms of what has two, and every kind.
  expect(Object.keys(reached).sort()).toEqual(
    [
      'Application sluice.dev/v1',
      'Environment sluice.dev/v1',
      'EnvironmentGroup sluice.dev/v1',
      'GitSource sluice.dev/v1',
      'Product codefresh.io/v1beta1',
      'Product codefresh.io/v1beta2',
      'Product sluice.dev/v1',
      'PromotionFlow codefresh.io/v1beta1',
      'PromotionFlow codefresh.io/v1beta2',
      'PromotionFlow sluice.dev/v1',
      'PromotionPolicy codefresh.io/v1beta1',
      'PromotionPolicy codefresh.io/v1beta2',
      'PromotionPolicy sluice.dev/v1',
      'PromotionTemplate codefresh.io/v1beta1',
      'PromotionTemplate codefresh.io/v1beta2',
      'PromotionTemplate sluice.dev/v1',
      'PromotionWorkflow sluice.dev/v1',
      'ReleaseWindow sluice.dev/v1',
    ].sort(),
  );
});

test('many definitions are read back from one stream', { timeout: 120_000 }, () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(definition, { maxLength: 5, selector: ({ kind, metadata }) => `${kind}/${metadata.name}` }),
      (all) => {
        const { definitions, errors } = parseManifests(exportManifests(all));
        expect(errors).toEqual([]);
        expect(definitions.map((each) => each.definition)).toEqual(all);
      },
    ),
  );
});

test('the order in which a database returns keys changes nothing', () => {
  fc.assert(
    fc.property(definition, (each) => {
      const turned = reversed(each) as AnyDefinition;
      expect(exportManifest(turned)).toBe(exportManifest(each));
      expect(sameDefinition(turned, each)).toBe(true);
    }),
  );
  function reversed(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(reversed);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .reverse()
        .map(([key, inner]) => [key, reversed(inner)]),
    );
  }
});

const flow: Definition<'PromotionFlow'> = {
  kind: 'PromotionFlow',
  metadata: { name: 'billing-flow', labels: {}, annotations: { 'sluice.dev/api-version': 'codefresh.io/v1beta1' } },
  spec: {
    description: 'To production',
    triggerEnvironment: 'dev',
    steps: [{ environment: 'qa', dependsOn: ['dev'] }],
    timeout: 5_400_000,
    onFailure: 'FINISH_RUNNING',
  },
};

test('what was applied as a published manifest is exported as one, as long as that can say it', () => {
  expect(exportManifest(flow)).toBe(`apiVersion: codefresh.io/v1beta1
kind: PromotionFlow
metadata:
  name: billing-flow
  annotations:
    description: To production
spec:
  triggerEnvironment: dev
  steps:
    - environment: qa
      dependsOn:
        - dev
  promotionTimeoutLimit: 90
`);
  const soaking = { ...flow, spec: { ...flow.spec, steps: [{ ...flow.spec.steps[0]!, soak: 600_000 }] } };
  expect(exportManifest(soaking)).toContain('apiVersion: sluice.dev/v1');
  expect(exportManifest(soaking)).toContain('soak: 10m');
  expect(exportManifest(soaking)).toContain('timeout: 1h30m');
});

test('the dry run shows the lines that change, in their surroundings', () => {
  const after = { ...flow, spec: { ...flow.spec, steps: [{ environment: 'staging', dependsOn: ['dev'] }] } };
  expect(diffManifests(flow, after)).toBe(`--- PromotionFlow/billing-flow\tcurrent
+++ PromotionFlow/billing-flow\tnew
@@ -7,7 +7,7 @@
 spec:
   triggerEnvironment: dev
   steps:
-    - environment: qa
+    - environment: staging
       dependsOn:
         - dev
   promotionTimeoutLimit: 90
`);
  expect(diffManifests(undefined, flow)).toMatch(
    /^--- \/dev\/null\n\+\+\+ PromotionFlow\/billing-flow\tnew\n@@ -0,0 \+1,13 @@\n\+apiVersion/,
  );
  expect(diffManifests(flow, undefined)).toMatch(/^--- PromotionFlow\/billing-flow\tcurrent\n\+\+\+ \/dev\/null/);
});

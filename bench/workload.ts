import type { AnyDefinition, Metadata } from '../src/core/definitions.ts';

/**
 * The release that everything is measured with: dev → staging → regions (us-east, eu, asia) → asia-2, four durable steps in
 * each environment, 24 in all, 16 of them one after the other. Nothing in it takes time, so what is measured is Sluice.
 */
export const STEPS = 24;

const metadata = (name: string): Metadata => ({ name, labels: {}, annotations: {} });
const ENVIRONMENTS = ['dev', 'staging', 'us-east', 'eu', 'asia', 'asia-2'];

/** What an environment's start waits for: its own first action runs after the last step of all of these. */
export const DEPENDS_ON: Record<string, string[]> = {
  staging: ['dev'],
  'us-east': ['staging'],
  eu: ['staging'],
  asia: ['staging'],
  'asia-2': ['us-east', 'eu', 'asia'],
};

export const productName = (index: number): string => `product-${index}`;

/** A product for each release in flight: releases of one product take turns. */
export function definitions(products: number): AnyDefinition[] {
  const action = (name: string) => ({ name, type: 'simulate' as const, parameters: {} });
  const policy = { preAction: 'before', action: 'commit' as const, postAction: 'after' };
  const all: AnyDefinition[] = [
    ...ENVIRONMENTS.map((name): AnyDefinition => ({
      kind: 'Environment',
      metadata: metadata(name),
      spec: { kind: name === 'dev' || name === 'staging' ? 'NON_PRODUCTION' : 'PRODUCTION' },
    })),
    {
      kind: 'EnvironmentGroup',
      metadata: metadata('regions'),
      spec: { environments: { names: ['us-east', 'eu', 'asia'] }, gate: { policy: 'ALL' }, maxFailures: 0 },
    },
    { kind: 'PromotionWorkflow', metadata: metadata('before'), spec: { actions: [action('check')] } },
    { kind: 'PromotionWorkflow', metadata: metadata('after'), spec: { actions: [action('tell')] } },
    {
      kind: 'PromotionWorkflow',
      metadata: metadata('prove'),
      // One after the other: the critical path of the floor has no siblings either.
      spec: {
        actions: [
          action('build'),
          { ...action('test'), dependsOn: ['build'] },
          { ...action('scan'), dependsOn: ['test'] },
        ],
      },
    },
    {
      kind: 'PromotionFlow',
      metadata: metadata('flow'),
      spec: {
        triggerEnvironment: 'dev',
        triggerWorkflow: 'prove',
        steps: [
          { environment: 'staging', dependsOn: ['dev'], policy },
          { group: 'regions', dependsOn: ['staging'], policy },
          { environment: 'asia-2', dependsOn: ['regions'], policy },
        ],
        onFailure: 'FINISH_RUNNING',
      },
    },
  ];
  for (let index = 0; index < products; index += 1) {
    const name = productName(index);
    all.push({
      kind: 'Product',
      metadata: metadata(name),
      spec: { promotionFlows: [{ name: 'flow' }], concurrency: 'QUEUE', queueLimit: 50 },
    });
    for (const environment of ENVIRONMENTS) {
      all.push({
        kind: 'Application',
        metadata: metadata(`${name}-${environment}`),
        spec: { product: name, environment, driver: { type: 'simulate' }, health: { type: 'simulate' } },
      });
    }
  }
  return all;
}

/** dev, then so many environments side by side in a group, three steps in each. */
export function wideFlow(product: string, width: number): AnyDefinition[] {
  const environments = Array.from({ length: width }, (_, index) => `${product}-${index}`);
  const group = `${product}-all`;
  const simulate = { driver: { type: 'simulate' as const }, health: { type: 'simulate' as const } };
  const check = { name: 'check', type: 'simulate' as const, parameters: {} };
  return [
    ...['dev', ...environments].map((name): AnyDefinition => ({
      kind: 'Environment',
      metadata: metadata(name),
      spec: { kind: 'NON_PRODUCTION' },
    })),
    {
      kind: 'EnvironmentGroup',
      metadata: metadata(group),
      spec: { environments: { names: environments }, gate: { policy: 'ALL' }, maxFailures: 0 },
    },
    { kind: 'PromotionWorkflow', metadata: metadata(`${product}-check`), spec: { actions: [check] } },
    {
      kind: 'PromotionFlow',
      metadata: metadata(`${product}-flow`),
      spec: {
        triggerEnvironment: 'dev',
        steps: [{ group, dependsOn: ['dev'], policy: { preAction: `${product}-check`, action: 'commit' } }],
        onFailure: 'FINISH_RUNNING',
      },
    },
    {
      kind: 'Product',
      metadata: metadata(product),
      spec: { promotionFlows: [{ name: `${product}-flow` }], concurrency: 'QUEUE', queueLimit: 50 },
    },
    ...['dev', ...environments].map((environment): AnyDefinition => ({
      kind: 'Application',
      metadata: metadata(`${product}-in-${environment}`),
      spec: { product, environment, ...simulate },
    })),
  ];
}

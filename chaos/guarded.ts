/**
 * The product whose promotions have all in their way that people can put there: windows, approvals, holds, marks, limits of a group.
 * Its definitions are edited while releases travel. All as manifests: what a person would apply.
 */
export const GUARDED = 'guarded';
export const GUARDED_FLOW = 'guarded';
export const GUARDED_GROUP = 'guarded-regions';
const MAX_PARALLEL = 2;
const MAX_FAILURES = 1;

/** One definition, as JSON: which YAML is, too. */
export const manifest = (kind: string, name: string, spec: object): string =>
  JSON.stringify({ apiVersion: 'sluice.dev/v1', kind, metadata: { name }, spec });

export type Shape = 'WIDE' | 'NARROW';

/** WIDE ends in asia-2, NARROW with the regions. */
export function guardedFlow(shape: Shape): string {
  const policy = { preAction: 'calls', action: 'commit' };
  return manifest('PromotionFlow', GUARDED_FLOW, {
    description: shape,
    triggerEnvironment: 'dev',
    onFailure: 'CONTINUE',
    steps: [
      {
        environment: 'staging',
        dependsOn: ['dev'],
        policy: { action: 'commit' },
        approval: { rules: [{ count: 1 }], forbidInitiator: false, expiry: '30s', onExpiry: 'FAIL' },
      },
      { group: GUARDED_GROUP, dependsOn: ['staging'], policy },
      ...(shape === 'WIDE'
        ? [{ environment: 'asia-2', dependsOn: [GUARDED_GROUP], policy: { action: 'commit' } }]
        : []),
    ],
  });
}

/** One call to `target`, which says of which revision of the workflow it is. */
export function guardedWorkflow(shape: string, target: string): string {
  return manifest('PromotionWorkflow', 'calls', {
    actions: [
      {
        name: 'call',
        type: 'http',
        parameters: { url: target, method: 'POST', headers: { 'x-shape': shape } },
        retry: { limit: 20, backoff: '100ms', maxDelay: '1s' },
        timeout: '10s',
      },
    ],
  });
}

function guardedGroup(environments: string[]): string {
  return manifest('EnvironmentGroup', GUARDED_GROUP, {
    environments: { names: environments },
    gate: { policy: 'ANY' },
    maxParallel: MAX_PARALLEL,
    maxFailures: MAX_FAILURES,
  });
}

/** Closed for the guarded product from one moment to another, in milliseconds since the epoch. */
export function windowManifest(environments: string[], from: number, to: number): string {
  return manifest('ReleaseWindow', 'closing', {
    kind: 'DENY',
    timeZone: 'Etc/UTC',
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
    selector: { environments: { names: environments }, products: { names: [GUARDED] } },
  });
}

/** All of it, as it is at the beginning. */
export function guardedWorld(environments: string[], regions: string[], target: string): string {
  const failing = Array.from({ length: 300 }, (_, index) => `${GUARDED}-${3 * index + 4}`);
  return [
    guardedWorkflow('shape-0', target),
    guardedGroup(regions),
    guardedFlow('WIDE'),
    manifest('Product', GUARDED, { promotionFlows: [{ name: GUARDED_FLOW }], concurrency: 'PIPELINE' }),
    ...environments.map((environment) =>
      manifest('Application', `${GUARDED}-${environment}`, {
        product: GUARDED,
        environment,
        driver: { type: 'simulate', duration: '40ms' },
        health: { type: 'simulate', ...(environment === regions[0] && { degraded: failing }) },
      }),
    ),
  ].join('\n---\n');
}

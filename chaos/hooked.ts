import { manifest } from './guarded.ts';

/**
 * The products whose flow has all that runs around environments: hooks of the release, of environments, of members of a group and of
 * steps without an environment, two such steps side by side, whose output the environments after them are given, and policies that say
 * what is done in each environment. What the workflows call refuses now and then, for good: then a hook has failed.
 */
export const HOOKED = ['hooked', 'hooked-too'];
const FLOW = 'hooked';

/** An action that calls `target`; the judge finds in its body what the action was given. */
const call = (
  name: string,
  target: string,
  body: Record<string, string>,
  outputs?: Record<string, string>,
): object => ({
  name,
  type: 'http',
  parameters: { url: target, method: 'POST', headers: { 'x-shape': name }, body, ...(outputs && { outputs }) },
  retry: { limit: 20, backoff: '100ms', maxDelay: '1s' },
  timeout: '10s',
});

const workflow = (name: string, ...actions: object[]): string => manifest('PromotionWorkflow', name, { actions });

/** What an environment does before the change, as its policy says: with the image that was built for this release, or without a look at it. */
export function hookedPolicy(preAction: 'hooked-image' | 'checks'): string {
  return manifest('PromotionPolicy', 'hooked-eu', {
    priority: 10,
    selector: { product: { names: ['hooked*'] }, targetEnvironment: { names: ['eu'] } },
    policy: { preAction },
  });
}

/** All of it, as it is at the beginning. */
export function hookedWorld(environments: string[], regions: string[], target: string): string {
  const degraded = (name: string): string[] => Array.from({ length: 300 }, (_, index) => `${name}-${5 * index + 4}`);
  const told = { release: '${RELEASE_ID}', ticket: '${TICKET}' };
  const failed = { release: '${RELEASE_ID}', error: '${ERROR_MESSAGE}', failed: '${FAILED_ENVIRONMENTS}' };
  const around = { onStart: 'hooked-tell', onSuccess: 'hooked-tell-success', onFail: 'hooked-tell-failure' };
  return [
    workflow(
      'hooked-open',
      call('hook-open', target, { release: '${RELEASE_ID}' }, { PROMOTION_CONTEXT: '$.context' }),
    ),
    workflow('hooked-tell', call('hook-tell', target, told)),
    workflow('hooked-tell-success', call('hook-success', target, told)),
    workflow('hooked-tell-end', call('hook-end', target, told)),
    workflow('hooked-tell-failure', call('hook-fail', target, failed)),
    workflow('hooked-build', call('build', target, { release: '${RELEASE_ID}' }, { IMAGE: '$.image' })),
    workflow('hooked-image', call('image', target, { release: '${RELEASE_ID}', image: '${IMAGE}' })),
    hookedPolicy('hooked-image'),
    manifest('PromotionPolicy', 'hooked-all', {
      priority: 100,
      selector: { product: { names: ['hooked*'] } },
      policy: { preAction: 'checks', postAction: 'announce', action: 'commit' },
    }),
    manifest('PromotionPolicy', 'hooked-production', {
      priority: 200,
      selector: { product: { names: ['hooked*'] }, targetEnvironment: { kinds: ['PRODUCTION'] } },
      policy: { postAction: 'hooked-image' },
      locked: ['postAction'],
    }),
    manifest('PromotionFlow', FLOW, {
      triggerEnvironment: 'dev',
      onFailure: 'CONTINUE',
      hooks: { onStart: 'hooked-open', onSuccess: 'hooked-tell-end', onFail: 'hooked-tell-failure' },
      rollbackPolicies: [
        { when: { environments: ['staging'], causes: ['HOOK'] }, targets: [], markBad: { scope: 'NONE' } },
        {
          when: { groups: ['regions'], causes: ['FAILED', 'DEGRADED', 'REPORTED', 'HOOK'] },
          targets: [{ siblings: true }],
          markBad: { scope: 'NONE' },
        },
      ],
      steps: [
        { workflow: 'hooked-build', name: 'build', dependsOn: ['dev'], hooks: { onFail: 'hooked-tell-failure' } },
        { workflow: 'checks', name: 'tests', dependsOn: ['dev'] },
        { environment: 'staging', dependsOn: ['build', 'tests'], hooks: around },
        { group: 'regions', dependsOn: ['staging'], hooks: around },
        { environment: 'asia-2', dependsOn: ['regions'], hooks: { onFail: 'hooked-tell-failure' } },
      ],
    }),
    ...HOOKED.flatMap((name) => [
      manifest('Product', name, {
        promotionFlows: [{ name: FLOW }],
        concurrency: 'PIPELINE',
      }),
      ...environments.map((environment) =>
        manifest('Application', `${name}-${environment}`, {
          product: name,
          environment,
          driver: { type: 'simulate', duration: '30ms' },
          health: { type: 'simulate', ...(environment === regions[0] && { degraded: degraded(name) }) },
        }),
      ),
    ]),
  ].join('\n---\n');
}

import { afterAll, beforeAll, expect, test } from 'vitest';
import { codeOf, messageOf, openGuarded } from './support.ts';
import type { GuardedServer } from './support.ts';

// Which flow a release travels can depend on the message of its commit, which is read after the caller was let in.

let guarded: GuardedServer;
beforeAll(async () => {
  guarded = await openGuarded();
  await guarded.engine.saveBilling();
  await guarded.engine.save('PromotionFlow', 'careful', {
    triggerEnvironment: 'dev',
    onFailure: 'FINISH_RUNNING',
    steps: [{ environment: 'staging', dependsOn: ['dev'] }],
  });
  await guarded.engine.save('Product', 'billing', {
    promotionFlows: [
      {
        name: 'to-production',
        gitTriggerSelectors: [{ key: 'commitMessage', operator: 'In', values: ['*hotfix*'] }],
      },
      { name: 'careful' },
    ],
    concurrency: 'PIPELINE',
    queueLimit: 50,
  });
});
afterAll(() => guarded.close());

test('to trigger a release takes the permission for every environment to which any message could bring it', async () => {
  const trigger = `mutation($input: ReleaseTriggerInput!) { releaseTrigger(input: $input) { release { plan: flow { name } } userErrors { message } } }`;
  const token = await guarded.token('RELEASER', { environments: { names: ['staging'] } });
  const input = { product: 'billing', version: '1' };
  const refused = await guarded.ask(token, trigger, { input });
  expect(codeOf(refused)).toBe('FORBIDDEN');
  expect(messageOf(refused)).toMatch(/is not allowed to PROMOTE for product "billing"/);
  const named = await guarded.ask(token, trigger, { input: { ...input, flow: 'careful' } });
  expect(named.body.data?.['releaseTrigger']).toEqual({ release: { plan: { name: 'careful' } }, userErrors: [] });
});

test('of a repository in which a caller sees nothing it is not told that it is known here, and it is not asked', async () => {
  const { engine } = guarded;
  await engine.save('Product', 'hidden', { promotionFlows: [], concurrency: 'QUEUE', queueLimit: 50 });
  await engine.save('PromotionFlow', 'for-hidden', {
    triggerEnvironment: 'dev',
    onFailure: 'FINISH_RUNNING',
    productSelector: { names: ['hidden'] },
    steps: [{ environment: 'staging', dependsOn: ['dev'] }],
  });
  const repoURL = 'https://git.example.com/acme/hidden.git';
  await engine.save('Application', 'hidden-dev', {
    product: 'hidden',
    environment: 'dev',
    driver: { type: 'git', repoURL, branch: 'main', path: 'dev' },
    health: { type: 'none' },
  });
  const query = `query ($ref: String) { explainTrigger(repository: "${repoURL}", ref: $ref) { nothing applications { outcome } } }`;
  const token = await guarded.token('VIEWER', { products: { names: ['billing'] } });
  for (const ref of ['another-branch', 'refs/tags/v1', 'main']) {
    const { body } = await guarded.ask(token, query, { ref });
    expect(body.data?.['explainTrigger']).toEqual({
      nothing: 'no application that triggers releases is in this repository',
      applications: [],
    });
  }
});

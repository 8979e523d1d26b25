import { randomBytes } from 'node:crypto';
import type { FlowStepSpec } from '../../src/core/definitions.ts';
import { startGitHost } from '../peers/git-host.ts';
import type { GitHost } from '../peers/git-host.ts';
import { openTestEngine } from './engine.ts';
import type { TestEngine } from './engine.ts';

/** A flow for all products: what arrives in dev is committed to prod. */
export async function saveDevToProd(engine: TestEngine, prod: Partial<FlowStepSpec> = {}): Promise<void> {
  for (const name of ['dev', 'prod']) await engine.save('Environment', name, { kind: 'NON_PRODUCTION' });
  await engine.save('PromotionFlow', 'to-prod', {
    triggerEnvironment: 'dev',
    onFailure: 'FINISH_RUNNING',
    productSelector: {},
    steps: [{ environment: 'prod', dependsOn: ['dev'], ...prod }],
  });
}

/** The product shop, whose environments are folders of one repository; its pushes are not waited for to come together. */
export async function saveShop(engine: TestEngine, repoURL: string): Promise<void> {
  await engine.save('Product', 'shop', {
    promotionFlows: [],
    concurrency: 'PIPELINE',
    queueLimit: 50,
    promotionTemplate: { versionSource: { file: 'values.yaml', jsonPath: '$.image.tag' } },
    trigger: { coalesce: 0, interval: 5_000 },
  });
  for (const environment of ['dev', 'prod'])
    await engine.save('Application', `shop-${environment}`, {
      product: 'shop',
      environment,
      driver: { type: 'git', repoURL, branch: 'main', path: environment },
      health: { type: 'none' },
    });
}

/** A real git host, and an engine with a worker and the flow from dev to prod. */
export async function openByPush(): Promise<{ host: GitHost; engine: TestEngine; close(): Promise<void> }> {
  const host = await startGitHost();
  const backend = { name: 'postgres' as const, queuePrefix: `t${randomBytes(5).toString('hex')}` };
  const engine = await openTestEngine(backend, {
    SLUICE_DATA_DIR: `${host.root}/data`,
    SLUICE_GIT_PROTOCOLS: 'http',
    SLUICE_ALLOWED_NETWORKS: '127.0.0.0/8',
  });
  await engine.startWorker();
  await saveDevToProd(engine);
  return {
    host,
    engine,
    async close() {
      await engine.close();
      await host.close();
    },
  };
}

import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { reportDeployment } from '../../src/commands/report-deployment.ts';
import { reportHealth } from '../../src/commands/report-health.ts';
import { openTestEngine } from '../support/engine.ts';
import type { TestEngine } from '../support/engine.ts';

// A sender like Argo CD tells once that a target runs a change and is healthy. The worker that would look dies, and another looks later.

let engine: TestEngine;
beforeAll(async () => {
  engine = await openTestEngine({ name: 'postgres', queuePrefix: `t${randomBytes(5).toString('hex')}` });
  const isStaging = (environment: string): boolean => environment === 'staging';
  await engine.saveBilling('billing', {
    sync: (environment) => (isStaging(environment) ? { type: 'report' } : undefined),
    health: (environment) => (isStaging(environment) ? { type: 'report' } : { type: 'none' }),
  });
});
afterAll(() => engine.close());

test('a health that was reported with the sync counts, however late the sync was found', async () => {
  const worker = await engine.startWorker();
  const id = await engine.trigger({ product: 'billing', version: '1.4.2' });
  await engine.reached(id, ({ promotions: [, staging] }) =>
    staging!.steps.some((step) => step.status === 'WAITING' && step.reason?.includes('waits for a report')),
  );
  await worker.close();
  const { app } = engine;
  await reportDeployment(app, { application: 'billing-staging', version: '1.4.2' }, null);
  await reportHealth(app, { application: 'billing-staging', status: 'HEALTHY' }, null);
  await new Promise((resolve) => setTimeout(resolve, 50));
  await engine.startWorker();
  expect((await engine.ended(id)).status).toBe('SUCCEEDED');
});

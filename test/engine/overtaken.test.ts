import { afterAll, beforeAll, expect, test } from 'vitest';
import { retryRelease, terminateRelease } from '../../src/commands/control-release.ts';
import { reportHealth } from '../../src/commands/report-health.ts';
import { listLiveDeployments } from '../../src/store/deployment-reads.ts';
import { onOneBackend } from '../support/backends.ts';
import { openTestEngine, typesAt } from '../support/engine.ts';
import type { TestEngine } from '../support/engine.ts';

onOneBackend('postgres', (backend) => {
  let engine: TestEngine;
  beforeAll(async () => {
    engine = await openTestEngine(backend);
    await engine.startWorker();
    await engine.saveBilling('billing', {
      health: (environment) => ({ type: environment === 'staging' ? 'report' : 'none' }),
    });
  });
  afterAll(() => engine.close());

  const healthy = (): Promise<unknown> =>
    reportHealth(engine.app, { application: 'billing-staging', status: 'HEALTHY' }, 'test');
  const live = async (): Promise<string | undefined> =>
    (await listLiveDeployments(engine.app.pool, { limit: 1, filter: { environments: ['staging'] } })).rows[0]?.version;

  test('a retry makes its change again where another version has become current since', async () => {
    const first = await engine.trigger({ product: 'billing', version: '1' });
    await engine.reached(first, (state) => state.status === 'SUSPENDED');
    await terminateRelease(engine.app, { releaseId: first }, 'test');
    await engine.ended(first);
    const second = await engine.trigger({ product: 'billing', version: '2' });
    await engine.reached(second, (state) => state.status === 'SUSPENDED');
    await healthy();
    expect((await engine.ended(second)).status).toBe('SUCCEEDED');
    expect(await live()).toBe('2');

    await retryRelease(engine.app, { releaseId: first }, 'test');
    await engine.reached(
      first,
      (state) => state.promotions[1]?.status === 'SUSPENDED' && state.promotions[1]?.attempt === 2,
    );
    await healthy();
    expect((await engine.ended(first)).status).toBe('SUCCEEDED');
    expect(await live()).toBe('1');
    const events = await engine.events(first);
    expect(typesAt(events, 'staging').filter((each) => each === 'StepSucceeded').length).toBeGreaterThan(6);
    const started = events.filter((each) => each.type === 'PromotionStarted' && each.environment === 'staging');
    expect(started).toMatchObject([{ attempt: 1 }, { attempt: 2, afresh: true }]);
    expect(started[0]).not.toHaveProperty('afresh');
  });
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import { onOneBackend } from '../../support/backends.ts';
import { openTestEngine, REGIONS } from '../../support/engine.ts';
import type { TestEngine } from '../../support/engine.ts';
import { retryRelease } from '../../../src/commands/control-release.ts';
import { serve } from '../../drivers/http-server.ts';
import { loadEnvironmentFacts } from '../../../src/store/rollback-question.ts';
import { liveVersions, lookAt, POLICY, rollbackOf, statuses } from './support.ts';

onOneBackend('postgres', (backend) => {
  let engine: TestEngine;
  let host: { host: string; close(): void };
  /** How many of the next questions for the health of us-east are answered badly. */
  let bad = 0;
  beforeAll(async () => {
    host = await serve((_asked, response) => {
      response.statusCode = bad > 0 ? 500 : 200;
      bad -= 1;
      response.end();
    });
    engine = await openTestEngine(backend);
    await engine.startWorker();
  });
  afterAll(async () => {
    await engine.close();
    host.close();
  });

  test('a release that was taken back and is retried brings its version again, and that is what is live', async () => {
    const { app } = engine;
    const url = `http://${host.host}/health`;
    await engine.saveBilling('billing', {
      health: (environment) =>
        environment === 'us-east'
          ? { type: 'http', url, failureThreshold: 1 }
          : { type: 'simulate', sequence: ['HEALTHY'] },
      rollbackPolicies: [POLICY],
    });
    await engine.ended(await engine.trigger({ product: 'billing', version: '1' }));
    bad = 1;
    const release = await engine.trigger({ product: 'billing', version: '2' });
    await rollbackOf(engine, 'billing');
    await engine.reached(
      release,
      ({ promotions }) => promotions.filter(({ status }) => status === 'ROLLED_BACK').length === 3,
    );

    await retryRelease(app, { releaseId: release }, 'ada');
    expect((await engine.ended(release)).status).toBe('SUCCEEDED');
    expect(statuses(await lookAt(engine, release))).toMatchObject({ 'us-east': 'SUCCEEDED', 'asia-2': 'SUCCEEDED' });
    const live = await liveVersions(engine, 'billing');
    expect([...REGIONS, 'asia-2'].map((each) => live[each])).toEqual(['2', '2', '2', '2']);

    const client = await app.pool.connect();
    try {
      const facts = await loadEnvironmentFacts(client, app.definitions, 'billing', Date.now());
      const eu = facts.find((each) => each.name === 'eu');
      const told = eu?.history.map(({ version, rollback, verifiedAt }) => [
        version.label,
        rollback,
        verifiedAt !== null,
      ]);
      expect(told).toEqual([
        ['2', false, true],
        ['1', true, true],
        ['1', false, true],
      ]);
    } finally {
      client.release();
    }
  });
});

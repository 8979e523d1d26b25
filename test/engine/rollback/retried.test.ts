import { afterAll, beforeAll, expect, test } from 'vitest';
import { onOneBackend } from '../../support/backends.ts';
import { openTestEngine, REGIONS } from '../../support/engine.ts';
import type { TestEngine } from '../../support/engine.ts';
import { retryRelease, terminateRelease } from '../../../src/commands/control-release.ts';
import { startManualRollback } from '../../../src/commands/start-manual-rollback.ts';
import { PATIENCE } from '../../support/patience.ts';
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

  test('a rollback that is retried has its next end told, also when the server that retried it died right then', async () => {
    const { app } = engine;
    await engine.saveBilling('again', {
      driver: (environment) => ({ type: 'simulate', ...(environment === 'eu' && { duration: 1_500 }) }),
    });
    for (const version of ['1', '2']) await engine.ended(await engine.trigger({ product: 'again', version }));
    const asked = { product: 'again', environments: ['eu'], reason: 'it leaks' };
    const { rollbackId } = (await startManualRollback(app, asked, 'ada')).value!;
    await terminateRelease(app, { releaseId: rollbackId }, 'ada');
    expect((await engine.ended(rollbackId)).status).toBe('TERMINATED');
    const isTold = async (): Promise<boolean | null> => {
      const { rows } = await app.pool.query<{ told: boolean | null }>(
        'SELECT b.settled_at >= r.ended_at AS told FROM rollback b JOIN release r ON r.id = b.id WHERE b.id = $1',
        [rollbackId],
      );
      return rows[0]!.told;
    };
    await expect.poll(isTold, { timeout: PATIENCE }).toBe(true);
    await app.releaseEngine.tell(rollbackId, { kind: 'retry', by: 'ada' });
    expect((await engine.ended(rollbackId)).status).toBe('SUCCEEDED');
    await expect.poll(isTold, { timeout: PATIENCE }).toBe(true);
  });
});

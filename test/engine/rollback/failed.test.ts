import { afterAll, beforeAll, expect, test } from 'vitest';
import { onOneBackend } from '../../support/backends.ts';
import { openTestEngine, REGIONS } from '../../support/engine.ts';
import type { TestEngine } from '../../support/engine.ts';
import { degradedIn, liveVersions, lookAt, POLICY, rollbackOf, statuses } from './support.ts';

onOneBackend('postgres', (backend) => {
  let engine: TestEngine;
  beforeAll(async () => {
    engine = await openTestEngine(backend);
    await engine.startWorker();
  });
  afterAll(() => engine.close());

  test('us-east turns out bad: it goes back, eu and asia with it, and asia-2 never starts', async () => {
    await engine.saveBilling('billing', degradedIn('us-east', '2'));
    await engine.ended(await engine.trigger({ product: 'billing', version: '1' }));
    const bad = await engine.trigger({ product: 'billing', version: '2' });
    const rollback = await rollbackOf(engine, 'billing');
    expect(rollback.state.status).toBe('SUCCEEDED');
    expect(statuses(rollback)).toEqual({ 'us-east': 'SUCCEEDED', eu: 'SUCCEEDED', asia: 'SUCCEEDED' });
    const live = await liveVersions(engine, 'billing');
    expect(REGIONS.map((each) => live[each])).toEqual(['1', '1', '1']);
    await engine.reached(
      bad,
      ({ status, promotions }) =>
        status === 'FAILED' && promotions.filter((each) => each.status === 'ROLLED_BACK').length === 3,
    );
    expect(statuses(await lookAt(engine, bad))).toMatchObject({
      staging: 'SUCCEEDED',
      'us-east': 'ROLLED_BACK',
      eu: 'ROLLED_BACK',
      asia: 'ROLLED_BACK',
      'asia-2': 'SKIPPED',
    });
  });

  test('a first version has nothing to go back to: the record asks for a person, and the version is marked bad all the same', async () => {
    const { health } = degradedIn('us-east', '1');
    const rollbackPolicies = [{ ...POLICY, targets: [], markBad: { scope: 'PRODUCT' as const } }];
    await engine.saveBilling('first', { health, rollbackPolicies });
    await engine.trigger({ product: 'first', version: '1' });
    const rollback = await rollbackOf(engine, 'first');
    expect(rollback.state.status).toBe('FAILED');
    expect(rollback.release.plan.rollback?.targets).toMatchObject([{ environment: 'us-east', decision: 'IMPOSSIBLE' }]);
    const { rows } = await engine.app.pool.query(`SELECT label, scope FROM bad_version WHERE product = 'first'`);
    expect(rows).toEqual([{ label: '1', scope: 'PRODUCT' }]);
  });
});

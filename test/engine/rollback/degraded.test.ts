import { afterAll, beforeAll, expect, test } from 'vitest';
import { reportHealth } from '../../../src/commands/report-health.ts';
import type { ReleaseState } from '../../../src/core/release.ts';
import { onOneBackend } from '../../support/backends.ts';
import { openTestEngine } from '../../support/engine.ts';
import type { TestEngine } from '../../support/engine.ts';
import { liveVersions, lookAt, POLICY, rollbackOf, rollbacksOf, statuses } from './support.ts';

const MINUTE = 60_000;

onOneBackend('redis', (backend) => {
  let engine: TestEngine;
  beforeAll(async () => {
    engine = await openTestEngine(backend);
    await engine.startWorker();
  });
  afterAll(() => engine.close());

  const back = ({ promotions }: ReleaseState): boolean =>
    promotions.filter((each) => each.status === 'SUCCEEDED').length === 3;
  const observed = { ...POLICY, observeFor: 10 * MINUTE };

  test('an environment that turns DEGRADED after its promotion goes back, and so does what has the same version', async () => {
    // Eu is healthy for as long as its promotion takes, and for a moment more.
    await engine.saveBilling('late', { health: () => ({ type: 'none' }), rollbackPolicies: [observed] });
    await engine.ended(await engine.trigger({ product: 'late', version: '1' }));
    const eu = { product: 'late', environment: 'eu', driver: { type: 'simulate' as const } };
    const health = { type: 'simulate' as const, sequence: ['HEALTHY' as const, 'DEGRADED' as const], interval: 4_000 };
    await engine.save('Application', 'late-eu', { ...eu, health });
    const bad = await engine.trigger({ product: 'late', version: '2' });
    expect((await engine.ended(bad)).status).toBe('SUCCEEDED');
    const { release, state } = await rollbackOf(engine, 'late', back);
    expect(release.plan.rollback?.cause).toMatchObject({ kind: 'DEGRADED', environment: 'eu', release: bad });
    // The last verified version is healthy for a moment, too.
    expect(statuses({ release, state })).toEqual({
      eu: 'SUCCEEDED',
      'us-east': 'SUCCEEDED',
      asia: 'SUCCEEDED',
      'asia-2': 'SUSPENDED',
    });
    await engine.reached(
      bad,
      ({ status, promotions }) =>
        status === 'FAILED' && promotions.filter((each) => each.status === 'ROLLED_BACK').length === 3,
    );
    expect(statuses(await lookAt(engine, bad))).toMatchObject({
      dev: 'SUCCEEDED',
      eu: 'ROLLED_BACK',
      asia: 'ROLLED_BACK',
    });
  });

  test('a report of DEGRADED starts it at once; UNKNOWN and what is not observed do not', async () => {
    const health = (environment: string) =>
      environment === 'eu' ? { type: 'report' as const } : { type: 'none' as const };
    await engine.saveBilling('told', { health, rollbackPolicies: [observed] });
    const told = (status: 'HEALTHY' | 'UNKNOWN' | 'DEGRADED') =>
      reportHealth(engine.app, { application: 'told-eu', status, message: 'says a probe' }, 'probe');
    const release = async (version: string): Promise<string> => {
      const id = await engine.trigger({ product: 'told', version });
      await engine.reached(id, ({ status }) => status === 'SUSPENDED');
      await told('HEALTHY');
      await engine.ended(id);
      return id;
    };
    await release('1');
    await release('2');
    await told('UNKNOWN');
    expect((await engine.app.pool.query(`SELECT FROM rollback WHERE product = 'told'`)).rowCount).toBe(0);
    await expect
      .poll(
        async () =>
          (await engine.app.pool.query(`SELECT FROM observation WHERE product = 'told' AND environment = 'eu'`))
            .rowCount,
      )
      .toBeGreaterThan(0);
    await told('DEGRADED');
    const [id] = await rollbacksOf(engine, 'told', 1);
    // The restored version needs its report as well.
    await engine.reached(id as string, ({ status }) => status === 'SUSPENDED');
    await told('HEALTHY');
    await engine.reached(
      id as string,
      ({ promotions }) => promotions.filter((each) => each.status === 'SUCCEEDED').length === 3,
    );
    expect(await liveVersions(engine, 'told')).toMatchObject({ eu: '1', 'us-east': '1', asia: '1', 'asia-2': '2' });
    expect((await engine.app.pool.query(`SELECT FROM rollback WHERE product = 'told'`)).rowCount).toBe(1);
  });
});

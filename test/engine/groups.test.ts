import { afterAll, beforeAll, expect, test } from 'vitest';
import { reportHealth } from '../../src/commands/report-health.ts';
import type { HealthStatus, Specs } from '../../src/core/definitions.ts';
import { onOneBackend } from '../support/backends.ts';
import { openTestEngine, REGIONS } from '../support/engine.ts';
import type { TestEngine } from '../support/engine.ts';

const SOAK = 2_000;

onOneBackend('redis', (backend) => {
  let engine: TestEngine;
  beforeAll(async () => {
    engine = await openTestEngine(backend);
    await engine.startWorker();
  });
  afterAll(() => engine.close());

  /** The regions' health is reported; their gate soaks. */
  const open = async (product: string, gate: Partial<Specs['EnvironmentGroup']['gate']> = {}): Promise<string> => {
    await engine.saveBilling(product, {
      health: (environment) => ({ type: REGIONS.includes(environment) ? 'report' : 'none' }),
    });
    const environments = { names: REGIONS };
    await engine.save('EnvironmentGroup', 'regions', {
      environments,
      gate: { policy: 'ALL', soak: SOAK, ...gate },
      maxFailures: 0,
    });
    const id = await engine.trigger({ product, version: '1' });
    await engine.reached(id, ({ promotions }) => promotions.slice(2, 5).every((each) => each.status === 'SUSPENDED'));
    for (const region of REGIONS) await report(product, region, 'HEALTHY');
    await engine.reached(id, ({ groups }) => groups[0]?.status === 'WAITING');
    return id;
  };
  const report = (product: string, environment: string, status: HealthStatus) =>
    reportHealth(engine.app, { application: `${product}-${environment}`, status }, 'test');

  test('what depends on the group starts when all members have been healthy for the soak', async () => {
    const id = await open('soaking');
    const state = await engine.ended(id);
    expect(state.status).toBe('SUCCEEDED');
    const { rows } = await engine.app.pool.query<{ type: string; at: Date; event: { reason?: string } }>(
      `SELECT event->>'type' AS type, at, event FROM logged_event
       WHERE release_id = $1 AND event->>'type' LIKE 'GroupGate%' ORDER BY sequence`,
      [id],
    );
    expect(rows.map(({ type }) => type)).toEqual(['GroupGateAsked', 'GroupGateWaiting', 'GroupGatePassed']);
    const [, waiting, passed] = rows;
    const ends = new Date(/soaks until (\S+)/.exec(waiting?.event.reason ?? '')?.[1] ?? Number.NaN).getTime();
    expect(ends - (waiting?.at.getTime() as number)).toBe(SOAK);
    expect(passed?.at.getTime()).toBeGreaterThanOrEqual(ends);
  });

  test('a member that turns bad begins its soak anew where others are enough, and fails a gate that needs it', async () => {
    const id = await open('flapping', { policy: 'AT_LEAST', count: 2, soak: 8_000 });
    const clock = (until: HealthStatus) =>
      engine.reached(id, ({ groups }) => groups[0]?.clocks[2]?.status === until && groups[0].status === 'WAITING');
    await report('flapping', 'us-east', 'DEGRADED');
    const bad = await clock('DEGRADED');
    await report('flapping', 'us-east', 'HEALTHY');
    const [asia, , usEast] = (await clock('HEALTHY')).groups[0]?.clocks ?? [];
    expect(asia?.healthyFor).toBeGreaterThan(usEast?.healthyFor as number);
    expect(bad.groups[0]?.clocks[2]?.healthyFor).toBe(0);
    expect((await engine.ended(id)).status).toBe('SUCCEEDED');

    const strict = await open('strict');
    await report('strict', 'eu', 'DEGRADED');
    const state = await engine.ended(strict);
    expect(state).toMatchObject({ status: 'FAILED', groups: [{ status: 'FAILED' }] });
    expect(state.firstProblem?.message).toBe('2 of 3 in regions are healthy, 3 needed: eu is DEGRADED');
  });

  test('UNKNOWN stops the soak, until it is healthy again or the gate gives up', async () => {
    const id = await open('quiet', { unknownTimeout: 60_000, soak: 5_000 });
    await report('quiet', 'asia', 'UNKNOWN');
    await engine.reached(id, ({ groups }) => groups[0]?.unknownSince != null);
    await new Promise((resolve) => setTimeout(resolve, 5_300));
    const still = await engine.reached(id, ({ groups }) => groups[0]?.status === 'WAITING');
    expect(still.groups[0]?.reason).toContain('asia is UNKNOWN');
    await report('quiet', 'asia', 'HEALTHY');
    expect((await engine.ended(id)).status).toBe('SUCCEEDED');

    const lost = await open('lost', { unknownTimeout: 700 });
    await report('lost', 'asia', 'UNKNOWN');
    const state = await engine.ended(lost);
    expect(state.firstProblem?.message).toContain('asia is UNKNOWN; gave up waiting');
  });

  test('bad news that came and went between two looks is kept with the report', async () => {
    await engine.saveBilling('kept');
    const application = 'kept-eu';
    const told = async (status: HealthStatus, seconds: number) => {
      const at = new Date(Date.UTC(2026, 0, 5, 10, 0, seconds));
      await reportHealth(engine.app, { application, status, at }, 'test');
      const { rows } = await engine.app.pool.query<{ status: HealthStatus; bad: Date | null }>(
        'SELECT status, unhealthy_at AS bad FROM health_report WHERE application = $1',
        [application],
      );
      return rows[0];
    };
    expect(await told('HEALTHY', 0)).toEqual({ status: 'HEALTHY', bad: null });
    const bad = await told('DEGRADED', 1);
    expect(bad?.bad).toBeInstanceOf(Date);
    expect(await told('HEALTHY', 2)).toEqual({ status: 'HEALTHY', bad: bad?.bad });
    // One that comes too late changes nothing.
    expect(await told('DEGRADED', 1)).toEqual({ status: 'HEALTHY', bad: bad?.bad });
  });

  test('the soak of a step begins anew when the application was not healthy in the middle of it', async () => {
    const health = { type: 'simulate' as const, sequence: ['HEALTHY', 'PROGRESSING', 'HEALTHY'] as HealthStatus[] };
    await engine.saveBilling('steady', {
      health: (environment) => (environment === 'staging' ? { ...health, interval: 400 } : { type: 'none' }),
    });
    await engine.save('PromotionFlow', 'soaks', {
      triggerEnvironment: 'dev',
      onFailure: 'FINISH_RUNNING',
      steps: [
        { environment: 'staging', dependsOn: ['dev'], soak: 1_000 },
        { environment: 'asia-2', dependsOn: ['dev'], soak: 1_000 },
      ],
    });
    const id = await engine.trigger({ product: 'steady', version: '1', flow: 'soaks' });
    const state = await engine.ended(id);
    expect(state.status).toBe('SUCCEEDED');
    const [staging, asia] = [1, 2].map((position) => {
      const { startedAt, endedAt } = state.promotions[position]?.steps.at(-1) ?? {};
      return (endedAt as number) - (startedAt as number);
    });
    expect(asia).toBeGreaterThanOrEqual(1_000);
    expect(staging).toBeGreaterThanOrEqual(2_000);
    const told = (await engine.events(id)).filter((each) => 'environment' in each && each.environment === 'asia-2');
    expect(told.map((each) => each.type).slice(-4)).toEqual([
      'StepWaiting',
      'PromotionWaiting',
      'StepSucceeded',
      'PromotionSucceeded',
    ]);
  });
});

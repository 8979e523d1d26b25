import { afterAll, beforeAll, expect, test } from 'vitest';
import { reportHealth } from '../../src/commands/report-health.ts';
import { reportRollout } from '../../src/commands/report-rollout.ts';
import { onOneBackend } from '../support/backends.ts';
import { openTestEngine } from '../support/engine.ts';
import type { TestEngine } from '../support/engine.ts';

/** What is told while a worker has looked and has not recorded yet. */
onOneBackend('redis', (backend) => {
  let engine: TestEngine;
  beforeAll(async () => {
    engine = await openTestEngine(backend);
    await engine.startWorker();
  });
  afterAll(() => engine.close());

  test('a health report that comes between the look and its record is not lost', async () => {
    const { app } = engine;
    await engine.saveBilling('told', {
      health: (environment) => (environment === 'staging' ? { type: 'report' } : { type: 'none' }),
    });
    const move = app.releaseEngine.tellKnown.bind(app.releaseEngine);
    let told = 0;
    app.releaseEngine.tellKnown = async (id, stimulus) => {
      const looked = stimulus.kind === 'outcome' && ['pending', 'observed'].includes(stimulus.outcome.kind);
      const to = looked && stimulus.promotion === 1 ? await app.releaseEngine.look(id, { fresh: false }) : null;
      // A look at its health: an earlier phase may wait as well.
      if (looked && to?.release.plan.promotions[1]?.steps[stimulus.step]?.work.kind === 'health' && told === 0) {
        told += 1;
        await reportHealth(app, { application: 'told-staging', status: 'HEALTHY' }, 'argo');
      }
      return move(id, stimulus);
    };
    try {
      const began = Date.now();
      const id = await engine.trigger({ product: 'told', version: '1' });
      expect((await engine.ended(id)).status).toBe('SUCCEEDED');
      expect(told).toBe(1);
      // Long before the look of safety.
      expect(Date.now() - began).toBeLessThan(25_000);
    } finally {
      app.releaseEngine.tellKnown = move;
    }
  });

  test('what was told to stop and did not hear it is told again until its effect has ended', async () => {
    const { app } = engine;
    await engine.saveBilling('deaf', {
      driver: (environment) => ({ type: 'simulate', duration: environment === 'staging' ? 60_000 : 0 }),
    });
    const id = await engine.trigger({ product: 'deaf', version: '1' });
    const staging = 1;
    await engine.reached(id, ({ promotions }) =>
      promotions[staging]!.steps.some((step) => step.status === 'RUNNING' && step.tries === 0),
    );
    // Its action: the checks before it are over.
    await engine.reached(id, ({ promotions }) => promotions[staging]!.steps.at(-2)?.status === 'RUNNING');
    const abort = app.aborts.abort.bind(app.aborts);
    app.aborts.abort = () => undefined;
    try {
      const report = { product: 'deaf', environment: 'staging', status: 'FAILED' as const, message: 'pods crash' };
      expect(await reportRollout(app, report, 'argo')).not.toHaveProperty('refusals');
      const waits = await app.releaseEngine.look(id, { fresh: true });
      expect(waits?.state.promotions[staging]?.status).toBe('RUNNING');
      const state = await engine.ended(id);
      expect(state.firstProblem?.message).toBe('reported from outside: pods crash');
      const atWork = () => app.aborts.olderThan(0).filter(([releaseId]) => releaseId === id);
      await expect.poll(() => atWork().flatMap(([, all]) => all.filter((each) => each.step !== null))).toEqual([]);
      const events = await engine.events(id);
      expect(events.filter((each) => each.type === 'RolloutReported')).toHaveLength(1);
    } finally {
      app.aborts.abort = abort;
    }
  });
});

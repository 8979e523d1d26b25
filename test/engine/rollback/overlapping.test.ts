import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startManualRollback } from '../../../src/commands/start-manual-rollback.ts';
import type { Result } from '../../../src/commands/result.ts';
import { onOneBackend } from '../../support/backends.ts';
import { openTestEngine, type TestEngine } from '../../support/engine.ts';
import type { RollbackPlan } from '../../../src/core/rollback/rollback.ts';
import type { App } from '../../../src/app.ts';

onOneBackend('redis', (backend) => {
  describe('two people who order rollbacks at the same moment', () => {
    let engine: TestEngine;
    let apps: App[];
    beforeAll(async () => {
      engine = await openTestEngine(backend);
      apps = [engine.app, await engine.another()];
    });
    afterAll(() => engine.close());

    /** Nobody works then: both orders are there before either rollback has done anything, however slow the second one is. */
    async function released(product: string): Promise<void> {
      const worker = await engine.startWorker();
      await engine.saveBilling(product);
      for (const version of ['1', '2']) await engine.ended(await engine.trigger({ product, version }));
      await worker.close();
    }

    type Answer = Result<{ rollbackId: string }>;
    const order = (app: App | undefined, product: string, environments: string[], by: string): Promise<Answer> =>
      startManualRollback(app as App, { product, environments, reason: 'customers complain' }, by);

    async function planOf(id: string): Promise<RollbackPlan> {
      return (await engine.app.releaseEngine.look(id, { fresh: true }))!.release.plan.rollback as RollbackPlan;
    }

    /** How often the version before became current in each environment. */
    async function wentBack(product: string): Promise<Record<string, number>> {
      const { rows } = await engine.app.pool.query<{ environment: string; n: number }>(
        `SELECT d.environment, count(*)::int AS n FROM deployment d JOIN release r ON r.id = d.release_id
         WHERE r.kind = 'ROLLBACK' AND d.product = $1 AND d.version = '1' GROUP BY d.environment`,
        [product],
      );
      return Object.fromEntries(rows.map((row) => [row.environment, row.n]));
    }

    test('of environments that overlap: each goes back once, and both are told what becomes of each', async () => {
      for (let round = 0; round < 3; round += 1) {
        const product = `overlap-${round}`;
        await released(product);
        const answers = await Promise.all([
          order(apps[0], product, ['us-east', 'eu'], 'grace'),
          order(apps[1], product, ['eu', 'asia'], 'linus'),
        ]);
        const ids = answers.map(({ value }) => value!.rollbackId);
        expect(new Set(ids).size).toBe(2);
        const worker = await engine.startWorker();
        for (const id of ids) expect((await engine.ended(id)).status).toBe('SUCCEEDED');
        expect(await wentBack(product)).toEqual({ 'us-east': 1, eu: 1, asia: 1 });
        const plans = await Promise.all(ids.map(planOf));
        const inEu = plans.map(({ targets }) => targets.find(({ environment }) => environment === 'eu')!);
        expect(inEu.map(({ decision }) => decision).sort()).toEqual(['INCLUDED', 'LEFT_ALONE']);
        const left = inEu.find(({ decision }) => decision === 'LEFT_ALONE')!;
        expect(left.reason).toMatch(/rollback/);
        await worker.close();
      }
    }, 60_000);

    test('of the same environments: one of them is told that it is under way', async () => {
      await released('same');
      const answers = await Promise.all(apps.map((app, index) => order(app, 'same', ['eu', 'asia'], `p${index}`)));
      const refused = answers.flatMap(({ refusals }) => refusals ?? []);
      expect(refused).toHaveLength(1);
      expect(refused[0]).toMatchObject({
        code: 'WRONG_STATE',
        message: expect.stringMatching(/eu: .*rollback.*asia: /),
      });
      const id = answers.find(({ value }) => value)!.value!.rollbackId;
      const worker = await engine.startWorker();
      await engine.ended(id);
      await worker.close();
      expect(await wentBack('same')).toEqual({ eu: 1, asia: 1 });
    });
  });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Outside } from '../../src/app.ts';
import { terminateRelease } from '../../src/commands/control-release.ts';
import { reportRollout } from '../../src/commands/report-rollout.ts';
import type { EffectContext } from '../../src/drivers/driver.ts';
import { createDrivers } from '../../src/drivers/index.ts';
import { openTestEngine } from '../support/engine.ts';
import type { TestEngine } from '../support/engine.ts';

// A word that something has to stop may be lost, and an effect may not listen to its signal: right before it is made it asks the database
// whether it is still wanted. Here the effect waits at that place, deaf, until the test lets it ask.

/** Effects that stand before the change of staging, the first one first. */
const standing: { context: EffectContext; ask(): void }[] = [];
const answers: (boolean | undefined)[] = [];

const holding: Outside['createDrivers'] = (settings, secrets) => {
  const drivers = createDrivers(settings, secrets);
  return {
    ...drivers,
    driver: (spec) => {
      const driver = drivers.driver(spec);
      return {
        ...driver,
        apply: async (target, content, context) => {
          if (context.environment !== 'staging') return driver.apply(target, content, context);
          await new Promise<void>((ask) => standing.push({ context, ask }));
          answers.push(await context.stillMine?.());
          return { changed: true };
        },
      };
    },
  };
};

let engine: TestEngine;
beforeAll(async () => {
  engine = await openTestEngine({ name: 'postgres', queuePrefix: 'sluice' }, {}, { createDrivers: holding });
  await engine.saveBilling('billing', { concurrency: 'PIPELINE' });
  await engine.startWorker();
});
afterAll(() => engine.close());

const STAGING = 1;
let versions = 0;

describe('an effect asks right before it is made', () => {
  test.each<[string, (releaseId: string) => Promise<unknown>, boolean]>([
    ['nothing has happened', async () => undefined, true],
    ['its release was terminated', (releaseId) => terminateRelease(engine.app, { releaseId }, 'ada'), false],
    [
      'its rollout was reported as failed',
      () => reportRollout(engine.app, { product: 'billing', environment: 'staging', status: 'FAILED' }, 'ci'),
      false,
    ],
    [
      'another job has taken the step over',
      async (releaseId) => {
        const [{ dispatch } = { dispatch: 0 }] = await dispatchesOf(releaseId);
        await engine.app.releaseEngine.tellKnown(releaseId, { kind: 'lost-dispatch', promotion: STAGING, dispatch });
      },
      false,
    ],
  ])('%s', async (_, happens, wanted) => {
    standing.splice(0);
    answers.splice(0);
    const releaseId = await engine.trigger({ product: 'billing', version: `v${(versions += 1)}` });
    await expect.poll(() => standing.length > 0).toBe(true);
    await happens(releaseId);
    standing[0]?.ask();
    await expect.poll(() => answers.length > 0).toBe(true);
    expect(answers[0]).toBe(wanted);
    // What is left lets the release end, and its environment go.
    const goOn = setInterval(() => standing.splice(1).forEach((each) => each.ask()), 20);
    await engine.ended(releaseId);
    clearInterval(goOn);
  });
});

async function dispatchesOf(releaseId: string): Promise<{ dispatch: number }[]> {
  const to = await engine.app.releaseEngine.look(releaseId, { fresh: true });
  return to?.state.promotions[STAGING]?.steps.filter((each) => each.status === 'RUNNING') ?? [];
}

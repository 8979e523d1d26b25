import { expect, test } from 'vitest';
import { Random } from '../../chaos/random.ts';
import { Reached } from '../core/support/reached.ts';
import { MINUTE, SECOND } from '../core/support/builders.ts';
import { createSimulatedDatabase } from './support/database.ts';
import { Scheduler } from './support/scheduler.ts';

test('a process of which something is late is held up until that has come, whenever the fault struck', async () => {
  const database = await createSimulatedDatabase();
  const process = { name: 'one', dead: false, skew: 0, faults: 0 };
  const scheduler = new Scheduler({
    databaseUrl: database.url,
    random: new Random(1),
    reached: new Reached(),
    kill: async () => undefined,
    onQuiet: async () => undefined,
  });
  await scheduler.open();
  scheduler.trouble = 0;
  scheduler.makeSore('timer nap', ['late']);
  scheduler.makeSore('timer tick', []);
  const clock = scheduler.clockOf(process);
  const nap = (): unknown => clock.after('nap', 10, nap);
  nap();
  // Time can pass, a second at a time, whatever else there is.
  const tick = (): unknown => clock.after('tick', SECOND, tick);
  tick();
  expect(scheduler.isHeldUp(process)).toBe(false);
  expect(await scheduler.run(() => scheduler.isHeldUp(process), MINUTE)).toBe(true);
  expect(await scheduler.run(() => !scheduler.isHeldUp(process), MINUTE)).toBe(true);
  await scheduler.close();
  await database.drop();
});

import { expect, test } from 'vitest';
import { Random } from '../../chaos/random.ts';
import { Reached } from '../core/support/reached.ts';
import { playShellWorld } from './support/play.ts';
import { outdated } from './support/planted.mjs';

/**
 * The second ring: whole installations on a real PostgreSQL, where a seed says in which order everything happens and what of it
 * fails (support/scheduler.ts, support/world.ts). `npm run simulate -- --ring shell --minutes 20 --seed N` looks longer.
 *
 * `SLUICE_SIM_SECONDS=300` searches longer, `SLUICE_SIM_SEED=…` elsewhere, `SLUICE_SIM_PRINT=1` prints what was reached.
 */
const seconds = Number(process.env['SLUICE_SIM_SECONDS'] ?? 15);
const seed = Number(process.env['SLUICE_SIM_SEED'] ?? 42);

test('whatever happens at a seam: promises hold, and afterwards everything ends or says what it waits for', async () => {
  const random = new Random(seed);
  const reached = new Reached();
  const until = performance.now() + seconds * 1_000;
  const broken: string[] = [];
  do {
    const world = await playShellWorld({ seed: random.whole(1, 2 ** 31 - 1), reached, steps: 400 });
    if (world.broken !== null)
      broken.push(`world ${world.seed}: ${world.broken}\n${world.trace.slice(-60).join('\n')}`);
  } while (performance.now() < until && broken.length === 0);
  if (process.env['SLUICE_SIM_PRINT']) console.log(reached.table());
  expect(broken).toEqual([]);
  const kinds = ['connection', 'statement', 'lock', 'queue', 'timer'];
  expect(kinds.filter((each) => !reached.has(`seam ${each}`))).toEqual([]);
  expect(reached.has('promise: waitingFor can be read')).toBe(true);
}, 600_000);

test('what is planted to try the ring stands in the code as it is', () => {
  expect(outdated()).toEqual([]);
});

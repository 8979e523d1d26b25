import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { MUST_REACH } from './support/must-reach.ts';
import { Reached } from './support/reached.ts';
import { World } from './support/world.ts';

/**
 * Whole products in memory, with several releases each: random flows, outcomes, crashes, losses, repetitions, people, clocks,
 * windows, holds, marks, approvals and rollbacks. A tape of numbers decides everything (support/world.ts, support/shell.ts),
 * and support/watcher.ts looks at every decision. `npm run simulate` plays 100,000 releases.
 *
 * `SLUICE_SIM_RUNS=50000` searches longer, `SLUICE_SIM_SEED=…` elsewhere, `SLUICE_SIM_PRINT=1` prints what was reached.
 */
const numRuns = Number(process.env.SLUICE_SIM_RUNS ?? 200);
const seed = Number(process.env.SLUICE_SIM_SEED ?? 7);

/** A run that never gets deep finds nothing: half of the tapes are long. Numbers that are mostly small would decide mostly the same. */
const number = fc.noBias(fc.nat(9999));
const tapes = fc.oneof(
  fc.array(number, { minLength: 20, maxLength: 150, size: 'max' }),
  fc.array(number, { minLength: 150, maxLength: 700, size: 'max' }),
);

test('any flow, any order of reports, any crash: promises hold after every decision, and the release ends', () => {
  const reached = new Reached();
  const began = performance.now();
  let runs = 0;
  fc.assert(
    fc.property(tapes, (tape) => {
      runs += 1;
      new World(tape, reached, { thoroughEvery: 3 }).run();
    }),
    {
      numRuns,
      endOnFailure: process.env.SLUICE_SIM_SHRINK === '0',
      seed,
      interruptAfterTimeLimit: process.env.SLUICE_SIM_RUNS ? 500_000 : 18_000,
      markInterruptAsFailure: false,
    },
  );
  const seconds = (performance.now() - began) / 1000;
  if (process.env.SLUICE_SIM_PRINT) {
    console.log(
      `${runs} schedules in ${seconds.toFixed(1)} s, ${Math.round(runs / seconds)} a second\n${reached.table()}`,
    );
  }
  // An idle generator proves nothing: a search of the usual length reaches all of these.
  if (runs >= Math.max(numRuns, 200)) expect(MUST_REACH.filter((each) => !reached.has(each))).toEqual([]);
}, 600_000);

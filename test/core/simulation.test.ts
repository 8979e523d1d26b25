import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Shell } from './support/shell.ts';
import { Reached } from './support/watcher.ts';

/**
 * Whole releases in memory, thousands of them: random flows, outcomes, crashes, losses, repetitions, people, clocks. A tape
 * of numbers decides everything (support/shell.ts), and support/watcher.ts looks at every decision.
 *
 * `SLUICE_SIM_RUNS=50000` searches longer, `SLUICE_SIM_SEED=…` elsewhere, `SLUICE_SIM_PRINT=1` prints what was reached.
 */
const numRuns = Number(process.env.SLUICE_SIM_RUNS ?? 600);
const seed = Number(process.env.SLUICE_SIM_SEED ?? 42);

/** A run that never gets deep finds nothing: half of the tapes are long. */
const tapes = fc.oneof(
  fc.array(fc.nat(9999), { minLength: 20, maxLength: 300, size: 'max' }),
  fc.array(fc.nat(9999), { minLength: 300, maxLength: 1500, size: 'max' }),
);

test('any flow, any order of reports, any crash: promises hold after every decision, and the release ends', () => {
  const reached = new Reached();
  const began = performance.now();
  let runs = 0;
  fc.assert(
    fc.property(tapes, (tape) => {
      runs += 1;
      new Shell(tape, reached).run();
    }),
    { numRuns, seed, interruptAfterTimeLimit: process.env.SLUICE_SIM_RUNS ? undefined : 15_000, markInterruptAsFailure: false },
  );
  const seconds = (performance.now() - began) / 1000;
  if (process.env.SLUICE_SIM_PRINT) {
    console.log(`${runs} schedules in ${seconds.toFixed(1)} s, ${Math.round(runs / seconds)} a second\n${reached.table()}`);
  }
  expect(runs).toBeGreaterThan(0);
}, 600_000);

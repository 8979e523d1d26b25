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
const numRuns = Number(process.env.SLUICE_SIM_RUNS ?? 300);
const seed = Number(process.env.SLUICE_SIM_SEED ?? 42);

/** A run that never gets deep finds nothing: half of the tapes are long. */
const tapes = fc.oneof(
  fc.array(fc.nat(9999), { minLength: 20, maxLength: 200, size: 'max' }),
  fc.array(fc.nat(9999), { minLength: 200, maxLength: 1000, size: 'max' }),
);

const MUST_REACH = [
  ...['SUCCEEDED', 'FAILED', 'TERMINATED'].flatMap((status) => [`ended ${status}`, `ended ${status} after a retry`]),
  'release QUEUED > RUNNING',
  'release RUNNING > SUSPENDED',
  'release SUSPENDED > RUNNING',
  'release RUNNING > TERMINATING',
  'release TERMINATING > TERMINATED',
  'release FAILED > RUNNING',
  'release TERMINATED > RUNNING',
  ...['RUNNING', 'WAITING', 'SKIPPED', 'TERMINATED'].map((status) => `environment PENDING > ${status}`),
  ...['WAITING', 'SUSPENDED', 'SUCCEEDED', 'FAILED', 'TERMINATED'].map((status) => `environment RUNNING > ${status}`),
  ...['RUNNING', 'FAILED', 'SKIPPED', 'TERMINATED'].map((status) => `environment WAITING > ${status}`),
  ...['RUNNING', 'TERMINATED'].map((status) => `environment SUSPENDED > ${status}`),
  ...['ASKING', 'FAILED'].map((status) => `group OPEN > ${status}`),
  ...['PASSED', 'WAITING', 'FAILED'].map((status) => `group ASKING > ${status}`),
  'group WAITING > ASKING',
  'group FAILED > OPEN',
  'group asked by its join',
  ...['HEALTHY', 'UNKNOWN', 'PROGRESSING', 'DEGRADED'].map((status) => `group answer ${status}`),
  ...['succeeded', 'failed', 'transient', 'pending', 'aborted'].flatMap((kind) => [
    `outcome ${kind} of the owner`,
    `outcome ${kind} of another`,
  ]),
  'success of another accepted',
  ...[
    'tick',
    'outcome',
    'group-answer',
    'health-reported',
    'terminate',
    'retry',
    'lost-dispatch',
    'lost-question',
  ].flatMap((kind) => [`stimulus ${kind} moves`, `stimulus ${kind} changes nothing`]),
  ...['crash', 'stall', 'repeat', 'lose', 'flush', 'decision lost'].map((fault) => `fault ${fault}`),
  'event StepRetrying',
  'event StepTerminated',
  'event PromotionSkipped',
  'depth 12',
];

test('any flow, any order of reports, any crash: promises hold after every decision, and the release ends', () => {
  const reached = new Reached();
  const began = performance.now();
  let runs = 0;
  fc.assert(
    fc.property(tapes, (tape) => {
      runs += 1;
      new Shell(tape, reached).run();
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
  if (runs >= Math.max(numRuns, 300)) expect(MUST_REACH.filter((each) => !reached.has(each))).toEqual([]);
}, 600_000);

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { play, Reached } from './play.ts';

/**
 * For any document, any paths, any values and any reshuffling between source and target: exactly the selected values change,
 * every other byte stays, and every reader reads each text that was written as that text. What is to happen is said by
 * `oracle.ts`, on plain values.
 *
 * `SLUICE_EDIT_RUNS=1000000` searches longer, `SLUICE_EDIT_SEED=…` elsewhere; what was reached is printed.
 */
const numRuns = Number(process.env.SLUICE_EDIT_RUNS ?? 600);
const seed = process.env.SLUICE_EDIT_SEED === undefined ? undefined : Number(process.env.SLUICE_EDIT_SEED);
const tape = fc.array(fc.nat(), { minLength: 150, maxLength: 700, size: 'max' });

test.each(['YAML', 'JSON'] as const)(
  'in %s exactly the selected values change, every other byte stays, and texts are read back as they are',
  (format) => {
    const reached = new Reached();
    fc.assert(
      fc.property(tape, (numbers) => play(numbers, format, reached)),
      {
        numRuns,
        ...(seed === undefined ? {} : { seed }),
        endOnFailure: false,
        includeErrorInReport: true,
        interruptAfterTimeLimit: process.env.SLUICE_EDIT_RUNS ? undefined : 60_000,
      },
    );
    console.info(`${format}: ${reached.toString()}`);
    for (const what of [
      'written',
      'refused',
      'skipped',
      'scalars alone',
      'maps, lists or new keys',
      'number over a text',
      'by filter',
      'by descend',
      'by any-entry',
      'by last',
    ])
      expect(reached.get(what), what).toBeGreaterThan(0);
    for (const style of format === 'YAML' ? ['PLAIN', 'SINGLE', 'DOUBLE', 'LITERAL', 'EMPTY'] : ['JSON'])
      expect(reached.get(`over ${style}`), style).toBeGreaterThan(0);
  },
  process.env.SLUICE_EDIT_RUNS ? 24 * 3_600_000 : 120_000,
);

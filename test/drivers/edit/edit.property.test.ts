import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Format } from './play.ts';
import { play, Reached } from './play.ts';

/**
 * For any document, any paths, any values and any reshuffling between source and target: exactly the selected values change,
 * every other byte stays, and every reader reads each text that was written as that text. What is to happen is said by
 * `oracle.ts`, on plain values.
 *
 * `SLUICE_EDIT_MINUTES=60` searches for that long, all formats together, `SLUICE_EDIT_SEED=…` elsewhere; what was reached is printed.
 */
const minutes = Number(process.env.SLUICE_EDIT_MINUTES ?? 0);
const numRuns = minutes > 0 ? 1_000_000_000 : 600;
/** A short run is the same each time: what is rare is reached, or is not, for whoever changes something. */
const seed = Number(process.env.SLUICE_EDIT_SEED ?? 42);
const tape = fc.array(fc.nat(), { minLength: 150, maxLength: 700, size: 'max' });

const COMMON = ['written', 'scalars alone', 'carriage returns', 'byte order mark', 'comments', 'texts read back'];
const ALIKE = 'an index for a key, or a key for an index';
const TREES = ['refused', 'skipped', 'maps, lists or new keys', 'number over a text', 'added', ALIKE];
const STEPS = ['name', 'filter', 'descend', 'any-entry', 'any-key', 'index', 'last', 'slice'].map((by) => `by ${by}`);
const over = (...styles: string[]): string[] => styles.map((style) => `over ${style}`);

/** What a search has to reach, or else it promises nothing. */
const MUST: [Format, string[]][] = [
  [
    'YAML',
    [
      ...TREES,
      ...STEPS,
      ...over('PLAIN', 'SINGLE', 'DOUBLE', 'LITERAL', 'FOLDED', 'EMPTY', 'ALIAS'),
      'beside an alias',
      'beside a merge',
      'refused for an anchor',
      'an index for a key behind an alias',
      'document by name',
      'document by place',
    ],
  ],
  ['JSON', [...TREES, ...STEPS, ...over('JSON')]],
  ['TOML', ['refused', 'refused for the format', ALIKE, ...STEPS, ...over('PLAIN', 'SINGLE', 'DOUBLE', 'LINES')]],
  ['ENV', ['refused', 'refused for the format', 'added', ...over('BARE', 'SINGLE', 'DOUBLE')]],
  ['PROPERTIES', ['refused', 'added', ...over('BARE', 'ESCAPED')]],
];

test.each(MUST)(
  'in %s exactly the selected values change, every other byte stays, and texts are read back as they are',
  (format, must) => {
    const reached = new Reached();
    fc.assert(
      fc.property(tape, (numbers) => {
        reached.count('cases');
        play(numbers, format, reached);
      }),
      {
        numRuns,
        seed,
        endOnFailure: false,
        includeErrorInReport: true,
        interruptAfterTimeLimit: minutes > 0 ? (minutes * 60_000) / MUST.length : 60_000,
      },
    );
    console.info(`${format}: ${reached.toString()}`);
    for (const what of [...COMMON, ...must]) expect(reached.get(what), what).toBeGreaterThan(0);
  },
  minutes * 60_000 + 120_000,
);

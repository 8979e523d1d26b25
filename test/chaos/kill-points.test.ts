import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runKillPoints } from '../../chaos/kill-points.ts';
import { firstOf } from '../support/backends.ts';

const main = fileURLToPath(new URL('../../dist/src/main.js', import.meta.url));

// Every point, in different phases of different environments; `npm run chaos -- --kill-points` tries every count as well.
const RUNS = [
  {
    backend: 'redis' as const,
    counts: {
      'before-effect': [8],
      'before-push': [2],
      'after-push': [2],
      // 4 steps in dev, 3 before staging's own: the 8th effect is its commit; the 21st is that of a region.
      'after-effect': [8, 21],
      'after-record': [6],
      'in-transaction': [2],
      'after-commit': [7],
      'after-hand-over': [2],
    },
  },
  { backend: 'postgres' as const, counts: { 'after-effect': [8], 'in-transaction': [2], 'after-commit': [5] } },
];

test.concurrent.each(firstOf(RUNS))(
  'a release whose worker is killed at any point goes on and commits nothing twice ($backend)',
  async ({ backend, counts }) => {
    const { reached, statuses, invariants } = await runKillPoints({ backend, main, counts });
    expect(invariants.flatMap((each) => each.violations)).toEqual([]);
    expect(Object.keys(statuses)).toEqual(['SUCCEEDED']);
    // A point that no release came to would prove nothing.
    expect(reached).toEqual(Object.fromEntries(Object.entries(counts).map(([point, all]) => [point, all.length])));
  },
  600_000,
);

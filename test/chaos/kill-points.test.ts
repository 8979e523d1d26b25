import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runKillPoints } from '../../chaos/kill-points.ts';

const main = fileURLToPath(new URL('../../dist/src/main.js', import.meta.url));

// Every point, in different phases of different environments; `npm run chaos -- --kill-points` tries every count as well.
test.each([
  {
    backend: 'redis' as const,
    counts: {
      'before-effect': [8],
      // 4 steps in dev, 3 before staging's own: the 8th effect is its commit; the 21st is that of a region.
      'after-effect': [8, 21],
      'after-record': [6],
      'in-transaction': [2],
      'after-commit': [7],
      'after-hand-over': [2],
    },
  },
  { backend: 'postgres' as const, counts: { 'after-effect': [8], 'in-transaction': [2], 'after-commit': [5] } },
])(
  'a release whose worker is killed at any point goes on and commits nothing twice ($backend)',
  async ({ backend, counts }) => {
    const { reached, statuses, invariants } = await runKillPoints({ backend, main, counts });
    expect(invariants.flatMap((each) => each.violations)).toEqual([]);
    expect(Object.keys(statuses)).toEqual(['SUCCEEDED']);
    // A point that no release came to would prove nothing.
    expect(reached).toEqual(Object.fromEntries(Object.entries(counts).map(([point, all]) => [point, all.length])));
  },
  240_000,
);

// Where the rollback is made, where it is told, and where it works: a release has about 27 effects before its cascade begins.
test.each([
  {
    backend: 'redis' as const,
    counts: { 'in-rollback': [1], 'after-rollback': [1], 'after-told': [2], 'after-effect': [29] },
  },
  { backend: 'postgres' as const, counts: { 'before-effect': [28], 'after-record': [28], 'after-told': [1] } },
])(
  'a cascade whose worker is killed at any step of it ends with the right files ($backend)',
  async ({ backend, counts }) => {
    const { reached, statuses, invariants } = await runKillPoints({ backend, main, counts, cascade: true });
    expect(invariants.flatMap((each) => each.violations)).toEqual([]);
    const rounds = Object.values(counts).flat().length;
    // The first release is the good one; every other one fails, and each has one rollback, which succeeds.
    expect(statuses).toEqual({ SUCCEEDED: 1 + rounds, FAILED: rounds });
    expect(reached).toEqual(Object.fromEntries(Object.entries(counts).map(([point, all]) => [point, all.length])));
  },
  300_000,
);

// The siblings are proposed: somebody agrees to each, and the worker is killed at that moment besides.
test.each([{ backend: 'redis' as const }, { backend: 'postgres' as const }])(
  'what somebody agrees to while the worker is killed goes back ($backend)',
  async ({ backend }) => {
    const counts = { 'before-effect': [1], 'after-effect': [29] };
    const { statuses, invariants } = await runKillPoints({ backend, main, counts, cascade: true, asked: true });
    expect(invariants.flatMap((each) => each.violations)).toEqual([]);
    expect(statuses).toEqual({ SUCCEEDED: 3, FAILED: 2 });
  },
  300_000,
);

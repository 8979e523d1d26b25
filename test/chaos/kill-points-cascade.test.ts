import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runKillPoints } from '../../chaos/kill-points.ts';
import { firstOf } from '../support/backends.ts';

const main = fileURLToPath(new URL('../../dist/src/main.js', import.meta.url));

// Where the rollback is made, where it is told, and where it works: a release has about 27 effects before its cascade begins.
const RUNS = [
  {
    backend: 'redis' as const,
    counts: { 'in-rollback': [1], 'after-rollback': [1], 'after-told': [2], 'after-effect': [29] },
  },
  { backend: 'postgres' as const, counts: { 'before-effect': [28], 'after-record': [28], 'after-told': [1] } },
];

test.concurrent.each(firstOf(RUNS))(
  'a cascade whose worker is killed at any step of it ends with the right files ($backend)',
  async ({ backend, counts }) => {
    const { reached, statuses, invariants } = await runKillPoints({ backend, main, counts, cascade: true });
    expect(invariants.flatMap((each) => each.violations)).toEqual([]);
    const rounds = Object.values(counts).flat().length;
    // The first release is the good one; every other one fails, and each has one rollback, which succeeds.
    expect(statuses).toEqual({ SUCCEEDED: 1 + rounds, FAILED: rounds });
    expect(reached).toEqual(Object.fromEntries(Object.entries(counts).map(([point, all]) => [point, all.length])));
  },
  600_000,
);

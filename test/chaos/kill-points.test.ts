import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runKillPoints } from '../../chaos/kill-points.ts';
import { FAULT_POINTS } from '../../src/faults.ts';

const main = fileURLToPath(new URL('../../dist/src/main.js', import.meta.url));

// The counts fall into different phases of different environments; `npm run chaos -- --kill-points` tries every one.
test.each([
  { backend: 'redis' as const, counts: [4, 9] },
  { backend: 'postgres' as const, counts: [6] },
])(
  'a release whose worker is killed at any point goes on and commits nothing twice ($backend)',
  async ({ backend, counts }) => {
    const { reached, statuses, invariants } = await runKillPoints({ backend, main, counts });
    expect(invariants.flatMap((each) => each.violations)).toEqual([]);
    expect(Object.keys(statuses)).toEqual(['SUCCEEDED']);
    expect(Object.keys(reached).sort()).toEqual([...FAULT_POINTS].sort());
  },
  180_000,
);

import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runKillPoints } from '../../chaos/kill-points.ts';

const main = fileURLToPath(new URL('../../dist/src/main.js', import.meta.url));

// The siblings are proposed: somebody agrees to each, and the worker is killed at that moment besides.
test.concurrent.each([{ backend: 'redis' as const }, { backend: 'postgres' as const }])(
  'what somebody agrees to while the worker is killed goes back ($backend)',
  async ({ backend }) => {
    const counts = { 'before-effect': [1], 'after-effect': [29] };
    const { statuses, invariants } = await runKillPoints({ backend, main, counts, cascade: true, asked: true });
    expect(invariants.flatMap((each) => each.violations)).toEqual([]);
    expect(statuses).toEqual({ SUCCEEDED: 3, FAILED: 2 });
  },
  300_000,
);

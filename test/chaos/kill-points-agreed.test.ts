import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runKillPoints } from '../../chaos/kill-points.ts';

const main = fileURLToPath(new URL('../../dist/src/main.js', import.meta.url));

// The siblings are proposed: somebody agrees to each, and the worker is killed at that moment besides.
test('what somebody agrees to while the worker is killed goes back', async () => {
  const counts = { 'before-effect': [1], 'after-effect': [29] };
  const { statuses, invariants } = await runKillPoints({
    backend: 'postgres',
    main,
    counts,
    cascade: true,
    asked: true,
  });
  expect(invariants.flatMap((each) => each.violations)).toEqual([]);
  expect(statuses).toEqual({ SUCCEEDED: 3, FAILED: 2 });
}, 600_000);

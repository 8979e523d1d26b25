import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runChaos } from '../../chaos/run.ts';
import { firstOf } from '../support/backends.ts';

// A short run with a fixed seed: with the queue in Redis, where there is more to lose, before that in PostgreSQL. `npm run chaos` is the long one. Uses what `npm run build` made.
const main = fileURLToPath(new URL('../../dist/src/main.js', import.meta.url));

const RUNS = [
  { backend: 'redis' as const, first: ['kill -9 worker', 'FLUSHALL', 'kill -9 at a point', 'answers lost'] },
  { backend: 'postgres' as const, first: ['kill -9 worker', 'PostgreSQL restart, immediate', 'kill -9 at a point'] },
];

test.each(firstOf(RUNS))(
  'every promise holds with $backend while processes are killed and servers lose what they hold',
  async ({ backend, first }) => {
    const outcome = await runChaos({
      seed: 7,
      seconds: 8,
      backend,
      main,
      first,
      faultEvery: 900,
      releaseEvery: 2_500,
      bound: 60,
    });
    const broken = outcome.invariants.flatMap(({ name, violations }) => violations.map((each) => `${name}: ${each}`));
    expect(broken).toEqual([]);
    expect(outcome.stuck).toBe(0);
    expect(Object.keys(outcome.faults)).toEqual(expect.arrayContaining(first));
    // A rule that never applied proves nothing.
    expect(outcome.invariants.filter((each) => each.checked === 0).map((each) => each.name)).toEqual([]);
  },
  600_000,
);

import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runProposalKills } from '../../chaos/proposals/kill-points.ts';
import { firstOf } from '../support/backends.ts';

const main = fileURLToPath(new URL('../../dist/src/main.js', import.meta.url));

// One kill in each of a few rows whose work nobody claims for a minute; with SLUICE_TEST_ALL set also in some that are waited for so long. `npm run
// chaos -- --proposal-kills 30` tries all rows at all points.
const RUNS = [
  {
    backend: 'redis' as const,
    kills: [
      { effect: 'branch' as const, point: 'before-effect' as const, times: 1 },
      { effect: 'open' as const, point: 'after-effect' as const, times: 1 },
    ],
  },
  {
    backend: 'postgres' as const,
    kills: [
      { effect: 'candidate of a push' as const, point: 'after-effect' as const, times: 1 },
      { effect: 'automatic release' as const, point: 'after-effect' as const, times: 1 },
      { effect: 'merge' as const, point: 'after-effect' as const, times: 1 },
    ],
  },
];

test.concurrent.each(firstOf(RUNS))(
  'each pull request, merge and closing happens once, wherever the worker is killed ($backend)',
  async ({ backend, kills }) => {
    const { reached, releases, invariants } = await runProposalKills({ backend, main, kills, products: 3 });
    expect(invariants.flatMap(({ name, violations }) => violations.map((each) => `${name}: ${each}`))).toEqual([]);
    // A point that was not reached, and a rule that never applied, would prove nothing.
    expect(reached).toEqual(
      Object.fromEntries(kills.map(({ effect, point, times }) => [`${effect}, ${point}`, times])),
    );
    expect(invariants.filter(({ checked }) => checked === 0).map(({ name }) => name)).toEqual([]);
    // One in three is ended by somebody while its pull request is open.
    expect(Object.keys(releases).toSorted()).toEqual(['SUCCEEDED', 'TERMINATED']);
  },
  600_000,
);

import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { ACTION_TYPES, runActionKillPoints } from '../../chaos/action-kill-points.ts';

const main = fileURLToPath(new URL('../../dist/src/main.js', import.meta.url));

// Between an effect and its record each action has a rule of its own; `npm run chaos -- --action-kills 1` tries each at all points.
const WHERE = [
  ...ACTION_TYPES.map((at) => ({ at, point: 'after-effect' as const })),
  { at: 'http' as const, point: 'before-effect' as const },
  { at: 'command' as const, point: 'after-record' as const },
];

test('wherever its worker is killed, an action goes on as it promises', async () => {
  const { kills, crowds } = await runActionKillPoints({ backend: 'redis', main, where: WHERE });
  // Ten releases at once, four actions side by side in each, and the worker gone in the middle of them, before the change and after it.
  expect(crowds).toEqual([
    {
      statuses: { SUCCEEDED: 10 },
      kills: 2,
      atWork: expect.any(Number),
      whole: expect.any(Number),
      cut: expect.any(Number),
      broken: [],
    },
  ]);
  const [{ atWork, whole, cut }] = crowds as [(typeof crowds)[number]];
  expect(atWork).toBeGreaterThanOrEqual(30);
  expect(whole).toBeGreaterThanOrEqual(80);
  expect(cut).toBeGreaterThanOrEqual(60);
  // A point that no release came to would prove nothing.
  expect(kills.filter((each) => !each.reached)).toEqual([]);
  expect(kills).toHaveLength(WHERE.length);
  for (const { point, at, status, problem, met, keys, measured } of kills) {
    const where = `${point}/${at}`;
    const again = point === 'after-effect';
    // Done and not recorded, it is done once more, under the same key.
    expect([where, met.http, keys.http]).toEqual([where, again && at === 'http' ? 2 : 1, 1]);
    expect([where, met.notify, keys.notify]).toEqual([where, again && at === 'notify' ? 2 : 1, 1]);
    // A measurement that was not recorded is made once more, and counted once.
    expect([where, met.analysis, measured]).toEqual([where, again && at === 'analysis' ? 4 : 3, '3 successful']);
    // What must not run twice does not: where its end was not seen, a person has to look.
    expect([where, met.command]).toEqual([where, 1]);
    const unseen = again && at === 'command';
    expect([where, status]).toEqual([where, unseen ? 'FAILED' : 'SUCCEEDED']);
    expect(problem.includes('is not run twice')).toBe(unseen);
  }
}, 300_000);

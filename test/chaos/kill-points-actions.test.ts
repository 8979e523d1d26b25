import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { ACTION_TYPES, runActionKillPoints } from '../../chaos/action-kill-points.ts';
import { judgeWorkflows } from '../../chaos/workflow-kills.ts';
import type { WorkflowKill } from '../../chaos/workflow-kills.ts';

const main = fileURLToPath(new URL('../../dist/src/main.js', import.meta.url));

// Between an effect and its record each action has a rule of its own; `npm run chaos -- --action-kills 1` tries each at all points.
const WHERE = [
  ...ACTION_TYPES.map((at) => ({ at, point: 'after-effect' as const })),
  { at: 'http' as const, point: 'before-effect' as const },
  { at: 'command' as const, point: 'after-record' as const },
];

test('wherever its worker is killed, an action goes on as it promises', async () => {
  const { kills, crowds, workflows, broken } = await runActionKillPoints({
    backend: 'redis',
    main,
    where: WHERE,
    workflows: [{ point: 'after-effect', givenUp: false }],
  });
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
  // Submitted and not recorded, a workflow is found again and followed; `npm run chaos` tries the other points.
  expect([workflows.length, broken]).toEqual([1, []]);
}, 600_000);

test.each<[string, Partial<WorkflowKill>, RegExp]>([
  ['was submitted twice', { made: 2, exitHandlers: [1, 1] }, /submitted 2 times/],
  [
    'goes on after the end',
    { givenUp: true, status: 'TERMINATED', goOn: 1, exitHandlers: [0] },
    /1 of its workflows go on/,
  ],
  [
    'was terminated instead of stopped',
    { givenUp: true, status: 'TERMINATED', shutdown: ['Terminate'] },
    /to be stopped/,
  ],
  ['was stopped for nothing', { shutdown: ['Stop'] }, /had not to be/],
  ['failed its release', { status: 'FAILED' }, /its release is FAILED/],
  ['was never at that point', { reached: false }, /nothing was killed/],
])('the judge of kills notices that a workflow %s', (_, wrong, says) => {
  const good: WorkflowKill = {
    point: 'after-effect',
    givenUp: false,
    reached: true,
    status: 'SUCCEEDED',
    made: 1,
    goOn: 0,
    exitHandlers: [1],
    shutdown: [],
  };
  expect(judgeWorkflows([good, { ...good, givenUp: true, status: 'TERMINATED', shutdown: ['Stop'] }])).toEqual([]);
  expect(judgeWorkflows([{ ...good, ...wrong }])).toContainEqual(expect.stringMatching(says));
});

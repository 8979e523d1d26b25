import { expect, test } from 'vitest';
import type { LogEntry, ReleaseHistory } from '../../chaos/judge/history.ts';
import { judgeRecovery, standstills } from '../../chaos/judge/recovery.ts';

const SECOND = 1_000;

/** A release at work, with events at these seconds. */
function release(...seconds: number[]): ReleaseHistory {
  const events = seconds.map((at) => ({ at: at * SECOND, releaseStatus: 'RUNNING' }) as LogEntry);
  return { id: 'one', events, endedAt: null } as unknown as ReleaseHistory;
}

const killed = { kind: 'kill -9 worker', at: 10 * SECOND, on: 'worker-1' };
const served = (...all: [number, number][]): { from: number; to: number }[] =>
  all.map(([from, to]) => ({ from: from * SECOND, to: to * SECOND }));

test('a release stands still for as long as a worker is there and does not go on with it', () => {
  const seconds = (...all: [number, number][]): number[] =>
    standstills([release(5, 110)], [killed], served(...all)).map((each) => each.seconds);
  expect(seconds([0, Infinity])).toEqual([100]);
  // No worker lived from 10 to 60, and two from 70 on.
  expect(seconds([0, 10], [60, 90], [70, Infinity])).toEqual([50]);
  expect(seconds([0, 10], [0, 9])).toEqual([0]);
});

test('a release that no living worker goes on with for more than a minute is told', () => {
  const told = (...all: [number, number][]): string[] =>
    judgeRecovery(standstills([release(5, 110)], [killed], served(...all))).violations;
  expect(told([0, Infinity])).toContain('after one killed worker, at most: 100.0 s, at most 60 s');
  expect(told([0, 10], [105, Infinity])).toEqual([]);
});

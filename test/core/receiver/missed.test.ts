import { expect, test } from 'vitest';
import { missedOf } from '../../../src/core/receiver/missed.ts';
import type { DeliveryTry } from '../../../src/core/receiver/missed.ts';

const NOW = new Date('2026-11-28T12:00:00Z');
const MINUTE = 60_000;
const ago = (minutes: number): Date => new Date(NOW.getTime() - minutes * MINUTE);
const none: ReadonlySet<string> = new Set();
const tried = (deliveryId: string, ...tries: [minutesAgo: number, status: number][]): DeliveryTry[] =>
  tries.map(([minutes, status]) => ({ deliveryId, at: ago(minutes), status }));
const ids = (tries: DeliveryTry[], kept = none): string[] =>
  missedOf(tries, kept, NOW).again.map(({ deliveryId }) => deliveryId);

test('missed is what was never answered with success and is not kept here, the newest first', () => {
  const tries = [
    ...tried('refused', [30, 401]),
    ...tried('lost', [20, 0]),
    ...tried('arrived', [10, 202]),
    ...tried('arrived later', [1, 200], [40, 502]),
    ...tried('kept, and the answer was lost', [5, 504]),
  ];
  expect(ids(tries, new Set(['kept, and the answer was lost']))).toEqual(['lost', 'refused']);
});

test('what fails again is asked for an hour and two hours later, and then given up', () => {
  expect(ids(tried('a', [100, 0], [59, 0]))).toEqual([]);
  expect(ids(tried('a', [100, 0], [60, 0]))).toEqual(['a']);
  expect(ids(tried('a', [119, 0], [300, 0], [200, 0]))).toEqual([]);
  expect(ids(tried('a', [120, 0], [300, 0], [200, 0]))).toEqual(['a']);
  expect(ids(tried('a', [999, 0], [998, 0], [997, 0], [996, 0]))).toEqual([]);
});

test('the next question begins at the oldest that is still missed, and a little before this one', () => {
  expect(missedOf([...tried('a', [300, 0], [1, 0]), ...tried('b', [400, 202])], none, NOW).since).toEqual(ago(300));
  expect(missedOf(tried('b', [400, 202]), none, NOW).since).toEqual(ago(10));
});

test('a long outage asks for the newest twenty, and leaves none of the others out of the next question', () => {
  const tries = Array.from({ length: 50 }, (_, place) => tried(`d${place}`, [60 + place, 0])).flat();
  expect(ids(tries)).toEqual(Array.from({ length: 20 }, (_, place) => `d${place}`));
  expect(missedOf(tries, none, NOW).since).toEqual(ago(109));
});

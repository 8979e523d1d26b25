import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, expect, test, vi } from 'vitest';
import { now, readClock } from '../../web/app/src/api/clock.ts';

const HERE = Date.parse('2026-03-02T14:00:00Z');
const HOUR = 3_600_000;

/** The page asked, and the server has answered `took` milliseconds later. */
const answered = (there: number, took = 40): void => readClock(new Date(there).toUTCString(), took);

vi.useFakeTimers({ now: HERE, toFake: ['Date'] });
afterEach(() => {
  vi.setSystemTime(HERE);
  answered(HERE);
});

test.each([
  ['a day ahead', 24 * HOUR],
  ['a day behind', -24 * HOUR],
  ['half a minute behind', -30_000],
])('the time is that of the server, on a machine whose clock is %s', (_name, wrong) => {
  answered(HERE - wrong);
  expect(Math.abs(now() - (HERE - wrong))).toBeLessThanOrEqual(1_000);
  vi.setSystemTime(HERE + HOUR);
  expect(Math.abs(now() - (HERE - wrong + HOUR))).toBeLessThanOrEqual(1_000);
  // The machine was set right meanwhile.
  vi.setSystemTime(HERE);
  answered(HERE);
  expect(Math.abs(now() - HERE)).toBeLessThanOrEqual(1_000);
});

test.each([
  ['within the second that an answer tells', HERE + 900, 40],
  ['in an answer that took long', HERE - 9_000, 10_000],
])('clocks that agree are left as they are: %s', (_name, there, took) => {
  answered(there, took);
  expect(now()).toBe(HERE);
});

test.each([null, '', 'yesterday'])('an answer whose date is %j says nothing', (date) => {
  readClock(date, 40);
  expect(now()).toBe(HERE);
});

test('pages read no other clock', () => {
  const folder = 'web/app/src';
  const readers = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name) && name !== 'api/clock.ts')
    .filter((name) => /Date\.now|new Date\(\)/.test(readFileSync(`${folder}/${name}`, 'utf8')));
  expect(readers).toEqual([]);
});

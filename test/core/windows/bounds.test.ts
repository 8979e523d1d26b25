import { describe, expect, test } from 'vitest';
import type { ReleaseWindowSpec } from '../../../src/core/definitions.ts';
import { covering, HORIZON } from '../../../src/core/windows/coverage.ts';
import { occurrences, selectWindows, spreadAt, windowState } from '../../../src/core/windows/index.ts';
import { keep } from '../../../src/core/windows/keep.ts';
import { inWords, standing } from '../../../src/core/windows/override.ts';
import { fractionOf, jitterOf } from '../../../src/core/windows/spread.ts';
import { DAY } from '../../../src/core/windows/zones.ts';
import { allow, at, deny, HOUR, iso, windowOf } from './support.ts';

const MINUTE = 60_000;
/** What a window covers is kept in blocks of 32 days: here one ends and the next begins. */
const EDGE = 640 * 32 * DAY;

const wall = (instant: number): string => new Date(instant).toISOString().slice(0, 19);
/** Occurrences, as hours from the edge: once a year, so that nothing else is near. */
const yearly = (start: number, hours: number): Partial<ReleaseWindowSpec> => ({
  rrule: 'FREQ=YEARLY',
  start: wall(EDGE + start * HOUR),
  duration: hours * HOUR,
});
const NEVER = Infinity;

describe('whether a window is active, and until when that stays so', () => {
  test.each<[string, Partial<ReleaseWindowSpec>, number, boolean, number]>([
    ['before it', yearly(-3, 2), -4, false, -3],
    ['at its start', yearly(-3, 2), -3, true, -1],
    ['at its end', yearly(-3, 2), -1, false, 365 * 24 - 3],
    ['over the edge', yearly(-1, 2), -0.5, true, 1],
    ['over two edges', yearly(-1, 34 * 24), -0.5, true, 34 * 24 - 1],
    ['up to the edge', yearly(-1, 1), -0.5, true, 0],
    ['from the edge', yearly(0, 1), -0.5, false, 0],
    ['behind the edge', yearly(5, 1), -0.5, false, 5],
    [
      'in the last block that is looked at',
      { ...yearly(HORIZON / HOUR, 1), rrule: 'FREQ=YEARLY' },
      0,
      false,
      HORIZON / HOUR,
    ],
    ['a millisecond further', yearly(HORIZON / HOUR, 1), -1 / HOUR, false, NEVER],
    [
      'on and on, to the last block',
      {
        rrule: `FREQ=DAILY;UNTIL=${wall(EDGE + HORIZON - DAY).replaceAll(/[-:]/g, '')}Z`,
        start: wall(EDGE),
        duration: DAY,
      },
      0,
      true,
      HORIZON / HOUR,
    ],
    ['for ever', { rrule: 'FREQ=DAILY', start: wall(EDGE), duration: DAY }, 0, true, NEVER],
    ['once, before', { from: wall(EDGE), to: wall(EDGE + HOUR) }, -1, false, 0],
    ['once, at its start', { from: wall(EDGE), to: wall(EDGE + HOUR) }, 0, true, 1],
    ['once, at its end', { from: wall(EDGE), to: wall(EDGE + HOUR) }, 1, false, NEVER],
    ['once, for no time', { from: wall(EDGE), to: wall(EDGE) }, -1, false, NEVER],
    ['once, for no time, then', { from: wall(EDGE), to: wall(EDGE) }, 0, false, NEVER],
    [
      'once, as far as is looked',
      { from: wall(EDGE + HORIZON), to: wall(EDGE + HORIZON + HOUR) },
      0,
      false,
      HORIZON / HOUR,
    ],
    ['once, further', { from: wall(EDGE + HORIZON + 1000), to: wall(EDGE + HORIZON + HOUR) }, 0, false, NEVER],
  ])('%s', (_name, fields, hours, active, until) => {
    const found = covering(windowOf(fields), EDGE + hours * HOUR);
    expect({ ...found, until: (found.until - EDGE) / HOUR }).toEqual({ active, until });
  });

  test('what lies in hours that the clocks skip does not occur', () => {
    const window = allow({ timeZone: 'America/New_York', cron: '10 2 * * *', duration: HOUR / 2 });
    const found = covering(window, at('2026-03-08T05:00Z'));
    expect([found.active, iso(found.until)]).toEqual([false, '2026-03-09T06:10Z']);
  });

  test('any hour of three months is as the list of occurrences has it', () => {
    for (const cron of ['0 3 * * SUN', '0 22 1,15,28 * *', '0 0 27 1 *']) {
      const window = allow({ cron, duration: 9 * HOUR });
      const listed = occurrences(window, EDGE - 40 * DAY, 80);
      for (let instant = EDGE - 35 * DAY; instant < EDGE + 40 * DAY; instant += 5 * HOUR) {
        const now = listed.find(({ start, end }) => start <= instant && instant < end);
        const next = listed.find(({ start }) => start > instant);
        expect(covering(window, instant)).toEqual({ active: now !== undefined, until: now?.end ?? next?.start });
      }
    }
  });
});

describe('what is listed', () => {
  test('each occurrence by itself, also where they overlap', () => {
    const window = allow({ cron: '0 10-12 * * *', duration: 2 * HOUR });
    expect(occurrences(window, at('2026-05-05T10:30Z'), 3).map(({ start }) => iso(start))).toEqual([
      '2026-05-05T10:00Z',
      '2026-05-05T11:00Z',
      '2026-05-05T12:00Z',
    ]);
  });

  test('nothing behind the last page of twelve years', () => {
    const far = (start: string): number =>
      occurrences(allow({ rrule: 'FREQ=YEARLY', start, duration: 22 * DAY }), at('2026-01-01T00:00Z'), 1).length;
    expect([far('2038-01-08T00:00'), far('2038-01-20T00:00')]).toEqual([1, 0]);
  });
});

test.each([
  ['0 9 * 5 *', '2026-05-01T09:00Z'],
  ['0 9 * * MON#1', '2026-04-06T09:00Z'],
  ['0 9 * * MON', '2026-03-30T09:00Z'],
  ['0 9 15 * *', '2026-04-15T09:00Z'],
])('the first of %s after 29 March is %s', (cron, expected) => {
  const [first] = occurrences(allow({ cron, duration: HOUR }), at('2026-03-29T12:00Z'), 1);
  expect(iso(first?.start ?? null)).toBe(expected);
});

describe('open and closed', () => {
  const state = (windows: Parameters<typeof windowState>[0], instant: string | number, runwayMs?: number) => {
    const { nextOpen, nextClose, ...rest } = windowState(
      windows,
      typeof instant === 'string' ? at(instant) : instant,
      'PROMOTE',
      { runwayMs },
    );
    return { ...rest, nextOpen: iso(nextOpen), nextClose: iso(nextClose) };
  };
  const office = allow({ cron: '0 9 * * *', end: '17:00', runway: true }, 'office');
  const evening = allow({ cron: '0 17 * * *', end: '20:00' }, 'evening');
  const noon = deny({ cron: '0 12 * * *', end: '13:00' }, 'noon');

  test('a runway ends at the very moment from which it would be too short', () => {
    expect(state([office], at('2026-05-05T16:30Z') - 1, HOUR / 2).closed).toBe(false);
    expect(state([office], '2026-05-05T16:30Z', HOUR / 2).closed).toBe(true);
  });

  test('what is closed is closed by what closes it, not by a runway', () => {
    const strict = deny({ ...noon.spec, runway: true }, 'strict');
    expect(state([strict], '2026-05-05T12:30Z', HOUR).reason).toBe('inside the DENY window strict');
    expect(state([office], '2026-05-05T18:00Z', HOUR).reason).toBe('outside the ALLOW window office');
  });

  test('a freeze without a runway asks for none, whatever the windows that stay open ask for', () => {
    expect(state([office, evening, noon], '2026-05-05T11:45Z', HOUR)).toMatchObject({
      closed: false,
      nextClose: '2026-05-05T12:00Z',
    });
  });

  test.each([
    [0, true],
    [1, false],
  ])('five years and %i ms ahead is seen: %s', (more, seen) => {
    const change = EDGE + HORIZON;
    const [from, to] = [wall(change), wall(change + DAY)];
    const expected = seen ? change : null;
    expect(windowState([allow({ from, to })], EDGE - more, 'PROMOTE').nextOpen).toBe(expected);
    expect(windowState([deny({ from, to })], EDGE - more, 'PROMOTE').nextClose).toBe(expected);
  });
});

describe('the spread of an opening', () => {
  const options = { jitter: 10 * MINUTE };
  const freeze = deny({ from: '2026-05-05T10:00', to: '2026-05-05T12:00', ...options }, 'freeze');
  const spread = (windows: Parameters<typeof windowState>[0], instant: string) => {
    const found = spreadAt(windows, windowState(windows, at(instant), 'PROMOTE'), at(instant), 'PROMOTE');
    return found && [iso(found.opens), iso(found.until)];
  };
  const OPENING = ['2026-05-05T12:00Z', '2026-05-05T12:10Z'];

  test.each<[string, string, string[] | null]>([
    ['while it is closed', '2026-05-05T11:00Z', OPENING],
    ['at the opening', '2026-05-05T12:00Z', OPENING],
    ['a minute before its end', '2026-05-05T12:09Z', OPENING],
    ['at its end', '2026-05-05T12:10Z', null],
    ['long before the closing', '2026-05-05T09:00Z', null],
  ])('%s', (_name, instant, expected) => {
    expect(spread([freeze], instant)).toEqual(expected);
  });

  test('of two openings the last one counts', () => {
    const twice = [freeze, deny({ from: '2026-05-05T12:02', to: '2026-05-05T12:04' })];
    expect(spread(twice, '2026-05-05T12:05Z')).toEqual(['2026-05-05T12:04Z', '2026-05-05T12:14Z']);
  });

  test('the longest jitter of what holds the action', () => {
    const held = (jitter: number | undefined, holds: ReleaseWindowSpec['holds']) => allow({ jitter, holds });
    expect(jitterOf([], 'PROMOTE')).toBe(0);
    expect(jitterOf([held(undefined, ['PROMOTE']), held(7, ['PROMOTE']), held(5, ['PROMOTE'])], 'PROMOTE')).toBe(7);
    expect(jitterOf([held(7, ['ROLLBACK']), held(5, ['PROMOTE'])], 'PROMOTE')).toBe(5);
  });

  // The vectors that the inventors of FNV-1a publish.
  test.each([
    ['', 0x811c9dc5],
    ['a', 0xe40c292c],
    ['foobar', 0xbf9cf968],
  ])('the number of %j', (text, hash) => {
    expect(fractionOf(text)).toBe(hash / 2 ** 32);
  });
});

test.each<[string[], string[], boolean]>([
  [['amer*', 'asia'], ['americas'], true],
  [['amer*'], ['asia', 'americas'], true],
  [['amer*', 'asia'], ['europe'], false],
  [['amer*'], [], false],
])('groups %j select an environment in %j: %s', (patterns, groups, expected) => {
  const window = allow({ selector: { environments: {}, products: {}, groups: patterns } });
  const environment = { name: 'us-east', labels: {}, kind: 'PRODUCTION' };
  expect(selectWindows([window], { environment, groups })).toHaveLength(expected ? 1 : 0);
});

test('an override stands until it expires, and says whose it is', () => {
  const override = { windows: ['office'], reason: 'hotfix', by: 'ada', at: 0, expiresAt: 1000 };
  expect([standing([override], 999), standing([override], 1000)]).toEqual([[override], []]);
  expect(inWords(override)).toBe('ada overrides office until 1970-01-01T00:00:01.000Z: hotfix');
  expect(inWords({ ...override, by: null })).toMatch(/^a person overrides office/);
});

test('a cache never holds more than it may, and holds that much', () => {
  const cache = new Map<string, number>();
  const sizes = ['a', 'b', 'c', 'd'].map((key, value) => (expect(keep(cache, key, value, 3)).toBe(value), cache.size));
  expect(sizes).toEqual([1, 2, 3, 1]);
  expect([...cache]).toEqual([['d', 3]]);
});

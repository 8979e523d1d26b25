import { describe, expect, test } from 'vitest';
import { calendarSearch } from '../../web/app/src/calendar/search.ts';
import { daysOf, instantOf, localAt, offsetAt, sayOffset, stepOf } from '../../web/app/src/calendar/days.ts';

const HOUR = 3_600_000;

describe('the days of a calendar', () => {
  test('are 23 or 25 hours long where the clocks change, and say so', () => {
    const spring = daysOf('week', '2026-03-29', 'Europe/Berlin').at(-1)!;
    expect(spring).toMatchObject({ day: '2026-03-29', change: { before: 60, after: 120 } });
    expect(spring.to - spring.from).toBe(23 * HOUR);
    const autumn = daysOf('month', '2026-11-15', 'America/New_York')[0]!;
    expect(autumn).toMatchObject({ day: '2026-11-01', change: { before: -240, after: -300 } });
    expect(autumn.to - autumn.from).toBe(25 * HOUR);
  });

  test('follow each other without a gap, in every zone that there is, through a year', () => {
    for (const zone of Intl.supportedValuesOf('timeZone').filter((_, index) => index % 40 === 0)) {
      let before: number | undefined;
      for (let day = '2026-01-01'; day < '2027'; day = stepOf('month', day, 1)) {
        for (const { day: name, from, to } of daysOf('month', day, zone)) {
          if (before !== undefined) expect([zone, name, from]).toEqual([zone, name, before]);
          expect([20, 21, 22, 23, 23.5, 24, 24.5, 25, 26], `${zone} ${name}`).toContain((to - from) / HOUR);
          before = to;
        }
      }
    }
  });

  test('begin a week on Monday, and a month on its first', () => {
    expect(daysOf('week', '2026-11-29', 'UTC').map(({ day }) => day)).toEqual(
      ['23', '24', '25', '26', '27', '28', '29'].map((day) => `2026-11-${day}`),
    );
    expect(daysOf('month', '2028-02-10', 'UTC')).toHaveLength(29);
    expect([stepOf('week', '2026-12-28', 1), stepOf('month', '2026-01-31', -1)]).toEqual(['2027-01-04', '2025-12-01']);
  });
});

test('a local time that the clocks leave out is the first one after it, and offsets are read in minutes', () => {
  const at = instantOf('2026-03-29T02:30', 'Europe/Berlin');
  expect(localAt(at, 'Europe/Berlin')).toBe('2026-03-29T03:30');
  expect(localAt(instantOf('2026-07-01T09:15', 'Asia/Kathmandu'), 'Asia/Kathmandu')).toBe('2026-07-01T09:15');
  expect(sayOffset(offsetAt(Date.parse('2026-07-01T00:00Z'), 'Asia/Kathmandu'))).toBe('UTC+05:45');
  expect(sayOffset(-210)).toBe('UTC-03:30');
});

test.each(['2026-99-99', '9999-12-31', '0000-01-01', 'today', 20_261_129])(
  '%s in an address is no day, and the calendar shows today',
  (day) => {
    expect(calendarSearch({ day }).day).toBeUndefined();
  },
);

test('a day that an address can name is one that can be drawn, in every span and zone', () => {
  for (const named of ['1900-01-01', '2026-02-31', '9989-12-31']) {
    const { day } = calendarSearch({ day: named });
    if (day === undefined) continue;
    for (const zone of ['Pacific/Kiritimati', 'Pacific/Pago_Pago'])
      for (const span of ['week', 'month'] as const) expect(daysOf(span, day, zone).length).toBeGreaterThan(6);
  }
});

import { expect, test } from 'vitest';
import type { ReleaseWindowSpec } from '../../../src/core/definitions.ts';
import { occurrences, windowState } from '../../../src/core/windows/index.ts';
import { at, HOUR, iso, windowOf } from './support.ts';

// What the rules say where the clocks change, written by hand: instants in UTC, without seconds.

const NIGHT = { cron: '0 22 * * *', duration: 8 * HOUR };
type Row = [title: string, spec: Partial<ReleaseWindowSpec>, from: string, start: string, end: string, marked: boolean];

const NY = 'America/New_York';
const LONDON = 'Europe/London';
const LORD_HOWE = 'Australia/Lord_Howe';
const SAO_PAULO = 'America/Sao_Paulo';
const APIA = 'Pacific/Apia';

test.each<Row>([
  // The four of the reference, both kinds where they differ.
  [
    '22:00 for 8 h over spring in New York closes at 06:00 local',
    { timeZone: NY, ...NIGHT },
    '2026-03-07T12:00Z',
    '2026-03-08T03:00Z',
    '2026-03-08T10:00Z',
    true,
  ],
  [
    '22:00 for 8 h over autumn in New York closes at 06:00 local',
    { timeZone: NY, ...NIGHT },
    '2026-10-31T12:00Z',
    '2026-11-01T02:00Z',
    '2026-11-01T11:00Z',
    true,
  ],
  [
    '02:30 for 1 h on the spring day is 03:00 to 03:30',
    { timeZone: NY, cron: '30 2 * * *', duration: HOUR },
    '2026-03-08T05:00Z',
    '2026-03-08T07:00Z',
    '2026-03-08T07:30Z',
    true,
  ],
  [
    '01:00 for 1 h on the autumn day is both hours',
    { timeZone: NY, cron: '0 1 * * *', duration: HOUR },
    '2026-11-01T04:00Z',
    '2026-11-01T05:00Z',
    '2026-11-01T07:00Z',
    true,
  ],
  [
    'ALLOW until 01:30 on the autumn day: the first one',
    { timeZone: NY, cron: '30 0 * * *', end: '01:30' },
    '2026-11-01T04:00Z',
    '2026-11-01T04:30Z',
    '2026-11-01T05:30Z',
    true,
  ],
  [
    'DENY until 01:30 on the autumn day: the second one',
    { timeZone: NY, kind: 'DENY', cron: '30 0 * * *', end: '01:30' },
    '2026-11-01T04:00Z',
    '2026-11-01T04:30Z',
    '2026-11-01T06:30Z',
    true,
  ],
  [
    'ALLOW until 01:00 on the autumn day: the first one',
    { timeZone: NY, cron: '30 0 * * *', end: '01:00' },
    '2026-11-01T04:00Z',
    '2026-11-01T04:30Z',
    '2026-11-01T05:00Z',
    true,
  ],
  [
    'DENY until 01:00 on the autumn day: the second one, although nothing comes before it twice',
    { timeZone: NY, kind: 'DENY', cron: '30 0 * * *', end: '01:00' },
    '2026-11-01T04:00Z',
    '2026-11-01T04:30Z',
    '2026-11-01T06:00Z',
    true,
  ],
  [
    'ALLOW from 01:15 to 01:45 on the autumn day: only once',
    { timeZone: NY, cron: '15 1 * * *', end: '01:45' },
    '2026-11-01T04:00Z',
    '2026-11-01T05:15Z',
    '2026-11-01T05:45Z',
    true,
  ],
  [
    'DENY from 01:15 to 01:45 on the autumn day: from the first to the second',
    { timeZone: NY, kind: 'DENY', cron: '15 1 * * *', end: '01:45' },
    '2026-11-01T04:00Z',
    '2026-11-01T05:15Z',
    '2026-11-01T06:45Z',
    true,
  ],
  [
    'what ends in the gap ends right after it',
    { timeZone: NY, cron: '0 1 * * *', end: '02:30' },
    '2026-03-08T05:00Z',
    '2026-03-08T06:00Z',
    '2026-03-08T07:00Z',
    true,
  ],
  [
    'what lies in the gap does not occur; the next day it does',
    { timeZone: NY, cron: '10 2 * * *', duration: HOUR / 2 },
    '2026-03-08T05:00Z',
    '2026-03-09T06:10Z',
    '2026-03-09T06:40Z',
    false,
  ],
  [
    'a night before the change is not marked',
    { timeZone: NY, ...NIGHT },
    '2026-03-06T12:00Z',
    '2026-03-07T03:00Z',
    '2026-03-07T11:00Z',
    false,
  ],
  [
    'an evening that ends at midnight does not touch the day after',
    { timeZone: NY, cron: '0 20 * * *', end: '00:00' },
    '2026-03-07T12:00Z',
    '2026-03-08T01:00Z',
    '2026-03-08T05:00Z',
    false,
  ],
  // London.
  [
    'London, spring',
    { timeZone: LONDON, ...NIGHT },
    '2026-03-28T12:00Z',
    '2026-03-28T22:00Z',
    '2026-03-29T05:00Z',
    true,
  ],
  [
    'London, autumn',
    { timeZone: LONDON, ...NIGHT },
    '2026-10-24T12:00Z',
    '2026-10-24T21:00Z',
    '2026-10-25T06:00Z',
    true,
  ],
  [
    'London, start in the gap',
    { timeZone: LONDON, cron: '15 1 * * SUN', duration: 2 * HOUR },
    '2026-03-28T12:00Z',
    '2026-03-29T01:00Z',
    '2026-03-29T02:15Z',
    true,
  ],
  [
    'London, DENY that ends in the repeated hour',
    { timeZone: LONDON, kind: 'DENY', cron: '0 23 * * SAT', end: '01:30' },
    '2026-10-24T12:00Z',
    '2026-10-24T22:00Z',
    '2026-10-25T01:30Z',
    true,
  ],
  // Lord Howe changes by half an hour at 02:00.
  [
    'Lord Howe, start in the half hour that is skipped',
    { timeZone: LORD_HOWE, cron: '15 2 * * *', duration: HOUR },
    '2026-10-03T12:00Z',
    '2026-10-03T15:30Z',
    '2026-10-03T16:15Z',
    true,
  ],
  [
    'Lord Howe, ALLOW that ends in the half hour that comes twice',
    { timeZone: LORD_HOWE, cron: '0 1 * * *', end: '01:45' },
    '2026-04-04T10:00Z',
    '2026-04-04T14:00Z',
    '2026-04-04T14:45Z',
    true,
  ],
  [
    'Lord Howe, DENY that ends in the half hour that comes twice',
    { timeZone: LORD_HOWE, kind: 'DENY', cron: '0 1 * * *', end: '01:45' },
    '2026-04-04T10:00Z',
    '2026-04-04T14:00Z',
    '2026-04-04T15:15Z',
    true,
  ],
  // São Paulo lost the hour after midnight, and had the one before it twice.
  [
    'Sao Paulo, a day that begins at 01:00',
    { timeZone: SAO_PAULO, cron: '0 0 * * *', duration: 2 * HOUR },
    '2018-11-04T02:00Z',
    '2018-11-04T03:00Z',
    '2018-11-04T04:00Z',
    true,
  ],
  [
    'Sao Paulo, an end at the midnight that does not exist',
    { timeZone: SAO_PAULO, cron: '0 20 * * SAT', end: '00:00' },
    '2018-11-03T12:00Z',
    '2018-11-03T23:00Z',
    '2018-11-04T03:00Z',
    false,
  ],
  [
    'Sao Paulo, ALLOW until 23:30 of the evening that comes twice',
    { timeZone: SAO_PAULO, cron: '0 20 * * SAT', end: '23:30' },
    '2018-02-17T12:00Z',
    '2018-02-17T22:00Z',
    '2018-02-18T01:30Z',
    true,
  ],
  [
    'Sao Paulo, DENY until 23:30 of the evening that comes twice',
    { timeZone: SAO_PAULO, kind: 'DENY', cron: '0 20 * * SAT', end: '23:30' },
    '2018-02-17T12:00Z',
    '2018-02-17T22:00Z',
    '2018-02-18T02:30Z',
    true,
  ],
  // Apia had no 30 December 2011.
  [
    'Apia, into the day that was skipped',
    { timeZone: APIA, cron: '0 22 29 * *', end: '06:00' },
    '2011-12-28T00:00Z',
    '2011-12-30T08:00Z',
    '2011-12-30T10:00Z',
    false,
  ],
  [
    'Apia, out of the day that was skipped',
    { timeZone: APIA, cron: '0 22 30 * *', end: '06:00' },
    '2011-12-28T00:00Z',
    '2011-12-30T10:00Z',
    '2011-12-30T16:00Z',
    true,
  ],
  [
    'Apia, within the day that was skipped: the one of January',
    { timeZone: APIA, cron: '0 9 30 * *', duration: HOUR },
    '2011-12-28T00:00Z',
    '2012-01-29T19:00Z',
    '2012-01-29T20:00Z',
    false,
  ],
  // Calendars.
  [
    'a leap day',
    { cron: '0 0 29 2 *', duration: 24 * HOUR },
    '2025-01-01T00:00Z',
    '2028-02-29T00:00Z',
    '2028-03-01T00:00Z',
    false,
  ],
  [
    'a century without a leap day',
    { cron: '0 0 29 2 *', duration: 24 * HOUR },
    '2096-03-01T00:00Z',
    '2104-02-29T00:00Z',
    '2104-03-01T00:00Z',
    false,
  ],
  [
    'the last day of February, in a leap year',
    { rrule: 'FREQ=MONTHLY;BYMONTHDAY=-1', start: '2020-01-31T08:00', duration: HOUR },
    '2028-02-20T00:00Z',
    '2028-02-29T08:00Z',
    '2028-02-29T09:00Z',
    false,
  ],
  [
    'across midnight',
    { cron: '0 22 * * FRI', end: '02:00' },
    '2026-05-01T00:00Z',
    '2026-05-01T22:00Z',
    '2026-05-02T02:00Z',
    false,
  ],
  [
    'a week end',
    { cron: '0 18 * * FRI', duration: 62 * HOUR },
    '2026-05-04T09:00Z',
    '2026-05-08T18:00Z',
    '2026-05-11T08:00Z',
    false,
  ],
  [
    'still in the week end',
    { cron: '0 18 * * FRI', duration: 62 * HOUR },
    '2026-05-04T07:59Z',
    '2026-05-01T18:00Z',
    '2026-05-04T08:00Z',
    false,
  ],
  [
    'a year end',
    { kind: 'DENY', cron: '0 12 31 12 *', duration: 24 * HOUR, timeZone: 'Asia/Tokyo' },
    '2026-06-01T00:00Z',
    '2026-12-31T03:00Z',
    '2027-01-01T03:00Z',
    false,
  ],
  [
    'an end before the start is on the next day',
    { cron: '0 9 * * *', end: '08:00' },
    '2026-05-01T08:30Z',
    '2026-05-01T09:00Z',
    '2026-05-02T08:00Z',
    false,
  ],
  [
    'Sunday is 0 and 7',
    { cron: '0 9 * * 7', duration: HOUR },
    '2026-05-01T00:00Z',
    '2026-05-03T09:00Z',
    '2026-05-03T10:00Z',
    false,
  ],
  [
    'the last Friday of a month',
    { rrule: 'FREQ=MONTHLY;BYDAY=-1FR', start: '2026-01-01T16:00', duration: HOUR },
    '2026-05-01T00:00Z',
    '2026-05-29T16:00Z',
    '2026-05-29T17:00Z',
    false,
  ],
  [
    'every second week, counted from the start',
    { rrule: 'FREQ=WEEKLY;INTERVAL=2;BYDAY=TU', start: '2026-01-06T16:00', duration: HOUR },
    '2026-01-07T00:00Z',
    '2026-01-20T16:00Z',
    '2026-01-20T17:00Z',
    false,
  ],
  [
    'one-off, local',
    { timeZone: 'Europe/Berlin', from: '2026-12-24T18:00', to: '2026-12-27T06:00' },
    '2026-01-01T00:00Z',
    '2026-12-24T17:00Z',
    '2026-12-27T05:00Z',
    false,
  ],
  [
    'one-off, instants',
    { timeZone: 'Europe/Berlin', from: '2026-12-24T18:00:00Z', to: '2026-12-27T06:00:00+02:00' },
    '2026-01-01T00:00Z',
    '2026-12-24T18:00Z',
    '2026-12-27T04:00Z',
    false,
  ],
  [
    'one-off in a repeated hour, DENY',
    { timeZone: NY, kind: 'DENY', from: '2026-11-01T01:10', to: '2026-11-01T01:20' },
    '2026-01-01T00:00Z',
    '2026-11-01T05:10Z',
    '2026-11-01T06:20Z',
    true,
  ],
])('%s', (_title, fields, from, start, end, marked) => {
  const window = windowOf(fields);
  const [first] = occurrences(window, at(from), 1);
  expect([iso(first!.start), iso(first!.end), first!.clockChange]).toEqual([start, end, marked]);
  // The state is the same thing: it changes at both ends, and not before.
  const isDeny = window.spec.kind === 'DENY';
  const closed = (instant: number): boolean => windowState([window], instant, 'PROMOTE').closed;
  expect([start, end].map((each) => [closed(at(each) - 1), closed(at(each))])).toEqual([
    [!isDeny, isDeny],
    [isDeny, !isDeny],
  ]);
});

test('an end before the start in a single window never occurs', () => {
  expect(occurrences(windowOf({ from: '2026-05-02T00:00', to: '2026-05-01T00:00' }), 0, 1)).toEqual([]);
});

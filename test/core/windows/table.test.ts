import { expect, test } from 'vitest';
import type { ReleaseWindowSpec } from '../../../src/core/definitions.ts';
import { occurrences, selectWindows, windowState } from '../../../src/core/windows/index.ts';
import { allow, at, deny, HOUR, iso, windowOf } from './support.ts';

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

test('occurrences tell the local times with the offset that holds', () => {
  const window = allow({ timeZone: NY, cron: '30 1 * * SUN', duration: 2 * HOUR });
  expect(occurrences(window, at('2026-10-31T00:00Z'), 2)).toMatchObject([
    { localStart: '2026-11-01T01:30:00-04:00', localEnd: '2026-11-01T03:30:00-05:00', clockChange: true },
    { localStart: '2026-11-08T01:30:00-05:00', localEnd: '2026-11-08T03:30:00-05:00', clockChange: false },
  ]);
});

const state = (windows: Parameters<typeof windowState>[0], instant: string, runwayMs?: number) => {
  const { nextOpen, nextClose, ...rest } = windowState(windows, at(instant), 'PROMOTE', { runwayMs });
  return { ...rest, nextOpen: iso(nextOpen), nextClose: iso(nextClose) };
};
const office = allow({ cron: '0 9 * * MON-FRI', end: '17:00' }, 'office');
const freeze = deny({ from: '2026-05-05T12:00', to: '2026-05-07T13:00' }, 'freeze');

test('a DENY inside an ALLOW closes, and the next opening is where both agree', () => {
  expect(state([office, freeze], '2026-05-05T11:00Z')).toEqual({
    closed: false,
    reason: 'inside the ALLOW window office',
    windows: ['office'],
    nextOpen: '2026-05-07T13:00Z',
    nextClose: '2026-05-05T12:00Z',
  });
  expect(state([office, freeze], '2026-05-06T11:00Z')).toEqual({
    closed: true,
    reason: 'inside the DENY window freeze',
    windows: ['freeze'],
    nextOpen: '2026-05-07T13:00Z',
    nextClose: '2026-05-07T17:00Z',
  });
});

test('outside of every ALLOW it is closed, over the week end too', () => {
  expect(state([office], '2026-05-08T17:00Z')).toMatchObject({
    closed: true,
    reason: 'outside the ALLOW window office',
    nextOpen: '2026-05-11T09:00Z',
    nextClose: '2026-05-11T17:00Z',
  });
});

test('without windows it is open, and so with windows that hold something else', () => {
  const open = { closed: false, reason: 'no window holds this', windows: [], nextOpen: null, nextClose: null };
  expect(state([], '2026-05-05T11:00Z')).toEqual(open);
  expect(
    state([deny({ cron: '* * * * *', duration: HOUR, holds: ['ROLLBACK', 'APPROVE'] })], '2026-05-05T11:00Z'),
  ).toEqual(open);
});

test('back-to-back windows close once, at the end of the last', () => {
  const evening = allow({ cron: '0 17 * * MON-FRI', end: '20:00' });
  expect(state([office, evening], '2026-05-05T11:00Z').nextClose).toBe('2026-05-05T20:00Z');
  expect(state([office, evening], '2026-05-05T17:00Z').closed).toBe(false);
});

test('several zones at once', () => {
  const tokyo = allow({ timeZone: 'Asia/Tokyo', cron: '0 9 * * *', end: '17:00' }, 'tokyo');
  const berlin = allow({ timeZone: 'Europe/Berlin', cron: '0 9 * * *', end: '17:00' }, 'berlin');
  const newYork = deny({ timeZone: NY, cron: '0 8 * * *', end: '10:00' }, 'new-york');
  const all = [tokyo, berlin, newYork];
  expect(state(all, '2026-07-01T00:00Z')).toMatchObject({
    closed: false,
    windows: ['tokyo'],
    nextClose: '2026-07-01T12:00Z',
  });
  expect(state(all, '2026-07-01T12:00Z')).toMatchObject({
    closed: true,
    windows: ['new-york'],
    nextOpen: '2026-07-01T14:00Z',
  });
  expect(state(all, '2026-07-01T15:00Z')).toMatchObject({
    closed: true,
    windows: ['tokyo', 'berlin'],
    nextOpen: '2026-07-02T00:00Z',
  });
});

test('what never opens says so, and what never closes', () => {
  const always = { cron: '* * * * *', duration: 2 * 60_000 };
  expect(state([deny(always)], '2026-05-05T11:00Z')).toMatchObject({ closed: true, nextOpen: null, nextClose: null });
  expect(state([allow(always)], '2026-05-05T11:00Z')).toMatchObject({ closed: false, nextOpen: null, nextClose: null });
  const over = allow({ from: '2020-01-01T00:00', to: '2020-01-02T00:00' });
  expect(state([over], '2026-05-05T11:00Z')).toMatchObject({ closed: true, nextOpen: null });
  const far = deny({ from: '2026-01-01T00:00', to: '2036-01-01T00:00' });
  expect(state([far], '2026-05-05T11:00Z')).toMatchObject({ closed: true, nextOpen: null });
});

test('a runway closes before the closing', () => {
  const careful = allow({ cron: '0 9 * * MON-FRI', end: '17:00', runway: true }, 'careful');
  expect(state([careful], '2026-05-05T16:29Z', HOUR / 2)).toMatchObject({
    closed: false,
    nextClose: '2026-05-05T16:30Z',
  });
  expect(state([careful], '2026-05-05T16:30Z', HOUR / 2)).toMatchObject({
    closed: true,
    reason: 'what starts now would not finish before the ALLOW window careful closes at 2026-05-05T17:00:00.000Z',
    windows: ['careful'],
    nextOpen: '2026-05-06T09:00Z',
  });
  expect(state([office], '2026-05-05T16:30Z', HOUR / 2).closed).toBe(false);
  expect(state([careful], '2026-05-05T16:30Z').closed).toBe(false);
  expect(state([careful], '2026-05-05T10:00Z', 9 * HOUR)).toMatchObject({ closed: true, nextOpen: null });
});

test('a runway looks at the real closing: a window that takes over is none, a freeze is one', () => {
  const careful = allow({ cron: '0 9 * * *', end: '17:00', runway: true });
  const evening = allow({ cron: '0 17 * * *', end: '20:00' });
  expect(state([careful, evening], '2026-05-05T16:45Z', HOUR)).toMatchObject({
    closed: false,
    nextClose: '2026-05-05T20:00Z',
  });
  const strict = deny({ ...freeze.spec, runway: true });
  expect(state([strict], '2026-05-05T11:15Z', HOUR)).toMatchObject({ closed: true, nextOpen: '2026-05-07T13:00Z' });
  expect(state([freeze], '2026-05-05T11:15Z', HOUR)).toMatchObject({ closed: false, nextClose: '2026-05-05T12:00Z' });
});

test('a selector: everything that is given must agree', () => {
  const subject = {
    environment: { name: 'us-east', labels: { tier: 'gold' }, kind: 'PRODUCTION' },
    groups: ['americas'],
    product: { name: 'billing', labels: { team: 'pay' } },
  };
  const selects = (selector: Partial<ReleaseWindowSpec['selector']>): boolean =>
    selectWindows([allow({ selector: { environments: {}, products: {}, ...selector } })], subject).length === 1;
  expect(selects({})).toBe(true);
  expect(selects({ environments: { names: ['us-*'], kinds: ['PRODUCTION'] }, groups: ['amer*'] })).toBe(true);
  expect(selects({ environments: { names: ['us-*'] }, groups: ['asia'] })).toBe(false);
  expect(selects({ environments: { kinds: ['NON_PRODUCTION'] } })).toBe(false);
  expect(selects({ products: { matchLabels: { team: 'pay' } } })).toBe(true);
  expect(selects({ products: { names: ['shop'] } })).toBe(false);
});

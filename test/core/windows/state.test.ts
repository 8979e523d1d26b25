import { describe, expect, test } from 'vitest';
import type { ReleaseWindowSpec } from '../../../src/core/definitions.ts';
import { occurrences, selectWindows, windowState } from '../../../src/core/windows/index.ts';
import { allow, at, deny, HOUR, iso } from './support.ts';

const NY = 'America/New_York';

test('occurrences tell the local times with the offset that holds', () => {
  const window = allow({ timeZone: NY, cron: '30 1 * * SUN', duration: 2 * HOUR });
  expect(occurrences(window, at('2026-10-31T00:00Z'), 2)).toMatchObject([
    { localStart: '2026-11-01T01:30:00-04:00', localEnd: '2026-11-01T03:30:00-05:00', clockChange: true },
    { localStart: '2026-11-08T01:30:00-05:00', localEnd: '2026-11-08T03:30:00-05:00', clockChange: false },
  ]);
});

/** Five years of 366 days after the moment at which these tests ask. */
const HORIZON_ENDS = '2031-05-09T11:00Z';
const AFTER_HORIZON = '2031-05-09T11:00:01Z';

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

test.each<[string, Parameters<typeof windowState>[0], Partial<ReturnType<typeof state>>]>([
  ['closes', [allow({ from: '2026-05-05T11:00Z', to: HORIZON_ENDS })], { nextClose: HORIZON_ENDS }],
  ['closes a moment later', [allow({ from: '2026-05-05T11:00Z', to: AFTER_HORIZON })], { nextClose: null }],
  ['is frozen', [deny({ from: HORIZON_ENDS, to: '2040-01-01T00:00Z' })], { nextClose: HORIZON_ENDS }],
  ['is frozen a moment later', [deny({ from: AFTER_HORIZON, to: '2040-01-01T00:00Z' })], { nextClose: null }],
  ['thaws', [deny({ from: '2026-05-05T11:00Z', to: HORIZON_ENDS })], { nextOpen: HORIZON_ENDS }],
  ['thaws a moment later', [deny({ from: '2026-05-05T11:00Z', to: AFTER_HORIZON })], { nextOpen: null }],
  ['opens', [allow({ from: HORIZON_ENDS, to: '2040-01-01T00:00Z' })], { nextOpen: HORIZON_ENDS }],
  ['opens a moment later', [allow({ from: AFTER_HORIZON, to: '2040-01-01T00:00Z' })], { nextOpen: null }],
])('five years ahead are told, the last moment included: it %s', (_, windows, expected) => {
  expect(state(windows, '2026-05-05T11:00Z')).toMatchObject(expected);
});

describe('windows that hand over to each other every minute', () => {
  const minutes = (first: number): string => Array.from({ length: 30 }, (_, index) => first + 2 * index).join();
  const each = (first: number) => ({
    rrule: `FREQ=HOURLY;BYMINUTE=${minutes(first)};UNTIL=20260605T000000`,
    start: '2026-05-01T00:00',
    duration: 60_000,
  });
  const covers = [each(0), each(1)];

  test('a freeze that is longer is looked past at once', () => {
    const freezes = [...covers.map((times) => deny(times)), deny({ from: '2026-05-01T00:00', to: '2026-06-06T00:00' })];
    expect(state(freezes, '2026-05-05T11:00Z').nextOpen).toBe('2026-06-06T00:00Z');
  });

  test('a longer one that is open beside them is looked past at once', () => {
    const open = [...covers.map((times) => allow(times)), allow({ from: '2026-05-01T00:00', to: '2026-06-06T00:00' })];
    expect(state(open, '2026-05-05T11:00Z').nextClose).toBe('2026-06-06T00:00Z');
  });

  test('alone they are followed for ten thousand changes, and not any further', () => {
    const open = covers.map((times) => allow(times));
    expect(state(open, '2026-05-29T11:00Z').nextClose).toBe('2026-06-05T00:01Z');
    expect(state(open, '2026-05-05T11:00Z').nextClose).toBeNull();
  });
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

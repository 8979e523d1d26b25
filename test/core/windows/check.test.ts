import { describe, expect, test } from 'vitest';
import type { ReleaseWindowSpec } from '../../../src/core/definitions.ts';
import { checkDefinition } from '../../../src/core/validate.ts';
import { checkRule, readRule } from '../../../src/core/windows/rrule.ts';
import { DAY, isZone, parseInstant, parseTimeOfDay, parseWall, toInstants } from '../../../src/core/windows/zones.ts';
import { HOUR, windowOf } from './support.ts';

const CRON = { cron: '0 9 * * MON-FRI', end: '17:00' };
const RULE = { rrule: 'FREQ=DAILY', start: '2026-01-05T22:00', duration: HOUR };
const ONCE = { from: '2026-01-05T22:00', to: '2026-01-06T22:00' };
const many = (count: number): string[] => Array.from({ length: count }, (_, i) => `g${i}`);

const refused = (fields: Partial<ReleaseWindowSpec>): string[] =>
  checkDefinition({
    kind: 'ReleaseWindow',
    metadata: { name: 'w', labels: {}, annotations: {} },
    spec: windowOf(fields).spec,
  }).map(({ path, message }) => `${path.slice(1).join('.')}: ${message}`);
const select = (groups: string[]) => ({ selector: { environments: {}, products: {}, groups } });

describe('a window that can be', () => {
  test.each<[string, Partial<ReleaseWindowSpec>]>([
    ['a cron with an end', CRON],
    ['a cron with a duration', { cron: '0 9 * * *', duration: HOUR }],
    ['a cron for whole days', { cron: '0 9 * * *', duration: DAY }],
    ['a rule with a duration', RULE],
    ['a rule with an end', { ...RULE, duration: undefined, end: '23:00' }],
    ['a rule that ended long ago', { rrule: 'FREQ=DAILY;UNTIL=20100101', start: '1997-01-05T22:00', duration: HOUR }],
    ['a rule that begins far ahead', { ...RULE, start: '2060-01-05T22:00' }],
    ['once', ONCE],
    ['once, by instants', { from: '2026-01-05T22:00:00Z', to: '2026-01-05T22:00:01Z' }],
    ['for a group', { ...CRON, ...select(['g']) }],
    ['for a thousand groups', { ...CRON, ...select(many(1_000)) }],
    ['a jitter of nothing', { ...CRON, jitter: 0 }],
    ['every action', { ...CRON, holds: ['PROMOTE', 'ROLLBACK', 'APPROVE'] }],
  ])('%s', (_what, fields) => {
    expect(refused(fields)).toEqual([]);
  });
});

describe('a window that cannot', () => {
  test.each<[string, Partial<ReleaseWindowSpec>, RegExp]>([
    ['no form', {}, /^: a window has one of cron, rrule with start, or from with to$/],
    ['two forms', { ...CRON, ...RULE, end: undefined }, /^rrule: a window has one of .*; found cron and rrule$/],
    ['two others', { ...RULE, ...ONCE }, /^from: .*; found rrule and from$/],
    ['a cron without an end', { cron: '0 9 * * *' }, /^: cron needs either duration or end$/],
    ['a cron with both', { ...CRON, duration: HOUR }, /^end: cron needs either duration or end$/],
    ['a rule without an end', { ...RULE, duration: undefined }, /^: rrule needs either duration or end$/],
    ['a rule without a start', { ...RULE, start: undefined }, /^: rrule needs start$/],
    ['once without an end', { from: ONCE.from }, /^: from needs to$/],
    [
      'a cron with a start',
      { ...CRON, start: '2026-01-05T22:00' },
      /^start: start does not belong to cron; remove it$/,
    ],
    ['a rule with to', { ...RULE, to: ONCE.to }, /^to: to does not belong to rrule; remove it$/],
    ['once with a duration', { ...ONCE, duration: HOUR }, /^duration: duration does not belong to from; remove it$/],
    ['once with an end of day', { ...ONCE, end: '06:00' }, /^end: end does not belong to from; remove it$/],
    ['no time at all', { cron: '0 9 * * *', duration: 0 }, /^duration: duration is "0" ms/],
    [
      'once, backwards',
      { from: ONCE.to, to: ONCE.from },
      /^to: the window is never active: it must end after it starts$/,
    ],
    ['once, in no time', { from: ONCE.from, to: ONCE.from }, /^to: .*it must end after it starts$/],
    [
      'once, by instants in no time',
      { from: '2026-01-05T22:00:00Z', to: '2026-01-05T22:00:00Z' },
      /must end after it starts$/,
    ],
    ['once, half by instants', { from: '2026-01-05T22:00:00Z', to: '2026-01-05T21:00' }, /must end after it starts$/],
    [
      'once, in hours that the clocks skip',
      { timeZone: 'America/New_York', from: '2026-03-08T02:10', to: '2026-03-08T02:50' },
      /^to: the window is never active: the clocks skip all of it$/,
    ],
    ['never', { cron: '0 9 30 2 *', duration: HOUR }, /^cron: "0 9 30 2 \*" never occurs$/],
    ['a rule for never', { ...RULE, rrule: 'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30' }, /^rrule: .* never occurs$/],
    ['a rule that ended before it began', { ...RULE, rrule: 'FREQ=DAILY;UNTIL=20250101' }, /^rrule: .* never occurs$/],
    [
      'an end that is the start',
      { cron: '0 9 * * *', end: '09:00' },
      /^end: an occurrence would begin and end at 09:00/,
    ],
    ['one of many ends that is the start', { cron: '0 8,9 * * *', end: '09:00' }, /^end: an occurrence would begin/],
    [
      'an end that is the start of a rule',
      { ...RULE, duration: undefined, end: '22:00' },
      /^end: an occurrence would begin and end at 22:00/,
    ],
    ['a cron that is none', { cron: '61 9 * * *', duration: HOUR }, /^cron: cron "61 9 \* \* \*": /],
    ['a cron of four fields', { cron: '9 * * *', duration: HOUR }, /^cron: .*a cron has 5 fields/],
    ['a rule that is none', { ...RULE, rrule: 'FREQ=NEVER' }, /^rrule: rrule "FREQ=NEVER": FREQ is NEVER/],
    [
      'a rule that RFC 5545 forbids',
      { ...RULE, rrule: 'FREQ=DAILY;BYWEEKNO=1' },
      /^rrule: rrule .*BYWEEKNO means nothing/,
    ],
    ['a start that is none', { ...RULE, start: 'tomorrow' }, /^start: "tomorrow" must be a local time/],
    ['an end that is none', { ...CRON, end: '25:00' }, /^end: "25:00" must be a time of day/],
    [
      'a day that is none',
      { ...ONCE, to: '2026-02-30T00:00' },
      /^to: "2026-02-30T00:00" must be a local time .*, or an instant/,
    ],
    ['a zone that is none', { ...CRON, timeZone: 'Europe/Berlim' }, /^timeZone: .* Did you mean "Europe\/Berlin"\?$/],
    ['a zone without clocks', { ...CRON, timeZone: '+05:30' }, /^timeZone: the time zone "\+05:30" is not known/],
    ['no action', { ...CRON, holds: [] }, /^holds: a window holds at least one/],
    ['another action', { ...CRON, holds: ['DEPLOY' as 'PROMOTE'] }, /^holds.0: "DEPLOY" must be one of/],
    ['no group', { ...CRON, ...select([]) }, /^selector.groups: name at least one group, or remove groups$/],
    ['too many groups', { ...CRON, ...select(many(1_001)) }, /^selector.groups: there are 1001 groups/],
    ['a group that is none', { ...CRON, ...select(['g', 'G']) }, /^selector.groups.1: "G" must be a name/],
    ['a negative jitter', { ...CRON, jitter: -1 }, /^jitter: jitter is "-1" ms/],
  ])('%s', (_what, fields, message) => {
    const [first = '', ...rest] = refused(fields);
    expect(first).toMatch(message);
    expect(rest).toEqual([]);
  });
});

const START = Date.UTC(2026, 0, 5, 22, 15, 30);
const starts = (rule: string, days: number, zone = 'UTC', start = START): string =>
  readRule(rule, start, zone)
    .starts(start, start + days * DAY)
    .map((each) => new Date(each).toISOString().slice(5, 19))
    .join(' ');

describe('the starts of a rule', () => {
  test.each<[string, string, number, string]>([
    ['each day', 'FREQ=DAILY', 2, '01-05T22:15:30 01-06T22:15:30'],
    ['hours of the list, minutes of the start', 'FREQ=DAILY;BYHOUR=1,23', 1, '01-05T23:15:30 01-06T01:15:30'],
    [
      'minutes of the list, hours of the start',
      'FREQ=DAILY;BYMINUTE=10,20',
      2,
      '01-05T22:20:30 01-06T22:10:30 01-06T22:20:30 01-07T22:10:30',
    ],
    [
      'both lists, whatever their order',
      'FREQ=DAILY;BYHOUR=23,22;BYMINUTE=20,15',
      1,
      '01-05T22:15:30 01-05T22:20:30 01-05T23:15:30 01-05T23:20:30',
    ],
    [
      'each hour at those minutes',
      'FREQ=HOURLY;BYHOUR=22,23;BYMINUTE=0,30',
      0.1,
      '01-05T22:30:30 01-05T23:00:30 01-05T23:30:30',
    ],
    ['counted', 'FREQ=DAILY;COUNT=3', 9, '01-05T22:15:30 01-06T22:15:30 01-07T22:15:30'],
    ['counted with hours', 'FREQ=DAILY;BYHOUR=22,23;COUNT=3', 9, '01-05T22:15:30 01-05T23:15:30 01-06T22:15:30'],
    ['counted where nothing matches', 'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=1', 9, ''],
    ['until the whole of a day', 'FREQ=DAILY;UNTIL=20260106', 9, '01-05T22:15:30 01-06T22:15:30'],
    ['until the very second', 'FREQ=DAILY;UNTIL=20260106T221530', 9, '01-05T22:15:30 01-06T22:15:30'],
    ['until a second before', 'FREQ=DAILY;UNTIL=20260106T221529', 9, '01-05T22:15:30'],
    ['until an instant', 'FREQ=DAILY;UNTIL=20260106T221530Z', 9, '01-05T22:15:30 01-06T22:15:30'],
    ['until an instant before', 'FREQ=DAILY;UNTIL=20260106T221529Z', 9, '01-05T22:15:30'],
    ['weeks that begin on Sunday', 'FREQ=WEEKLY;WKST=SU;BYDAY=TU', 9, '01-06T22:15:30 01-13T22:15:30'],
  ])('%s', (_what, rule, days, expected) => {
    expect(starts(rule, days)).toBe(expected);
  });

  test('until an instant is judged in the zone of the window', () => {
    expect(starts('FREQ=DAILY;UNTIL=20260106T211530Z', 9, 'Europe/Berlin')).toBe('01-05T22:15:30 01-06T22:15:30');
    expect(starts('FREQ=DAILY;UNTIL=20260106T211529Z', 9, 'Europe/Berlin')).toBe('01-05T22:15:30');
  });

  test('before 1970 as well', () => {
    const start = Date.UTC(1969, 11, 30, 22, 15, 30);
    expect(starts('FREQ=DAILY;BYHOUR=1', 2, 'UTC', start)).toBe('12-31T01:15:30 01-01T01:15:30');
    expect(starts('FREQ=DAILY;BYMINUTE=10', 2, 'UTC', start)).toBe('12-31T22:10:30 01-01T22:10:30');
  });

  test('a part of them: from the first on, before the last', () => {
    const rule = readRule('FREQ=DAILY', START, 'UTC');
    expect(rule.starts(START + DAY, START + 2 * DAY)).toEqual([START + DAY]);
    expect(rule.starts(START - 9 * DAY, START)).toEqual([]);
    expect(rule.starts(START - 9 * DAY, START + 1)).toEqual([START]);
    expect(rule.starts(START + 600 * DAY, START + 602 * DAY)).toHaveLength(2);
  });

  test('over many years each once, where pages meet', () => {
    const rule = readRule('FREQ=DAILY', START, 'UTC');
    const all = rule.starts(START, START + 1_500 * DAY);
    expect(all).toHaveLength(1_500);
    expect(new Set(all.map((each, i) => each - i * DAY))).toEqual(new Set([START]));
    const midnight = Date.UTC(2026, 0, 5);
    const exact = readRule('FREQ=DAILY', midnight, 'UTC').starts(midnight, midnight + 1_500 * DAY);
    expect([exact.length, new Set(exact).size]).toEqual([1_500, 1_500]);
  });
});

describe('the parts of a rule', () => {
  test.each([
    ['FREQ=DAILY;INTERVAL=10000', undefined],
    ['FREQ=DAILY;INTERVAL=10001', /^INTERVAL is 10001; it must be from 1 to 10000$/],
    ['FREQ=DAILY;INTERVAL=0', /^INTERVAL is 0;/],
    ['FREQ=DAILY;INTERVAL=-1', /^INTERVAL is -1;/],
    ['FREQ=DAILY;COUNT=10000', undefined],
    ['FREQ=DAILY;COUNT=10001', /^COUNT is 10001;/],
    ['FREQ=MONTHLY;BYMONTHDAY=-31', undefined],
    ['FREQ=MONTHLY;BYMONTHDAY=-32', /^BYMONTHDAY is -32; it must be from 1 to 31, or minus that$/],
    ['FREQ=MONTHLY;BYMONTHDAY=0', /^BYMONTHDAY is 0;/],
    ['FREQ=YEARLY;BYMONTH=12', undefined],
    ['FREQ=YEARLY;BYMONTH=13', /^BYMONTH is 13; it must be from 1 to 12$/],
    ['FREQ=YEARLY;BYMONTH=-1', /^BYMONTH is -1;/],
    ['FREQ=DAILY;BYHOUR=0,23', undefined],
    ['FREQ=DAILY;BYHOUR=24', /^BYHOUR is 24; it must be from 0 to 23$/],
    ['FREQ=DAILY;BYHOUR=x', /^BYHOUR is X;/],
    ['FREQ=WEEKLY;WKST=SU', undefined],
    ['FREQ=WEEKLY;WKST=1SU', /^WKST is 1SU; a day is one of/],
    ['FREQ=WEEKLY;WKST=SU,MO', /^WKST has one value$/],
    ['FREQ=MONTHLY;BYDAY=53MO', undefined],
    ['FREQ=MONTHLY;BYDAY=54MO', /^BYDAY is 54MO; a day is one of/],
    ['FREQ=DAILY;UNTIL=20260101;COUNT=1', /^UNTIL and COUNT exclude each other$/],
    ['FREQ=DAILY;FREQ=DAILY', /^FREQ stands there twice$/],
    ['INTERVAL=1', /^FREQ is missing/],
    ['FREQ=DAILY;=1', /is not a part that is known here$/],
    ['FREQ=DAILY;COUNT=', /^"COUNT=" is not of the form NAME=VALUE$/],
    ['FREQ=DAILY;COUNT=1=2', /^"COUNT=1=2" is not of the form/],
    ['FREQ=DAILY;X-WEEK=1', /^X-WEEK is not a part that is known here$/],
    ['FREQ=DAILY;UNTIL=20260101', undefined],
  ])('%s', (rule, message) => {
    if (message === undefined) expect(() => checkRule(rule)).not.toThrow();
    else expect(() => checkRule(rule)).toThrow(message);
  });

  const list = (count: number): string => Array.from({ length: count }, (_, i) => i).join(',');
  test.each([
    [`FREQ=DAILY;BYHOUR=${list(20)};BYMINUTE=${list(50)}`, undefined],
    [`FREQ=DAILY;BYHOUR=${list(21)};BYMINUTE=${list(48)}`, /1008 starts a day/],
    [`FREQ=DAILY;BYHOUR=${list(12)};BYMINUTE=0,30;COUNT=1`, undefined],
    [`FREQ=DAILY;BYHOUR=${list(13)};BYMINUTE=0,30;COUNT=1`, /26 starts a day/],
    [`FREQ=HOURLY;COUNT=1`, undefined],
  ])('at most so many starts a day: %s', (rule, message) => {
    if (message === undefined) expect(() => checkRule(rule)).not.toThrow();
    else expect(() => checkRule(rule)).toThrow(message);
  });
});

describe('zones and times', () => {
  test.each([
    ['Europe/Berlin', true],
    ['UTC', true],
    ['+05:30', false],
    ['Mars/Olympus', false],
    ['', false],
  ])('%s is a zone: %s', (name, is) => {
    expect(isZone(name)).toBe(is);
  });

  test('the first instant after a gap, and nothing of the gap', () => {
    const wall = (hours: number, minutes: number): number => Date.UTC(2026, 2, 8, hours, minutes);
    const after = Date.UTC(2026, 2, 8, 7);
    const instant = (hours: number, minutes: number): number =>
      toInstants('America/New_York', wall(hours, minutes)).earliest;
    expect(instant(1, 59)).toBe(after - 60_000);
    expect(instant(2, 0)).toBe(after);
    expect(instant(2, 59)).toBe(after);
    expect(instant(3, 0)).toBe(after);
    expect(instant(3, 1)).toBe(after + 60_000);
  });

  test.each([
    ['2026-01-05T22:00', true],
    ['2026-01-05T22:00:30', true],
    ['2026-01-05T24:00', false],
    ['2026-02-30T00:00', false],
    ['2026-13-01T00:00', false],
    ['2026-01-05 22:00', false],
  ])('%s is a wall time: %s', (text, is) => {
    expect(parseWall(text) !== undefined).toBe(is);
  });

  test.each([
    ['2026-01-05T22:00:00Z', Date.UTC(2026, 0, 5, 22)],
    ['2026-01-05T22:00+01:00', Date.UTC(2026, 0, 5, 21)],
    ['2026-02-30T00:00Z', undefined],
    ['2026-01-05T22:00', undefined],
    ['2026-01-05T22:00+99:00', undefined],
  ])('%s is an instant', (text, instant) => {
    expect(parseInstant(text)).toBe(instant);
  });

  test.each([
    ['23:59', 24 * HOUR - 60_000],
    ['00:00', 0],
    ['24:00', undefined],
    ['7:00', undefined],
  ])('%s is a time of day', (text, time) => {
    expect(parseTimeOfDay(text)).toBe(time);
  });
});

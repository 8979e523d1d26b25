import fc from 'fast-check';
import { RRuleTemporal } from 'rrule-temporal';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, test } from 'vitest';
import { checkDefinition } from '../../../src/core/validate.ts';
import { windowState } from '../../../src/core/windows/index.ts';
import { checkRule, readRule } from '../../../src/core/windows/rrule.ts';
import { DAY } from '../../../src/core/windows/zones.ts';
import { allow } from './support.ts';

const START = Date.UTC(2026, 0, 5, 22);
const read = (rule: string, start = START) => readRule(rule, start, 'Europe/Berlin');
const startsOf = (rule: string, days = 30, start = START): string[] =>
  read(rule, start)
    .starts(start, start + days * DAY)
    .map((each) => new Date(each).toISOString().slice(0, 16));

test.each([
  ['FREQ=WEEKLY;BYDAY=2MO', /^BYDAY is 2MO, but a day has a number with FREQ=MONTHLY and FREQ=YEARLY only/],
  ['FREQ=DAILY;BYDAY=MO,-1TU', /^BYDAY is -1TU/],
  ['FREQ=YEARLY;BYWEEKNO=20;BYDAY=1MO', /no number beside BYWEEKNO/],
  ['FREQ=MONTHLY;BYSETPOS=-1', /^BYSETPOS picks from what another part lists, and there is none/],
  ['FREQ=DAILY;BYWEEKNO=20', /^BYWEEKNO means nothing with FREQ=DAILY; it is for YEARLY/],
  ['FREQ=MONTHLY;BYWEEKNO=20', /^BYWEEKNO means nothing with FREQ=MONTHLY/],
  ['FREQ=WEEKLY;BYMONTHDAY=1', /^BYMONTHDAY means nothing with FREQ=WEEKLY/],
  ['FREQ=DAILY;BYYEARDAY=100', /^BYYEARDAY means nothing with FREQ=DAILY/],
  ['FREQ=WEEKLY;BYYEARDAY=100', /^BYYEARDAY means nothing with FREQ=WEEKLY/],
  ['FREQ=MONTHLY;BYYEARDAY=100', /^BYYEARDAY means nothing with FREQ=MONTHLY/],
])('%s, which RFC 5545 forbids, is refused when it is saved', (rule, message) => {
  expect(() => checkRule(rule)).toThrow(message);
  // A window of before keeps its meaning.
  expect(() => read(rule)).not.toThrow();
});

test.each([
  'FREQ=MONTHLY;BYDAY=2MO',
  'FREQ=YEARLY;BYDAY=-1FR;BYMONTH=3',
  'FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO',
  'FREQ=YEARLY;BYYEARDAY=-1',
  'FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1',
  'FREQ=DAILY;BYMONTHDAY=1,15',
  'FREQ=HOURLY;BYMONTHDAY=1;BYDAY=MO',
])('%s, which it allows, is read', (rule) => {
  expect(() => checkRule(rule)).not.toThrow();
});

describe('pasted from a calendar', () => {
  test.each([
    ['DTSTART:20260105T220000Z\nRRULE:FREQ=DAILY', /^DTSTART does not belong into a rule: write it as `start:/],
    ['DTSTART;TZID=Europe/Berlin:20260105T220000\nRRULE:FREQ=DAILY', /^DTSTART/],
    ['RRULE:FREQ=DAILY\nEXDATE:20260107T220000Z', /^EXDATE .* window of kind DENY/],
    ['FREQ=DAILY;EXDATE=20260107T220000Z', /^EXDATE .* window of kind DENY/],
    ['RRULE:FREQ=DAILY\nRDATE:20260107T220000Z', /^RDATE .* another window/],
    ['EXRULE:FREQ=WEEKLY', /^EXRULE .* window of kind DENY/],
  ])('%j is refused with the cure', (rule, message) => {
    expect(() => read(rule)).toThrow(message);
  });

  test.each(['FREQ=DAILY;INTERVAL=2;', 'RRULE:FREQ=DAILY; INTERVAL=2', ' rrule:FREQ=DAILY ;INTERVAL=2 ; \n'])(
    '%j is read',
    (rule) => {
      expect(startsOf(rule, 4)).toEqual(['2026-01-05T22:00', '2026-01-07T22:00']);
    },
  );
});

const upTo = (most: number): string => Array.from({ length: most }, (_, i) => i).join(',');
const ALL_TIMES = `BYHOUR=${upTo(24)};BYMINUTE=${upTo(60)}`;

describe('lists that multiply', () => {
  test.each([
    [`FREQ=YEARLY;${ALL_TIMES};BYYEARDAY=1`, /1440 starts a day \(24 hours × 60 minutes\); at most 1000/],
    [`FREQ=DAILY;${ALL_TIMES}`, /1440 starts a day/],
    [`FREQ=HOURLY;BYMINUTE=${upTo(60)}`, /1440 starts a day/],
    [`FREQ=DAILY;BYHOUR=${upTo(24)};BYMINUTE=0,30;COUNT=5`, /48 starts a day .*at most 24 are possible with COUNT/],
    [`FREQ=MONTHLY;BYHOUR=${upTo(24)};BYMINUTE=0,30;BYSETPOS=1`, /at most 24 are possible with BYSETPOS/],
  ])('%s is refused when it is saved', (rule, message) => {
    expect(() => checkRule(rule)).toThrow(message);
  });

  const days = Array.from({ length: 366 }, (_, i) => i + 1).join(',');
  const minutes = upTo(41);
  test.each([
    ['every day of a year by name', `FREQ=YEARLY;BYHOUR=${upTo(24)};BYMINUTE=${minutes};BYYEARDAY=${days}`],
    ['every day since 1970', `FREQ=DAILY;BYHOUR=${upTo(24)};BYMINUTE=${minutes}`],
    ['every hour since 1970', `FREQ=HOURLY;BYMINUTE=${minutes}`],
    ['counted', `FREQ=YEARLY;BYHOUR=${upTo(24)};BYYEARDAY=${days};COUNT=10000`],
    ['picked', `FREQ=YEARLY;BYHOUR=${upTo(24)};BYYEARDAY=${days};BYSETPOS=${days}`],
  ])('the most that is allowed takes a moment: %s', (_name, rule) => {
    const begin = process.cpuUsage();
    const { starts } = read(rule, Date.UTC(1970, 0, 1, 0));
    const from = Date.UTC(1970, 0, 1);
    expect(starts(from, from + 32 * DAY).length).toBeGreaterThan(300);
    const window = allow({ rrule: rule, start: '1970-01-01T00:00', duration: 60_000 }, 'w');
    const { spec } = window;
    const definition = { kind: 'ReleaseWindow' as const, metadata: { name: 'w', labels: {}, annotations: {} }, spec };
    expect(checkDefinition(definition)).toEqual([]);
    expect(windowState([window], Date.UTC(2026, 0, 1), 'PROMOTE').reason).not.toBe('');
    expect(process.cpuUsage(begin).user / 1_000).toBeLessThan(5_000);
  });
});

test('hours and minutes that are multiplied here are those that the library makes', () => {
  const some = (most: number) => fc.uniqueArray(fc.nat(most), { minLength: 1, maxLength: 4 });
  const base = fc.constantFrom(
    'FREQ=DAILY;INTERVAL=3',
    'FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR',
    'FREQ=WEEKLY',
    'FREQ=MONTHLY;BYDAY=-1FR',
    'FREQ=MONTHLY;BYMONTHDAY=1,-1',
    'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=5',
    'FREQ=YEARLY;BYDAY=2MO',
    'FREQ=HOURLY;INTERVAL=5',
    'FREQ=HOURLY;BYDAY=TU',
  );
  let reached = 0;
  fc.assert(
    fc.property(
      base,
      fc.option(some(23)),
      fc.option(some(59)),
      fc.integer({ min: -2_000 * 1440, max: 20_000 * 1440 }),
      (rule, hours, minutes, minute) => {
        const start = minute * 60_000;
        const text = [rule, hours && `BYHOUR=${hours.join(',')}`, minutes && `BYMINUTE=${minutes.join(',')}`]
          .filter(Boolean)
          .join(';');
        const library = new RRuleTemporal({
          rruleString: text,
          dtstart: new Temporal.ZonedDateTime(BigInt(start) * 1_000_000n, 'UTC'),
          temporal: Temporal,
        });
        const until = start + 45 * DAY;
        const wanted = library
          .between(new Date(start), new Date(until - 1), true)
          .map((each) => each.epochMilliseconds);
        const found = readRule(text, start, 'UTC').starts(start, until);
        expect(found).toEqual(wanted);
        reached += wanted.length;
      },
    ),
    { numRuns: 300 },
  );
  console.log(`${reached} starts compared`);
  expect(reached).toBeGreaterThan(1_000);
});

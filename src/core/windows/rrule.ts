import { RRuleTemporal } from 'rrule-temporal';
import { Temporal } from 'temporal-polyfill';
import { keep } from './keep.ts';
import { DAY, MINUTE, parseWall, toInstants } from './zones.ts';

/**
 * A recurrence rule of RFC 5545 as wall clock. The library is asked in UTC, as the cron library is; UNTIL is judged here,
 * because with `Z` it is an instant of the window's zone and not a wall time. The library overlooks parts that it does
 * not know, and a window with a mistyped part would open at the wrong time: so the parts are checked before.
 */
export interface RuleStarts {
  /** Wall times of the starts in [from, to), sorted. */
  starts: (from: number, to: number) => number[];
}

const range = (least: number, most: number, signed = false) => ({ least, most, signed });
const NUMBERS: Record<string, ReturnType<typeof range>> = {
  BYMONTH: range(1, 12),
  BYMONTHDAY: range(1, 31, true),
  BYYEARDAY: range(1, 366, true),
  BYWEEKNO: range(1, 53, true),
  BYSETPOS: range(1, 366, true),
  BYHOUR: range(0, 23),
  BYMINUTE: range(0, 59),
  INTERVAL: range(1, 10_000),
  COUNT: range(1, 10_000),
};
const ONE_VALUE = ['INTERVAL', 'COUNT', 'FREQ', 'UNTIL', 'WKST'];
const FREQUENCIES = ['HOURLY', 'DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY'];
const WEEKDAY = /^(MO|TU|WE|TH|FR|SA|SU)$/;

const HOUR = 60 * MINUTE;

/** Lists multiply: 24 hours of 60 minutes are 1,440 starts a day, and half a million a year. */
const RULE_LIMITS = {
  startsPerDay: 1_000,
  /** Where the library itself must count (COUNT, BYSETPOS), which takes a thousand times as long. */
  countedStartsPerDay: 24,
};

/** @throws Error with a sentence about the part that is wrong */
export function readRule(text: string, start: number, zone: string): RuleStarts {
  const parts = readParts(text);
  const until = parts.get('UNTIL');
  const { isOver, last } = until === undefined ? FOREVER : readUntil(until, zone);
  parts.delete('UNTIL');
  const { asked, times } = splitTimes(parts, start);
  const rule = new RRuleTemporal({
    rruleString: [...asked].map(([key, value]) => `${key}=${value}`).join(';'),
    dtstart: new Temporal.ZonedDateTime(BigInt(start) * 1_000_000n, 'UTC'),
    temporal: Temporal,
  });
  const counted = parts.has('COUNT') ? wholeList(rule) : undefined;
  const step = parts.get('FREQ') === 'HOURLY' ? 64 * DAY : 512 * DAY;
  const pages = new Map<number, number[]>();
  const page = (index: number): number[] => {
    const known = pages.get(index);
    if (known) return known;
    // Both ends count for the library.
    const [from, to] = [new Date(index * step), new Date((index + 1) * step - 1)];
    const found = rule.between(from, to, true).map((each) => each.epochMilliseconds);
    return keep(pages, index, times ? found.flatMap(times).filter((each) => each >= start) : found, 100);
  };
  return {
    starts(from, to) {
      const within = (each: number): boolean => each >= from && each < to && !isOver(each);
      if (counted) return counted.filter(within);
      const found: number[] = [];
      for (let index = Math.floor(Math.max(from, start) / step); index * step < Math.min(to, last); index += 1) {
        for (const each of page(index)) if (within(each)) found.push(each);
      }
      return found;
    },
  };
}

/** With COUNT a rule has an end, but the library gives up looking for it where nothing ever matches. */
function wholeList(rule: RRuleTemporal<Temporal.ZonedDateTime>): number[] {
  const found: number[] = [];
  try {
    rule.all((each) => found.push(each.epochMilliseconds) > 0);
  } catch (error) {
    if (!/iterations/i.test((error as Error).message)) throw error;
  }
  return found;
}

/**
 * The library is asked for days (HOURLY: for hours) alone, and the lists of hours and minutes are multiplied here: it would make
 * each start by itself. Where it counts starts, it has to know them all.
 */
function splitTimes(
  parts: Map<string, string>,
  start: number,
): { asked: Map<string, string>; times?: (each: number) => number[] } {
  const hourly = parts.get('FREQ') === 'HOURLY';
  const numbers = (key: string): number[] | undefined => parts.get(key)?.split(',').map(Number);
  if (COUNTING.some((key) => parts.has(key)) || !(parts.has('BYHOUR') || parts.has('BYMINUTE')))
    return { asked: parts };
  const hours = new Set(numbers('BYHOUR') ?? [Math.floor(modulo(start, DAY) / HOUR)]);
  const minutes = new Set(numbers('BYMINUTE') ?? [Math.floor(modulo(start, HOUR) / MINUTE)]);
  const asked = new Map(parts);
  asked.delete('BYMINUTE');
  if (!hourly) asked.delete('BYHOUR');
  const [unit, within] = hourly
    ? [HOUR, [...minutes].map((minute) => minute * MINUTE)]
    : [DAY, [...hours].flatMap((hour) => [...minutes].map((minute) => hour * HOUR + minute * MINUTE))];
  const seconds = modulo(start, MINUTE);
  const sorted = within.sort((x, y) => x - y).map((each) => each + seconds);
  return {
    asked,
    times: (each) => {
      const from = Math.floor(each / unit) * unit;
      return sorted.map((time) => from + time);
    },
  };
}

/** The library has to know each start where one of these is. */
const COUNTING = ['COUNT', 'BYSETPOS'];

/** A start before 1970 is a negative number, and still has a time of day. */
const modulo = (value: number, by: number): number => ((value % by) + by) % by;

function readParts(given: string): Map<string, string> {
  refuseOtherLines(given);
  const text = given
    .trim()
    .replace(/^RRULE:/i, '')
    .replace(/;\s*$/, '')
    .toUpperCase();
  const parts = new Map<string, string>();
  for (const written of text.split(';')) {
    const part = written.trim();
    const [key = '', value = '', more] = part.split('=');
    if (value === '' || more !== undefined) throw new Error(`"${part}" is not of the form NAME=VALUE`);
    if (parts.has(key)) throw new Error(`${key} stands there twice`);
    parts.set(key, value);
    const values = value.split(',');
    if (ONE_VALUE.includes(key) && values.length > 1) throw new Error(`${key} has one value`);
    for (const each of values) checkValue(key, each);
  }
  if (!parts.has('FREQ')) throw new Error(`FREQ is missing; it is one of ${FREQUENCIES.join(', ')}`);
  if (parts.has('UNTIL') && parts.has('COUNT')) throw new Error('UNTIL and COUNT exclude each other');
  return parts;
}

/** What calendars write beside a rule: each has its own place here, and what is left out silently opens at the wrong time. */
function refuseOtherLines(text: string): void {
  const other = /\b(DTSTART|DTEND|DURATION|EXDATE|EXRULE|RDATE)\b/i.exec(text)?.[1]?.toUpperCase();
  if (other === undefined) return;
  throw new Error(`${other} does not belong into a rule: ${OTHER_LINES[other]}`);
}

const OTHER_LINES: Record<string, string> = {
  DTSTART: 'write it as `start: 2026-01-05T22:00` and `timeZone`, and here only what stands behind RRULE:',
  DTEND: 'write `duration: 2h` or `end: "06:00"`, and here only what stands behind RRULE:',
  DURATION: 'write it as `duration: 2h`, and here only what stands behind RRULE:',
  EXDATE: 'leave a date out by a window of kind DENY, with `from` and `to`, beside this one',
  EXRULE: 'leave times out by a window of kind DENY, with a rule of its own, beside this one',
  RDATE: 'add a date by another window, with `from` and `to`, beside this one',
};

/**
 * What else is wrong with a rule that can be read. A window that was saved before this was asked keeps its meaning.
 * @throws Error with a sentence about the parts that are wrong together
 */
export function checkRule(text: string): void {
  const parts = readParts(text);
  checkTogether(parts);
  checkAmount(parts);
}

function checkAmount(parts: Map<string, string>): void {
  const size = (key: string, otherwise: number): number => {
    const list = parts.get(key)?.split(',').map(Number);
    return list === undefined ? otherwise : new Set(list).size;
  };
  const hours = size('BYHOUR', parts.get('FREQ') === 'HOURLY' ? 24 : 1);
  const minutes = size('BYMINUTE', 1);
  const counting = COUNTING.find((key) => parts.has(key));
  const most = counting === undefined ? RULE_LIMITS.startsPerDay : RULE_LIMITS.countedStartsPerDay;
  if (hours * minutes <= most) return;
  throw new Error(
    `there are ${hours * minutes} starts a day (${hours} hours × ${minutes} minutes); at most ${most} are possible` +
      `${counting === undefined ? '' : ` with ${counting}`}: name fewer, and let each last longer`,
  );
}

/** RFC 5545, 3.3.10: which parts mean something together. The library takes the others, and reads them as something else. */
function checkTogether(parts: Map<string, string>): void {
  const frequency = parts.get('FREQ')!;
  const wrong = (message: string): never => {
    throw new Error(`${message} (RFC 5545)`);
  };
  const onlyWith = (key: string, frequencies: string[]): void => {
    if (!parts.has(key) || frequencies.includes(frequency)) return;
    wrong(`${key} means nothing with FREQ=${frequency}; it is for ${frequencies.join(', ')}`);
  };
  onlyWith('BYWEEKNO', ['YEARLY']);
  onlyWith('BYYEARDAY', ['YEARLY', 'HOURLY']);
  onlyWith('BYMONTHDAY', ['YEARLY', 'MONTHLY', 'DAILY', 'HOURLY']);
  const numbered = parts
    .get('BYDAY')
    ?.split(',')
    .find((day) => /\d/.test(day));
  if (numbered !== undefined) {
    if (!['YEARLY', 'MONTHLY'].includes(frequency))
      wrong(`BYDAY is ${numbered}, but a day has a number with FREQ=MONTHLY and FREQ=YEARLY only`);
    if (parts.has('BYWEEKNO')) wrong(`BYDAY is ${numbered}, but a day has no number beside BYWEEKNO`);
  }
  const others = [...parts.keys()].some((key) => key.startsWith('BY') && key !== 'BYSETPOS');
  if (parts.has('BYSETPOS') && !others) wrong('BYSETPOS picks from what another part lists, and there is none');
}

function checkValue(key: string, value: string): void {
  const limits = NUMBERS[key];
  if (limits) {
    const { least, most, signed } = limits;
    const fine = (signed ? /^[+-]?\d{1,5}$/ : /^\d{1,5}$/).test(value);
    const size = Math.abs(Number(value));
    if (!fine || size < least || size > most) {
      throw new Error(`${key} is ${value}; it must be from ${least} to ${most}${signed ? ', or minus that' : ''}`);
    }
  } else if (key === 'FREQ') {
    // Finer than an hour belongs into a cron; here each occurrence would be looked up one by one.
    if (!FREQUENCIES.includes(value)) throw new Error(`FREQ is ${value}; it must be one of ${FREQUENCIES.join(', ')}`);
  } else if (key === 'BYDAY' || key === 'WKST') {
    const day = key === 'BYDAY' ? value.replace(/^[+-]?([1-9]|[1-4]\d|5[0-3])(?=[A-Z])/, '') : value;
    if (!WEEKDAY.test(day)) throw new Error(`${key} is ${value}; a day is one of MO, TU, WE, TH, FR, SA, SU`);
  } else if (key !== 'UNTIL') {
    throw new Error(`${key} is not a part that is known here`);
  }
}

interface Until {
  isOver: (start: number) => boolean;
  /** Nothing starts after this wall time; a rough bound, at which the search ends. */
  last: number;
}
const FOREVER: Until = { isOver: () => false, last: Infinity };

/** Inclusive, as in RFC 5545; a date without a time means the whole of that day. */
function readUntil(value: string, zone: string): Until {
  const match = /^(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z)?)?$/.exec(value);
  const [, year, month, day, hour = '00', minute = '00', second = '00', utc] = match ?? [];
  const wall = match ? parseWall(`${year}-${month}-${day}T${hour}:${minute}:${second}`) : undefined;
  if (wall === undefined) throw new Error(`UNTIL is ${value}; write 20261231, 20261231T220000 or 20261231T220000Z`);
  const last = wall + 2 * DAY;
  if (utc) return { isOver: (start) => toInstants(zone, start).earliest > wall, last };
  const latest = match![4] === undefined ? wall + DAY - 1 : wall;
  return { isOver: (start) => start > latest, last };
}

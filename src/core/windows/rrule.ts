import { RRuleTemporal } from 'rrule-temporal';
import { Temporal } from 'temporal-polyfill';
import { DAY, parseWall, toInstants } from './zones.ts';

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

/** @throws Error with a sentence about the part that is wrong */
export function readRule(text: string, start: number, zone: string): RuleStarts {
  const parts = readParts(text);
  const until = parts.get('UNTIL');
  const { isOver, last } = until === undefined ? FOREVER : readUntil(until, zone);
  parts.delete('UNTIL');
  const rule = new RRuleTemporal({
    rruleString: [...parts].map(([key, value]) => `${key}=${value}`).join(';'),
    dtstart: new Temporal.ZonedDateTime(BigInt(start) * 1_000_000n, 'UTC'),
    temporal: Temporal,
  });
  const counted = parts.has('COUNT') ? wholeList(rule) : undefined;
  const step = parts.get('FREQ') === 'HOURLY' ? 64 * DAY : 512 * DAY;
  const pages = new Map<number, number[]>();
  const page = (index: number): number[] => {
    let known = pages.get(index);
    if (!known) {
      if (pages.size > 100) pages.clear();
      // Both ends count for the library.
      const [from, to] = [new Date(index * step), new Date((index + 1) * step - 1)];
      known = rule.between(from, to, true).map((each) => each.epochMilliseconds);
      pages.set(index, known);
    }
    return known;
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

function readParts(text: string): Map<string, string> {
  const parts = new Map<string, string>();
  for (const part of text
    .replace(/^RRULE:/i, '')
    .toUpperCase()
    .split(';')) {
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
  /** Nothing starts after this wall time; roughly, so that nobody looks further. */
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

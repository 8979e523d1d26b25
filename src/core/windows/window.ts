import type { ReleaseWindowSpec } from '../definitions.ts';
import { readCron, type CronTimes } from './cron.ts';
import { keep } from './keep.ts';
import { readRule, type RuleStarts } from './rrule.ts';
import { DAY, END, parseInstant, parseTimeOfDay, parseWall, toInstants } from './zones.ts';

/** A window as the rules look at it; `name` is its identity, never its place in a list. */
export interface ReleaseWindow {
  name: string;
  spec: ReleaseWindowSpec;
}

/** [start, end): wall times or instants, as the place says. */
export interface Span {
  start: number;
  end: number;
}

/** A window that was read once; what it says about days is kept with it. */
export interface Calendar {
  zone: string;
  /** A single occurrence, in instants. */
  once?: Span;
  /**
   * Occurrences in wall time that start in [from, to), by start. Merged: what overlaps or touches within a day is one;
   * the same whole for the rules, because both the earliest and the latest instant of a wall time grow with it.
   */
  spans(from: number, to: number, merged: boolean): Iterable<Span>;
  /** The length of the longest occurrence. */
  reach: number;
  /** Filled by coverage.ts. */
  blocks: Map<number, Span[]>;
}

/** What is wrong with a window's times; `field` is where. */
export class WindowError extends Error {
  readonly field: 'cron' | 'rrule' | 'start' | 'from' | 'to' | 'duration' | 'end' | 'timeZone';
  constructor(field: WindowError['field'], message: string) {
    super(message);
    this.field = field;
  }
}

const calendars = new Map<string, Calendar>();

/**
 * Windows come out of the database anew with each decision: what was read is found again by what it was read from.
 * @throws WindowError; never for a window that passed checkDefinition
 */
export function calendarOf(spec: ReleaseWindowSpec): Calendar {
  const { kind, timeZone, cron, rrule, start, from, to, duration, end } = spec;
  const key = JSON.stringify([kind, timeZone, cron, rrule, start, from, to, duration, end]);
  const known = calendars.get(key);
  if (known) return known;
  return keep(calendars, key, readCalendar(spec), 2000);
}

function readCalendar(spec: ReleaseWindowSpec): Calendar {
  const zone = spec.timeZone;
  const never = { spans: () => [], reach: 0 };
  if (spec.from !== undefined) return { zone, blocks: new Map(), ...never, once: readOnce(spec) };
  const endOf = readEnd(spec);
  if (spec.cron !== undefined) {
    const times = reading('cron', () => readCron(spec.cron!));
    return { zone, blocks: new Map(), ...cronSpans(times, endOf) };
  }
  const start = parseWall(spec.start ?? '');
  if (start === undefined) throw new WindowError('start', NOT_LOCAL(spec.start));
  const rule = reading('rrule', () => readRule(spec.rrule ?? '', start, zone));
  return { zone, blocks: new Map(), ...ruleSpans(rule, endOf, spec.duration ?? DAY) };
}

const NOT_LOCAL = (text: string | undefined): string =>
  `${JSON.stringify(text)} must be a local time such as 2026-01-05T22:00`;

function reading<T>(field: WindowError['field'], read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new WindowError(field, (error as Error).message);
  }
}

/** A one-off's end in a repeated hour follows the kind, as every other. */
function readOnce({ kind, timeZone, from, to }: ReleaseWindowSpec): Span {
  const side = (field: 'from' | 'to', text: string | undefined, which: 'earliest' | 'latest'): number => {
    const wall = parseWall(text ?? '');
    const instant = wall === undefined ? parseInstant(text ?? '') : toInstants(timeZone, wall)[which];
    if (instant !== undefined) return instant;
    throw new WindowError(field, `${NOT_LOCAL(text)}, or an instant such as 2026-01-05T22:00:00Z`);
  };
  return { start: side('from', from, 'earliest'), end: side('to', to, END[kind]) };
}

function readEnd({ duration, end }: ReleaseWindowSpec): (start: number) => number {
  if (duration !== undefined) return (start) => start + duration;
  const time = parseTimeOfDay(end ?? '');
  if (time === undefined) throw new WindowError('end', `${JSON.stringify(end)} must be a time of day such as 06:00`);
  return (start) => {
    const same = dayOf(start) * DAY + time;
    return same > start ? same : same + DAY;
  };
}

export const dayOf = (wall: number): number => Math.floor(wall / DAY);

function cronSpans({ times, isDay }: CronTimes, endOf: (start: number) => number): Pick<Calendar, 'spans' | 'reach'> {
  const single = times.map((start) => ({ start, end: endOf(start) }));
  const merged = join(single);
  return {
    reach: Math.max(...single.map(({ start, end }) => end - start)),
    *spans(from, to, asMerged) {
      for (let day = dayOf(from); day * DAY < to; day += 1) {
        if (!isDay(day)) continue;
        for (const { start, end } of asMerged ? merged : single) {
          const at = day * DAY + start;
          // A merged span that begins before `from` still holds occurrences that begin after it.
          if (at < to && (at >= from || asMerged)) yield { start: at, end: day * DAY + end };
        }
      }
    },
  };
}

function ruleSpans(
  { starts }: RuleStarts,
  endOf: (start: number) => number,
  reach: number,
): Pick<Calendar, 'spans' | 'reach'> {
  return {
    reach,
    *spans(from, to, merged) {
      const all = starts(from, to).map((start) => ({ start, end: endOf(start) }));
      yield* merged ? join(all) : all;
    },
  };
}

/** Spans by start, those that overlap or touch made one. */
export function join(spans: Iterable<Span>): Span[] {
  const joined: Span[] = [];
  for (const { start, end } of spans) {
    const last = joined.at(-1);
    if (last && start <= last.end) last.end = Math.max(last.end, end);
    else joined.push({ start, end });
  }
  return joined;
}

import type { ReleaseWindowSpec } from '../../../src/core/definitions.ts';

/**
 * Windows again, slowly and in another way: the wall clock of every minute is asked from Intl, starts are found by
 * looking at every minute of the calendar, and the rules are said without gaps and folds:
 *
 * - the earliest instant of a wall time is the first minute at which the clock shows it or something later;
 * - the latest one is the last minute at which the clock shows it; where it never does, the first after the gap.
 *
 * Nothing of src is used but the type. Whole minutes only.
 */

const MINUTE = 60_000;
const DAY_MINUTES = 1440;

/** Minutes since 1970 around a moment, and what the clock of a zone shows at each: minutes since 1970, as if in UTC. */
export interface Scene {
  zone: string;
  /** Of the first minute. */
  from: number;
  wall: number[];
  /** wall[0..i]'s greatest, and the least of wall[i..]. */
  highest: number[];
  lowest: number[];
}

export function sceneOf(zone: string, center: number, days: number): Scene {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  });
  const from = Math.floor(center / MINUTE) - days * DAY_MINUTES;
  const wall: number[] = [];
  for (let minute = from; minute < from + 2 * days * DAY_MINUTES; minute += 1) {
    const [month, day, year, hour, min] = format
      .format(minute * MINUTE)
      .match(/\d+/g)!
      .map(Number);
    wall.push(Date.UTC(year!, month! - 1, day, hour, min) / MINUTE);
  }
  const highest: number[] = [];
  const lowest: number[] = [...wall];
  wall.forEach((each, i) => highest.push(Math.max(each, highest[i - 1] ?? -Infinity)));
  for (let i = wall.length - 2; i >= 0; i -= 1) lowest[i] = Math.min(wall[i]!, lowest[i + 1]!);
  return { zone, from, wall, highest, lowest };
}

/** Index of the first minute at which the clock has reached `wall`; the scene's length when it never does. */
const firstReached = ({ highest }: Scene, wall: number): number => firstFrom(highest, wall);

/** Index of the last minute at which the clock shows `wall`; when it does not, of the first that is past it for good. */
function lastShown({ wall: clock, lowest }: Scene, wall: number): number {
  const past = firstFrom(lowest, wall + 1);
  return clock[past - 1] === wall ? past - 1 : past;
}

/** Both lists only grow, so halving finds the place. */
function firstFrom(growing: number[], wall: number): number {
  let [low, high] = [0, growing.length];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (growing[middle]! >= wall) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Whether the window is active, for each minute of the scene (of its own zone). Its first days are not to be trusted. */
export function activity(spec: ReleaseWindowSpec, scene: Scene): boolean[] {
  const change = Array.from({ length: scene.wall.length + 1 }, () => 0);
  for (const { start, end } of oracleOccurrences(spec, scene)) {
    change[start]! += 1;
    change[end]! -= 1;
  }
  let open = 0;
  return scene.wall.map((_, i) => (open += change[i]!) > 0);
}

/** Indices of minutes, [start, end). */
export function oracleOccurrences(spec: ReleaseWindowSpec, scene: Scene): { start: number; end: number }[] {
  const found: { start: number; end: number }[] = [];
  const add = (start: number, end: number): void => {
    const [from, to] = [
      firstReached(scene, start),
      spec.kind === 'DENY' ? lastShown(scene, end) : firstReached(scene, end),
    ];
    if (to > from) found.push({ start: from, end: to });
  };
  const wallOf = (text: string): number => Date.parse(`${text}:00Z`) / MINUTE;
  if (spec.from !== undefined) {
    add(wallOf(spec.from), wallOf(spec.to!));
    return found;
  }
  const starts = spec.cron === undefined ? ruleTest(spec.rrule!, wallOf(spec.start!)) : cronTest(spec.cron);
  for (let wall = scene.wall[0]!; wall < scene.wall.at(-1)!; wall += 1) {
    if (starts(wall)) add(wall, endOf(wall, spec));
  }
  return found;
}

function endOf(start: number, { duration, end }: ReleaseWindowSpec): number {
  if (duration !== undefined) return start + duration / MINUTE;
  const [hour, minute] = end!.split(':').map(Number) as [number, number];
  let wall = start + 1;
  while (((wall % DAY_MINUTES) + DAY_MINUTES) % DAY_MINUTES !== hour * 60 + minute) wall += 1;
  return wall;
}

const NAMES = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

function cronTest(cron: string): (wall: number) => boolean {
  const [minute, hour, day, month, weekday] = cron.split(' ') as [string, string, string, string, string];
  const value = (text: string): number => (NAMES.includes(text) ? NAMES.indexOf(text) : Number(text));
  const valuesOf = (field: string, least: number): Set<number> => {
    const values = new Set<number>();
    for (const part of field.split(',')) {
      const [range, step = '1'] = part.split('/') as [string, string?];
      const [low, high = low] = range.split('-') as [string, string?];
      const first = range === '*' ? least : value(low);
      const last = range === '*' ? 59 : value(high);
      for (let each = first; each <= last; each += Number(step)) values.add(each);
    }
    return values;
  };
  const [minutes, hours, days] = [valuesOf(minute, 0), valuesOf(hour, 0), valuesOf(day, 1)];
  const [months, weekdays] = [valuesOf(month, 1), valuesOf(weekday, 0)];
  return (wall) => {
    const date = new Date(wall * MINUTE);
    if (!minutes.has(date.getUTCMinutes()) || !hours.has(date.getUTCHours())) return false;
    if (!months.has(date.getUTCMonth() + 1)) return false;
    const byDay = days.has(date.getUTCDate());
    const byWeekday = weekdays.has(date.getUTCDay()) || (date.getUTCDay() === 0 && weekdays.has(7));
    return day !== '*' && weekday !== '*' ? byDay || byWeekday : byDay && byWeekday;
  };
}

/** DAILY and WEEKLY with INTERVAL and BYDAY, MONTHLY with one BYDAY such as -1FR or BYMONTHDAY, YEARLY with a date. */
function ruleTest(rule: string, start: number): (wall: number) => boolean {
  const parts = Object.fromEntries(rule.split(';').map((part) => part.split('='))) as Record<string, string>;
  const interval = Number(parts.INTERVAL ?? 1);
  const timeOfDay = ((start % DAY_MINUTES) + DAY_MINUTES) % DAY_MINUTES;
  const firstDay = (start - timeOfDay) / DAY_MINUTES;
  const monday = (day: number): number => Math.floor((day + 3) / 7);
  const until =
    parts.UNTIL === undefined
      ? Infinity
      : Date.parse(parts.UNTIL.replace(/^(....)(..)(..)$/, '$1-$2-$3')) / MINUTE + DAY_MINUTES;
  return (wall) => {
    const day = Math.floor(wall / DAY_MINUTES);
    if (wall < start || wall >= until || wall - day * DAY_MINUTES !== timeOfDay) return false;
    const date = new Date(wall * MINUTE);
    const name = NAMES[date.getUTCDay()]!.slice(0, 2);
    const months = date.getUTCFullYear() * 12 + date.getUTCMonth();
    const first = new Date(start * MINUTE);
    switch (parts.FREQ) {
      case 'DAILY':
        return (day - firstDay) % interval === 0 && (parts.BYDAY?.split(',').includes(name) ?? true);
      case 'WEEKLY':
        return (monday(day) - monday(firstDay)) % interval === 0 && parts.BYDAY!.split(',').includes(name);
      case 'MONTHLY': {
        if ((months - first.getUTCFullYear() * 12 - first.getUTCMonth()) % interval !== 0) return false;
        const days = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
        if (parts.BYMONTHDAY !== undefined) {
          const wanted = Number(parts.BYMONTHDAY);
          return date.getUTCDate() === (wanted > 0 ? wanted : days + 1 + wanted);
        }
        const [, nth, weekday] = /^(-?\d)(..)$/.exec(parts.BYDAY!)!;
        const place =
          Number(nth) > 0 ? Math.ceil(date.getUTCDate() / 7) : -Math.ceil((days - date.getUTCDate() + 1) / 7);
        return name === weekday && place === Number(nth);
      }
      default:
        return date.getUTCMonth() + 1 === Number(parts.BYMONTH) && date.getUTCDate() === Number(parts.BYMONTHDAY);
    }
  };
}

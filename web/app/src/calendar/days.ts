/** Days of a zone as instants. What windows do comes from the server; here is only where midnight is. Instants are milliseconds since the epoch. */

const DAY_MS = 86_400_000;
const formats = new Map<string, Intl.DateTimeFormat>();

function partsOf(at: number, zone: string): Record<string, string> {
  const format =
    formats.get(zone) ??
    new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    });
  formats.set(zone, format);
  return Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
}

/** How far the clocks of a zone are ahead of UTC at an instant, in minutes. */
export function offsetAt(at: number, zone: string): number {
  const { year, month, day, hour, minute, second } = partsOf(at, zone);
  const local = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  return Math.round((local - Math.floor(at / 1000) * 1000) / 60_000);
}

/** `UTC+05:30`. */
export function sayOffset(minutes: number): string {
  const two = (n: number): string => String(n).padStart(2, '0');
  const all = Math.abs(minutes);
  return `UTC${minutes < 0 ? '-' : '+'}${two(Math.floor(all / 60))}:${two(all % 60)}`;
}

/** The day of an instant in a zone: `2026-11-29`. */
export function dayAt(at: number, zone: string): string {
  const { year, month, day } = partsOf(at, zone);
  return `${year}-${month}-${day}`;
}

/** An instant on the clock of a zone: `2026-11-29T16:30`. */
export function localAt(at: number, zone: string): string {
  const { hour, minute } = partsOf(at, zone);
  return `${dayAt(at, zone)}T${hour}:${minute}`;
}

/** The instant of a local time, such as `2026-11-29T16:30`; of one that the clocks leave out, the first one after it. */
export function instantOf(local: string, zone: string): number {
  const naive = Date.parse(`${local}Z`);
  // The offset is that of one of the instants around it.
  const candidates = [naive - DAY_MS, naive + DAY_MS].map((near) => naive - offsetAt(near, zone) * 60_000);
  return candidates.find((each) => localAt(each, zone) === local) ?? Math.max(...candidates);
}

/** `2026-11-29` and so many days later. */
export const addDays = (day: string, days: number): string =>
  new Date(Date.parse(`${day}T00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);

export interface Day {
  day: string;
  /** The instants at which it begins and is over. */
  from: number;
  to: number;
  /** Offsets in minutes where its clocks change; null: they do not. */
  change: { before: number; after: number } | null;
}

/** The days of the week, from Monday, or of the month that `day` is in. */
export function daysOf(span: 'week' | 'month', day: string, zone: string): Day[] {
  const at = new Date(`${day}T00:00Z`);
  const first = span === 'week' ? addDays(day, -((at.getUTCDay() + 6) % 7)) : addDays(day, 1 - at.getUTCDate());
  const many = span === 'week' ? 7 : new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 0)).getUTCDate();
  return Array.from({ length: many }, (_, index) => {
    const name = addDays(first, index);
    const from = instantOf(`${name}T00:00`, zone);
    const to = instantOf(`${addDays(name, 1)}T00:00`, zone);
    const [before, after] = [offsetAt(from, zone), offsetAt(to, zone)];
    return { day: name, from, to, change: before === after ? null : { before, after } };
  });
}

/** The day by which the span before (-1) or after (1) is asked for. */
export function stepOf(span: 'week' | 'month', day: string, step: -1 | 1): string {
  if (span === 'week') return addDays(day, 7 * step);
  const at = new Date(`${day}T00:00Z`);
  return new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + step, 1)).toISOString().slice(0, 10);
}

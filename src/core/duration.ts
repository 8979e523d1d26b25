import parse from 'parse-duration';

const UNITS = [
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const;

// parse-duration finds a duration in any text ("5 apples and 3s"); a definition must say nothing else.
const SHAPE = /^(?=\d)(\d+(\.\d+)?w)?(\d+(\.\d+)?d)?(\d+(\.\d+)?h)?(\d+(\.\d+)?m)?(\d+(\.\d+)?s)?(\d+ms)?$/;

/** `90s`, `1h30m`, `2d`, `250ms` → whole milliseconds; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  if (text.length > 50 || !SHAPE.test(text)) return undefined;
  const value = parse(text) ?? 0;
  // 0.1h is 360000.00000000006 in floating point; 0.0001s is really less than a millisecond.
  const whole = Math.round(value);
  return Number.isSafeInteger(whole) && Math.abs(value - whole) < 1e-6 ? whole : undefined;
}

/** 5400000 → `1h30m`. Hours are the largest unit: a day of `24h` cannot be mistaken for a calendar day. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds === 0) return '0s';
  let left = milliseconds;
  let text = '';
  for (const [unit, size] of UNITS) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0) text += `${count}${unit}`;
  }
  return text;
}

const DAY = 86_400_000;

/** As people say it: `20s`, `1h30m`, and `30d` where it is whole days and more than one. */
export function spell(milliseconds: number): string {
  const days = milliseconds / DAY;
  return Number.isInteger(days) && days > 1 ? `${days}d` : formatDuration(milliseconds);
}

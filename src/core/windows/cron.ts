import { Cron } from 'croner';
import { keep } from './keep.ts';
import { DAY, MINUTE } from './zones.ts';

/**
 * A cron of five fields as wall clock: at which times of which days. croner reads the fields and knows which days match
 * (lists, ranges, names, L, W, #, and the old rule that day of month and day of week are an OR when both are given). It
 * is asked in UTC only, where no clock ever changes: what it does about daylight saving time is not what we promise.
 */
export interface CronTimes {
  /** Sorted, in milliseconds since midnight. */
  times: number[];
  /** @param day days since 1970-01-01 */
  isDay: (day: number) => boolean;
}

const FIELDS = [
  ['minute', /^[\d*/,-]+$/],
  ['hour', /^[\d*/,-]+$/],
  ['day of month', /^[\d*/,\-LW]+$/i],
  ['month', /^[\dA-Z*/,-]+$/i],
  ['day of week', /^[\dA-Z*/,\-#]+$/i],
] as const;

/** Days are remembered; a pattern that is asked about whole centuries does not keep them all. */
const MAX_DAYS = 20_000;

/** @throws Error with a sentence about the field that is wrong */
export function readCron(text: string): CronTimes {
  const parts = text.trim().split(/\s+/);
  if (parts.length !== 5) {
    throw new Error(
      `a cron has 5 fields (minute, hour, day of month, month, day of week), this one has ${parts.length}`,
    );
  }
  for (const [i, [name, shape]] of FIELDS.entries()) {
    if (!shape.test(parts[i]!)) throw new Error(`the ${name} "${parts[i]}" cannot be read`);
  }
  const [minute, hour, ...date] = parts as [string, string, string, string, string];
  const minutes = runsOf(`${minute} * * * *`, 60, MINUTE);
  const hours = runsOf(`0 ${hour} * * *`, 24, 60 * MINUTE);
  const times = hours.flatMap((each) => minutes.map((within) => each + within));
  const days = pattern(`0 0 ${date.join(' ')}`);
  // The usual cron names weekdays only, so seven answers are enough for it.
  const weekly = date[0] === '*' && date[1] === '*' && !/[#L]/i.test(date[2]);
  const known = new Map<number, boolean>();
  const isDay = (day: number): boolean => {
    const key = weekly ? ((day % 7) + 7) % 7 : day;
    const matches = (): boolean => days.match(new Date((weekly ? WEEK_START + key : key) * DAY));
    return known.get(key) ?? keep(known, key, matches(), MAX_DAYS);
  };
  return { times, isDay };
}

/** A Thursday, as day 0 is: a multiple of 7. */
const WEEK_START = 19_005;

function pattern(text: string): Cron {
  try {
    return new Cron(text, { utcOffset: 0, mode: '5-part' });
  } catch (error) {
    throw new Error((error as Error).message.replace(/^CronPattern: /, ''), { cause: error });
  }
}

/** Which of the first `most` steps of a day match. */
function runsOf(text: string, most: number, step: number): number[] {
  const cron = pattern(text);
  return Array.from({ length: most }, (_, i) => i * step).filter((each) => cron.match(new Date(each)));
}

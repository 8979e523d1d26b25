import type { ReleaseWindowSpec } from '../../../src/core/definitions.ts';
import type { ReleaseWindow } from '../../../src/core/windows/index.ts';
import { fc } from '../property.ts';
import { sceneOf, type Scene } from './oracle.ts';
import { windowOf } from './support.ts';

export const MINUTE = 60_000;
/** Half of a scene, and how much at its begin and end is left out: the longest window and two days. */
export const [DAYS, EDGE] = [8, 5];

/** Zone and moment: gaps and folds of an hour, of half an hour, of two hours, at midnight, of a whole day; none. */
const MOMENTS = [
  ['America/New_York', '2026-03-08'],
  ['America/New_York', '2026-11-01'],
  ['Europe/London', '2026-03-29'],
  ['Europe/London', '2026-10-25'],
  ['Australia/Lord_Howe', '2026-04-05'],
  ['Australia/Lord_Howe', '2026-10-04'],
  ['America/Sao_Paulo', '2018-11-04'],
  ['America/Sao_Paulo', '2018-02-18'],
  ['Pacific/Apia', '2011-12-30'],
  ['Antarctica/Troll', '2026-03-29'],
  ['America/Havana', '2025-11-02'],
  ['Africa/Casablanca', '2026-02-15'],
  ['Asia/Kolkata', '2024-02-29'],
  ['Europe/Berlin', '2025-12-31'],
  ['UTC', '2028-02-29'],
] as const;

const scenes = new Map<string, Scene>();
export function scene(zone: string, day: string): Scene {
  const key = `${zone} ${day}`;
  if (!scenes.has(key)) scenes.set(key, sceneOf(zone, Date.parse(`${day}T00:00Z`), DAYS));
  return scenes.get(key)!;
}

const two = (value: number): string => String(value).padStart(2, '0');
const pick = fc.constantFrom;
/** Times of day where clocks change are the interesting ones. */
const hour = fc.oneof(pick(0, 1, 2, 3, 22, 23), fc.nat(23));
const minute = fc.oneof(pick(0, 15, 30, 45), fc.nat(59));
const timeOfDay = fc.tuple(hour, minute).map(([h, m]) => `${two(h)}:${two(m)}`);
const duration = fc
  .oneof(
    fc.integer({ min: 1, max: 90 }),
    fc.integer({ min: 1, max: 600 }),
    fc.integer({ min: 600, max: 3 * 1440 }),
    pick(60, 1440),
  )
  .map((minutes) => minutes * MINUTE);
const length = fc.oneof(
  duration.map((each) => ({ duration: each })),
  timeOfDay.map((end) => ({ end })),
);
const cron = fc
  .record({
    minute: fc.oneof(minute.map(String), minute.map(String), pick('*/20', '0,30', '5-59/27', '*')),
    hour: fc.oneof(hour.map(String), hour.map(String), pick('*', '1-3', '0,2,22', '*/6')),
    date: pick(
      '* * *',
      '* * *',
      '* * SUN',
      '* * MON-FRI',
      '* * 5-7',
      '1,15,29-31 * *',
      '1 * SAT',
      '* 2,3,11,12 *',
      '*/2 * 0',
    ),
  })
  .map((each) => ({ cron: `${each.minute} ${each.hour} ${each.date}` }));
const rule = pick(
  'FREQ=DAILY',
  'FREQ=DAILY;INTERVAL=3',
  'FREQ=DAILY;BYDAY=MO,SU',
  'FREQ=WEEKLY;BYDAY=SU',
  'FREQ=WEEKLY;INTERVAL=2;BYDAY=SA,SU',
  'FREQ=MONTHLY;BYDAY=-1SU',
  'FREQ=MONTHLY;BYDAY=1SU',
  'FREQ=MONTHLY;BYMONTHDAY=-1',
  'FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=29',
  'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29',
  'FREQ=DAILY;UNTIL=20260308',
);

export interface Case {
  day: string;
  windows: ReleaseWindow[];
}
const day = (base: string, offset: number): string =>
  new Date(Date.parse(`${base}T00:00Z`) + offset * 86_400_000).toISOString().slice(0, 10);

const timesOf = (moment: string): fc.Arbitrary<Partial<ReleaseWindowSpec>> =>
  fc.oneof(
    { weight: 4, arbitrary: fc.tuple(cron, length).map(([a, b]) => ({ ...a, ...b })) },
    {
      weight: 2,
      arbitrary: fc
        .tuple(rule, timeOfDay, fc.integer({ min: -900, max: -8 }), length)
        .map(([rrule, time, offset, b]) => ({ rrule, start: `${day(moment, offset)}T${time}`, ...b })),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.integer({ min: -3, max: 2 }), timeOfDay, fc.nat(2), timeOfDay)
        .map(([offset, from, days, to]) => ({
          from: `${day(moment, offset)}T${from}`,
          to: `${day(moment, offset + days)}T${to}`,
        })),
    },
  );

/** Mostly the zone whose clocks change; now and then others beside it. */
export const anyCase: fc.Arbitrary<Case> = pick(...MOMENTS).chain(([zone, moment]) => {
  const zones = fc.oneof(
    { weight: 6, arbitrary: fc.constant<string>(zone) },
    { weight: 1, arbitrary: pick('UTC', 'Asia/Kolkata') },
  );
  const window = fc
    .tuple(pick('ALLOW' as const, 'DENY' as const), zones, timesOf(moment), fc.boolean())
    .map(([kind, timeZone, times, runway]) => windowOf({ kind, timeZone, ...times, runway }))
    // An end that is the start is refused by checkDefinition; the occurrence would be a day long.
    .filter(({ spec }) => spec.end === undefined || !mayStartAt(spec, spec.end));
  return fc.array(window, { minLength: 1, maxLength: 4 }).map((windows) => ({ day: moment, windows }));
});
function mayStartAt({ cron: text, start }: ReleaseWindowSpec, end: string): boolean {
  if (start !== undefined) return start.endsWith(end);
  return (
    text === undefined ||
    !/^\d+ \d+ /.test(text) ||
    text.startsWith(`${Number(end.slice(3))} ${Number(end.slice(0, 2))} `)
  );
}

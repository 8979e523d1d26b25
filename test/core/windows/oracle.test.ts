import { expect, test } from 'vitest';
import { occurrences, windowState } from '../../../src/core/windows/index.ts';
import { fc } from '../property.ts';
import { anyCase, DAYS, EDGE, MINUTE, scene, type Case } from './arbitrary.ts';
import { activity, oracleOccurrences } from './oracle.ts';

/*
 * Random windows in random zones around moments at which clocks change, against the oracle: a minute is open or closed
 * for both, the next change is the same, and so is each occurrence.
 *
 * Bugs that were planted in src/core/windows, and who found them (the table with the state tests, or this file):
 *
 * | bug | found by |
 * | --- | --- |
 * | DENY ends at the earliest; ALLOW ends at the latest; starts at the latest | table, oracle |
 * | a gap moves by its length; a gap moves back | table |
 * | duration elapsed instead of wall clock | table |
 * | ALLOW wins over DENY; ALLOWs are AND-ed; an end counts | table |
 * | what began in an earlier block of days is forgotten | table |
 * | an end before the start stays on the same day | table |
 * | a runway ignores the window that takes over | oracle |
 * | a runway looks at DENY only | table |
 * | UNTIL too early | oracle |
 * | weekdays off by one; the clock change of the next day counts; a skipped day is not seen | table |
 * | blocks of days are not joined | nobody: windowState asks again at each end; only slower |
 */

interface Line {
  from: number;
  closed: boolean[];
  active: boolean[][];
}
/** The oracle's precedence, minute by minute. */
function lineOf({ day: moment, windows }: Case): Line {
  const active = windows.map(({ spec }) => activity(spec, scene(spec.timeZone, moment)));
  const of = (kind: 'ALLOW' | 'DENY') => windows.flatMap(({ spec }, i) => (spec.kind === kind ? [i] : []));
  const [allows, denies] = [of('ALLOW'), of('DENY')];
  const closed = active[0]!.map((_, minuteAt) => {
    if (denies.some((i) => active[i]![minuteAt])) return true;
    return allows.length > 0 && !allows.some((i) => active[i]![minuteAt]);
  });
  return { from: scene(windows[0]!.spec.timeZone, moment).from, closed, active };
}

const FIRST = EDGE * 1440;
const LAST = (2 * DAYS - EDGE) * 1440;
/** Where states are asked: around every change of the oracle's, around the clock change, and anywhere. */
function minutesToAsk(closed: boolean[], random: number[]): number[] {
  const changes: number[] = [];
  for (let i = FIRST; i < LAST; i += 1) if (closed[i] !== closed[i - 1]) changes.push(i - 1, i);
  const middle = DAYS * 1440;
  return [
    ...changes.slice(0, 40),
    ...random.map((each) => middle - 1440 + each),
    ...random.map((each) => FIRST + each * 5),
  ];
}

function nextChange(line: boolean[], from: number, to: boolean): number | null {
  for (let i = from + 1; i < line.length; i += 1) if (line[i] === to && line[i - 1] !== to) return i;
  return null;
}

const reached: Record<string, number> = {};
const reach = (what: string, yes = true): void => {
  if (yes) reached[what] = (reached[what] ?? 0) + 1;
};

test('open or closed, and when that changes, as the oracle says for each minute', { timeout: 120_000 }, () => {
  fc.assert(
    fc.property(anyCase, fc.array(fc.nat(2880), { minLength: 10, maxLength: 10 }), (each, random) => {
      const { from, closed, active } = lineOf(each);
      for (const i of minutesToAsk(closed, random)) {
        if (i < FIRST || i >= LAST) continue;
        const instant = (from + i) * MINUTE;
        const state = windowState(each.windows, instant, 'PROMOTE');
        expect([i, state.closed]).toEqual([i, closed[i]]);
        // Within the minute nothing changes.
        expect(windowState(each.windows, instant + MINUTE - 1, 'PROMOTE').closed).toBe(closed[i]);
        for (const [mine, wanted] of [
          [state.nextOpen, nextChange(closed, i, false)],
          [state.nextClose, nextChange(closed, i, true)],
        ] as const) {
          // Near its end the scene does not know whether what is cut off there goes on.
          if (wanted !== null && wanted < LAST) expect((mine ?? 0) / MINUTE - from).toBe(wanted);
          else expect(mine === null || mine / MINUTE - from >= LAST).toBe(true);
          reach('a next change', wanted !== null && wanted < LAST);
        }
        noteState(each, active, i, closed[i]!);
      }
      noteScene(each);
    }),
    { numRuns: 150 },
  );
  const wanted = [
    'open',
    'closed',
    'DENY over ALLOW',
    'outside of all ALLOW',
    'two ALLOW at once',
    'several zones',
    'a next change',
  ];
  const shapes = ['cron', 'rrule', 'one-off', 'duration', 'end', 'gap', 'fold', 'no clock change'];
  console.log('states reached:', JSON.stringify(reached));
  for (const what of [...wanted, ...shapes]) expect([what, (reached[what] ?? 0) > 20]).toEqual([what, true]);
});

function noteState({ windows }: Case, active: boolean[][], i: number, isClosed: boolean): void {
  const on = (kind: string): number => windows.filter(({ spec }, w) => spec.kind === kind && active[w]![i]).length;
  reach(isClosed ? 'closed' : 'open');
  reach('DENY over ALLOW', on('DENY') > 0 && on('ALLOW') > 0);
  reach('outside of all ALLOW', isClosed && on('DENY') === 0);
  reach('two ALLOW at once', on('ALLOW') > 1);
}

function noteScene({ day: moment, windows }: Case): void {
  reach('several zones', new Set(windows.map(({ spec }) => spec.timeZone)).size > 1);
  for (const { spec } of windows) {
    const steps = scene(spec.timeZone, moment).wall.map((wall, i, all) => wall - (all[i - 1] ?? wall - 1));
    const [jump, back] = [steps.some((step) => step > 1), steps.some((step) => step < 1)];
    reach('gap', jump);
    reach('fold', back);
    reach('no clock change', !jump && !back);
    reach(spec.cron !== undefined ? 'cron' : spec.rrule !== undefined ? 'rrule' : 'one-off');
    reach(spec.duration !== undefined ? 'duration' : spec.end !== undefined ? 'end' : 'to');
  }
}

test('a runway closes by so much earlier, as the oracle says', { timeout: 120_000 }, () => {
  let held = 0;
  fc.assert(
    fc.property(
      anyCase,
      fc.integer({ min: 1, max: 600 }),
      fc.array(fc.nat(2880), { minLength: 10, maxLength: 10 }),
      (each, runway, random) => {
        const { from, closed, active } = lineOf(each);
        for (const i of minutesToAsk(closed, random)) {
          if (i < FIRST || i >= LAST) continue;
          let wanted = closed[i]!;
          if (!wanted) {
            const end = nextChange(closed, i, true);
            if (end === null) continue;
            const denied = each.windows.some(({ spec }, w) => spec.kind === 'DENY' && spec.runway && active[w]![end]);
            const anyAllow = each.windows.some(({ spec }, w) => spec.kind === 'ALLOW' && active[w]![end]);
            const over = each.windows.some(
              ({ spec }, w) => spec.kind === 'ALLOW' && spec.runway && active[w]![end - 1],
            );
            wanted = (denied || (!anyAllow && over)) && i + runway >= end;
            if (wanted) held += 1;
          }
          const state = windowState(each.windows, (from + i) * MINUTE, 'PROMOTE', { runwayMs: runway * MINUTE });
          expect([i, state.closed]).toEqual([i, wanted]);
          // Whatever it promises holds.
          for (const [change, then] of [
            [state.nextOpen, false],
            [state.nextClose, true],
          ] as const) {
            if (change === null) continue;
            const options = { runwayMs: runway * MINUTE };
            expect(windowState(each.windows, change, 'PROMOTE', options).closed).toBe(then);
            expect(windowState(each.windows, change - 1, 'PROMOTE', options).closed).toBe(!then);
          }
        }
      },
    ),
    { numRuns: 60 },
  );
  console.log(`held by a runway: ${held}`);
  expect(held).toBeGreaterThan(30);
});

test('each occurrence, and whether its days have a clock change, as the oracle says', { timeout: 120_000 }, () => {
  let [compared, marked] = [0, 0];
  fc.assert(
    fc.property(anyCase, fc.nat(2880), ({ day: moment, windows }, offset) => {
      for (const window of windows) {
        const { from, wall } = scene(window.spec.timeZone, moment);
        const start = DAYS * 1440 - 1440 + offset;
        const all = oracleOccurrences(window.spec, scene(window.spec.timeZone, moment));
        const wanted = all.filter((each) => each.end > start && each.end < LAST).slice(0, 5);
        const mine = occurrences(window, (from + start) * MINUTE, 5).slice(0, wanted.length);
        expect(mine.map((each) => [each.start / MINUTE - from, each.end / MINUTE - from])).toEqual(
          wanted.map((each) => [each.start, each.end]),
        );
        for (const [i, each] of wanted.entries()) {
          // By days: the ones that the clock shows while it is under way, and all minutes that show one of them.
          const days = new Set(wall.slice(each.start, each.end).map((minuteAt) => Math.floor(minuteAt / 1440)));
          const changes = wall.some((now, at) => {
            const before = wall[at - 1] ?? now - 1;
            if (now - before === 1) return false;
            const touched = now - before > 1 ? [now, before + 1] : [now, before];
            return touched.some((minuteAt) => days.has(Math.floor(minuteAt / 1440)));
          });
          expect(mine[i]!.clockChange).toBe(changes);
          compared += 1;
          if (mine[i]!.clockChange) marked += 1;
        }
      }
    }),
    { numRuns: 150 },
  );
  console.log(`occurrences compared: ${compared}, with a clock change: ${marked}`);
  expect(marked).toBeGreaterThan(50);
});

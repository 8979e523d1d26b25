import { expect, test } from 'vitest';
import {
  clockChangesIn,
  occurrences,
  occurrencesBetween,
  stretchesOf,
  windowState,
} from '../../../src/core/windows/index.ts';
import { fc } from '../property.ts';
import { anyCase, DAYS, MINUTE, scene } from './arbitrary.ts';
import { allow, at, deny } from './support.ts';

const part = fc.tuple(fc.integer({ min: 0, max: 2 * DAYS * 1440 }), fc.integer({ min: 1, max: 5 * 1440 }));

test('between two moments there is what comes after the first and began before the second', () => {
  let many = 0;
  fc.assert(
    fc.property(anyCase, part, ({ day, windows }, [begin, length]) => {
      for (const window of windows) {
        const from = (scene(window.spec.timeZone, day).from + begin) * MINUTE;
        const to = from + length * MINUTE;
        const { occurrences: found, cutAt } = occurrencesBetween(window, from, to, 20_000);
        // Asked for from its own beginning, a calendar is the same whatever the moment is called now.
        expect(cutAt).toBeNull();
        expect(found).toEqual(occurrences(window, from, found.length + 1).filter(({ start }) => start < to));
        expect(found.every(({ start, end }) => start < to && end > from)).toBe(true);
        const short = occurrencesBetween(window, from, to, 1);
        expect(short).toEqual({ occurrences: found.slice(0, 1), cutAt: found[1]?.start ?? null });
        many += found.length > 1 ? 1 : 0;
      }
    }),
    { numRuns: 300 },
  );
  expect(many).toBeGreaterThan(100);
});

test('stretches lie side by side, and at each moment of one its windows say what it says', () => {
  let closed = 0;
  fc.assert(
    fc.property(
      anyCase,
      part,
      fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 3, maxLength: 3 }),
      ({ day, windows }, [begin, length], inside) => {
        const from = (scene(windows[0]!.spec.timeZone, day).from + begin) * MINUTE;
        const to = from + length * MINUTE;
        const { stretches, cutAt } = stretchesOf(windows, from, to, 'PROMOTE', 20_000);
        expect(cutAt).toBeNull();
        expect([stretches[0]?.from, stretches.at(-1)?.to]).toEqual([from, to]);
        for (const [index, each] of stretches.entries()) {
          const next = stretches[index + 1];
          if (next) expect([each.to, each.closed]).toEqual([next.from, !next.closed]);
          for (const share of inside) {
            const moment = Math.floor(each.from + share * (each.to - each.from));
            expect(windowState(windows, moment, 'PROMOTE').closed).toBe(each.closed);
          }
          closed += each.closed ? 1 : 0;
        }
        const short = stretchesOf(windows, from, to, 'PROMOTE', 1);
        expect(short).toEqual({ stretches: stretches.slice(0, 1), cutAt: stretches[1]?.from ?? null });
      },
    ),
    { numRuns: 200 },
  );
  expect(closed).toBeGreaterThan(100);
});

test('the past has its occurrences, with the day on which the clocks changed', () => {
  const nightly = deny({ timeZone: 'Europe/Berlin', cron: '0 1 * * *', duration: 4 * 3_600_000 });
  const { occurrences: found } = occurrencesBetween(nightly, at('2025-10-25T12:00Z'), at('2025-10-27T12:00Z'), 10);
  expect(found.map(({ localStart, localEnd, clockChange }) => [localStart, localEnd, clockChange])).toEqual([
    ['2025-10-26T01:00:00+02:00', '2025-10-26T05:00:00+01:00', true],
    ['2025-10-27T01:00:00+01:00', '2025-10-27T05:00:00+01:00', false],
  ]);
  expect(clockChangesIn('Europe/Berlin', at('2025-10-25T12:00Z'), at('2025-10-27T12:00Z'))).toEqual([
    { at: at('2025-10-26T01:00Z'), before: '+02:00', after: '+01:00' },
  ]);
  expect(clockChangesIn('UTC', at('2025-01-01T00:00Z'), at('2026-01-01T00:00Z'))).toEqual([]);
});

test('without windows it is one open stretch, and what no window holds is open', () => {
  const [from, to] = [at('2026-01-01T00:00Z'), at('2026-01-02T00:00Z')];
  const open = [{ from, to, closed: false, reason: 'no window holds this', windows: [] }];
  expect(stretchesOf([], from, to, 'PROMOTE', 5).stretches).toEqual(open);
  const others = allow({ cron: '0 8 * * *', duration: 3_600_000, holds: ['APPROVE'] });
  expect(stretchesOf([others], from, to, 'PROMOTE', 5).stretches).toEqual(open);
});

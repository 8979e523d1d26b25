import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HealthStatus } from '../../src/core/definitions.ts';
import { lookAt, LOOK_STANDS, lookPause, soakedAt } from '../../src/core/health-clock.ts';
import type { HealthClock, Observation } from '../../src/core/health-clock.ts';
import { MINUTE, SECOND } from './support/builders.ts';

const clockOf = (looks: [at: number, ...seen: Observation[]][], freshness?: number): HealthClock =>
  looks.reduce<HealthClock | null>(
    (clock, [now, ...seen]) => lookAt(clock, seen, { freshness, now }),
    null,
  ) as HealthClock;

const H = { status: 'HEALTHY' } as const;
const U = { status: 'UNKNOWN' } as const;
const P = { status: 'PROGRESSING' } as const;
const D = { status: 'DEGRADED' } as const;

describe('how long has it been healthy?', () => {
  test.each<[string, [number, ...Observation[]][], number | undefined, number]>([
    ['a first look says nothing of before', [[0, H]], undefined, 0],
    [
      'from look to look',
      [
        [0, H],
        [5, H],
        [9, H],
      ],
      undefined,
      9,
    ],
    [
      'UNKNOWN stops it',
      [
        [0, H],
        [5, U],
        [9, H],
        [12, H],
      ],
      undefined,
      8,
    ],
    [
      'DEGRADED begins anew',
      [
        [0, H],
        [5, D],
        [9, H],
        [12, H],
      ],
      undefined,
      3,
    ],
    [
      'PROGRESSING begins anew',
      [
        [0, H],
        [5, P],
        [9, H],
        [12, H],
      ],
      undefined,
      3,
    ],
    [
      'also when another application is UNKNOWN',
      [
        [0, H, H],
        [5, P, U],
        [9, H, H],
        [12, H, H],
      ],
      undefined,
      3,
    ],
    [
      'bad news in between begins anew',
      [
        [0, H],
        [5, { ...H, unhealthyAt: 3 }],
        [9, { ...H, unhealthyAt: 3 }],
      ],
      undefined,
      4,
    ],
    [
      'old bad news does not',
      [
        [0, { ...H, unhealthyAt: -3 }],
        [5, { ...H, unhealthyAt: -3 }],
      ],
      undefined,
      5,
    ],
    [
      'nor does a look that could not hear of it',
      [
        [0, { ...H, unhealthyAt: -3 }],
        [5, U],
        [6, { ...H, unhealthyAt: -3 }],
      ],
      undefined,
      5,
    ],
    [
      'of the second application, too',
      [
        [0, { ...H, unhealthyAt: 9 }, { ...H, unhealthyAt: 1 }],
        [5, { ...H, unhealthyAt: 9 }, { ...H, unhealthyAt: 2 }],
      ],
      undefined,
      0,
    ],
    [
      'one UNKNOWN application stops it',
      [
        [0, H, H],
        [5, H, U],
        [9, H, H],
      ],
      undefined,
      5,
    ],
    [
      'nobody looked: a look speaks for a while only',
      [
        [0, H],
        [LOOK_STANDS + 9, H],
      ],
      undefined,
      LOOK_STANDS,
    ],
    [
      'a report speaks up to the look',
      [
        [0, { ...H, at: 0 }],
        [LOOK_STANDS + 9, { ...H, at: 0 }],
      ],
      undefined,
      LOOK_STANDS + 9,
    ],
    [
      'too old: stands still',
      [
        [0, { ...H, at: 0 }],
        [15, { ...H, at: 0 }],
      ],
      10,
      10,
    ],
    [
      'told again in time: no gap',
      [
        [0, { ...H, at: 0 }],
        [15, { ...H, at: 9 }],
      ],
      10,
      15,
    ],
    [
      'told again too late: a gap',
      [
        [0, { ...H, at: 0 }],
        [15, { ...H, at: 12 }],
      ],
      10,
      13,
    ],
    [
      'told before it was UNKNOWN',
      [
        [0, { ...H, at: 0 }],
        [5, U],
        [9, { ...H, at: 0 }],
        [12, { ...H, at: 0 }],
      ],
      undefined,
      8,
    ],
    [
      'told after it was UNKNOWN',
      [
        [0, H],
        [5, U],
        [9, { ...H, at: 7 }],
        [12, H],
      ],
      undefined,
      10,
    ],
    [
      'told by the slower of two',
      [
        [0, { ...H, at: 0 }, { ...H, at: -4 }],
        [15, { ...H, at: 12 }, { ...H, at: 9 }],
      ],
      10,
      9,
    ],
    [
      'a clock that goes back counts nothing twice',
      [
        [0, H],
        [9, H],
        [4, H],
        [9, H],
        [12, H],
      ],
      undefined,
      12,
    ],
  ])('%s', (_, looks, freshness, healthyFor) => {
    expect(clockOf(looks, freshness).healthyFor).toBe(healthyFor);
  });

  test('can be soaked: now or later, later by what is missing, or by all of it', () => {
    const clock = clockOf([
      [0, H],
      [4, H],
    ]);
    expect(soakedAt(clock, 10, 7)).toBe(10);
    expect(soakedAt(clock, 3, 7)).toBe(4);
    expect(soakedAt({ ...clock, status: 'UNKNOWN' }, 10, 7)).toBe(13);
    expect(soakedAt({ ...clock, status: 'DEGRADED' }, 10, 7)).toBe(17);
  });

  test.each([
    [MINUTE, undefined, 5 * SECOND],
    [10 * MINUTE, undefined, 10 * SECOND],
    [24 * 60 * MINUTE, undefined, MINUTE],
    [24 * 60 * MINUTE, 30 * SECOND, 15 * SECOND],
    [24 * 60 * MINUTE, 10 * SECOND, 5 * SECOND],
  ])('a soak of %i with a freshness of %s is looked at every %i', (soak, freshness, pause) => {
    expect(lookPause(soak, freshness)).toBe(pause);
  });
});

/**
 * What is known of the health at each tick, walked one by one: the newest report then, as long as it is fresh. `clock` is how long
 * it has been HEALTHY by then.
 */
function walk(
  reports: { at: number; status: HealthStatus }[],
  freshness: number,
  first: number,
  until: number,
): number {
  let clock = 0;
  for (let tick = 0; tick < until; tick += 1) {
    const newest = reports.findLast((each) => each.at <= tick);
    const stale = newest === undefined || newest.at + freshness <= tick;
    const bad = reports.some(
      (each) => each.at === tick && (each.status === 'DEGRADED' || each.status === 'PROGRESSING'),
    );
    if (bad || newest?.status === 'DEGRADED' || newest?.status === 'PROGRESSING') clock = stale && !bad ? clock : 0;
    else if (newest?.status === 'HEALTHY' && !stale && tick >= first) clock += 1;
  }
  return clock;
}

test('property: against a walk through every tick, the clock never counts too much, and all of it where every report is seen', () => {
  const status = fc.constantFrom<HealthStatus>('HEALTHY', 'HEALTHY', 'HEALTHY', 'UNKNOWN', 'PROGRESSING', 'DEGRADED');
  const reportsOf = fc.array(fc.record({ pause: fc.integer({ min: 1, max: 12 }), status }), {
    minLength: 1,
    maxLength: 14,
  });
  let counted = 0;
  fc.assert(
    fc.property(
      reportsOf,
      fc.array(fc.boolean()),
      fc.integer({ min: 2, max: 15 }),
      fc.boolean(),
      (drawn, sees, freshness, sparse) => {
        let at = 0;
        // An UNKNOWN that came and went between two looks is nobody's news.
        const heard = drawn.filter((each) => !sparse || each.status !== 'UNKNOWN');
        const reports = heard.map(({ pause, status: each }) => ({ at: (at += pause), status: each }));
        if (reports.length === 0) return;
        const end = at + 20;
        let clock: HealthClock | null = null;
        const first = reports[0]?.at ?? 0;
        for (let now = first; now <= end; now += 1) {
          const report = reports.findLast((each) => each.at <= now) as (typeof reports)[number];
          // Whoever looks at every report must count exactly; whoever looks now and then, never too much.
          const looks = sparse ? (sees[now % Math.max(1, sees.length)] ?? false) : report.at === now;
          if (!looks && now !== end && now !== first) continue;
          const bad = reports.findLast(
            (each) => each.at <= now && (each.status === 'DEGRADED' || each.status === 'PROGRESSING'),
          );
          clock = lookAt(clock, [{ ...report, unhealthyAt: bad?.at }], { freshness, now });
          const truth = walk(reports, freshness, first, now);
          const exact = report.status === 'DEGRADED' || report.status === 'PROGRESSING' ? 0 : truth;
          if (sparse) expect(clock.healthyFor).toBeLessThanOrEqual(exact);
          else expect(clock.healthyFor).toBe(exact);
          counted = Math.max(counted, clock.healthyFor);
        }
      },
    ),
    { numRuns: 2_000, seed: 42 },
  );
  expect(counted).toBeGreaterThan(40);
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FRESH_BUDGET, GITHUB_LIMITS, OTHER_LIMITS, PATIENCE, settle, take } from '../../src/core/forge-budget.ts';
import type { Budget, BudgetCall, BudgetLimits } from '../../src/core/forge-budget.ts';

const READ: BudgetCall = { write: false, content: false, urgent: false };
const WRITE: BudgetCall = { ...READ, write: true };
const CONTENT: BudgetCall = { ...WRITE, content: true };
const RED: BudgetCall = { ...WRITE, urgent: true };
const NOW = Date.parse('2026-11-28T10:00:00Z');
const MINUTE = 60_000;

/** Asks and settles at once. */
function asking(limits: BudgetLimits = GITHUB_LIMITS) {
  let budget: Budget = FRESH_BUDGET;
  let calls = 0;
  return {
    take(call: BudgetCall, at: number) {
      const lease = String((calls += 1));
      const drawn = take(budget, limits, call, lease, at);
      budget = settle(drawn.budget, lease, {}, at);
      return drawn.taken;
    },
    told: (told: Parameters<typeof settle>[2], at: number) => void (budget = settle(budget, 'x', told, at)),
  };
}

describe('the budget of a credential', () => {
  test('one write a second; the next ones wait in place for two seconds at most, then come back later', () => {
    const credential = asking();
    const taken = Array.from({ length: 5 }, () => credential.take(WRITE, NOW));
    expect(taken).toEqual([
      { wait: 0 },
      { wait: 1_000 },
      { wait: 2_000 },
      { later: 3_000, why: 'others write before it' },
      { later: 3_000, why: 'others write before it' },
    ]);
  });

  test('a red status is not starved: it gets the next free second, however many others want it', () => {
    const credential = asking();
    for (let each = 0; each < 100; each += 1) credential.take(WRITE, NOW);
    expect(credential.take(RED, NOW)).toEqual({ wait: 3_000 });
    expect(credential.take(RED, NOW)).toEqual({ wait: 4_000 });
  });

  test('contents are at most 500 an hour, and statuses are none', () => {
    const credential = asking();
    let contents = 0;
    for (let at = NOW; at < NOW + 60 * MINUTE; at += 500) if ('wait' in credential.take(CONTENT, at)) contents += 1;
    expect(contents).toBeGreaterThan(400);
    expect(contents).toBeLessThanOrEqual(500);
    expect(credential.take(WRITE, NOW + 60 * MINUTE)).toHaveProperty('wait');
  });

  test('a host that is not known limits nothing but what is under way', () => {
    const credential = asking(OTHER_LIMITS);
    for (let each = 0; each < 5_000; each += 1) expect(credential.take(WRITE, NOW)).toEqual({ wait: 0 });
  });

  test('calls at the same time are limited, some are kept for urgent ones, and those of a dead process are forgotten', () => {
    let budget = FRESH_BUDGET;
    const go = (call: BudgetCall, lease: string, at: number) => {
      const drawn = take(budget, { concurrent: 10 }, call, lease, at);
      budget = drawn.budget;
      return drawn.taken;
    };
    for (let each = 0; each < 8; each += 1) expect(go(READ, `r${each}`, NOW)).toEqual({ wait: 0 });
    expect(go(READ, 'more', NOW)).toEqual({ later: 1_000, why: 'as many calls are under way as may be' });
    expect(go(RED, 'red', NOW)).toEqual({ wait: 0 });
    budget = settle(budget, 'r3', {}, NOW);
    budget = settle(budget, 'red', {}, NOW);
    expect(go(READ, 'again', NOW)).toEqual({ wait: 0 });
    expect(go(READ, 'late', NOW + MINUTE + 1)).toEqual({ wait: 0 });
    expect(Object.keys(budget.leases)).toEqual(['late']);
  });

  test('a wait that the host asked for holds all calls, the urgent too', () => {
    const credential = asking();
    credential.told({ limited: { wait: 30_000, why: 'its limit is reached (403)' } }, NOW);
    const later = { later: 29_000, why: 'its limit is reached (403)' };
    expect(credential.take(READ, NOW + 1_000)).toEqual(later);
    expect(credential.take(RED, NOW + 1_000)).toEqual(later);
    // Short ones are waited for in place.
    expect(credential.take(READ, NOW + 29_000)).toEqual({ wait: 1_000 });
  });

  test('a host that does not say how long gets a minute, then two, then four, and a quarter of an hour at most', () => {
    const credential = asking();
    const unsaid = { limited: { wait: undefined, why: 'its limit is reached (429)' } };
    let at = NOW;
    const waits: number[] = [];
    for (let each = 0; each < 7; each += 1) {
      credential.told(unsaid, at);
      // Those that were under way with it are refused, too: that is one strike.
      credential.told(unsaid, at + 10);
      const taken = credential.take(READ, at + 20);
      const later = 'later' in taken ? taken.later + 20 : 0;
      waits.push(Math.round(later / 1_000));
      at += later + 1;
    }
    expect(waits).toEqual([60, 120, 240, 480, 900, 900, 900]);
    credential.told({}, at);
    credential.told(unsaid, at + 1);
    expect(credential.take(READ, at + 1)).toEqual({ later: 60_000, why: 'its limit is reached (429)' });
  });

  test('when little is left of the hour only urgent calls go, and when nothing is left none does', () => {
    const credential = asking();
    credential.told({ scarce: 10 * MINUTE }, NOW);
    expect(credential.take(READ, NOW)).toMatchObject({ later: 10 * MINUTE, why: expect.stringContaining('urgent') });
    expect(credential.take(RED, NOW)).toEqual({ wait: 0 });
    credential.told({ spent: 9 * MINUTE }, NOW);
    expect(credential.take(RED, NOW)).toMatchObject({ later: 9 * MINUTE });
  });

  test('a thousand readers get 600 points a minute after a burst, and no minute has more than 900', () => {
    const credential = asking();
    const went: number[] = [];
    for (let at = NOW; at < NOW + 5 * MINUTE; at += 20) {
      const taken = credential.take(at % 3 === 0 ? { ...READ, urgent: true } : READ, at);
      if ('wait' in taken) went.push(at + taken.wait);
    }
    went.sort((a, b) => a - b);
    const inMinute = went.map((at, index) => went.slice(0, index + 1).filter((each) => each > at - MINUTE).length);
    expect(Math.max(...inMinute)).toBeLessThanOrEqual(900);
    expect(went.length).toBeGreaterThan(5 * 600);
  });

  test('property: whenever calls come, no minute has more than 900 points and no second two writes', () => {
    let [waited, refused, reds] = [0, 0, 0];
    const kinds = fc.constantFrom(READ, READ, READ, WRITE, CONTENT, RED);
    const moments = fc.array(
      fc.record({ call: kinds, after: fc.integer({ min: 0, max: 2_000 }), times: fc.integer({ min: 1, max: 150 }) }),
      {
        minLength: 1,
        maxLength: 60,
      },
    );
    fc.assert(
      fc.property(moments, (calls) => {
        const credential = asking();
        const went: { at: number; points: number; write: boolean }[] = [];
        let now = NOW;
        for (const { call, after, times } of calls) {
          now += after;
          for (let each = 0; each < times; each += 1) {
            const taken = credential.take(call, now);
            if ('later' in taken) {
              refused += 1;
              expect(taken.later).toBeGreaterThan(call.urgent ? PATIENCE.urgent : PATIENCE.others);
              continue;
            }
            if (taken.wait > 0) waited += 1;
            if (call.urgent) reds += 1;
            expect(taken.wait).toBeLessThanOrEqual(call.urgent ? PATIENCE.urgent : PATIENCE.others);
            went.push({ at: now + taken.wait, points: call.write ? 5 : 1, write: call.write });
          }
        }
        went.sort((a, b) => a.at - b.at);
        const writes = went.filter(({ write }) => write);
        for (const [index, { at }] of writes.entries())
          if (index > 0) expect(at - writes[index - 1]!.at).toBeGreaterThanOrEqual(1_000);
        let [from, points] = [0, 0];
        for (const each of went) {
          points += each.points;
          while (went[from]!.at <= each.at - MINUTE) points -= went[from++]!.points;
          expect(points).toBeLessThanOrEqual(900);
        }
      }),
      { numRuns: 200 },
    );
    expect(Math.min(waited, refused, reds)).toBeGreaterThan(50);
  });
});

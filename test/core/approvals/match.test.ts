import { describe, expect, test } from 'vitest';
import { seat } from '../../../src/core/approvals/match.ts';
import { fc } from '../property.ts';

describe('who counts for which rule', () => {
  test.each<[string, number[], number[][], (number | null)[]]>([
    ['nobody, nothing', [], [], []],
    ['one person, one seat', [1], [[0]], [0]],
    ['somebody whom no rule knows', [1], [[]], [null]],
    ['one person counts for one rule, although both would do', [1, 1], [[0, 1]], [0]],
    ['the first one moves over for the second one', [1, 1], [[0, 1], [0]], [1, 0]],
    ['a chain of three moves', [1, 1, 1], [[0, 1], [1, 2], [0], [0]], [1, 2, 0, null]],
    ['two seats in one rule', [2], [[0], [0], [0]], [0, 0, null]],
    ['of two in a rule the one who can moves', [2, 1], [[0, 1], [0], [0]], [1, 0, 0]],
    ['who is late and not needed has no seat', [1, 1], [[0], [1], [0, 1]], [0, 1, null]],
    [
      'a rule twice in the list is one rule',
      [1],
      [
        [0, 0],
        [0, 0],
      ],
      [0, null],
    ],
    ['a rule that does not exist', [1], [[7]], [null]],
  ])('%s', (_, seats, people, expected) => {
    expect(seat(seats, people)).toEqual(expected);
  });

  const rulesAndPeople = fc.integer({ min: 1, max: 4 }).chain((rules) =>
    fc.record({
      seats: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: rules, maxLength: rules }),
      people: fc.array(fc.uniqueArray(fc.nat(rules - 1)), { maxLength: 6 }),
    }),
  );

  test('never more than the seats, nobody where they do not belong, and as many as a search through all finds', () => {
    let full = 0;
    let moved = 0;
    fc.assert(
      fc.property(rulesAndPeople, ({ seats, people }) => {
        const rules = seat(seats, people);
        const count = seats.map((_, rule) => rules.filter((each) => each === rule).length);
        count.forEach((taken, rule) => expect(taken).toBeLessThanOrEqual(seats[rule] as number));
        rules.forEach((rule, who) => expect(rule === null || people[who]?.includes(rule)).toBe(true));
        const seated = rules.filter((each) => each !== null).length;
        expect(seated).toBe(bestOf(seats, people));
        if (count.every((taken, rule) => taken === seats[rule])) full += 1;
        if (rules.some((rule, who) => rule !== null && rule !== people[who]?.[0])) moved += 1;
        // What has counted goes on counting: everybody who is seated without the last one is seated with them.
        const before = seat(seats, people.slice(0, -1));
        before.forEach((rule, who) => expect(rule === null || rules[who] !== null).toBe(true));
        // And who does not count now never will: whoever comes later changes nothing for them.
        expect(before.map((rule) => rule === null)).toEqual(rules.slice(0, -1).map((rule) => rule === null));
      }),
      { numRuns: 2_000 },
    );
    expect(full).toBeGreaterThan(100);
    expect(moved).toBeGreaterThan(100);
  });
});

/** Tries every rule, and none, for every person. */
function bestOf(seats: number[], people: number[][]): number {
  const [first, ...rest] = people;
  if (first === undefined) return 0;
  let best = bestOf(seats, rest);
  for (const rule of new Set(first)) {
    if ((seats[rule] ?? 0) === 0) continue;
    const left = seats.map((each, index) => (index === rule ? each - 1 : each));
    best = Math.max(best, 1 + bestOf(left, rest));
  }
  return best;
}

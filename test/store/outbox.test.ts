import { expect, test } from 'vitest';
import type { Decision } from '../../src/core/decision.ts';
import type { Work } from '../../src/core/effects.ts';
import { outboxOf } from '../../src/store/outbox.ts';

const decided = (...work: Work[]): Decision =>
  ({
    state: { id: 'r', sequence: 66 },
    work,
    events: [],
    changed: [],
    deployments: [],
    lifted: [],
  }) as unknown as Decision;
const dispatch = (...numbers: [promotion: number, dispatch: number][]): Work => ({
  kind: 'dispatch',
  promotions: numbers.map(([promotion, number]) => ({ promotion, attempt: 1, dispatch: number })),
  join: false,
});

test('decisions without events ask for work under names of their own', () => {
  // A health that is looked at again and again: a new job each time, and not one event.
  const keys = [decided(dispatch([0, 3])), decided(dispatch([0, 4])), decided(dispatch([1, 3], [2, 1]))].flatMap(
    (each) => outboxOf(each).map(({ key }) => key),
  );
  expect(new Set(keys).size).toBe(3);
});

test('a question to a group is told from the next one and from a job', () => {
  const ask = (generation: number): Work => ({ kind: 'ask-group', group: 0, generation });
  const keys = outboxOf(decided(ask(1), ask(2), dispatch([0, 1]), { kind: 'abort', promotions: [0] })).map(
    ({ key }) => key,
  );
  expect(new Set(keys).size).toBe(3);
});

test('a promotion that was merged outside its gates and then failed asks for two rollbacks', () => {
  const roll: Work = { kind: 'roll-back', promotion: 1, attempt: 1, reason: 'broken', at: 0 };
  const keys = outboxOf(decided({ ...roll, cause: 'MERGED_OUTSIDE_GATES' }, roll)).map(({ key }) => key);
  expect(keys).toEqual(['r-p1-a1-rollback-MERGED_OUTSIDE_GATES', 'r-p1-a1-rollback']);
});

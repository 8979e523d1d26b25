import { expect, test } from 'vitest';
import { candidateKey } from '../../../src/core/trigger/candidate.ts';
import type { Candidate, Revision } from '../../../src/core/trigger/candidate.ts';
import { fc } from '../property.ts';

// Few names, commits and epochs: two candidates are often the same, and often nearly.
const name = fc.constantFrom('a', 'b', 'a,b', '"a"', 'a\u0000b');
const revision: fc.Arbitrary<Revision> = fc.record(
  { commit: fc.constantFrom('1f', '2f'), version: fc.constantFrom('1f', '1'), epoch: fc.constantFrom(0, 1) },
  { requiredKeys: [] },
);
const candidate = fc.record({
  product: name,
  flow: name,
  environment: fc.constant('dev'),
  state: fc.dictionary(name, revision, { maxKeys: 3 }),
});

/** What makes two candidates the same, field by field. */
function isSame(one: Candidate, other: Candidate): boolean {
  const names = new Set([...Object.keys(one.state), ...Object.keys(other.state)]);
  const sameRevision = (application: string): boolean => {
    const [a, b] = [one.state[application], other.state[application]];
    return (
      a !== undefined &&
      b !== undefined &&
      a.commit === b.commit &&
      a.version === b.version &&
      (a.epoch ?? 0) === (b.epoch ?? 0)
    );
  };
  return one.product === other.product && one.flow === other.flow && [...names].every(sameRevision);
}

/** Told otherwise, or changed in one place. */
const twist: fc.Arbitrary<(one: Candidate) => Candidate> = fc.oneof(
  fc.constant((one: Candidate) => ({ ...one, state: Object.fromEntries(Object.entries(one.state).reverse()) })),
  candidate.map((other) => (one: Candidate) => ({ ...one, product: other.product, state: { ...one.state } })),
  fc.tuple(name, revision).map(([application, now]) => (one: Candidate) => ({
    ...one,
    state: { ...one.state, [application]: now },
  })),
  candidate.map((other) => () => other),
);

test('two candidates have one key exactly when product, flow and every revision are the same', () => {
  const reached = { same: 0, other: 0 };
  fc.assert(
    fc.property(candidate, twist, (one, twisted) => {
      const other = twisted(one);
      const same = isSame(one, other);
      reached[same ? 'same' : 'other'] += 1;
      expect(candidateKey(one) === candidateKey(other)).toBe(same);
    }),
    { numRuns: 1_000, seed: 9 },
  );
  expect(reached.same).toBeGreaterThan(100);
  expect(reached.other).toBeGreaterThan(100);
});

test('the same commits after a force push are another candidate, told twice they are one', () => {
  const dev = { product: 'billing', flow: 'to-production', environment: 'dev' };
  const first = candidateKey({ ...dev, state: { api: { commit: '1f' }, web: { commit: '2f' } } });
  expect(candidateKey({ ...dev, state: { web: { commit: '2f', epoch: 0 }, api: { commit: '1f' } } })).toBe(first);
  expect(candidateKey({ ...dev, state: { api: { commit: '1f', epoch: 1 }, web: { commit: '2f' } } })).not.toBe(first);
});

import { fc } from './property.ts';
import { describe, expect, test } from 'vitest';
import type { EnvironmentSelector } from '../../src/core/definitions.ts';
import { matchesGlob, matchesSelector, resolveMembers, selects, specificity } from '../../src/core/selectors.ts';
import { processorTime } from '../support/processor-time.ts';

const usEast = { name: 'us-east', labels: { region: 'us', tier: 'gold' }, kind: 'PRODUCTION' };

describe('a selector', () => {
  test.each<[string, EnvironmentSelector, boolean]>([
    ['empty: everything', {}, true],
    ['by name', { names: ['eu', 'us-east'] }, true],
    ['by glob', { names: ['us-*'] }, true],
    ['by another glob', { names: ['*-west'] }, false],
    ['no names: nothing', { names: [] }, false],
    ['by kind', { kinds: ['PRODUCTION'] }, true],
    ['by the other kind', { kinds: ['NON_PRODUCTION'] }, false],
    ['by either kind', { kinds: ['NON_PRODUCTION', 'PRODUCTION'] }, true],
    ['by label', { matchLabels: { region: 'us' } }, true],
    ['by two labels, one wrong', { matchLabels: { region: 'us', tier: 'silver' } }, false],
    ['In', { matchExpressions: [{ key: 'tier', operator: 'In', values: ['gold'] }] }, true],
    ['In, label missing', { matchExpressions: [{ key: 'x', operator: 'In', values: ['gold'] }] }, false],
    ['NotIn', { matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['gold'] }] }, false],
    ['NotIn, label missing', { matchExpressions: [{ key: 'x', operator: 'NotIn', values: ['gold'] }] }, true],
    ['Exists', { matchExpressions: [{ key: 'tier', operator: 'Exists' }] }, true],
    ['DoesNotExist', { matchExpressions: [{ key: 'tier', operator: 'DoesNotExist' }] }, false],
    ['a label of every object is no label', { matchExpressions: [{ key: 'constructor', operator: 'Exists' }] }, false],
    ['all conditions together', { names: ['us-*'], kinds: ['NON_PRODUCTION'] }, false],
  ])('%s', (_, selector, expected) => {
    expect(matchesSelector(selector, usEast)).toBe(expected);
  });
});

test('members are sorted by name, whatever order they come in', () => {
  const environments = ['us-east', 'asia', 'eu'].map((name) => ({ name, labels: {} }));
  const names = resolveMembers({ environments: {} }, environments).map((each) => each.name);
  expect(names).toEqual(['asia', 'eu', 'us-east']);
});

test('a narrower selector is more specific', () => {
  const fromNarrow: EnvironmentSelector[] = [
    { names: ['billing'], matchLabels: { a: 'b' } },
    { names: ['billing'] },
    { names: ['billing-*'] },
    { names: ['bill*'], matchLabels: { a: 'b' } },
    { names: ['bill*'] },
    { names: ['billing', 'b*'] },
    { matchLabels: { a: 'b', c: 'd' }, matchExpressions: [{ key: 'e', operator: 'Exists' }] },
    { matchLabels: { a: 'b', c: 'd' } },
    { matchLabels: { a: 'b' } },
    {},
  ];
  const ranks = fromNarrow.map(specificity);
  expect(ranks).toEqual([...ranks].sort((a, b) => b - a));
  expect(new Set(ranks).size).toBe(ranks.length);
  expect(specificity({ names: ['*'] })).toBe(specificity({}));
});

test('however many conditions there are, they are narrower than fewer and wider than a name', () => {
  const labels = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`l${i}`, 'x']));
  expect(specificity({ matchLabels: labels(9_999) })).toBe(9_999);
  expect(specificity({ matchLabels: labels(10_000) })).toBe(9_999);
  expect(specificity({ matchLabels: labels(20_000) })).toBeLessThan(specificity({ names: ['a*'] }));
});

test('a selector that is left out selects nothing, an empty one everything', () => {
  expect(selects(undefined, usEast)).toBe(false);
  expect(selects({}, usEast)).toBe(true);
  expect(selects({ names: ['eu'] }, usEast)).toBe(false);
});

describe('a glob', () => {
  test.each<[string, string, boolean]>([
    ['*', '', true],
    ['*deploy*', 'please deploy\nthis', true],
    ['a*b', 'ab', true],
    ['ab*b', 'ab', false],
    ['a*a', 'a', false],
    ['*ab*ab', 'ab', false],
    ['a.c', 'abc', false],
    ['', '', true],
    ['', 'a', false],
  ])('%j against %j: %s', (pattern, text, expected) => {
    expect(matchesGlob(pattern, text)).toBe(expected);
  });

  test('agrees with a regular expression', () => {
    let hits = 0;
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 });
    const text = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 10 });
    fc.assert(
      fc.property(pattern, text, (glob, candidate) => {
        const expected = new RegExp(`^${glob.replaceAll('*', '.*')}$`).test(candidate);
        if (expected) hits++;
        expect(matchesGlob(glob, candidate)).toBe(expected);
      }),
      { numRuns: 2000 },
    );
    expect(hits).toBeGreaterThan(50);
  });

  test('a hostile pattern costs nothing', () => {
    const took = processorTime(() => {
      expect(matchesGlob(`${'a*'.repeat(10_000)}b`, 'a'.repeat(100_000))).toBe(false);
      expect(matchesGlob(`${'a*'.repeat(10_000)}b*`, 'a'.repeat(100_000))).toBe(false);
    });
    expect(took).toBeLessThan(500);
  });
});

import { describe, expect, test } from 'vitest';
import { closest, quote, quoteList, Refusals } from '../../src/core/wording.ts';

test.each([
  ['a', '"a"'],
  [7, '"7"'],
  ['x'.repeat(80), `"${'x'.repeat(80)}"`],
  ['x'.repeat(81), `"${'x'.repeat(77)}..."`],
  ['a\nb', '"a\\nb"'],
])('quoted: %s', (value, expected) => {
  expect(quote(value)).toBe(expected);
});

test('a list is as long as people read', () => {
  expect(quoteList(['a', 'b'], 2)).toBe('"a", "b"');
  expect(quoteList(['a', 'b', 'c', 'd'], 2)).toBe('"a", "b" and 2 more');
  expect(quoteList([])).toBe('');
});

describe('what may have been meant', () => {
  test.each<[string, string[], string | undefined]>([
    ['eu', ['us', 'eo'], 'eo'],
    ['eus', ['euro'], undefined],
    ['gti', ['git'], 'git'],
    ['igt', ['git'], 'git'],
    ['stag', ['sgat'], 'sgat'],
    ['dev', ['DEV'], 'DEV'],
    ['abcd', ['abxy'], 'abxy'],
    ['abcd', ['axyz'], undefined],
    ['abcdefgh', ['abcdefxy'], 'abcdefxy'],
    ['abcdefgh', ['abcdexyz'], undefined],
    ['abcdefghi', ['abcdefxyz'], 'abcdefxyz'],
    ['abcdefghi', ['abcdewxyz'], undefined],
    ['staging', ['stagin', 'stagingg', 'staging'], 'staging'],
    ['production', ['prduction'], 'prduction'],
    ['prduction', ['production'], 'production'],
    ['ab', ['abcd'], undefined],
    ['abab', ['baba'], 'baba'],
    ['aabb', ['bbaa'], undefined],
    ['ac', ['ca'], 'ca'],
    ['xaby', ['xbay'], 'xbay'],
    ['aa', ['bb'], undefined],
    // One of two neighbours stands elsewhere: that is no swap.
    ['abx', ['cax'], undefined],
    ['cbx', ['bdx'], undefined],
    ['stagixxx', ['stagingx'], 'stagingx'],
    ['stagixxx', ['stagingy'], undefined],
    ['a', [], undefined],
    ['x'.repeat(64), ['x'.repeat(63)], 'x'.repeat(63)],
    ['x'.repeat(65), ['x'.repeat(64)], undefined],
  ])('by %s of %j: %s', (wrong, candidates, meant) => {
    expect(closest(wrong, candidates)).toBe(meant);
  });

  test('of equal ones the first, and never more than 2,000 are looked at', () => {
    expect(closest('staging', ['stagings', 'stagingx'])).toBe('stagings');
    const others = Array.from({ length: 1_999 }, (_, i) => `other-${i}`);
    expect(closest('staging', [...others, 'stagings'])).toBe('stagings');
    expect(closest('staging', [...others, 'one-more', 'stagings'])).toBeUndefined();
  });
});

describe('what is refused is collected', () => {
  const refused = (count: number): Refusals => {
    const refusals = new Refusals();
    for (let i = 0; i < count; i += 1) refusals.add('INVALID', `no. ${i}`, []);
    return refusals;
  };
  test.each([
    [100, 100, 'no. 99'],
    [101, 101, 'and 1 more problems, left out'],
    [103, 101, 'and 3 more problems, left out'],
  ])('of %i are told %i', (count, told, last) => {
    const refusals = refused(count);
    expect(refusals.size).toBe(count);
    expect(refusals.all()).toHaveLength(told);
    expect(refusals.all().at(-1)?.message).toBe(last);
  });

  test('a hint is for the first twenty', () => {
    expect(refused(19).hint('ue', ['eu'])).toBe(' Did you mean "eu"?');
    expect(refused(20).hint('ue', ['eu'])).toBe('');
    expect(refused(0).hint('eu', ['eu'])).toBe('');
    expect(refused(0).hint('zz', ['eu'])).toBe('');
    expect(refused(0).hint('ue', undefined)).toBe('');
  });
});

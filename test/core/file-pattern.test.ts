import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { means } from '../drivers/pattern-oracle.ts';
import { baseOf, howPromoted, isPattern, matchesFile } from '../../src/core/file-pattern.ts';

describe('a pattern means', () => {
  test.each<[string, string[], string[]]>([
    ['values.yaml', ['values.yaml'], ['a/values.yaml', 'values.yml']],
    ['*.yaml', ['values.yaml', '.yaml', '.hidden.yaml'], ['a/values.yaml', 'values.yaml.txt']],
    ['config/', ['config/a', 'config/a/b', 'config/.env'], ['config', 'configs/a', 'x/config/a']],
    ['config/**', ['config/a', 'config/a/b'], ['config', 'other/config/a']],
    ['**', ['a', 'a/b', '.a/b/c'], []],
    ['**/*.yaml', ['a.yaml', 'x/a.yaml', 'x/y/a.yaml'], ['a.yml', 'a.yaml/x']],
    ['a/**/z', ['a/z', 'a/b/z', 'a/b/c/z', 'a/z/z'], ['z', 'a/z/y', 'b/a/z']],
    ['**/a/**/b.txt', ['a/b.txt', 'x/a/y/a/z/b.txt'], ['b.txt', 'a/c/b.txt/d']],
    ['[id]/{a,b}.js', ['[id]/{a,b}.js'], ['i/a.js', 'd/b.js']],
    ['*/a*b*c', ['x/abc', 'y/a1b2c'], ['x/ab', 'x/abcd', 'abc']],
  ])('%s', (pattern, yes, no) => {
    expect(yes.filter((file) => !matchesFile(pattern, file))).toEqual([]);
    expect(no.filter((file) => matchesFile(pattern, file))).toEqual([]);
  });
});

test('a pattern means what the same pattern as an expression means, and nothing outside of its folder', () => {
  const part = fc.constantFrom('a', 'b', 'ab', '*', 'a*', '*b', '**');
  const name = fc.constantFrom('a', 'b', 'ab', 'aab', '.a', 'ba');
  let yes = 0;
  fc.assert(
    fc.property(
      fc.array(part, { minLength: 1, maxLength: 6 }),
      fc.array(name, { minLength: 1, maxLength: 7 }),
      (p, f) => {
        const [pattern, file] = [p.join('/'), f.join('/')];
        const expected = means(pattern, file);
        expect(matchesFile(pattern, file)).toBe(expected);
        if (!expected || !isPattern(pattern)) return;
        yes += 1;
        expect(`${file}/`.startsWith(baseOf(pattern) === '' ? '' : `${baseOf(pattern)}/`)).toBe(true);
      },
    ),
    { numRuns: 20_000, seed: 7 },
  );
  expect(yes).toBeGreaterThan(1_000);
});

test('a pattern made to be slow is not', () => {
  const pattern = `${Array.from({ length: 9 }, () => '**/*a*a*a*b').join('/')}/x`;
  const file = Array.from({ length: 400 }, () => 'a'.repeat(40)).join('/');
  const began = process.cpuUsage();
  expect(matchesFile(pattern, file)).toBe(false);
  expect(process.cpuUsage(began).user).toBeLessThan(500_000);
});

test('a name goes before patterns, JSON paths before whole files, and what is left out is left out of its pattern alone', () => {
  const promotion = {
    '**': { except: ['secrets/', '**/*.key'] },
    '**/values.yaml': { jsonPaths: ['$.b', '$.a'] },
    '*/values.yaml': { jsonPaths: ['$.a', '$.c'], except: ['no/values.yaml'] },
    'whole/values.yaml': {},
    'star.yaml': { jsonPaths: ['*'] },
    'secrets/known.txt': {},
  };
  expect(howPromoted(promotion, 'a.txt')).toEqual({ kind: 'whole' });
  expect(howPromoted(promotion, 'x/a.key')).toBeUndefined();
  expect(howPromoted(promotion, 'secrets/x/y')).toBeUndefined();
  expect(howPromoted(promotion, 'secrets/known.txt')).toEqual({ kind: 'whole' });
  expect(howPromoted(promotion, 'values.yaml')).toEqual({ kind: 'values', jsonPaths: ['$.b', '$.a'] });
  expect(howPromoted(promotion, 'x/values.yaml')).toEqual({ kind: 'values', jsonPaths: ['$.b', '$.a', '$.c'] });
  expect(howPromoted(promotion, 'no/values.yaml')).toEqual({ kind: 'values', jsonPaths: ['$.b', '$.a'] });
  expect(howPromoted(promotion, 'whole/values.yaml')).toEqual({ kind: 'whole' });
  expect(howPromoted(promotion, 'star.yaml')).toEqual({ kind: 'whole' });
  const turned = Object.fromEntries(Object.entries(promotion).toReversed());
  expect(howPromoted(turned, 'x/values.yaml')).toEqual(howPromoted(promotion, 'x/values.yaml'));
  expect(howPromoted({ 'a.yaml': {} }, 'constructor')).toBeUndefined();
});

import { describe, expect, test } from 'vitest';
import {
  PATH_LIMITS,
  isDescent,
  namesAnEntry,
  parsePath,
  refusePath,
  selectorOf,
  selectorText,
} from '../../src/core/json-path.ts';
import type { DocumentPath } from '../../src/core/json-path.ts';

const read = (text: string): DocumentPath => {
  const parsed = parsePath(text);
  if (typeof parsed === 'string') throw new Error(parsed);
  return parsed;
};

describe('a JSON path says of which document it is', () => {
  test.each<[string, DocumentPath['document'], number]>([
    ['$.a.b', undefined, 2],
    ['$appVersion', undefined, 1],
    ['appVersion', undefined, 1],
    ['my-chart.tag', undefined, 2],
    ['Deployment/api $.spec.replicas', { kind: 'Deployment', name: 'api' }, 2],
    ['2 $.a', { index: 2 }, 1],
  ])('%s', (text, document, steps) => {
    const path = read(text);
    expect(path.document).toEqual(document);
    expect('document' in path).toBe(document !== undefined);
    expect(path.segments).toHaveLength(steps);
    expect(path.text).toBe(text);
  });

  test('a path that is asked for again is the same one', () => {
    expect(read('$.again')).toBe(read('$.again'));
  });

  test('after more paths than are kept, the first is read anew', () => {
    const first = read('$.first');
    for (let i = 0; i < 1_000; i += 1) read(`$.other${i}`);
    expect(read('$.first')).not.toBe(first);
    expect(read('$.first').segments).toHaveLength(1);
  });
});

describe('how long a JSON path may be', () => {
  const ofLength = (length: number): string => `$.${'a'.repeat(length - 2)}`;
  const ofSteps = (count: number): string => `$${'.a'.repeat(count)}`;
  test.each([
    ['1,000 characters', ofLength(PATH_LIMITS.characters), undefined],
    ['1,001 characters', ofLength(PATH_LIMITS.characters + 1), /^the JSON path "\$\.a{48}"… has 1001 characters/],
    ['50 steps', ofSteps(PATH_LIMITS.segments), undefined],
    ['51 steps', ofSteps(PATH_LIMITS.segments + 1), /it has 51 steps; at most 50/],
    ['one ".."', '$.a..b', undefined],
    ['two', '$..a..b', /more than one "\.\."/],
  ])('%s', (_what, path, message) => {
    const refused = refusePath(path);
    if (message === undefined) expect(refused).toBeUndefined();
    else expect(refused).toMatch(message);
  });
});

describe('a filter compares with a literal', () => {
  test.each([
    "@.name == 'api'",
    "'api' == @.name",
    '@.name',
    '!@.name',
    "!(@.a == 1) && (@.b == 'x' || @.c)",
    '@.a < 3',
    "@['a']['b'] != null",
    '1 == 1',
  ])('%s can be used', (filter) => {
    expect(refusePath(`$.list[?${filter}].tag`)).toBeUndefined();
  });

  test.each([
    ['@.a == @.b', /compares with a literal/],
    ['$.a == @.b', /looks at the entry \(@\), not at the document/],
    ['@.b == $.a', /looks at the entry \(@\), not at the document/],
    ['$.a == 1', /not at the document/],
    ['1 == $.a', /not at the document/],
    ['length(@.a) == 1', /functions such as length\(\)/],
    ['@.x == 1 && $.a', /not at the document/],
    ['$.a && @.x == 1', /not at the document/],
    ['!$.a', /not at the document/],
    ['@.*', /looks at one place of the entry/],
  ])('%s cannot', (filter, message) => {
    expect(refusePath(`$.list[?${filter}].tag`)).toMatch(message);
  });
});

describe('a selector in words', () => {
  test.each(['1', '-1', '1:', ':2', '1:2', '-2:', '1:5:2', "'a.b'", '*', "?@['name'] == 'api'"])('%s', (text) => {
    const selector = selectorOf(text);
    expect(selectorOf(selectorText(selector)).toString()).toBe(selector.toString());
    if (text.includes(':')) expect(selectorText(selector)).toBe(text);
  });

  test('what is no selector is an error', () => {
    expect(() => selectorOf(']')).toThrow(/JSON path/);
  });

  test('".." is told from a name', () => {
    expect(read('$.a..b').segments.map(isDescent)).toEqual([false, true]);
  });

  test.each([
    ["?@.name == 'api'", true],
    ["?'api' == @.name", true],
    ['?@.port == 80', true],
    ["?@.name == 'api' && @.on", true],
    ["?@.on && @.name == 'api'", true],
    ['?@.on && @.off', false],
    ["?@.name != 'api'", false],
    ['?@.port < 80', false],
    ['?@.on == true', false],
    ["?@.name == 'api' || @.name == 'web'", false],
    ['?@.name', false],
    ["?!(@.name == 'api')", false],
    ["'api'", false],
    ['0', false],
  ])('%s names the entry that it wants: %s', (text, names) => {
    expect(namesAnEntry(selectorOf(text))).toBe(names);
  });
});

import { describe, expect, test } from 'vitest';
import type { PinnedValue } from '../../../src/drivers/driver.ts';
import { applyValues } from '../../../src/drivers/edit/index.ts';

// Content that was pinned before Sluice kept what chose an entry: path, concrete places and values, nothing else.
const put = (path: string, target: string, ...locations: PinnedValue[]): string =>
  applyValues('v.yaml', target, [{ path, locations }], { onMissing: 'REFUSE' }).text;

describe('what the path tells is applied by it', () => {
  test.each<[string, string, PinnedValue[], string, string]>([
    ['a name', '$.a.tag', [{ location: ['a', 'tag'], value: '2' }], 'a: {tag: "1"}\n', 'a: {tag: "2"}\n'],
    [
      'a name without its dot',
      '$appVersion',
      [{ location: ['appVersion'], value: 1.1, text: '1.10' }],
      'appVersion: 1.9\n',
      'appVersion: 1.10\n',
    ],
    ['an index', '$.l[0]', [{ location: ['l', 0], value: 'x' }], 'l: [a, b]\n', 'l: [x, b]\n'],
    ['the last one', '$.l[-1:]', [{ location: ['l', 2], value: 'x' }], 'l: [a, b]\n', 'l: [a, x]\n'],
    [
      'a filter',
      "$.l[?(@.name=='b')].t",
      [{ location: ['l', 0, 't'], value: '2' }],
      'l: [{name: a, t: 1}, {name: b, t: "1"}]\n',
      'l: [{name: a, t: 1}, {name: b, t: "2"}]\n',
    ],
    [
      'keys by a wildcard',
      '$.m[*].t',
      [
        { location: ['m', 'a', 't'], value: 2 },
        { location: ['m', 'b', 't'], value: 3 },
      ],
      'm: {b: {t: 1}, a: {t: 1}}\n',
      'm: {b: {t: 3}, a: {t: 2}}\n',
    ],
    ['keys by ..', '$..t', [{ location: ['m', 'a', 't'], value: 2 }], 'm: {a: {t: 1}}\n', 'm: {a: {t: 2}}\n'],
    [
      'a map with the writing of its numbers',
      '$.m',
      [
        { location: ['m'], value: { v: 1.1 } },
        { location: ['m', 'v'], value: 1.1, text: '1.10' },
      ],
      'm:\n  v: 1.1 # c\n',
      'm:\n  v: 1.10 # c\n',
    ],
    [
      'a path that is no path any more, by names alone',
      '$.a.tag^',
      [{ location: ['a', 'tag'], value: '2' }],
      'a: {tag: "1"}\n',
      'a: {tag: "2"}\n',
    ],
  ])('%s', (_name, path, locations, target, after) => {
    expect(put(path, target, ...locations)).toBe(after);
  });
});

test('a text that was pinned without how it was written does not change a file that holds it', () => {
  expect(put('$.a', 'a: yes\n', { location: ['a'], value: 'yes' })).toBe('a: yes\n');
});

describe('where only an index is known', () => {
  const pinned = { location: ['l', 0, 't'], value: '2' };
  test.each(['$.l[*].t', '$..t', '$.l[?@.on == true].t'])('%s is refused, with what to do', (path) => {
    expect(() => put(path, 'l: [{on: true, t: "1"}, {on: false, t: "1"}]\n', pinned)).toThrow(
      /file "v\.yaml".*(was pinned by an earlier version of Sluice|name the entry in the filter)/,
    );
  });
  test('nothing is written where the file holds it already', () => {
    expect(put('$.l[*].t', 'l: [{t: "2"}]\n', pinned)).toBe('l: [{t: "2"}]\n');
  });
});

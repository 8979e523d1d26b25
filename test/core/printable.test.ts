import { describe, expect, test } from 'vitest';
import { MAX_LABEL, printable, printableIn, steeringIn, wrongLabel } from '../../src/core/printable.ts';

const ESC = '\u001b';

test.each<[string, string, boolean, string | undefined]>([
  ['plain text', 'a b', false, undefined],
  ['an escape', `a${ESC}b`, false, 'has U+001B in place 2; only characters that can be printed are taken'],
  ['at the beginning', `${ESC}`, false, 'has U+001B in place 1; only characters that can be printed are taken'],
  [
    'a letter turned around',
    'ab\u202ec',
    false,
    'has U+202E in place 3; only characters that can be printed are taken',
  ],
  ['lines where they are fine', 'a\tb\r\nc', true, undefined],
  ['lines where they are not', 'a\nb', false, 'has U+000A in place 2; only characters that can be printed are taken'],
  [
    'an escape between lines',
    `a\n${ESC}`,
    true,
    'has U+001B in place 3; only characters that can be printed are taken',
  ],
])('steering: %s', (_what, text, lines, expected) => {
  expect(steeringIn(text, { lines })).toBe(expected);
});

test.each<[string, string, RegExp | undefined]>([
  ['one letter', 'a', undefined],
  ['the longest', 'a'.repeat(MAX_LABEL), undefined],
  ['a longer one', 'a'.repeat(MAX_LABEL + 1), /^has 201 characters; at most 200/],
  ['nothing', '', /^is empty$/],
  ['blanks', '   ', /^is empty$/],
  ['two lines', 'a\nb', /^has U\+000A/],
])('a label of %s', (_what, label, message) => {
  if (message === undefined) expect(wrongLabel(label)).toBeUndefined();
  else expect(wrongLabel(label)).toMatch(message);
});

describe('what is printed', () => {
  test.each([
    ['a b', false, 'a b'],
    [`a${ESC}b${ESC}`, false, 'a\\u001bb\\u001b'],
    ['a\nb', true, 'a\nb'],
    ['a\nb', false, 'a\\u000ab'],
    ['\ufeffx', false, '\\ufeffx'],
  ])('%j', (text, lines, expected) => {
    expect(printable(text, { lines })).toBe(expected);
  });

  test('every text in a value, and nothing else', () => {
    const at = [1, true, null, undefined];
    expect(printableIn({ a: `x${ESC}`, b: [`y\n\tz`, { c: ESC }], at })).toEqual({
      a: 'x\\u001b',
      b: ['y z', { c: '\\u001b' }],
      at,
    });
    expect(printableIn('a\r\nb')).toBe('a b');
    expect(printableIn(null)).toBeNull();
    expect(printableIn(undefined)).toBeUndefined();
  });
});

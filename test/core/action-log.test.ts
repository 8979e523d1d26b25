import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { endOfPart, LOG_LIMITS, LogLines } from '../../src/core/action-log.ts';

const SECRET = 'correct-horse-battery';
const mask = { hide: (text: string) => text.replaceAll(SECRET, '***'), longest: SECRET.length };

/** What comes out of a text that comes in these pieces. */
function written(pieces: readonly string[]): string {
  const lines = new LogLines(mask);
  return pieces.map((each) => lines.add(each)).join('') + lines.end();
}

describe('what comes in pieces becomes whole lines', () => {
  test('a line is held until it is whole, and the last one is ended', () => {
    const lines = new LogLines(mask);
    expect(lines.add('one\ntw')).toBe('one\n');
    expect(lines.add('o')).toBe('');
    expect(lines.add('\nthree')).toBe('two\n');
    expect(lines.end()).toBe('three\n');
    expect(lines.end()).toBe('');
  });

  test('a line that grows too long is kept in parts, and none of it is lost', () => {
    const long = 'x'.repeat(3 * LOG_LIMITS.line);
    const lines = new LogLines(mask);
    const first = lines.add(long);
    expect(first.length).toBeGreaterThan(LOG_LIMITS.line);
    expect(first + lines.add('y\n') + lines.end()).toBe(`${long}y\n`);
  });

  test('no secret shows, wherever the pieces end', () => {
    const filler = fc.constantFrom(
      'a',
      'b\n',
      'c '.repeat(LOG_LIMITS.line / 2),
      '\u{1f600}',
      SECRET,
      SECRET.slice(0, 9),
    );
    fc.assert(
      fc.property(fc.array(filler, { maxLength: 12 }), fc.array(fc.nat(), { maxLength: 8 }), (parts, cuts) => {
        const text = parts.join('');
        const places = [...new Set(cuts.map((each) => each % (text.length + 1)))].sort((a, b) => a - b);
        const pieces = [...places, text.length].map((to, index) => text.slice(places[index - 1] ?? 0, to));
        const whole = mask.hide(text);
        expect(written(pieces)).toBe(whole === '' || whole.endsWith('\n') ? whole : `${whole}\n`);
      }),
    );
  });

  test('what PostgreSQL does not store is replaced', () => {
    expect(written(['a\0b\ud83d\n'])).toBe('a\ufffdb\ufffd\n');
  });
});

test('parts end at the end of a line where there is one, and never inside of a character', () => {
  expect(endOfPart('short', 10)).toBe(5);
  expect(endOfPart('1234567\n90abc', 10)).toBe(8);
  expect(endOfPart('1\n34567890abc', 10)).toBe(10);
  expect(endOfPart('123456789\u{1f600}', 10)).toBe(9);
});

import fc from 'fast-check';
import cliTruncate from 'cli-truncate';
import stringWidth from 'string-width';
import { expect, test } from 'vitest';
import { cutTo, widthOf } from '../../src/cli/width.ts';

test('texts without the libraries are as wide, and cut, as with them', () => {
  const plain = fc.string({ unit: fc.constantFrom(' ', '~', 'a', 'Z', '0', '-', '[', 'm', '…'), maxLength: 30 });
  const any = fc.oneof(plain, fc.string({ unit: 'grapheme', maxLength: 30 }));
  fc.assert(
    fc.property(any, fc.integer({ min: 0, max: 40 }), (text, columns) => {
      expect(widthOf(text)).toBe(stringWidth(text));
      expect(cutTo(text, columns)).toBe(cliTruncate(text, columns));
    }),
  );
});

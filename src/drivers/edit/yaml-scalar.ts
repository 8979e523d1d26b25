import type { ScalarNode } from './node.ts';
import type { Edit } from './text.ts';
import { columnOf, eolOf, lineEnd } from './text.ts';
import type { Place } from './yaml-read.ts';

/**
 * A text as a block scalar in the style of `like`: literal or folded, with its indentation and the comment of its header.
 * Undefined where a block cannot say it in a way that every reader takes alike: then it needs quotes.
 */
export function blockScalar(
  file: string,
  like: ScalarNode | undefined,
  place: Place,
  value: string,
): string | undefined {
  const body = value.replace(/\n+$/, '');
  const ends = value.length - body.length;
  if (place.inFlow || place.column < 0 || body === '' || !isBlockText(value)) return undefined;
  const header = like ? file.slice(like.start, lineEnd(file, like.start)) : '';
  const keeps = isKept(header);
  // Blank lines that follow in the file would be counted to it.
  if (ends > 1 && !keeps) return undefined;
  const indent = like ? (indentOf(file, like) ?? place.column + 2) : place.column + 2;
  const digit = indent - place.column;
  // Without a digit the first line says how far all are indented.
  const needsDigit = /^\n*[ \t]/.test(body) || /^[|>][-+]?\d/.test(header);
  if (digit < 1 || (needsDigit && digit > 9)) return undefined;
  const folded = like?.style === 'FOLDED' && isFoldable(body);
  const chomp = ends === 0 ? '-' : keeps ? '+' : '';
  // The last line of a file without a line break at its end would have none either.
  const isLast = like ? like.end >= file.length : !file.endsWith('\n');
  const comment = /\s+#.*$/.exec(header)?.[0] ?? '';
  const text = folded ? body.replace(/\n+/g, (each) => `\n${each}`) : body;
  const lines = [...text.split('\n'), ...Array<string>(Math.max(0, ends - 1)).fill('')];
  const eol = eolOf(file);
  const margin = ' '.repeat(indent);
  const written = lines.map((line) => eol + (line === '' ? '' : margin + line)).join('');
  return `${folded ? '>' : '|'}${needsDigit ? digit : ''}${chomp}${comment}${written}${isLast && ends > 0 ? eol : ''}`;
}

/** Whether a block counts the blank lines behind it. */
const isKept = (block: string): boolean => /^[|>]\d?\+/.test(block);

/** What a block that says `value` needs of the lines behind it. */
export const endingOf = (block: string, value: string): Edit['ending'] =>
  isKept(block) ? 'KEPT' : value.endsWith('\n') ? 'BROKEN' : undefined;

/** Lines that stand as they are: no sign that needs an escape, no blanks alone in a line. */
const isBlockText = (text: string): boolean =>
  !/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\p{Cs}\u2028\u2029\ufeff\ufffe\uffff]/u.test(text) &&
  !/(?:^|\n)[ \t]+(?:\n|$)/.test(text);

/** Lines that begin with blanks are not folded, nor is what comes before the first. */
const isFoldable = (body: string): boolean => !/(?:^|\n)[ \t]/.test(body) && !body.startsWith('\n');

function indentOf(file: string, like: ScalarNode): number | undefined {
  const from = lineEnd(file, like.start);
  const first = /[^\s]/.exec(file.slice(from, like.end));
  const digit = /^[|>][-+]?(\d)/.exec(file.slice(like.start, like.start + 4))?.[1];
  if (digit !== undefined || !first) return undefined;
  return columnOf(file, from + first.index);
}

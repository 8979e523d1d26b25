import { createRequire } from 'node:module';

/**
 * The libraries that know how wide any text is take 25 ms of the 110 that a command takes: they are loaded for the first text with other
 * letters than these, of which each is one column wide.
 */
const ONE_COLUMN_EACH = /^[\x20-\x7e…]*$/;

const load = createRequire(import.meta.url);

/** Columns of a terminal that a text takes. */
export function widthOf(text: string): number {
  if (ONE_COLUMN_EACH.test(text)) return text.length;
  const { default: stringWidth } = load('string-width') as typeof import('string-width');
  return stringWidth(text);
}

/** The text as it fits, with an ellipsis where it was cut. */
export function cutTo(text: string, columns: number): string {
  if (ONE_COLUMN_EACH.test(text)) {
    if (text.length <= columns) return text;
    return columns < 1 ? '' : `${text.slice(0, columns - 1)}…`;
  }
  const { default: cliTruncate } = load('cli-truncate') as typeof import('cli-truncate');
  return cliTruncate(text, columns);
}

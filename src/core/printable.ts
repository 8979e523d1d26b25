/**
 * Text that other people read. A control character steers a terminal, a bidirectional one shows letters in another order than
 * they stand in, a line separator breaks a log, and half a surrogate pair is no character at all.
 */
const STEERING = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/u;
const STEERING_BUT_LINES = /(?![\t\n\r])[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/u;

/** UTF-16 code units. */
export const MAX_LABEL = 200;

/** What is wrong with a text, as in `has U+001B in place 7; remove it`; tabs and line breaks are fine with `lines`. */
export function steeringIn(text: string, { lines }: { lines: boolean }): string | undefined {
  const found = (lines ? STEERING_BUT_LINES : STEERING).exec(text);
  if (!found) return undefined;
  return `has ${nameOf(found[0])} in place ${found.index + 1}; only characters that can be printed are taken`;
}

/** What is wrong with a version's label, or undefined: one line that people read, compare and type. */
export function wrongLabel(label: string): string | undefined {
  if (label.trim() === '') return 'is empty';
  if (label.length > MAX_LABEL) return `has ${label.length} characters; at most ${MAX_LABEL} are taken`;
  return steeringIn(label, { lines: false });
}

/** The text with a visible sign for each character that would steer a terminal: `\u001b`, `\u202e`. JSON stays the same JSON. */
export function printable(text: string, { lines }: { lines: boolean }): string {
  const steering = lines ? STEERING_BUT_LINES : STEERING;
  if (!steering.test(text)) return text;
  return text.replaceAll(new RegExp(steering.source, 'gu'), escaped);
}

const codeOf = (character: string): number => character.codePointAt(0)!;

const nameOf = (character: string): string => `U+${codeOf(character).toString(16).toUpperCase().padStart(4, '0')}`;

const escaped = (character: string): string => `\\u${codeOf(character).toString(16).padStart(4, '0')}`;

/** The same for every text in a value of plain data; a text of several lines becomes one. */
export function printableIn<T>(value: T): T {
  if (typeof value === 'string') return printable(value.replaceAll(/[\t\n\r]+/g, ' '), { lines: false }) as T;
  if (Array.isArray(value)) return value.map(printableIn) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, printableIn<unknown>(each)])) as T;
}

/** The text without what PostgreSQL does not store: NUL, and half of a surrogate pair. */
export const storable = (text: string): string => text.replace(/\0|[\ud800-\udfff]/gu, '\ufffd');

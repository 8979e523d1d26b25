/** Characters of one text that comes from outside and becomes a part of a release: of its state, its events, every later save. */
export const MOST_TEXT = 2_000;

/** NUL, and half a character: PostgreSQL stores neither, and a decision that says one could never be saved. */
const UNSTORABLE = /\0|[\ud800-\udfff]/gu;

/** The text with a replacement character for what PostgreSQL does not store. */
export const storableText = (text: string): string => text.replace(UNSTORABLE, '\ufffd');

/** The text as it is kept: what is longer ends with how much is missing, and what cannot be stored is a replacement character. */
export function boundedText(given: string): string {
  const text = storableText(given);
  if (text.length <= MOST_TEXT) return text;
  // Not between the halves of a character.
  const kept = text.slice(0, MOST_TEXT).replace(/[\ud800-\udbff]$/, '');
  return `${kept}… (${text.length - kept.length} more characters)`;
}

/** These have limits of their own, which refuse instead of cutting. */
const OWN_LIMITS = new Set(['outputs', 'progress']);

/** The same value with every text in it bounded; the value itself where nothing has to be changed. */
export function bounded<T>(value: T): T {
  return withTexts(value, boundedText);
}

function withTexts<T>(value: T, kept: (text: string) => string): T {
  if (typeof value === 'string') return kept(value) as T;
  if (typeof value !== 'object' || value === null) return value;
  let changed: T | undefined;
  for (const key of Object.keys(value) as (keyof T)[]) {
    const each = withTexts(value[key], OWN_LIMITS.has(key as string) ? storableText : kept);
    if (each === value[key]) continue;
    changed ??= (Array.isArray(value) ? value.slice() : { ...value }) as T;
    changed[key] = each;
  }
  return changed ?? value;
}

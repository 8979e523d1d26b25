/** Characters of one text that somebody else wrote and that becomes a part of a release: of its state, its events, every later save. */
export const MOST_TEXT = 2_000;

/** The text as it is kept: what is longer ends with how much is missing. */
export function boundedText(text: string): string {
  if (text.length <= MOST_TEXT) return text;
  // Not between the halves of a character: PostgreSQL stores no half.
  const kept = text.slice(0, MOST_TEXT).replace(/[\ud800-\udbff]$/, '');
  return `${kept}… (${text.length - kept.length} more characters)`;
}

/** These have limits of their own, which refuse instead of cutting. */
const OWN_LIMITS = new Set(['outputs', 'progress']);

/** The same value with every text in it bounded; the value itself where nothing is too long. */
export function bounded<T>(value: T): T {
  if (typeof value === 'string') return boundedText(value) as T;
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(
    ([key, each]) => [key, OWN_LIMITS.has(key) ? each : bounded(each)] as const,
  );
  if (entries.every(([key, each]) => each === value[key as keyof T])) return value;
  return (Array.isArray(value) ? entries.map(([, each]) => each) : Object.fromEntries(entries)) as T;
}

import { quote } from '../wording.ts';

/** What a message of a type may hold: the name of each field, and how long a text in it may be; 0 for a whole number. */
export type Fields = Readonly<Record<string, number>>;

/** What a message holds, by field. */
export type Told<F extends Fields> = { [K in keyof F]?: string | number | null };

/**
 * Reads a body: `{"type": "…", "timestamp": …, "data": {…}}`, or the data alone.
 * @returns why it is none, in words for its sender, when it is none.
 */
export function openEnvelope<F extends Fields>(body: string, type: string, fields: F): Told<F> | { wrong: string } {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return { wrong: 'the body is not JSON' };
  }
  if (!isObject(parsed)) return { wrong: 'the body is not a JSON object' };
  if (parsed['type'] !== undefined && parsed['type'] !== type) {
    return { wrong: `the type ${shown(parsed['type'])} is not known here; it must be ${type}` };
  }
  const told = parsed['data'] === undefined ? omit(parsed, ['type', 'timestamp']) : parsed['data'];
  if (!isObject(told)) return { wrong: 'data is not a JSON object' };
  for (const [key, value] of Object.entries(told)) {
    const wrong = wrongIn(key, value, fields);
    if (wrong !== null) return { wrong };
  }
  return told as Told<F>;
}

function wrongIn(key: string, value: unknown, fields: Fields): string | null {
  const longest = Object.hasOwn(fields, key) ? fields[key] : undefined;
  if (longest === undefined) return `the field ${quote(key)} is not known; known are ${Object.keys(fields).join(', ')}`;
  if (value === null) return null;
  if (longest === 0) return Number.isSafeInteger(value) ? null : `${key} must be a whole number`;
  if (typeof value !== 'string') return `${key} must be a text`;
  if (value.length > longest) return `${key} is too long: at most ${longest} characters`;
  return /\0|[\ud800-\udfff]/u.test(value) ? `${key} has a NUL character or half a character` : null;
}

export const shown = (value: unknown): string =>
  typeof value === 'string' ? quote(value.slice(0, 100)) : typeof value;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const omit = (value: Record<string, unknown>, keys: string[]): Record<string, unknown> =>
  Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key)));

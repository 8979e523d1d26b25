import type { Base, StoredDraft, Typing } from './types.ts';

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

const isNumber = (value: unknown): value is number => Number.isFinite(value);

const isRevision = (value: unknown): value is number | null => value === null || isNumber(value);

const isBase = (value: unknown): value is Base =>
  isRecord(value) && typeof value['text'] === 'string' && isRevision(value['revision']);

function isDraft(value: unknown): value is StoredDraft {
  if (!isRecord(value) || typeof value['text'] !== 'string' || !isBase(value['base'])) return false;
  const { past, future, conflicts, count, at } = value;
  return [past, future, conflicts].every(Array.isArray) && isNumber(count) && isNumber(at);
}

/** What a browser has kept can be of another version, or broken: then it counts as absent, and drafts are kept all the same. */
export const asDraft = (value: unknown): StoredDraft | null => (isDraft(value) ? value : null);

/** The same of what a draft is made from. */
export const asBase = (value: unknown): Base | null => (isBase(value) ? value : null);

function isTyping(value: unknown): value is Typing {
  if (!isRecord(value) || !isRevision(value['revision']) || !isNumber(value['at'])) return false;
  const { node, field, text } = value;
  return (node === null || typeof node === 'string') && typeof field === 'string' && typeof text === 'string';
}

/** The same of what stood in a field. */
export const asTyping = (value: unknown): Typing | null => (isTyping(value) ? value : null);

/** The value of a text that a browser has kept; null: it is none, or broken. */
export function parsed(text: string | null): unknown {
  try {
    return JSON.parse(text ?? 'null');
  } catch {
    return null;
  }
}

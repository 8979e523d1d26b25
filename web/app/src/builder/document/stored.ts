import type { Base, Change, Conflict, Selection, StoredDraft, Typing } from './types.ts';

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

const isSelection = (value: unknown): value is Selection => isRecord(value) && Array.isArray(value['field']);

function isChange(value: unknown): value is Change {
  if (!isRecord(value) || !isNumber(value['at']) || !isSelection(value['before']) || !isSelection(value['after']))
    return false;
  return typeof value['removed'] === 'string' && typeof value['inserted'] === 'string';
}

const isConflict = (value: unknown): value is Conflict => isRecord(value) && Array.isArray(value['path']);

/** Of changes one leads to the next: without one there is none. */
const history = (changes: readonly Change[]): Change[] => (changes.every(isChange) ? [...changes] : []);

/**
 * What a browser has kept can be of another version, or broken: then it counts as absent, and drafts are kept all the same. Where its text
 * can be read and its history cannot, the text stays.
 */
export function asDraft(value: unknown): StoredDraft | null {
  if (!isDraft(value)) return null;
  const { past, future, conflicts } = value;
  return { ...value, past: history(past), future: history(future), conflicts: conflicts.filter(isConflict) };
}

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

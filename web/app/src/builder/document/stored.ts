import type { Base, StoredDraft } from './types.ts';

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

const isNumber = (value: unknown): value is number => Number.isFinite(value);

const isBase = (value: unknown): value is Base =>
  isRecord(value) && typeof value['text'] === 'string' && (value['revision'] === null || isNumber(value['revision']));

function isDraft(value: unknown): value is StoredDraft {
  if (!isRecord(value) || typeof value['text'] !== 'string' || !isBase(value['base'])) return false;
  const { past, future, conflicts, count, at } = value;
  return [past, future, conflicts].every(Array.isArray) && isNumber(count) && isNumber(at);
}

/** What a browser has kept can be of another version, or broken: then it counts as absent, and drafts are kept all the same. */
export const asDraft = (value: unknown): StoredDraft | null => (isDraft(value) ? value : null);

/** The same of what a draft is made from. */
export const asBase = (value: unknown): Base | null => (isBase(value) ? value : null);

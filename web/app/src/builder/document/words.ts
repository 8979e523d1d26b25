import { mergeDocuments } from './merge.ts';
import { SOUGHT } from './kinds.ts';
import { openText } from './read.ts';
import { changeBetween, MOST_CHANGES, withoutChange } from './session.ts';
import { asDraft, parsed } from './stored.ts';
import type { Change, DraftKind, DraftOwner, Session, StoredDraft, TextDocument } from './types.ts';

/**
 * What a tab leaves behind at each change, before anything else happens: the store of drafts is written later, and a tab can end in
 * between. `count` is that of what the store had then.
 */
export interface LastWord extends StoredDraft {
  tab: string;
  /** What differs from the text that the store had then, or from the base; null: nothing. */
  since: Pick<Change, 'at' | 'removed' | 'inserted'> | null;
}

/** Where last words are left, by key; all tabs of a browser share it. Each call is done when it returns. */
export interface Words {
  /** Those that begin with this. */
  keys(prefix: string): string[];
  get(key: string): string | null;
  /** @returns whether it is kept; false: there is no room, or this browser keeps nothing. Then nothing is left under this key. */
  set(key: string, value: string): boolean;
  remove(key: string): void;
}

const part = encodeURIComponent;
export const wordsOf = ({ kind, person, name }: Omit<DraftOwner, 'name'> & { name?: string }): string =>
  `sluice-${SOUGHT[kind].kept}draft/${part(person)}/${name === undefined ? '' : `${part(name)}/`}`;
export const wordKey = (owner: DraftOwner, tab: string): string => `${wordsOf(owner)}${part(tab)}`;
/** What it is a draft of, and the tab, of such a key. */
export const ofWordKey = (key: string): { name: string; tab: string } => {
  const [, , name, tab] = key.split('/').map(decodeURIComponent);
  return { name: name!, tab: tab! };
};

/** Null: there is none that this version can read. */
export function readWord(words: Words, key: string): LastWord | null {
  return asDraft(parsed(words.get(key))) as LastWord | null;
}

/** Leaves it with all that can be undone, or else, where that is too large, without. @returns whether it is kept */
export function leaveWord(words: Words, key: string, word: LastWord): boolean {
  return words.set(key, JSON.stringify(word)) || words.set(key, JSON.stringify({ ...word, past: [], future: [] }));
}

/** The draft with the last word of a tab that is gone. */
export function withWord(kind: DraftKind, stored: StoredDraft | null, { tab, since, ...word }: LastWord): StoredDraft {
  if (!stored) return word;
  const isLater = stored.tab === tab ? word.at >= stored.at : isOn(stored, word);
  if (isLater) return { ...word, count: stored.count };
  if (stored.text === word.text) return stored;
  // Another tab has written since.
  const before = since ? withoutChange(word.text, since) : word.text;
  const [older, newer] = [stored, word].sort((a, b) => (a.base.revision ?? 0) - (b.base.revision ?? 0));
  const { document, past, future, conflicts } = bothTabs(before, stored, {
    ...word,
    document: openText(kind, word.text),
    selection: { node: null, field: [] },
  });
  const kept = { past: [...past], future: [...future], conflicts: [...conflicts] };
  return { ...older!, ...newer!, ...kept, text: document.text, count: stored.count, at: Math.max(stored.at, word.at) };
}

const isOn = (stored: StoredDraft, { base, count }: StoredDraft): boolean =>
  stored.base.revision === base.revision && stored.count === count;

/**
 * Both tabs wrote on from `before`. When the texts cannot be merged, mine comes behind theirs in the history: undo shows theirs.
 * @param before the text that both began with
 */
export function bothTabs<D extends TextDocument>(before: string, found: StoredDraft, mine: Session<D>): Session<D> {
  const open = (text: string): D => openText(mine.document.kind, text);
  const merged = mergeDocuments(open(before), open(found.text), mine.document, { asTexts: true });
  const document = 'document' in merged ? merged.document : mine.document;
  const fresh = 'document' in merged ? merged.conflicts : [];
  const change = changeBetween(found.text, document.text);
  const entry = change && {
    ...change,
    said: 'both tabs',
    before: mine.selection,
    after: mine.selection,
    typedAt: null,
  };
  const past = entry ? [...found.past, entry].slice(-MOST_CHANGES) : found.past;
  return { ...mine, document, past, future: [], conflicts: [...found.conflicts, ...fresh] };
}

import { SOUGHT } from './kinds.ts';
import type { Tabs } from './drafts.ts';
import type { DraftOwner, TextDocument, Typing } from './types.ts';
import { pathOf } from './places.ts';
import { readingOf } from './reading.ts';
import { asTyping, parsed } from './stored.ts';
import type { Words } from './words.ts';

const part = encodeURIComponent;
const typingsOf = ({ kind, person, name }: DraftOwner): string =>
  `sluice-${SOUGHT[kind].kept}typing/${part(person)}/${part(name)}/`;

/** Leaves what a tab has in a field, in place of what it left before; null: it has nothing. Done when it returns. */
export function leaveTyping(words: Words, owner: DraftOwner, tab: string, typing: Typing | null): void {
  const key = `${typingsOf(owner)}${part(tab)}`;
  if (typing) words.set(key, JSON.stringify(typing));
  else words.remove(key);
}

/** What tabs that are closed or killed have left in a field of this draft, and how to forget it. */
export interface LeftTyping {
  /** The newest; null: there is none. */
  typing: Typing | null;
  forget: () => void;
}

export async function typingOfTheGone(
  { words, tabs }: { words: Words; tabs: Pick<Tabs, 'isGone'> },
  owner: DraftOwner,
): Promise<LeftTyping> {
  const prefix = typingsOf(owner);
  const found = await Promise.all(
    words.keys(prefix).map(async (key) => {
      const isGone = await tabs.isGone(decodeURIComponent(key.slice(prefix.length)));
      return isGone ? [{ key, typing: asTyping(parsed(words.get(key))) }] : [];
    }),
  );
  const left = found.flat();
  const typings = left.flatMap(({ typing }) => typing ?? []).sort((a, b) => b.at - a.at);
  return { typing: typings[0] ?? null, forget: () => left.forEach(({ key }) => words.remove(key)) };
}

/** Whether a document has this node, so that a field of it can be shown. */
export function hasNode(document: TextDocument, node: string | null): boolean {
  const reading = readingOf(document);
  return reading !== undefined && pathOf(reading.definition, { node, field: [] }) !== null;
}

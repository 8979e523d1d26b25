import { editDocument } from './edit.ts';
import { openText } from './read.ts';
import type {
  Base,
  Change,
  Edited,
  FlowDocument,
  FlowEdit,
  Known,
  Refused,
  Selection,
  Session,
  TextDocument,
} from './types.ts';

/** How many changes can be undone. */
export const MOST_CHANGES = 1000;
/** In milliseconds: typing that pauses for longer begins another change. */
const PAUSE = 1000;

/** A draft of a saved flow, or of a new one. */
export const startSession = (base: Base): Session => beginSession<FlowDocument>('PromotionFlow', base);

/** A draft of a saved definition, or of a new one. */
export function beginSession<D extends TextDocument>(kind: D['kind'], base: Base): Session<D> {
  const document = openText<D>(kind, base.text);
  return { document, selection: { node: null, field: [] }, base, past: [], future: [], conflicts: [] };
}

/** Something that was asked for, and the session after it. */
export interface Done<D extends TextDocument = FlowDocument> {
  session: Session<D>;
  /** To be spoken. */
  said: string;
}

/** The same after an edit, which may be refused. */
export type Made<D extends TextDocument = FlowDocument> = Done<D> & {
  notes: string[];
  refusals: Refused['refusals'];
};

/** Makes edits as one change that can be undone, all or none. When they are refused, the session is the same one. */
export const makeEdits = (session: Session, edits: readonly FlowEdit[], known: Known): Made =>
  withEdited(session, editDocument(session.document, edits, known));

/** The session after what an edit came to. */
export function withEdited<D extends TextDocument>(session: Session<D>, made: Edited<D> | Refused): Made<D> {
  if (made.refusals) return { session, said: made.said, notes: [], refusals: made.refusals };
  const { said, notes } = made;
  return { session: changed(session, made), said, notes, refusals: [] };
}

/** The session after a change that has a sentence. */
export function changed<D extends TextDocument>(
  session: Session<D>,
  { document, said, selection }: Pick<Edited<D>, 'document' | 'said' | 'selection'>,
): Session<D> {
  const change = changeBetween(session.document.text, document.text);
  if (!change) return { ...session, selection };
  const past = [...session.past, { ...change, said, before: session.selection, after: selection, typedAt: null }];
  return { ...session, document, selection, past: past.slice(-MOST_CHANGES), future: [] };
}

/**
 * The whole text as it stands in an editor now. What is typed without a pause is one change.
 * @param at when it was typed, in milliseconds
 */
export function typeText<D extends TextDocument>(
  session: Session<D>,
  text: string,
  at: number,
  selection: Selection = session.selection,
): Session<D> {
  const last = session.past.at(-1);
  const goesOn =
    last !== undefined &&
    session.future.length === 0 &&
    last.typedAt !== null &&
    at - last.typedAt < PAUSE &&
    at >= last.typedAt;
  const from = goesOn ? withoutChange(session.document.text, last) : session.document.text;
  const change = changeBetween(from, text);
  const past = goesOn ? session.past.slice(0, -1) : session.past;
  const document = text === session.document.text ? session.document : opened(text, session);
  if (!change) return { ...session, document, selection, past, future: goesOn ? [] : session.future };
  const before = goesOn ? last.before : session.selection;
  const entry: Change = { ...change, said: null, before, after: selection, typedAt: at };
  return { ...session, document, selection, past: [...past, entry].slice(-MOST_CHANGES), future: [] };
}

/** Back by one change, byte for byte. */
export function undo<D extends TextDocument>(session: Session<D>): Done<D> {
  const change = session.past.at(-1);
  if (!change) return { session, said: 'there is nothing to undo' };
  const document = opened(withoutChange(session.document.text, change), session);
  const [past, future] = [session.past.slice(0, -1), [change, ...session.future]];
  return {
    session: { ...session, document, selection: change.before, past, future },
    said: `undone: ${change.said ?? 'typing'}`,
  };
}

/** Forth again by one change. */
export function redo<D extends TextDocument>(session: Session<D>): Done<D> {
  const [change, ...future] = session.future;
  if (!change) return { session, said: 'there is nothing to redo' };
  const document = opened(withChange(session.document.text, change), session);
  const past = [...session.past, change];
  return {
    session: { ...session, document, selection: change.after, past, future },
    said: `redone: ${change.said ?? 'typing'}`,
  };
}

export const select = <D extends TextDocument>(session: Session<D>, selection: Selection): Session<D> => ({
  ...session,
  selection,
});

/** Whether there is anything to save. */
export const isDirty = ({ document, base }: Session<TextDocument>): boolean =>
  document.text !== base.text || base.revision === null;

const counts = new WeakMap<Session<TextDocument>, number>();

/** How many changes lie between the draft and what is saved; 0 when it says the same, whatever was undone. */
export function countChanges(session: Session<TextDocument>): number {
  let count = counts.get(session);
  if (count === undefined) counts.set(session, (count = distance(session)));
  return count;
}

/** A save does not end the history: the base is somewhere in it, before or behind. After a merge it is nowhere. */
function distance({ document: { text }, base, past, future }: Session<TextDocument>): number {
  if (text === base.text) return 0;
  const back = stepsTo(base.text, text, past.toReversed(), withoutChange);
  return back ?? stepsTo(base.text, text, future, withChange) ?? Math.max(1, past.length);
}

function stepsTo(
  wanted: string,
  text: string,
  changes: readonly Change[],
  step: (text: string, change: Change) => string,
): number | undefined {
  let now = text;
  for (const [index, change] of changes.entries()) {
    now = step(now, change);
    if (now === wanted) return index + 1;
  }
  return undefined;
}

/** The text is from here on what is saved as `base`. What it was before can be had back by undo. */
export function goOnFrom<D extends TextDocument>(session: Session<D>, base: Base, said: string): Session<D> {
  const document = opened(base.text, session);
  return { ...changed(session, { document, said, selection: session.selection }), base, conflicts: [] };
}

/** The one part in which two texts differ; undefined: in none. */
export function changeBetween(before: string, after: string): Pick<Change, 'at' | 'removed' | 'inserted'> | undefined {
  if (before === after) return undefined;
  const most = Math.min(before.length, after.length);
  let at = 0;
  while (at < most && before[at] === after[at]) at += 1;
  let end = 0;
  while (end < most - at && before[before.length - 1 - end] === after[after.length - 1 - end]) end += 1;
  return { at, removed: before.slice(at, before.length - end), inserted: after.slice(at, after.length - end) };
}

export const withoutChange = (
  text: string,
  { at, removed, inserted }: Pick<Change, 'at' | 'removed' | 'inserted'>,
): string => text.slice(0, at) + removed + text.slice(at + inserted.length);

const withChange = (text: string, { at, removed, inserted }: Change): string =>
  text.slice(0, at) + inserted + text.slice(at + removed.length);

const opened = <D extends TextDocument>(text: string, { document }: Session<D>): D =>
  openText(document.kind, text, document);

/** The newest document before these changes that could be read: what to show while the text is broken. */
export function lastGood<D extends TextDocument>(
  kind: D['kind'],
  text: string,
  past: readonly Change[],
): D | undefined {
  let before = text;
  for (const change of past.toReversed()) {
    before = withoutChange(before, change);
    const document = openText<D>(kind, before);
    if (document.isCurrent) return document;
  }
  return undefined;
}

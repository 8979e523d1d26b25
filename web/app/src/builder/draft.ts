import { createContext, useContext } from 'react';
import { type StoreApi, useStore } from 'zustand';
import { now } from '../api/clock.ts';
import type { Connecting } from './chart/drawn.ts';
import {
  calledOf,
  type LeftTyping,
  type Made,
  type Path,
  redo,
  select,
  type Selection,
  type Session,
  type TextDocument,
  type Typing,
  typeText,
  undo,
} from './document/index.ts';

/** What is asked over a draft of any kind. */
export type DraftDialog = { is: 'save' } | { is: 'discard' } | { is: 'revisions' } | { is: 'export' } | { is: 'keys' };

/** What several views draw while something is going on. */
export interface Preview {
  connecting?: Connecting;
  /** Nodes that would go. */
  removed?: readonly string[];
  /** Edges that would come. */
  reconnected?: readonly { from: string; to: string }[];
}

/** The text that a definition was written as, or else the manifest that the server prints. */
export const savedText = ({ text, manifest }: { text?: string | null; manifest: string }): string => text ?? manifest;

/** What is saved now, as far as this page has heard. */
export interface Newest {
  /** null: it was never saved. */
  revision: number | null;
  /** null: it was deleted. */
  text: string | null;
  by: string | null;
  at: string | null;
  /** A save was refused because of it. */
  isInTheWay?: boolean;
}

/** What a draft has on its page, whatever its kind. E: its edits. Q: what is asked over it. */
export interface DraftState<D extends TextDocument = TextDocument, E = never, Q = DraftDialog> {
  session: Session<D>;
  newest: Newest;
  /** A save is on its way: what is heard of meanwhile is most likely that. */
  isSaving: boolean;
  /** When the draft was kept in this browser, in milliseconds since the epoch; null: nothing had to be, or it cannot be. */
  keptAt: number | null;
  /** This browser has not kept the last changes, or not yet: they end with the tab. */
  isUnkept: boolean;
  /** Not to be edited here: why. */
  readOnly: string | null;
  dialog: Q | null;
  preview: Preview;
  /** What differs from what is saved is drawn, too. */
  isDiffShown: boolean;
  /** What was done last, for the live region; `count` makes the same words news again. */
  said: { text: string; count: number };
  /** Why the last edit was not made. */
  refusals: readonly string[];
  /** What stood in a field when a tab with this draft ended, and was not taken in. */
  left: Typing | null;
  /** The same on its way back into its field, where it is not taken in before it is confirmed. */
  back: Typing | null;
  /** Counts the jumps to a field: each gives it the focus, also the one that is selected already. */
  jumps: number;
  /** @returns whether they were made */
  edit: (...edits: E[]) => boolean;
  /** Gives the definition another name. @returns whether it was made */
  rename: (to: string) => boolean;
  type: (text: string) => void;
  undo: () => void;
  redo: () => void;
  select: (node: string | null, field?: Path) => void;
  /** Selects a field and gives it the focus. */
  jump: (selection: Selection) => void;
  /** Keeps what stands in a field of what is selected, in case the tab ends now; null: it is taken in. */
  keepTyping: (field: string, text: string | null) => void;
  putBack: () => void;
  tookBack: () => void;
  forget: () => void;
  say: (text: string) => void;
  ask: (dialog: Q | null) => void;
  show: (preview: Preview) => void;
  toggleDiff: () => void;
  put: (session: Session<D>, said?: string) => void;
}

/** Always the same: what shows refusals is drawn again for new ones alone. */
const NONE: readonly string[] = [];

/** Always the same, too: what draws a preview is not drawn again for none. */
export const NO_PREVIEW: Preview = {};

/** What a draft begins with on its page. */
export type Begin<D extends TextDocument> = Pick<DraftState<D>, 'session' | 'newest' | 'readOnly'> & {
  left: LeftTyping;
  /** Where what stands in a field is kept. */
  keep: (typing: Typing | null) => void;
};

/** @param make makes edits, and says what it did; the session is the same one when they are refused */
export function draftState<D extends TextDocument, E, Q>(
  { left, keep, ...begin }: Begin<D>,
  get: () => DraftState<D, E, Q>,
  set: (change: (state: DraftState<D, E, Q>) => Partial<DraftState<D, E, Q>>) => void,
  make: (session: Session<D>, edits: readonly E[]) => Made<D>,
): Omit<DraftState<D, E, Q>, 'rename'> {
  const say = (text: string): void => set(({ said }) => ({ said: { text, count: said.count + 1 } }));
  const put = (session: Session<D>, said?: string): void => {
    set(() => ({ session, refusals: NONE }));
    if (said !== undefined) say(said);
  };
  return {
    ...begin,
    isSaving: false,
    keptAt: null,
    isUnkept: false,
    dialog: null,
    preview: NO_PREVIEW,
    isDiffShown: false,
    said: { text: '', count: 0 },
    refusals: NONE,
    left: left.typing,
    back: null,
    jumps: 0,
    edit(...edits) {
      const { session, readOnly } = get();
      if (readOnly !== null) {
        set(() => ({ refusals: [readOnly] }));
        say(readOnly);
        return false;
      }
      const made = make(session, edits);
      const refusals = made.refusals.length === 0 ? NONE : made.refusals.map(({ message }) => message);
      set(() => ({ session: made.session, refusals }));
      say([made.said, ...made.notes].join('. '));
      return refusals.length === 0;
    },
    type(text) {
      if (get().readOnly === null) put(typeText(get().session, text, now()));
    },
    undo() {
      const { session, said } = undo(get().session);
      put(session, said);
    },
    redo() {
      const { session, said } = redo(get().session);
      put(session, said);
    },
    select: (node, field = []) => set(({ session }) => ({ session: select(session, { node, field }) })),
    jump: (selection) => set(({ session, jumps }) => ({ session: select(session, selection), jumps: jumps + 1 })),
    keepTyping(field, text) {
      const { selection, base } = get().session;
      keep(text === null ? null : { node: selection.node, field, text, revision: base.revision, at: now() });
    },
    putBack() {
      const back = get().left;
      if (back === null) return;
      set(() => ({ back }));
      get().jump({ node: back.node, field: back.field.split('.') });
    },
    tookBack() {
      say(`${get().back?.field} is put back, and not taken in yet`);
      get().forget();
    },
    forget() {
      set(() => ({ left: null, back: null }));
      left.forget();
    },
    say,
    ask: (dialog) => set(() => ({ dialog, refusals: NONE, preview: NO_PREVIEW })),
    show: (preview) => set(() => ({ preview })),
    toggleDiff() {
      set(({ isDiffShown }) => ({ isDiffShown: !isDiffShown }));
      const { isDiffShown, session } = get();
      say(
        isDiffShown ? `differences from the saved ${calledOf(session.document)} are shown` : 'differences are hidden',
      );
    },
    put,
  };
}

/** The store of the draft that is nearest around a view: the kind of its page. */
export const DraftContext = createContext<unknown>(undefined);

export const useDraftStore = (): StoreApi<DraftState> => useContext(DraftContext) as StoreApi<DraftState>;

/** What a view needs of a draft of any kind: it is drawn again only when that changes. */
export const useDraft = <T>(of: (state: DraftState) => T): T => useStore(useDraftStore(), of);

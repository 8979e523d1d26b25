import { now } from '../api/clock.ts';
import { coalesce } from '../api/coalesce.ts';
import { browserStore, browserWords, browserWorld, listenToTabs } from './document/browser.ts';
import {
  type Base,
  beginSession,
  Draft,
  draftsOf,
  type DraftKind,
  type DraftOwner,
  isDirty,
  leaveTyping,
  nameIn,
  newText,
  openText,
  type Session,
  type TextDocument,
  typingOfTheGone,
} from './document/index.ts';
import { whileOpen } from './document/leaving.ts';
import type { Begin, DraftState, Newest } from './draft.ts';
import type { Builder } from './state.ts';

/** The store of a draft, of whatever kind, as far as it is kept. */
interface KeptStore<D extends TextDocument> {
  getState(): Pick<DraftState<D>, 'session' | 'newest' | 'isUnkept' | 'put'>;
  setState(part: Partial<Pick<DraftState<D>, 'keptAt' | 'isUnkept'>>): void;
  subscribe(changed: (now: { session: Session<D> }, before: { session: Session<D> }) => void): () => void;
}

/** A draft on the page, kept in the browser as it changes. */
export interface OpenDraft<S> {
  store: S;
  /** This text was saved as this revision: only what was changed since has to be kept. */
  saved: (base: Base) => Promise<void>;
  /** Back to what is saved. */
  discard: () => Promise<void>;
  close: () => void;
}

interface Opening<D extends TextDocument> extends DraftOwner<D> {
  newest: Newest;
  /** Why it is not edited here as it is. */
  readOnly: string | null;
  /** It is edited all the same once somebody has begun: as a proposal. */
  isProposed?: boolean;
}

/** The groups that show all of their members, in every flow. */
const OPENED = 'sluice-opened-groups';
export function openedGroups(): ReadonlySet<string> {
  try {
    return new Set(JSON.parse(browserWords.get(OPENED) ?? '[]') as string[]);
  } catch {
    return new Set();
  }
}

/** Remembers which groups are open in this builder. */
export function keepOpened(builder: Builder): Builder {
  builder.subscribe((now, before) => {
    if (now.opened !== before.opened) browserWords.set(OPENED, JSON.stringify([...now.opened]));
  });
  return builder;
}

/** What the server has is not undone by a browser that keeps nothing. */
function notKept(error: unknown): undefined {
  console.warn('The draft cannot be kept in this browser.', error);
}

/** Opens what was kept, or begins with what is saved. Without storage, as in some private windows, it is edited all the same. */
export async function openDraft<D extends TextDocument, S extends KeptStore<D>>(
  { newest, readOnly: reason, isProposed, ...owner }: Opening<D>,
  create: (begin: Begin<D>) => S,
): Promise<OpenDraft<S>> {
  const page: { store?: KeptStore<D> } = {};
  const { kind } = owner;
  const world = browserWorld();
  const base = { revision: newest.revision, text: newest.text ?? newText(kind, owner.name) };
  const draft = await Draft.open<D>(world, owner, base, (session, said) =>
    page.store?.getState().put(session, said),
  ).catch(notKept);
  const session = draft?.session ?? beginSession<D>(kind, base);
  const readOnly = isProposed && isDirty(session) ? null : reason;
  const left = await typingOfTheGone(world, owner);
  const store = create({
    session,
    newest,
    readOnly,
    left,
    keep: (typing) => leaveTyping(browserWords, owner, world.tabs.id, typing),
  });
  page.store = store;
  if (draft && isDirty(session)) store.setState({ keptAt: draft.keptAt });
  const tell = (): void => {
    const isKept = draft?.isKept === true;
    store.setState(isKept ? { isUnkept: false, keptAt: now() } : { isUnkept: true });
  };
  const stop = store.subscribe((now, before) => {
    if (now.session === before.session || now.session === draft?.session) return;
    const isText = now.session.document.text !== before.session.document.text;
    const work = draft?.change(now.session).catch(notKept);
    if (!isText) return;
    tell();
    if (store.getState().isUnkept) void work?.then(tell);
  });
  const stopWatching = whileOpen(() => store.getState().isUnkept && isDirty(store.getState().session));
  return {
    store,
    saved: async (base) => draft?.saved(base).catch(notKept),
    async discard() {
      const { session: edited, newest: now } = store.getState();
      const from = now.text === null ? edited.base : { revision: now.revision, text: now.text };
      const saved = (await draft?.discard(from).catch(notKept)) ?? beginSession<D>(kind, from);
      store.getState().put(saved, 'The draft is discarded');
      store.setState({ keptAt: null, isUnkept: false });
    },
    close() {
      stop();
      stopWatching();
      draft?.close();
    },
  };
}

/** What a definition is called where it is saved; undefined: it never was. */
export const savedName = (kind: DraftKind, { revision, text }: Base): string | undefined =>
  revision === null ? undefined : nameIn(openText(kind, text));

/** What this person has not saved, here; the newest first. Empty in a browser that keeps nothing. */
export const keptDrafts = async (kind: DraftKind, person: string): Promise<KeptDraft[]> =>
  (await draftsOf({ store: browserStore, words: browserWords }, kind, person).catch(notKept)) ?? [];

/** A draft changes with every key: it is looked at that often at most, in milliseconds. */
const LOOK_MS = 500;

/** Tells what `keptDrafts` says, now and whenever another tab has changed a draft. @returns ends that */
export function followKeptDrafts(
  kind: DraftKind,
  person: string,
  told: (drafts: readonly KeptDraft[]) => void,
): () => void {
  const look = coalesce(() => void keptDrafts(kind, person).then(told), LOOK_MS);
  const stop = listenToTabs(() => look.call());
  look.call();
  return () => {
    stop();
    look.stop();
  };
}

export type KeptDraft = Awaited<ReturnType<typeof draftsOf>>[number];

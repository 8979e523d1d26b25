import type { Catalogue } from './catalogue.ts';
import { browserStore, browserWords, browserWorld } from './document/browser.ts';
import { type Base, Draft, draftsOf, isDirty, newFlowText, startSession } from './document/index.ts';
import { whileOpen } from './document/leaving.ts';
import { type Builder, createBuilder, type Newest } from './state.ts';

/** A draft on the page, kept in the browser as it changes. */
export interface OpenDraft {
  builder: Builder;
  /** This text was saved as this revision: only what was changed since has to be kept. */
  saved(base: Base): Promise<void>;
  /** Back to what is saved. */
  discard(): Promise<void>;
  close(): void;
}

interface Opening {
  flow: string;
  person: string;
  newest: Newest;
  catalogue: Catalogue;
  /** Why it is not edited here as it is. */
  readOnly: string | null;
  /** It is edited all the same once somebody has begun: as a proposal. */
  isProposed?: boolean;
}

/** The groups that show all of their members, in every flow. */
const OPENED = 'sluice-opened-groups';
const openedGroups = (): ReadonlySet<string> => new Set(JSON.parse(browserWords.get(OPENED) ?? '[]') as string[]);

/** What the server has is not undone by a browser that keeps nothing. */
function notKept(error: unknown): undefined {
  console.warn('The draft cannot be kept in this browser.', error);
}

/** Opens what was kept, or begins with what is saved. Without storage, as in some private windows, it is edited all the same. */
export async function openDraft({
  flow,
  person,
  newest,
  catalogue,
  readOnly: reason,
  isProposed,
}: Opening): Promise<OpenDraft> {
  const page: { builder?: Builder } = {};
  const base = { revision: newest.revision, text: newest.text ?? newFlowText(flow) };
  const draft = await Draft.open(browserWorld(), { flow, person }, base, (session, said) =>
    page.builder?.getState().put(session, said),
  ).catch(notKept);
  const session = draft?.session ?? startSession(base);
  const readOnly = isProposed && isDirty(session) ? null : reason;
  const made = createBuilder({ session, newest, catalogue, readOnly, opened: openedGroups() });
  page.builder = made;
  if (draft && isDirty(session)) made.setState({ keptAt: draft.keptAt });
  const tell = (): void => {
    const isKept = draft?.isKept === true;
    made.setState(isKept ? { isUnkept: false, keptAt: Date.now() } : { isUnkept: true });
  };
  const stop = made.subscribe((now, before) => {
    if (now.opened !== before.opened) browserWords.set(OPENED, JSON.stringify([...now.opened]));
    if (now.session === before.session || now.session === draft?.session) return;
    const isText = now.session.document.text !== before.session.document.text;
    const work = draft?.change(now.session).catch(notKept);
    if (!isText) return;
    tell();
    if (made.getState().isUnkept) void work?.then(tell);
  });
  const stopWatching = whileOpen(() => made.getState().isUnkept && isDirty(made.getState().session));
  return {
    builder: made,
    saved: async (base) => draft?.saved(base).catch(notKept),
    async discard() {
      const { session: edited, newest: now } = made.getState();
      const from = now.text === null ? edited.base : { revision: now.revision, text: now.text };
      const saved = (await draft?.discard(from).catch(notKept)) ?? startSession(from);
      made.getState().put(saved, 'The draft is discarded');
      made.setState({ keptAt: null, isUnkept: false });
    },
    close() {
      stop();
      stopWatching();
      draft?.close();
    },
  };
}

/** What this person has not saved, here; the newest first. Empty in a browser that keeps nothing. */
export const keptDrafts = async (person: string): Promise<KeptDraft[]> =>
  (await draftsOf({ store: browserStore, words: browserWords }, person).catch(notKept)) ?? [];

export type KeptDraft = Awaited<ReturnType<typeof draftsOf>>[number];

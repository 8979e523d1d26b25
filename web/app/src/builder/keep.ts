import type { Catalogue } from './catalogue.ts';
import { browserWorld } from './document/browser.ts';
import { type Base, Draft, startSession } from './document/index.ts';
import { type Builder, createBuilder, type Newest } from './state.ts';

/** A draft on the page, kept in the browser as it changes. */
export interface OpenDraft {
  builder: Builder;
  /** It was saved as this revision: nothing has to be kept any more. */
  saved(revision: number): Promise<void>;
  /** Back to what is saved. */
  discard(): Promise<void>;
  close(): void;
}

interface Opening {
  flow: string;
  person: string;
  newest: Newest;
  catalogue: Catalogue;
  readOnly: string | null;
}

/** What the server has is not undone by a browser that keeps nothing. */
function notKept(error: unknown): undefined {
  console.warn('The draft cannot be kept in this browser.', error);
}

const baseOf = ({ revision, text }: Newest): Base => ({ revision, text });

/** Opens what was kept, or begins with what is saved. Without storage, as in some private windows, it is edited all the same. */
export async function openDraft({ flow, person, newest, catalogue, readOnly }: Opening): Promise<OpenDraft> {
  const page: { builder?: Builder } = {};
  const draft = await Draft.open(browserWorld(), { flow, person }, baseOf(newest), (session) =>
    page.builder?.getState().put(session),
  ).catch(notKept);
  const session = draft?.session ?? startSession(baseOf(newest));
  const made = createBuilder({ session, newest, catalogue, readOnly });
  page.builder = made;
  const stop = made.subscribe((now, before) => {
    if (!draft || now.session === before.session || now.session === draft.session) return;
    const isText = now.session.document.text !== before.session.document.text;
    void draft
      .change(now.session)
      .then(() => isText && made.setState({ keptAt: Date.now() }))
      .catch(notKept);
  });
  return {
    builder: made,
    saved: async (revision) => draft?.saved(revision).catch(notKept),
    async discard() {
      const base = baseOf(made.getState().newest);
      await draft?.discard(base).catch(notKept);
      made.getState().put(startSession(base), 'The draft is discarded');
      made.setState({ keptAt: null });
    },
    close() {
      stop();
      draft?.close();
    },
  };
}

/** A new flow was kept under no name: from now on its text is found by it. */
export async function rememberAsTyped(person: string, flow: string, { revision, text }: Newest): Promise<void> {
  if (revision === null) return;
  try {
    const draft = await Draft.open(browserWorld(), { flow, person }, { revision, text }, () => {});
    await draft.saved(revision);
    draft.close();
  } catch (error) {
    notKept(error);
  }
}

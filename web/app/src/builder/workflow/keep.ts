import { browserWorld } from '../document/browser.ts';
import type { Base } from '../document/index.ts';
import { isChanged, startDraft, type WorkflowDraft } from './document.ts';
import { createWorkflowStore, type WorkflowStore } from './state.ts';

const keyOf = (person: string, workflow: string): string =>
  `workflow/${encodeURIComponent(person)}/${encodeURIComponent(workflow)}`;

/** A workflow on the page, kept in the browser as it changes. */
export interface OpenWorkflow {
  store: WorkflowStore;
  /** Nothing has to be kept any more. */
  forget: () => Promise<void>;
  close: () => void;
}

interface Opening {
  /** Its name, or what a new one is told apart by. */
  workflow: string;
  person: string;
  saved: Base & { by: string | null };
  readOnly: string | null;
}

/** What is kept of a draft: its text, and the revision that it began with. */
type Kept = Base;

/** Opens what was kept, or begins with what is saved. Without storage it is edited all the same. */
export async function openKeptWorkflow({ workflow, person, saved, readOnly }: Opening): Promise<OpenWorkflow> {
  const { store: kept } = browserWorld();
  const key = keyOf(person, workflow);
  const warn = (error: unknown): undefined => {
    console.warn('The draft cannot be kept in this browser.', error);
  };
  const found = (await kept.get(key).catch(warn)) as Kept | undefined;
  const base: Base = { revision: saved.revision, text: saved.text };
  const draft: WorkflowDraft =
    found && readOnly === null && found.text !== saved.text
      ? // From an older revision: it stays that one, so that a save is no surprise.
        { ...startDraft(base, found.text), base: { ...base, revision: found.revision } }
      : startDraft(base);
  const store = createWorkflowStore({ draft, newest: saved, readOnly });
  if (isChanged(draft) && found) store.getState().say('your draft is here again');
  const stop = store.subscribe((now, before) => {
    const { draft: made } = now;
    if (made.document.text === before.draft.document.text && made.base === before.draft.base) return;
    const work =
      made.document.text === made.base.text
        ? kept.remove(key)
        : kept.set(key, { revision: made.base.revision, text: made.document.text });
    void work.catch(warn);
  });
  return {
    store,
    forget: () =>
      kept
        .remove(key)
        .catch(warn)
        .then(() => {}),
    close: stop,
  };
}

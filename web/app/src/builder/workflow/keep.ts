import { browserStore, browserWords } from '../document/browser.ts';
import type { Base } from '../document/index.ts';
import { whileOpen } from '../document/leaving.ts';
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
interface Kept extends Base {
  /** In milliseconds since the epoch; absent in drafts of earlier versions. */
  at?: number;
}

/** Opens what was kept, or begins with what is saved. Without storage it is edited all the same. */
export async function openKeptWorkflow({ workflow, person, saved, readOnly }: Opening): Promise<OpenWorkflow> {
  const key = keyOf(person, workflow);
  const warn = (error: unknown): undefined => {
    console.warn('The draft cannot be kept in this browser.', error);
  };
  const stored = (await browserStore.get(key).catch(warn)) as Kept | undefined;
  const found = laterOf(stored, lastWord(key));
  const base: Base = { revision: saved.revision, text: saved.text };
  const draft: WorkflowDraft =
    found && readOnly === null && found.text !== saved.text
      ? // From an older revision: it stays that one, so that a save is no surprise.
        { ...startDraft(base, found.text), base: { ...base, revision: found.revision } }
      : startDraft(base);
  const store = createWorkflowStore({ draft, newest: saved, readOnly });
  if (isChanged(draft) && found) store.getState().say('your draft is here again');
  let latest = store.getState().draft;
  const forget = (): Promise<void> => {
    browserWords.remove(wordAt(key));
    return browserStore.remove(key);
  };
  /** A tab can end before the store has it: the last word is there when this returns. */
  const keep = ({ base: { revision }, document: { text } }: WorkflowDraft): void => {
    const one = { revision, text, at: Date.now() };
    const word = JSON.stringify(one);
    store.setState({ isUnkept: !browserWords.set(wordAt(key), word) });
    const isStored = (): void => {
      if (browserWords.get(wordAt(key)) === word) browserWords.remove(wordAt(key));
      if (latest.document.text === text) store.setState({ isUnkept: false });
    };
    void browserStore.set(key, one).then(isStored).catch(warn);
  };
  const stop = store.subscribe(({ draft: made }, before) => {
    if (made.document.text === before.draft.document.text && made.base === before.draft.base) return;
    latest = made;
    if (made.document.text !== made.base.text) return keep(made);
    store.setState({ isUnkept: false });
    void forget().catch(warn);
  });
  const stopWatching = whileOpen(() => store.getState().isUnkept);
  return {
    store,
    forget: () => forget().catch(warn),
    close() {
      stop();
      stopWatching();
    },
  };
}

const wordAt = (key: string): string => `sluice-${key}`;

function lastWord(key: string): Kept | undefined {
  const word = browserWords.get(wordAt(key));
  return word === null ? undefined : (JSON.parse(word) as Kept);
}

const laterOf = (stored: Kept | undefined, word: Kept | undefined): Kept | undefined =>
  stored && word && (stored.at ?? 0) > (word.at ?? 0) ? stored : (word ?? stored);

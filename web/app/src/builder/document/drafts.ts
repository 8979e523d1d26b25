import { sameDefinition } from '../../../../../src/manifests/index.ts';
import { SOUGHT } from './kinds.ts';
import { openText } from './read.ts';
import { readingOf } from './reading.ts';
import { beginSession, changeBetween, lastGood } from './session.ts';
import { asBase, asDraft } from './stored.ts';
import type {
  Base,
  DraftKind,
  DraftOwner,
  FlowDocument,
  Selection,
  Session,
  StoredDraft,
  TextDocument,
} from './types.ts';
import {
  bothTabs,
  type LastWord,
  leaveWord,
  ofWordKey,
  readWord,
  withWord,
  wordKey,
  type Words,
  wordsOf,
} from './words.ts';

/** Where drafts are kept, by key; all tabs of a browser share it. */
export interface DraftStore {
  get(key: string): Promise<unknown>;
  set(key: string, value: StoredDraft | Base): Promise<void>;
  remove(key: string): Promise<void>;
  keys(): Promise<string[]>;
}

/** What tabs of one browser have of each other. */
export interface Tabs {
  /** What this one is told apart by; each opening has its own. */
  id: string;
  /** Whether that one is closed, reloaded or killed. */
  isGone(id: string): Promise<boolean>;
  /** Runs `work` while no other tab runs one of this name. */
  alone<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** Tells the other tabs, not this one, that the draft with this key has changed. */
  tell(key: string): void;
  /** @returns ends the listening */
  listen(told: (key: string) => void): () => void;
  /** This one is gone. */
  leave(): void;
}

/** What a draft needs of the world. */
export interface DraftWorld {
  store: DraftStore;
  words: Words;
  tabs: Tabs;
  /** Milliseconds since the epoch. */
  now: () => number;
}

const part = encodeURIComponent;
const draftsAt = (kind: DraftKind, person: string): string => `${SOUGHT[kind].kept}draft/${part(person)}/`;
const prefixOf = ({ kind, name, person }: DraftOwner): string => `${draftsAt(kind, person)}${part(name)}/`;
const keyOf = (owner: DraftOwner, base: Base): string => `${prefixOf(owner)}${base.revision ?? 'new'}`;
const typedKey = ({ kind, name, person }: DraftOwner): string =>
  `${SOUGHT[kind].kept}typed/${part(person)}/${part(name)}`;

/**
 * A draft that is open in a tab. Each change is left as the last word of the tab before anything else happens, so that a reload or a kill
 * within milliseconds of a key loses nothing. Then it is written to the store and told to the other tabs of this person, which show it;
 * when two tabs change it at the same moment, the later one merges. Nothing is on the server: nobody else sees it.
 */
export class Draft<D extends TextDocument = FlowDocument> {
  readonly #world: DraftWorld;
  readonly #owner: DraftOwner<D>;
  readonly #changed: (session: Session<D>, said: string) => void;
  #session: Session<D>;
  /** As it is in the store, as far as this tab knows; null: nothing is kept. */
  #stored: StoredDraft | null;
  #work: Promise<void> = Promise.resolve();
  #isWaiting = false;
  /** The session as this tab left it last; null: nothing is left. */
  #word: Session<D> | null = null;
  readonly #unlisten: () => void;

  private constructor(
    world: DraftWorld,
    owner: DraftOwner<D>,
    opened: { session: Session<D>; stored: StoredDraft | null },
    changed: (session: Session<D>, said: string) => void,
  ) {
    this.#world = world;
    this.#owner = owner;
    this.#session = opened.session;
    this.#stored = opened.stored;
    this.#changed = changed;
    this.#unlisten = world.tabs.listen((key) => {
      if (key === this.#key) void this.#queue();
    });
  }

  /**
   * Opens what is kept of it, or begins with what is saved. `saved` is the newest revision: when the draft was made from an older
   * one, `session.base` is that one still, and `mergeInto(session, saved)` takes in the newer.
   * @param changed is called when another tab, or a merge with it, changed the session; `said` tells that in a few words
   */
  static async open<D extends TextDocument = FlowDocument>(
    world: DraftWorld,
    owner: DraftOwner<D>,
    saved: Base,
    changed: (session: Session<D>, said: string) => void,
  ): Promise<Draft<D>> {
    const { kind } = owner;
    const base = await asTyped(world.store, owner, saved);
    const words = await wordsOfTheGone(world, owner);
    const stored = await newestDraft(world.store, owner);
    const kept = words.reduce<StoredDraft | null>((found, { word }) => withWord(kind, found, word), stored);
    const session = kept ? resumed<D>(kind, kept) : beginSession<D>(kind, base);
    const draft = new Draft<D>(world, owner, { session, stored }, changed);
    if (words.length > 0) void draft.#takeOver(words, stored);
    return draft;
  }

  get session(): Session<D> {
    return this.#session;
  }

  /** Whether the draft survives the end of this tab as it is now. */
  get isKept(): boolean {
    return this.#word === this.#session || !this.#hasNews(this.#stored);
  }

  /** When it was kept last, in milliseconds since the epoch; null: nothing is kept. */
  get keptAt(): number | null {
    // A tab that ended at its first key has left a word and nothing in the store.
    return this.#stored?.at ?? (this.#word === null ? null : this.#world.now());
  }

  /** The session after a change of this tab; `isKept` tells at once whether it is kept. @returns when it is in the store */
  change(session: Session<D>): Promise<void> {
    const [before, now] = [this.#key, keyOf(this.#owner, session.base)];
    const isKept =
      session.document.text !== this.#session.document.text ||
      session.conflicts !== this.#session.conflicts ||
      before !== now;
    const isWord = this.#word === this.#session;
    this.#session = session;
    if (!isKept) {
      if (isWord) this.#word = session;
      return this.#work;
    }
    // The draft has another base from here on: it is kept there before it goes from where it was.
    if (before !== now) this.#stored = null;
    this.#leaveWord();
    if (before === now) return this.#queue();
    return this.#then(async () => {
      await this.#sync();
      await this.#world.store.remove(before);
      this.#world.tabs.tell(before);
    });
  }

  /** Back to what is saved, as this person typed it; what was kept is gone, in all tabs. */
  async discard(saved: Base): Promise<Session<D>> {
    const key = this.#key;
    const { store, tabs } = this.#world;
    await this.#then(() =>
      tabs.alone(key, async () => {
        this.#session = beginSession<D>(this.#owner.kind, await asTyped(store, this.#owner, saved));
        this.#stored = null;
        await store.remove(key);
        this.#dropWord();
        tabs.tell(key);
      }),
    );
    return this.#session;
  }

  /**
   * This text was saved as this revision. It is remembered for the other tabs, and shown where the server has kept no text of what it says. What was changed meanwhile, here or in another tab, is a draft of it.
   */
  saved(base: Base): Promise<void> {
    const key = this.#key;
    const { store, tabs } = this.#world;
    return this.#then(() =>
      tabs.alone(key, async () => {
        const found = asDraft(await store.get(key));
        const known = this.#stored;
        this.#session = { ...this.#session, conflicts: [] };
        if (found && known && found.count !== known.count) {
          this.#session = bothTabs(known.text, found, this.#session);
          this.#changed(this.#session, 'merged with another tab');
        }
        this.#session = { ...this.#session, base };
        this.#stored = null;
        this.#dropWord();
        if (this.#hasNews(null)) this.#leaveWord();
        await store.set(typedKey(this.#owner), base);
        if (this.#hasNews(null)) await this.#write(0);
        if (this.#key !== key || !this.#stored) await store.remove(key);
        if (!this.#hasNews(this.#stored)) this.#dropWord();
        tabs.tell(key);
      }),
    );
  }

  /** When all that was changed is kept. */
  settled(): Promise<void> {
    return this.#work;
  }

  close(): void {
    this.#unlisten();
    const { tabs } = this.#world;
    void this.#work.then(
      () => tabs.leave(),
      () => tabs.leave(),
    );
  }

  get #key(): string {
    return keyOf(this.#owner, this.#session.base);
  }

  /** Changes that come while one is written are written together. */
  #queue(): Promise<void> {
    if (this.#isWaiting) return this.#work;
    this.#isWaiting = true;
    return this.#then(async () => {
      this.#isWaiting = false;
      await this.#sync();
    });
  }

  #then(work: () => Promise<void>): Promise<void> {
    this.#work = this.#work.then(work, work);
    return this.#work;
  }

  /** Takes what other tabs wrote, and writes what they do not have. */
  #sync(): Promise<void> {
    const key = this.#key;
    const { kind } = this.#owner;
    return this.#world.tabs.alone(key, async () => {
      const found = asDraft(await this.#world.store.get(key));
      const known = this.#stored;
      const isMine = this.#hasNews(known);
      if (found && found.count !== known?.count) {
        const before = known?.text ?? this.#session.base.text;
        this.#session = isMine ? bothTabs(before, found, this.#session) : resumed(kind, found, this.#session);
        this.#stored = found;
        this.#changed(this.#session, isMine ? 'merged with another tab' : 'another tab changed the draft');
      } else if (!found && known && !isMine) {
        // Another tab discarded it, saved it, or merged it with a newer revision.
        const { store } = this.#world;
        this.#stored = await newestDraft(store, this.#owner);
        const before = this.#session.base;
        const base = await newestTyped(store, this.#owner, before);
        this.#session = this.#stored ? resumed(kind, this.#stored, this.#session) : beginSession<D>(kind, base);
        const { revision } = this.#session.base;
        const what = revision === before.revision ? 'discarded the draft' : `went on to revision ${revision}`;
        this.#changed(this.#session, `another tab ${what}`);
      }
      if (this.#hasNews(this.#stored)) {
        await this.#write(Math.max(this.#stored?.count ?? 0, found?.count ?? 0));
        this.#world.tabs.tell(key);
      }
      if (!this.#hasNews(this.#stored)) this.#dropWord();
    });
  }

  /** The store has from here on what tabs that are gone have left; without a store it stays where it is. */
  async #takeOver(words: readonly Left[], before: StoredDraft | null): Promise<void> {
    const { store, words: left } = this.#world;
    this.#leaveWord();
    const { base } = this.#session;
    await this.#then(async () => {
      await this.#sync();
      if (before && before.base.revision !== base.revision) await store.remove(keyOf(this.#owner, before.base));
      for (const { key, value } of words) if (left.get(key) === value) left.remove(key);
    }).catch(() => {});
  }

  #leaveWord(): void {
    const { words, tabs } = this.#world;
    const stored = this.#stored;
    const since = changeBetween(stored?.text ?? this.#session.base.text, this.#session.document.text) ?? null;
    const word = { ...this.#asStored(stored?.count ?? 0), tab: tabs.id, since };
    this.#word = leaveWord(words, wordKey(this.#owner, tabs.id), word) ? this.#session : null;
  }

  #dropWord(): void {
    if (this.#word) this.#world.words.remove(wordKey(this.#owner, this.#world.tabs.id));
    this.#word = null;
  }

  #asStored(count: number): StoredDraft {
    const { document, base, past, future, conflicts } = this.#session;
    const kept = { past: [...past], future: [...future], conflicts: [...conflicts] };
    return { base, text: document.text, ...kept, count, at: this.#world.now(), tab: this.#world.tabs.id };
  }

  /** The session as it is. @param count of what was kept before */
  async #write(count: number): Promise<void> {
    const stored = this.#asStored(count + 1);
    await this.#world.store.set(keyOf(this.#owner, stored.base), stored);
    this.#stored = stored;
  }

  #hasNews(stored: StoredDraft | null): boolean {
    const { document, base, conflicts } = this.#session;
    if (!stored) return document.text !== base.text || conflicts.length > 0;
    return document.text !== stored.text || conflicts.length !== stored.conflicts.length;
  }
}

/** All drafts of a person of one kind that are kept in this browser, the newest first. */
export async function draftsOf(
  { store, words }: Pick<DraftWorld, 'store' | 'words'>,
  kind: DraftKind,
  person: string,
): Promise<{ name: string; base: Base; at: number }[]> {
  const keys = (await store.keys()).filter((key) => key.startsWith(draftsAt(kind, person)));
  const stored = await Promise.all(
    keys.map(async (key) => ({
      name: decodeURIComponent(key.split('/')[2]!),
      draft: asDraft(await store.get(key)),
    })),
  );
  // A tab that ended at its first key has left a word and nothing else.
  const left = words
    .keys(wordsOf({ kind, person }))
    .map((key) => ({ name: ofWordKey(key).name, draft: readWord(words, key) }));
  const found = new Map<string, { name: string; base: Base; at: number }>();
  for (const { name, draft } of [...left, ...stored])
    if (draft) found.set(`${name} ${draft.base.revision}`, { name, base: draft.base, at: draft.at });
  return [...found.values()].sort((a, b) => b.at - a.at);
}

/** A last word, and where it is. */
interface Left {
  key: string;
  value: string;
  word: LastWord;
}

/** What tabs that are gone have left of this draft, the oldest first. */
async function wordsOfTheGone({ words, tabs }: DraftWorld, owner: DraftOwner): Promise<Left[]> {
  const found = await Promise.all(
    words.keys(wordsOf(owner)).map(async (key) => {
      // A tab that is open can take its word back meanwhile.
      const isGone = await tabs.isGone(ofWordKey(key).tab);
      const value = isGone ? words.get(key) : null;
      const word = readWord(words, key);
      return value === null || word === null ? [] : [{ key, value, word }];
    }),
  );
  return found.flat().sort((a, b) => a.word.at - b.word.at);
}

async function newestDraft(store: DraftStore, owner: DraftOwner): Promise<StoredDraft | null> {
  const keys = (await store.keys()).filter((key) => key.startsWith(prefixOf(owner)));
  const drafts = await Promise.all(keys.map(async (key) => asDraft(await store.get(key))));
  const kept = drafts.filter((each) => each !== null);
  return kept.sort((a, b) => b.at - a.at)[0] ?? null;
}

/** What is saved, in the words in which this person typed it, if that is what is saved. */
async function asTyped(store: DraftStore, owner: DraftOwner, saved: Base): Promise<Base> {
  const typed = asBase(await store.get(typedKey(owner)));
  if (!typed || typed.revision !== saved.revision) return saved;
  const [a, b] = [typed.text, saved.text].map((text) => readingOf(openText(owner.kind, text)));
  return a && b && sameDefinition(a.definition, b.definition) ? typed : saved;
}

/** What another tab has saved since, or the same base. */
async function newestTyped(store: DraftStore, owner: DraftOwner, base: Base): Promise<Base> {
  const typed = asBase(await store.get(typedKey(owner)));
  return (typed?.revision ?? 0) > (base.revision ?? 0) ? typed! : asTyped(store, owner, base);
}

function resumed<D extends TextDocument>(
  kind: D['kind'],
  { base, text, past, future, conflicts }: StoredDraft,
  now?: { selection: Selection },
): Session<D> {
  const document = openText<D>(kind, text);
  const good = (): D => lastGood<D>(kind, text, past) ?? openText<D>(kind, base.text);
  const shown = document.isCurrent ? document : openText<D>(kind, text, good());
  return { document: shown, selection: now?.selection ?? { node: null, field: [] }, base, past, future, conflicts };
}

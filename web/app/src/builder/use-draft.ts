import { useEffect, useState } from 'react';
import { usePerson } from '../frame/viewer.ts';
import type { DraftKind } from './document/index.ts';
import type { Newest } from './draft.ts';
import { keptDrafts, type OpenDraft } from './keep.ts';

/**
 * A draft, as long as its page is there. It is opened once: what is saved meanwhile, by others or here, does not replace what one edits.
 * @param key what it is a draft of
 * @param open undefined while it is not known what there is to open
 */
export function useOpenDraft<S>(
  key: string,
  open: ((person: string) => Promise<OpenDraft<S>>) | undefined,
): OpenDraft<S> | undefined {
  const [draft, setDraft] = useState<OpenDraft<S>>();
  const person = usePerson();
  const isReady = open !== undefined && person !== undefined;
  useEffect(() => {
    if (!isReady) return undefined;
    let opened: OpenDraft<S> | undefined;
    let isGone = false;
    void open(person).then((made) => {
      opened = made;
      if (isGone) made.close();
      else setDraft(made);
    });
    return () => {
      isGone = true;
      opened?.close();
    };
  }, [isReady, key]);
  return draft;
}

/** What is newer than a draft of something that was deleted; null: no draft is kept, undefined while it is looked for. */
export function useDeleted(kind: DraftKind, name: string | null): Newest | null | undefined {
  const person = usePerson();
  const [newest, setNewest] = useState<Newest | null>();
  useEffect(() => {
    if (person === undefined || name === null) return;
    void keptDrafts(kind, person).then((all) => {
      const kept = all.find((each) => each.name === name);
      setNewest(kept ? { revision: (kept.base.revision ?? 0) + 1, text: null, by: null, at: null } : null);
    });
  }, [kind, person, name]);
  return newest;
}

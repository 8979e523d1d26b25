import { useCallback } from 'react';
import { useClient } from 'urql';
import { RevisionsDocument } from '../generated/documents.ts';
import type { DraftKind } from './document/index.ts';
import { savedText, useDraftStore } from './draft.ts';

/** Reads what is saved of a draft, and keeps it where it is newer than what is known. */
export function useReadNewest(): (kind: DraftKind, name: string) => Promise<void> {
  const client = useClient();
  const store = useDraftStore();
  return useCallback(
    async (kind, name) => {
      const { data } = await client
        .query(RevisionsDocument, { kind, name, first: 1 }, { requestPolicy: 'network-only' })
        .toPromise();
      const found = data?.definitionRevisions.nodes[0];
      if (!found || found.revision <= (store.getState().newest.revision ?? 0)) return;
      const { revision, by, at, manifest, text } = found;
      const saved = manifest == null ? null : savedText({ text, manifest });
      store.setState({ newest: { revision, text: saved, by: by ?? null, at } });
    },
    [client, store],
  );
}

import { useEffect } from 'react';
import { coalesce } from '../api/coalesce.ts';
import { follow } from '../api/live.ts';
import { InboxChangedDocument } from '../generated/documents.ts';

const PAUSE_MS = 1_000;

/** Calls `again` when the inbox has changed since `from`, the cursor that came with it; undefined: it was not read yet. */
export function useInboxChanges(from: string | undefined, again: () => void): void {
  const isRead = from !== undefined;
  useEffect(() => {
    if (from === undefined) return;
    let after = from;
    const soon = coalesce(again, PAUSE_MS);
    const stop = follow({
      document: InboxChangedDocument,
      variables: () => ({ after }),
      onData: ({ approvalEvents }) => {
        after = approvalEvents.cursor;
        soon.call();
      },
    });
    return () => {
      stop();
      soon.stop();
    };
    // A newer answer does not begin a new stream: the stream has its own cursor.
  }, [isRead, again]);
}

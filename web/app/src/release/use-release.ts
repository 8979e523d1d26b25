import { useEffect } from 'react';
import { useQuery } from 'urql';
import { coalesce } from '../api/coalesce.ts';
import { follow } from '../api/live.ts';
import { ReleaseDocument, ReleaseSignalsDocument } from '../generated/documents.ts';

const PAUSE_MS = 400;

/** One release as it is now: read once, and again whenever its log goes on. `reread` hears of each time. */
export function useRelease(id: string) {
  const [answer, ask] = useQuery({ query: ReleaseDocument, variables: { id } });
  const release = answer.data?.release ?? undefined;
  const isRead = release !== undefined;
  useEffect(() => {
    if (release === undefined) return;
    let after = release.lastCursor;
    const again = coalesce(() => ask({ requestPolicy: 'network-only' }), PAUSE_MS);
    const stop = follow({
      document: ReleaseSignalsDocument,
      variables: () => ({ after, release: id }),
      onData: ({ releaseEvents }) => {
        after = releaseEvents.cursor;
        again.call();
      },
    });
    return () => {
      stop();
      again.stop();
    };
    // A newer answer does not begin a new stream: the stream has its own cursor.
  }, [isRead, id, ask]);
  return { release, error: answer.error, fetching: answer.fetching };
}

export type ReleaseRead = NonNullable<ReturnType<typeof useRelease>['release']>;

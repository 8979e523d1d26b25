import { useEffect, useState } from 'react';
import { useClient, useQuery } from 'urql';
import { coalesce } from '../api/coalesce.ts';
import { follow } from '../api/live.ts';
import {
  ReleaseAroundDocument,
  type ReleaseChangedSubscription,
  ReleaseChangedDocument,
  ReleaseDocument,
} from '../generated/documents.ts';
import { opened, painted, type ReleaseRead } from './paint.ts';

export type { PromotionRead, ReleaseRead } from './paint.ts';

/** Between two looks at what the release waits for, which costs as much as it has environments. */
const pauseOf = (environments: number): number => (environments > 100 ? 3_000 : 1_000);

/** One release as it is now: read once, and then by its changes. What it waits for can change without them, so that is read again. */
export function useRelease(id: string) {
  const client = useClient();
  const [{ data, error, fetching, stale }, ask] = useQuery({
    query: ReleaseDocument,
    variables: { id },
    requestPolicy: 'network-only',
  });
  const read = data?.release;
  const [release, setRelease] = useState<ReleaseRead>();
  useEffect(() => {
    if (!read || stale) return;
    setRelease(opened(read));
    let after = read.lastCursor;
    let gone = false;
    let isAsking = false;
    let isDue = false;
    const around = async (): Promise<void> => {
      // A question that is under way would be answered for both, and may be older than what has happened since.
      isDue = isAsking;
      if (isAsking) return;
      isAsking = true;
      const answer = await client.query(ReleaseAroundDocument, { id }, { requestPolicy: 'network-only' }).toPromise();
      isAsking = false;
      const now = answer.data?.release;
      if (now && !gone) setRelease((before) => before && { ...before, ...now });
      if (isDue && !gone) again.call();
    };
    const again = coalesce(() => void around(), pauseOf(read.promotions.length));
    const stop = follow({
      document: ReleaseChangedDocument,
      variables: () => ({ after, id }),
      onData: ({ releaseChanged }: ReleaseChangedSubscription) => {
        after = releaseChanged.cursor;
        setRelease((before) => before && painted(before, releaseChanged));
        again.call();
      },
      onExpired: () => ask({ requestPolicy: 'network-only' }),
    });
    return () => {
      gone = true;
      stop();
      again.stop();
    };
  }, [read, stale, client, id, ask]);
  return { release, error, fetching: fetching || (read != null && release === undefined) };
}

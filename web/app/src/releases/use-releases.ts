import { useEffect, useMemo } from 'react';
import { useQuery } from 'urql';
import { coalesce } from '../api/coalesce.ts';
import { follow } from '../api/live.ts';
import { AnyReleaseDocument, ReleasesDocument } from '../generated/documents.ts';
import { type ReleasesSearch, toFilter } from './search.ts';

const PER_PAGE = 25;
const PAUSE_MS = 1_000;

/** A page of the list, read again when something happens to a release that can stand in it. */
export function useReleases(search: ReleasesSearch) {
  const { product, environment, since, until, after } = search;
  const key = JSON.stringify({ ...search, after: undefined });
  const filter = useMemo(() => toFilter(search), [key]);
  const choices = useMemo(() => toFilter({ environment, since, until }), [environment, since, until]);
  const [answer, ask] = useQuery({ query: ReleasesDocument, variables: { first: PER_PAGE, after, filter, choices } });
  // Where the log stood when the list was read: nothing between the two is missed.
  const from = answer.data && (answer.data.newest.nodes[0]?.lastCursor ?? '');
  const isRead = from !== undefined;
  useEffect(() => {
    if (from === undefined) return;
    let cursor = from;
    const again = coalesce(() => ask({ requestPolicy: 'network-only' }), PAUSE_MS);
    const stop = follow({
      document: AnyReleaseDocument,
      variables: () => ({ after: cursor, filter: { product, environment } }),
      onData: ({ releaseEvents }) => {
        cursor = releaseEvents.cursor;
        again.call();
      },
    });
    return () => {
      stop();
      again.stop();
    };
    // A newer answer does not begin a new stream: the stream has its own cursor.
  }, [isRead, product, environment, ask]);
  return answer;
}

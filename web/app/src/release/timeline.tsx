import { useEffect, useState } from 'react';
import { Button } from 'react-aria-components';
import { useClient } from 'urql';
import { gql } from 'urql';
import { EVENT_FIELDS, type StreamedEvent, toWords } from '../../../../src/cli/watch/events.ts';
import { wordsOf } from '../api/client.ts';
import { Loading } from '../parts/empty.tsx';
import { Problem } from '../parts/problem.tsx';
import { When } from '../parts/time.tsx';
import type { ReleaseRead } from './use-release.ts';

interface LogPage {
  releaseEventLog: { edges: StreamedEvent[]; pageInfo: { hasNextPage: boolean } };
}

/** The words of the command line, so that one event is told in one way. */
const LOG = gql<LogPage, { after: string; release: string }>(`query Timeline($after: String!, $release: ID!) {
  releaseEventLog(first: 100, after: $after, filter: { releaseId: $release }) {
    edges { cursor node { ...EventFields } } pageInfo { hasNextPage }
  }
} ${EVENT_FIELDS}`);

/** All that happened, the newest first. */
export function Timeline({ release }: { release: ReleaseRead }) {
  const client = useClient();
  const [events, setEvents] = useState<StreamedEvent[]>([]);
  const [more, setMore] = useState(true);
  const [problem, setProblem] = useState<string>();
  const { uuid, lastCursor } = release;
  useEffect(() => {
    let gone = false;
    const read = async (): Promise<void> => {
      const after = events.at(-1)?.cursor ?? '';
      if (after === lastCursor) return setMore(false);
      const { data, error } = await client
        .query(LOG, { after, release: uuid }, { requestPolicy: 'network-only' })
        .toPromise();
      if (gone) return;
      setProblem(error && wordsOf(error));
      if (!data) return;
      const { edges, pageInfo } = data.releaseEventLog;
      setMore(pageInfo.hasNextPage);
      if (edges.length > 0) setEvents((before) => [...before, ...edges]);
    };
    read().catch((error: unknown) => setProblem(String(error)));
    return () => {
      gone = true;
    };
  }, [client, uuid, lastCursor, events]);
  const [shown, setShown] = useState(100);
  if (problem) return <Problem>{problem}</Problem>;
  if (events.length === 0) return <Loading what="the events" />;
  const newestFirst = events.toReversed();
  return (
    <>
      {more && <Loading what="older events" />}
      <ol className="timeline">
        {newestFirst.slice(0, shown).map((each) => (
          <li key={each.cursor}>
            <When at={each.node.at} />
            <span>{toWords(each, release.kind === 'ROLLBACK' ? 'rollback' : 'release')}</span>
          </li>
        ))}
      </ol>
      {newestFirst.length > shown && (
        <Button className="button" onPress={() => setShown(shown + 500)}>
          Show older events
        </Button>
      )}
    </>
  );
}

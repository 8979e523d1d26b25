import { useEffect, useRef, useState } from 'react';
import { Button } from 'react-aria-components';
import { gql, useClient } from 'urql';
import { EVENT_FIELDS, type StreamedEvent, toWords } from '../../../../src/cli/watch/events.ts';
import { wordsOf } from '../api/client.ts';
import { Loading } from '../parts/empty.tsx';
import { Problem } from '../parts/problem.tsx';
import { When } from '../parts/time.tsx';
import { toWords as asWords } from '../parts/words.ts';
import type { ReleaseRead } from './use-release.ts';

interface LogPage {
  releaseEventLog: { edges: StreamedEvent[]; pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean } };
}

interface Asked {
  release: string;
  first?: number;
  last?: number;
  before?: string;
  after?: string;
}

/** The words of the command line, so that one event is told in one way. */
const LOG = gql<
  LogPage,
  Asked
>(`query Timeline($release: ID!, $first: Int, $last: Int, $before: String, $after: String) {
  releaseEventLog(first: $first, last: $last, before: $before, after: $after, filter: { releaseId: $release }) {
    edges { cursor node { ...EventFields } } pageInfo { hasNextPage hasPreviousPage }
  }
} ${EVENT_FIELDS}`);

const AT_ONCE = 100;

/** A status in the middle of a line: `rolled back`. */
const inLine = (status: string): string => asWords(status).toLowerCase();

/** All that happened, the newest first: its end is read first, and what came before when somebody asks. */
export function Timeline({ release }: { release: ReleaseRead }) {
  const client = useClient();
  const [events, setEvents] = useState<StreamedEvent[]>();
  const [hasOlder, setHasOlder] = useState(false);
  const [problem, setProblem] = useState<string>();
  const { uuid, lastCursor } = release;
  const ask = async (asked: Omit<Asked, 'release'>): Promise<LogPage['releaseEventLog'] | undefined> => {
    const { data, error } = await client
      .query(LOG, { ...asked, release: uuid }, { requestPolicy: 'network-only' })
      .toPromise();
    setProblem(error && wordsOf(error));
    return data?.releaseEventLog;
  };
  const newest = useRef<string>(undefined);
  useEffect(() => {
    let gone = false;
    const read = async (): Promise<void> => {
      for (;;) {
        const after = newest.current;
        const page = await ask(after === undefined ? { last: AT_ONCE } : { first: AT_ONCE, after });
        if (gone || !page) return;
        newest.current = page.edges.at(-1)?.cursor ?? after;
        if (after === undefined) setHasOlder(page.pageInfo.hasPreviousPage);
        setEvents((before = []) => [...before, ...page.edges]);
        if (after === undefined || !page.pageInfo.hasNextPage) return;
      }
    };
    void read();
    return () => {
      gone = true;
    };
    // What is asked depends on the release alone.
  }, [uuid, lastCursor]);
  const readOlder = async (): Promise<void> => {
    const page = await ask({ last: AT_ONCE, before: events?.[0]?.cursor });
    if (!page) return;
    setHasOlder(page.pageInfo.hasPreviousPage);
    setEvents((after = []) => [...page.edges, ...after]);
  };
  if (problem) return <Problem>{problem}</Problem>;
  if (events === undefined) return <Loading what="the events" />;
  return (
    <>
      <ol className="timeline">
        {events.toReversed().map((each) => (
          <li key={each.cursor}>
            <When at={each.node.at} />
            <span>{toWords(each, release.kind === 'ROLLBACK' ? 'rollback' : 'release', inLine)}</span>
          </li>
        ))}
      </ol>
      {hasOlder && (
        <Button className="button" onPress={() => void readOlder()}>
          Show older events
        </Button>
      )}
    </>
  );
}

import { useEffect, useState } from 'react';
import { Button, Disclosure, DisclosurePanel, Heading } from 'react-aria-components';
import { useClient } from 'urql';
import { wordsOf } from '../api/client.ts';
import { follow } from '../api/live.ts';
import { ActionLogAddedDocument, StepLogDocument, type StepLogQuery } from '../generated/documents.ts';
import { Loading } from '../parts/empty.tsx';
import { Problem } from '../parts/problem.tsx';

interface StepLogProps {
  release: string;
  /** undefined: it is a step of the release itself. */
  environment: string | undefined;
  step: string;
  attempt: number;
}

/** What an action wrote, when somebody wants to see it. */
export function StepLog(props: StepLogProps) {
  const [isOpen, setOpen] = useState(false);
  return (
    <Disclosure isExpanded={isOpen} onExpandedChange={setOpen}>
      <Heading level={4} className="log-heading">
        <Button slot="trigger" className="link-button">
          {isOpen ? 'Hide the log' : 'Show the log'}
        </Button>
      </Heading>
      <DisclosurePanel>{isOpen && <LogText {...props} />}</DisclosurePanel>
    </Disclosure>
  );
}

type Chunk = StepLogQuery['actionLog']['nodes'][number];

/** Its end is read first, then it is followed while it grows. */
function LogText({ release, environment, step, attempt }: StepLogProps) {
  const client = useClient();
  const [chunks, setChunks] = useState<Chunk[]>();
  const [before, setBefore] = useState<string>();
  const [problem, setProblem] = useState<string>();
  const filter = { environment, step, attempt };
  const read = async (cursor: string | undefined) => {
    const { data, error } = await client
      .query(StepLogDocument, { release, filter, before: cursor }, { requestPolicy: 'network-only' })
      .toPromise();
    setProblem(error && wordsOf(error));
    return data?.actionLog;
  };
  useEffect(() => {
    let stop: (() => void) | undefined;
    let gone = false;
    let after = '';
    /** @returns whether there is something to follow */
    const open = async (): Promise<boolean> => {
      const log = await read(undefined);
      if (!log || gone) return false;
      setChunks(log.nodes);
      setBefore(log.pageInfo.hasPreviousPage ? (log.pageInfo.startCursor ?? undefined) : undefined);
      after = log.pageInfo.endCursor ?? '';
      return true;
    };
    const start = async (): Promise<void> => {
      if (!(await open())) return;
      stop = follow({
        document: ActionLogAddedDocument,
        variables: () => ({ release, filter, after }),
        onData: ({ actionLogAdded: { cursor, node } }) => {
          after = cursor;
          setChunks((known = []) => [...known, node]);
        },
        onExpired: () => void open(),
      });
    };
    void start();
    return () => {
      gone = true;
      stop?.();
    };
    // `filter` is made of these.
  }, [client, release, environment, step, attempt]);
  const older = async (): Promise<void> => {
    const log = await read(before);
    if (!log) return;
    setChunks((known = []) => [...log.nodes, ...known]);
    setBefore(log.pageInfo.hasPreviousPage ? (log.pageInfo.startCursor ?? undefined) : undefined);
  };
  if (problem !== undefined) return <Problem>{problem}</Problem>;
  if (chunks === undefined) return <Loading what="the log" />;
  if (chunks.length === 0) return <p className="hint">It has written nothing.</p>;
  return (
    <>
      {before !== undefined && (
        <Button className="link-button" onPress={() => void older()}>
          Show what stands before
        </Button>
      )}
      {byTry(chunks).map(([number, text]) => (
        <div key={number}>
          {chunks.at(-1)!.try > 1 && <p className="hint">Try {number}</p>}
          <pre className="log" tabIndex={0} aria-label={`Log of ${step}, try ${number}`}>
            {text}
          </pre>
        </div>
      ))}
    </>
  );
}

function byTry(chunks: readonly Chunk[]): [number, string][] {
  const tries = new Map<number, string>();
  for (const each of chunks) tries.set(each.try, (tries.get(each.try) ?? '') + each.text);
  return [...tries];
}

import { useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import { type CombinedError, useClient } from 'urql';
import { coalesce } from '../api/coalesce.ts';
import { follow } from '../api/live.ts';
import { AnyReleaseDocument, type CellFragment, LogEndDocument, WhereCellsDocument } from '../generated/documents.ts';
import { CellReader, type Cells, keyOf } from './cell-reader.ts';

const PAUSE_MS = 2_000;
/** How soon a server that did not answer is asked again, in milliseconds. */
const RETRY_MS = 2_000;

interface Read {
  cells: Cells<CellFragment>;
  see: CellReader<CellFragment>['see'];
  error: CombinedError | undefined;
}

/** The cells that are seen, read when they come into sight and again when something happens to a release. */
export function useCells(compareTo: string | undefined): Read {
  const client = useClient();
  const [error, setError] = useState<CombinedError>();
  const reader = useMemo(
    () =>
      new CellReader<CellFragment>(async (selector) => {
        const variables = { first: selector.products.length, selector, compareTo };
        const options = { requestPolicy: 'network-only' } as const;
        const { data, error: problem } = await client.query(WhereCellsDocument, variables, options).toPromise();
        setError(problem);
        return (
          data &&
          new Map(
            data.deploymentMatrix.nodes.flatMap(({ productName, cells }) =>
              cells.map((cell) => [keyOf(productName, cell.environmentName), cell] as const),
            ),
          )
        );
      }),
    [client, compareTo],
  );
  useSyncExternalStore(reader.listen, reader.changes);

  useEffect(() => {
    let stop: (() => void) | undefined;
    let gone = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const again = coalesce(reader.again, PAUSE_MS);
    const start = async (isLate = false): Promise<void> => {
      const { data } = await client.query(LogEndDocument, {}, { requestPolicy: 'network-only' }).toPromise();
      if (gone) return;
      if (!data) {
        timer = setTimeout(() => void start(true), RETRY_MS);
        return;
      }
      // What was seen meanwhile was not read either, or has changed since.
      if (isLate) reader.again();
      let after = data.releases.nodes[0]?.lastCursor ?? '';
      stop = follow({
        document: AnyReleaseDocument,
        variables: () => ({ after }),
        onData: ({ releaseEvents }) => {
          after = releaseEvents.cursor;
          again.call();
        },
      });
    };
    void start();
    return () => {
      gone = true;
      clearTimeout(timer);
      stop?.();
      again.stop();
    };
  }, [client, reader]);

  return { cells: reader.cells, see: reader.see, error };
}

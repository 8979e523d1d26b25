import { useMemo, useState, useSyncExternalStore } from 'react';
import { type CombinedError, useClient } from 'urql';
import { endOf, useChanges, useListChanges } from '../api/changes.ts';
import { useRead } from '../api/read.ts';
import { AnyReleaseDocument, type CellFragment, LogEndDocument, WhereCellsDocument } from '../generated/documents.ts';
import { CellReader, type Cells, keyOf } from './cell-reader.ts';

const PAUSE_MS = 2_000;

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

  const [{ data }, askEnd] = useRead({ query: LogEndDocument, requestPolicy: 'network-only' });
  useChanges(AnyReleaseDocument, {
    from: endOf(data?.newest),
    asks: [reader.again],
    askFrom: askEnd,
    pause: PAUSE_MS,
  });
  // Told at once when the server is there, also where it was away as the page was opened.
  useListChanges(['ENVIRONMENT_HOLDS', 'BAD_VERSIONS'], [reader.again, askEnd], PAUSE_MS);
  return { cells: reader.cells, see: reader.see, error };
}

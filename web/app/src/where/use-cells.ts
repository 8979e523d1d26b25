import { useCallback, useEffect, useRef, useState } from 'react';
import { useClient } from 'urql';
import { coalesce } from '../api/coalesce.ts';
import { follow } from '../api/live.ts';
import { AnyReleaseDocument, type CellFragment, LogEndDocument, WhereCellsDocument } from '../generated/documents.ts';

/** Read together: what stands within so many products and environments. */
const ROWS = 15;
const COLUMNS = 20;
const PAUSE_MS = 2_000;

export type Cells = ReadonlyMap<string, CellFragment | null>;
export const keyOf = (product: string, environment: string): string => `${product}\n${environment}`;

interface Seen {
  products: readonly string[];
  environments: readonly string[];
}

/**
 * The cells that are seen, read in blocks when they come into sight and again when something happens to a release.
 * @returns cells by `keyOf`; null: nothing was ever there; undefined: not read yet
 */
export function useCells(
  all: Seen,
  compareTo: string | undefined,
): { cells: Cells; see: (rows: Range, columns: Range) => void } {
  const client = useClient();
  const [cells, setCells] = useState<Cells>(new Map());
  const asked = useRef(new Set<string>());
  const seen = useRef<[Range, Range]>([NOTHING, NOTHING]);

  const read = useCallback(
    async (row: number, column: number): Promise<void> => {
      const products = all.products.slice(row * ROWS, (row + 1) * ROWS);
      const environments = all.environments.slice(column * COLUMNS, (column + 1) * COLUMNS);
      if (products.length === 0 || environments.length === 0) return;
      const { data } = await client
        .query(
          WhereCellsDocument,
          { first: ROWS, selector: { products, environments }, compareTo },
          { requestPolicy: 'network-only' },
        )
        .toPromise();
      if (!data) return void asked.current.delete(`${row} ${column}`);
      const rows = new Map(data.deploymentMatrix.nodes.map((each) => [each.productName, each.cells]));
      setCells((before) => {
        const next = new Map(before);
        for (const product of products)
          for (const environment of environments) {
            const cell = rows.get(product)?.find(({ environmentName }) => environmentName === environment);
            next.set(keyOf(product, environment), cell ?? null);
          }
        return next;
      });
    },
    [client, all, compareTo],
  );

  const see = useCallback(
    (rows: Range, columns: Range): void => {
      seen.current = [rows, columns];
      for (let row = Math.floor(rows.from / ROWS); row * ROWS <= rows.to; row += 1)
        for (let column = Math.floor(columns.from / COLUMNS); column * COLUMNS <= columns.to; column += 1) {
          const block = `${row} ${column}`;
          if (asked.current.has(block)) continue;
          asked.current.add(block);
          void read(row, column);
        }
    },
    [read],
  );

  // Other names or another comparison: everything is read again.
  useEffect(() => {
    asked.current.clear();
    see(...seen.current);
  }, [see]);

  useEffect(() => {
    let stop: (() => void) | undefined;
    let gone = false;
    const again = coalesce(() => {
      asked.current.clear();
      see(...seen.current);
    }, PAUSE_MS);
    const start = async (): Promise<void> => {
      const { data } = await client.query(LogEndDocument, {}, { requestPolicy: 'network-only' }).toPromise();
      if (gone || !data) return;
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
      stop?.();
      again.stop();
    };
  }, [client, see]);

  return { cells, see };
}

/** Indexes, both of them included. */
export interface Range {
  from: number;
  to: number;
}

const NOTHING: Range = { from: 0, to: -1 };

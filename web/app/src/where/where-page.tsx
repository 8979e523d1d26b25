import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useVirtualizer } from '@tanstack/react-virtual';
import { memo, useEffect, useLayoutEffect, useMemo, useRef } from 'react';
import { useQuery } from 'urql';
import { EnvironmentLink } from '../environment/link.tsx';
import { type CellFragment, WhereNamesDocument } from '../generated/documents.ts';
import { Choose } from '../parts/choose.tsx';
import { Empty, Loading } from '../parts/empty.tsx';
import { PageHeading } from '../parts/heading.tsx';
import { byName } from '../parts/in-order.ts';
import { useIsNarrow } from '../parts/media.ts';
import { QueryProblem } from '../parts/problem.tsx';
import { Typed } from '../parts/typed.tsx';
import { CellContent } from './cell.tsx';
import { aheadOf, type CellReader, type Cells, keyOf, type Range } from './cell-reader.ts';
import type { WhereSearch } from './search.ts';
import { useCells } from './use-cells.ts';

/** Which version of which product is in which environment. */
export function WherePage() {
  const search = useSearch({ from: '/where' });
  const [{ data, error }] = useQuery({ query: WhereNamesDocument });
  const all = data?.deploymentMatrixAxes;
  const names = useMemo(() => {
    const has = (part: string | undefined) => (name: string) => part === undefined || name.includes(part);
    const production = new Set(all?.productionNames);
    const shown = (all?.environmentNames ?? []).filter(has(search.environment)).sort(byName);
    return {
      products: (all?.productNames ?? []).filter(has(search.product)).sort(byName),
      environments: [...shown.filter((each) => !production.has(each)), ...shown.filter((each) => production.has(each))],
    };
  }, [all, search.product, search.environment]);
  const isNarrow = useIsNarrow();
  const { cells, see, error: unread } = useCells(search.compareTo);
  const View = isNarrow ? List : Matrix;
  return (
    <>
      <PageHeading title="Where is what" />
      <Filters search={search} environments={all?.environmentNames ?? NONE} />
      <QueryProblem error={error ?? unread} />
      {all === undefined ? (
        error === undefined && <Loading what="products and environments" />
      ) : names.products.length === 0 || names.environments.length === 0 ? (
        <Empty
          title={
            all.productNames.length === 0
              ? 'No product has an application yet.'
              : 'No product or environment is called that.'
          }
        >
          {all.productNames.length === 0 ? (
            <Link to="/flows">Begin with a flow: a product is made where it is released first</Link>
          ) : (
            <Link to="/where">Show all</Link>
          )}
        </Empty>
      ) : (
        <View {...names} cells={cells} see={see} />
      )}
    </>
  );
}

const NONE: readonly string[] = [];

interface ViewProps {
  products: readonly string[];
  environments: readonly string[];
  cells: Cells<CellFragment>;
  see: CellReader<CellFragment>['see'];
}

const HEAD = 40;
const NAME = 150;
const ROW = 64;
const COLUMN = 172;

const UNSEEN = { startIndex: 0, endIndex: -1 };

/** Only what is seen is drawn, in both directions. */
function Matrix({ products, environments, cells, see }: ViewProps) {
  const frame = useRef<HTMLDivElement>(null);
  // Where both have moved they are drawn, and read, together.
  const rows = useVirtualizer({
    count: products.length,
    getScrollElement: () => frame.current,
    estimateSize: () => ROW,
    overscan: 3,
    useFlushSync: false,
  });
  const wide = useRef(COLUMN);
  const columns = useVirtualizer({
    horizontal: true,
    count: environments.length,
    getScrollElement: () => frame.current,
    estimateSize: () => wide.current,
    overscan: 2,
    useFlushSync: false,
  });
  // Few of them share the room that there is.
  const room = ((columns.scrollRect?.width ?? 0) - NAME) / environments.length;
  const width = Math.max(COLUMN, Math.min(2 * COLUMN, Math.floor(room)));
  useLayoutEffect(() => {
    wide.current = width;
    columns.measure();
  }, [columns, width]);
  const [seenRows, seenColumns] = [rows.getVirtualItems(), columns.getVirtualItems()];
  const { startIndex: top, endIndex: bottom } = rows.range ?? UNSEEN;
  const { startIndex: left, endIndex: right } = columns.range ?? UNSEEN;
  const before = useRef<[Range, Range]>(undefined);
  useEffect(() => {
    if (bottom < top || right < left) return;
    // The head and the names push what is seen along: of the one before an edge may show.
    const [down, across] = [
      { from: Math.max(0, top - 1), to: bottom },
      { from: Math.max(0, left - 1), to: right },
    ];
    const [rowsAhead, columnsAhead] = [
      aheadOf(down, before.current?.[0], products.length),
      aheadOf(across, before.current?.[1], environments.length),
    ];
    before.current = [down, across];
    const partOf = (rowsOf: Range, columnsOf: Range) => ({
      products: products.slice(rowsOf.from, rowsOf.to + 1),
      environments: environments.slice(columnsOf.from, columnsOf.to + 1),
    });
    see(partOf(down, across), partOf(rowsAhead, columnsAhead));
  }, [see, products, environments, top, bottom, left, right]);
  return (
    <div
      className="matrix"
      ref={frame}
      role="grid"
      aria-label="Versions by product and environment"
      aria-rowcount={products.length + 1}
      aria-colcount={environments.length + 1}
      tabIndex={0}
    >
      <div style={{ width: NAME + columns.getTotalSize(), height: HEAD + rows.getTotalSize() }}>
        <div role="row" aria-rowindex={1} className="matrix-head" style={{ height: HEAD }}>
          <div role="columnheader" aria-colindex={1} className="matrix-corner" style={{ width: NAME, height: HEAD }}>
            Product
          </div>
          {seenColumns.map(({ index, start }) => (
            <div
              key={index}
              role="columnheader"
              aria-colindex={index + 2}
              className="matrix-column"
              style={{ left: NAME + start, width, height: HEAD }}
              title={environments[index]}
            >
              <EnvironmentLink name={environments[index]!} />
            </div>
          ))}
        </div>
        {seenRows.map(({ index: row, start: top }) => {
          const product = products[row]!;
          return (
            <div
              key={product}
              role="row"
              aria-rowindex={row + 2}
              className="matrix-row"
              style={{ top: HEAD + top, height: ROW }}
            >
              <div
                role="rowheader"
                aria-colindex={1}
                className="matrix-name"
                style={{ width: NAME, height: ROW }}
                title={product}
              >
                <Link to="/" search={{ product }}>
                  {product}
                </Link>
              </div>
              {seenColumns.map(({ index: column, start: left }) => (
                <div
                  key={column}
                  role="gridcell"
                  aria-colindex={column + 2}
                  className="matrix-cell"
                  style={{ left: NAME + left, width, height: ROW }}
                >
                  <CellContent cell={cells.get(keyOf(product, environments[column]!))} />
                </div>
              ))}
            </div>
          );
        })}
      </div>
    </div>
  );
}

/** The same where there is no room for a table: a product, and below it where it is. */
function List({ products, environments, cells, see }: ViewProps) {
  const frame = useRef<HTMLDivElement>(null);
  const perProduct = environments.length + 1;
  const items = useVirtualizer({
    count: products.length * perProduct,
    getScrollElement: () => frame.current,
    estimateSize: (index) => (index % perProduct === 0 ? 44 : 60),
    overscan: 10,
  });
  const shown = items.getVirtualItems();
  const [first, last] = [shown[0]?.index, shown.at(-1)?.index];
  useEffect(() => {
    if (first === undefined || last === undefined) return;
    const seen = { products: new Set<string>(), environments: new Set<string>() };
    for (let index = first; index <= last; index += 1) {
      const environment = environments[(index % perProduct) - 1];
      if (environment === undefined) continue;
      seen.products.add(products[Math.floor(index / perProduct)]!);
      seen.environments.add(environment);
    }
    see({ products: [...seen.products], environments: [...seen.environments] });
  }, [see, first, last, perProduct, products, environments]);
  return (
    <div className="where-list" ref={frame} tabIndex={0} role="region" aria-label="Versions by product">
      <div style={{ height: items.getTotalSize() }}>
        {shown.map(({ index, start, size }) => {
          const product = products[Math.floor(index / perProduct)]!;
          const environment = environments[(index % perProduct) - 1];
          return (
            <div key={index} className="where-item" style={{ top: start, height: size }}>
              {environment === undefined ? (
                <h2>{product}</h2>
              ) : (
                <>
                  <span className="where-name">
                    <EnvironmentLink name={environment} product={product} />
                  </span>
                  <span className="where-cell">
                    <CellContent cell={cells.get(keyOf(product, environment))} />
                  </span>
                </>
              )}
            </div>
          );
        })}
      </div>
    </div>
  );
}

interface FiltersProps {
  search: WhereSearch;
  environments: readonly string[];
}

/** By itself: 1,500 environments to compare with are not listed again whenever cells have come. */
const Filters = memo(function Filters({ search, environments }: FiltersProps) {
  const navigate = useNavigate({ from: '/where' });
  const change = (changed: Partial<WhereSearch>): void =>
    // What is typed counts after a pause: meanwhile something else may have been chosen.
    void navigate({ search: (before) => ({ ...before, ...changed }), replace: true });
  return (
    <div className="filters" role="group" aria-label="Filters">
      <Typed label="Product" hint="part of a name" value={search.product} onChange={(product) => change({ product })} />
      <Typed
        label="Environment"
        hint="part of a name"
        value={search.environment}
        onChange={(environment) => change({ environment })}
      />
      <Choose
        isInline
        label="Compare with"
        none="Nothing"
        value={search.compareTo}
        choices={environments}
        onChange={(compareTo) => change({ compareTo })}
      />
    </div>
  );
});

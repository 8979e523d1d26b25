import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef } from 'react';
import { Input, Label, TextField } from 'react-aria-components';
import { EnvironmentLink } from '../environment/link.tsx';
import { Choose } from '../parts/choose.tsx';
import { Empty, Loading } from '../parts/empty.tsx';
import { PageHeading } from '../parts/heading.tsx';
import { useIsNarrow } from '../parts/media.ts';
import { QueryProblem } from '../parts/problem.tsx';
import { CellContent } from './cell.tsx';
import type { WhereSearch } from './search.ts';
import { type Cells, keyOf, useCells } from './use-cells.ts';
import { useEnvironments, useProducts } from './use-names.ts';

/** Which version of which product is in which environment. */
export function WherePage() {
  const search = useSearch({ from: '/where' });
  const products = useProducts();
  const environments = useEnvironments();
  const names = useMemo(() => {
    const has = (part: string | undefined) => (name: string) => part === undefined || name.includes(part);
    const sorted = (environments.all ?? []).toSorted(
      (a, b) => Number(a.kind === 'PRODUCTION') - Number(b.kind === 'PRODUCTION') || a.name.localeCompare(b.name),
    );
    return {
      products: (products.all ?? []).map(({ name }) => name).filter(has(search.product)),
      environments: sorted.map(({ name }) => name).filter(has(search.environment)),
    };
  }, [products.all, environments.all, search.product, search.environment]);
  const isNarrow = useIsNarrow();
  const { cells, see } = useCells(names, search.compareTo);
  const View = isNarrow ? List : Matrix;
  return (
    <>
      <PageHeading title="Where is what" />
      <Filters search={search} environments={environments.all?.map(({ name }) => name) ?? []} />
      <QueryProblem error={products.error ?? environments.error} />
      {products.all === undefined || environments.all === undefined ? (
        <Loading what="products and environments" />
      ) : names.products.length === 0 || names.environments.length === 0 ? (
        <Empty
          title={products.all.length === 0 ? 'There is no product yet.' : 'No product or environment is called that.'}
        >
          <Link to="/where">Show all</Link>
        </Empty>
      ) : (
        <View {...names} cells={cells} see={see} />
      )}
    </>
  );
}

interface ViewProps {
  products: readonly string[];
  environments: readonly string[];
  cells: Cells;
  see: ReturnType<typeof useCells>['see'];
}

const HEAD = 40;
const NAME = 150;
const ROW = 64;
const COLUMN = 172;

/** Only what is seen is drawn, in both directions. */
function Matrix({ products, environments, cells, see }: ViewProps) {
  const frame = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: products.length,
    getScrollElement: () => frame.current,
    estimateSize: () => ROW,
    overscan: 6,
  });
  const columns = useVirtualizer({
    horizontal: true,
    count: environments.length,
    getScrollElement: () => frame.current,
    estimateSize: () => COLUMN,
    overscan: 4,
  });
  const [seenRows, seenColumns] = [rows.getVirtualItems(), columns.getVirtualItems()];
  const bounds = [seenRows[0]?.index, seenRows.at(-1)?.index, seenColumns[0]?.index, seenColumns.at(-1)?.index];
  useEffect(() => {
    const [top, bottom, left, right] = bounds;
    if (top === undefined || left === undefined) return;
    see({ from: top, to: bottom! }, { from: left, to: right! });
  }, [see, ...bounds]);
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
              style={{ left: NAME + start, width: COLUMN, height: HEAD }}
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
                  style={{ left: NAME + left, width: COLUMN, height: ROW }}
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
    const rows = { from: Math.floor(first / perProduct), to: Math.floor(last / perProduct) };
    const isOne = rows.from === rows.to;
    see(rows, {
      from: isOne ? Math.max(0, (first % perProduct) - 1) : 0,
      to: isOne ? Math.max(0, (last % perProduct) - 1) : environments.length - 1,
    });
  }, [see, first, last, perProduct, environments.length]);
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

function Filters({ search, environments }: { search: WhereSearch; environments: readonly string[] }) {
  const navigate = useNavigate({ from: '/where' });
  const change = (changed: Partial<WhereSearch>): void =>
    void navigate({ search: { ...search, ...changed }, replace: true });
  return (
    <div className="filters" role="group" aria-label="Filters">
      <TextField
        className="field inline"
        value={search.product ?? ''}
        onChange={(text) => change({ product: text === '' ? undefined : text })}
      >
        <Label>Product</Label>
        <Input placeholder="part of a name" />
      </TextField>
      <TextField
        className="field inline"
        value={search.environment ?? ''}
        onChange={(text) => change({ environment: text === '' ? undefined : text })}
      >
        <Label>Environment</Label>
        <Input placeholder="part of a name" />
      </TextField>
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
}

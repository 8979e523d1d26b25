import type { ReactNode } from 'react';
import type { CombinedError } from 'urql';
import { Loading } from './empty.tsx';
import { Pages, type PagesProps } from './pages.tsx';
import { QueryProblem } from './problem.tsx';

interface RowsProps<Each> {
  /** undefined: not read yet. */
  items: readonly Each[] | undefined;
  error?: CombinedError | undefined;
  /** What it is called while it is read, such as `the holds`. */
  what: string;
  /** What stands there when there is nothing. */
  none: ReactNode;
  /** The names of the columns. */
  head: readonly string[];
  /** Whether a last column has buttons. */
  acts?: boolean;
  children: (item: Each) => ReactNode;
}

/** A list from the API as a table: on its way, failed, empty, or a row for each. */
export function Rows<Each>({ items, error, what, none, head, acts = false, children }: RowsProps<Each>) {
  return (
    <>
      <QueryProblem error={error} />
      {items === undefined ? (
        error === undefined && <Loading what={what} />
      ) : items.length === 0 ? (
        none
      ) : (
        <Table head={head} acts={acts}>
          {items.map(children)}
        </Table>
      )}
    </>
  );
}

interface ListedProps<Each> extends Omit<RowsProps<Each>, 'items'>, Omit<PagesProps, 'info'> {
  /** undefined: not read yet. */
  page: { nodes: readonly Each[]; pageInfo: PagesProps['info'] } | undefined;
}

/** A page of a list from the API as a table, and the way to the next one. */
export function Listed<Each>({ page, after, next, onPage, ...rows }: ListedProps<Each>) {
  return (
    <>
      <Rows {...rows} items={page?.nodes} />
      <Pages after={after} info={page?.pageInfo} next={next} onPage={onPage} />
    </>
  );
}

/** A table that is a list of cards where it is narrow. */
export function Table({
  head,
  acts = false,
  children,
}: Pick<RowsProps<unknown>, 'head' | 'acts'> & { children: ReactNode }) {
  // In a card each value says the name of its column, which is in no cell.
  const names = Object.fromEntries(head.map((each, at) => [`--column-${at + 1}`, JSON.stringify(each)]));
  return (
    <div className="list-box">
      <table className="list" style={names}>
        <thead>
          <tr>
            {head.map((each) => (
              <th key={each} scope="col">
                {each}
              </th>
            ))}
            {acts && (
              <th scope="col">
                <span className="hidden">What can be done</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

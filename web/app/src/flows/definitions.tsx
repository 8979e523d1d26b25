import { Link } from '@tanstack/react-router';
import { GitBranch, Trash2 } from 'lucide-react';
import { lazy, type ReactNode, Suspense } from 'react';
import type { CombinedError } from 'urql';
import type { DraftKind } from '../builder/document/types.ts';
import { Ask, type Refusals } from '../parts/ask.tsx';
import { Empty, Loading } from '../parts/empty.tsx';
import { Pages, type PagesProps } from '../parts/pages.tsx';
import { QueryProblem } from '../parts/problem.tsx';
import { When } from '../parts/time.tsx';
import { Typed } from '../parts/typed.tsx';
import type { FlowsSearch } from './search.ts';
import './flows.css';

/** What reads texts of drafts is not loaded with the list. */
const Drafts = lazy(() => import('./drafts.tsx'));

/** A definition in its list. */
interface Listed {
  name: string;
  description?: string | null;
  revision: number;
  updatedAt: string;
  revisions: { nodes: readonly { by?: string | null }[] };
  syncedFrom?: { source: string; file: string } | null;
}

const KINDS = {
  PromotionFlow: { called: 'flow', list: '/flows', page: '/flows/$name' },
  PromotionWorkflow: { called: 'workflow', list: '/workflows', page: '/workflows/$name' },
} as const;

interface DefinitionsProps<D extends Listed> {
  kind: DraftKind;
  shown: FlowsSearch;
  onShow: (search: FlowsSearch) => void;
  /** undefined while it is read. */
  list: { nodes: readonly D[]; pageInfo: PagesProps['info'] } | undefined;
  error: CombinedError | undefined;
  /** What is told of each besides its name and its last change. */
  columns: readonly { title: string; cell: (row: D) => ReactNode }[];
  /** What can be done with each besides deleting it. */
  tools?: (row: D) => ReactNode;
  onDelete: (order: { input: { name: string; expectedRevision: number } }) => Promise<Refusals>;
  /** What a deletion means. */
  consequence: string;
  /** Where there is none at all. */
  begin: ReactNode;
}

/** All definitions of a kind that is edited as text, with what the viewer has begun in this browser. */
export function Definitions<D extends Listed>({
  kind,
  shown: { search, after },
  onShow,
  list,
  error,
  begin,
  ...rows
}: DefinitionsProps<D>) {
  const { called, list: all } = KINDS[kind];
  const isAll = search === undefined && after === undefined;
  return (
    <>
      <QueryProblem error={error} />
      <Suspense>
        <Drafts kind={kind} />
      </Suspense>
      {list === undefined ? (
        error === undefined && <Loading what={`the ${called}s`} />
      ) : list.nodes.length === 0 && isAll ? (
        begin
      ) : (
        <>
          <div className="filters">
            <Typed
              label="Search"
              hint="Name, description or label"
              value={search}
              onChange={(text) => onShow({ search: text })}
            />
          </div>
          {list.nodes.length === 0 ? (
            <Empty title={`No ${called} is like this.`}>
              <Link to={all}>Show all {called}s</Link>
            </Empty>
          ) : (
            <Table kind={kind} rows={list.nodes} {...rows} />
          )}
          <Pages
            after={after}
            info={list.pageInfo}
            next="More"
            onPage={(cursor) => onShow({ search, after: cursor })}
          />
        </>
      )}
    </>
  );
}

function Table<D extends Listed>({
  kind,
  rows,
  columns,
  tools,
  onDelete,
  consequence,
}: Pick<DefinitionsProps<D>, 'kind' | 'columns' | 'tools' | 'onDelete' | 'consequence'> & { rows: readonly D[] }) {
  const { called, page } = KINDS[kind];
  return (
    <div className="list-box">
      <table className="list flows">
        <thead>
          <tr>
            <th scope="col">{called === 'flow' ? 'Flow' : 'Workflow'}</th>
            {columns.map(({ title }) => (
              <th scope="col" key={title}>
                {title}
              </th>
            ))}
            <th scope="col">Last change</th>
            <th scope="col">
              <span className="hidden">What can be done</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => {
            const { name, description, revision, updatedAt, revisions, syncedFrom } = row;
            const by = revisions.nodes[0]?.by;
            return (
              <tr key={name}>
                <th scope="row">
                  <Link to={page} params={{ name }} className="main-link">
                    {name}
                  </Link>
                  {description && <small>{description}</small>}
                  {syncedFrom && (
                    <small>
                      <GitBranch size={12} aria-hidden /> from {syncedFrom.source}: {syncedFrom.file}
                    </small>
                  )}
                </th>
                {columns.map(({ title, cell }) => (
                  <td key={title}>{cell(row)}</td>
                ))}
                <td>
                  <When at={updatedAt} />
                  <small className="under">
                    {by ? `by ${by}, ` : ''}revision {revision}
                  </small>
                </td>
                <td>
                  <div className="actions">
                    {tools?.(row)}
                    {!syncedFrom && (
                      <Ask
                        label="Delete"
                        title={`Delete the ${called} ${name}`}
                        icon={<Trash2 size={16} aria-hidden />}
                        kind="danger"
                        onConfirm={() => onDelete({ input: { name, expectedRevision: revision } })}
                      >
                        <p>{consequence}</p>
                      </Ask>
                    )}
                  </div>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { Copy, GitBranch, Plus, Trash2 } from 'lucide-react';
import { lazy, Suspense } from 'react';
import { useQuery } from 'urql';
import {
  DeleteFlowDocument,
  type FlowRowFragment,
  FlowsDocument,
  LastReleaseOfFlowDocument,
} from '../generated/documents.ts';
import { Ask } from '../parts/ask.tsx';
import { Empty, Loading } from '../parts/empty.tsx';
import { PageHeading } from '../parts/heading.tsx';
import { useOrder } from '../parts/order.ts';
import { Pages } from '../parts/pages.tsx';
import { QueryProblem } from '../parts/problem.tsx';
import { Status } from '../parts/status.tsx';
import { When } from '../parts/time.tsx';
import { Typed } from '../parts/typed.tsx';
import { count } from '../parts/words.ts';
import { FirstSteps } from './first-steps.tsx';
import { FromYamlButton } from './from-yaml.tsx';
import './flows.css';

/** What reads texts of flows is not loaded with the list. */
const Drafts = lazy(() => import('./drafts.tsx'));
const PER_PAGE = 25;

/** Every flow, and where one begins a new one. */
export function FlowsPage() {
  const { search, after } = useSearch({ from: '/flows' });
  const navigate = useNavigate({ from: '/flows' });
  const [{ data, error }] = useQuery({ query: FlowsDocument, variables: { first: PER_PAGE, after, search } });
  const flows = data?.promotionFlows;
  return (
    <>
      <PageHeading title="Flows">
        <div className="actions">
          <Link to="/workflows" className="button">
            Workflows
          </Link>
          <FromYamlButton />
          <Link to="/flows/new" className="button primary">
            <Plus size={16} aria-hidden />
            New flow
          </Link>
        </div>
      </PageHeading>
      <QueryProblem error={error} />
      <Suspense>
        <Drafts />
      </Suspense>
      {flows === undefined ? (
        error === undefined && <Loading what="the flows" />
      ) : flows.nodes.length === 0 && search === undefined && after === undefined ? (
        <FirstSteps title="There is no flow yet." />
      ) : (
        <>
          <div className="filters">
            <Typed
              label="Search"
              hint="Name, description or label"
              value={search}
              onChange={(text) => void navigate({ search: { search: text } })}
            />
          </div>
          {flows.nodes.length === 0 ? (
            <Empty title="No flow is like this.">
              <Link to="/flows">Show all flows</Link>
            </Empty>
          ) : (
            <FlowTable flows={flows.nodes} products={data!.products.nodes} />
          )}
          <Pages
            after={after}
            info={flows.pageInfo}
            next="More"
            onPage={(cursor) => void navigate({ search: { search, after: cursor } })}
          />
        </>
      )}
    </>
  );
}

interface ProductFlows {
  name: string;
  promotionFlows: readonly { name: string }[];
}

function FlowTable({ flows, products }: { flows: readonly FlowRowFragment[]; products: readonly ProductFlows[] }) {
  return (
    <div className="list-box">
      <table className="list flows">
        <thead>
          <tr>
            <th scope="col">Flow</th>
            <th scope="col">Products</th>
            <th scope="col">Environments</th>
            <th scope="col">Last release</th>
            <th scope="col">Last change</th>
            <th scope="col">
              <span className="hidden">What can be done</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {flows.map((flow) => (
            <Row key={flow.name} flow={flow} products={products} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ flow, products }: { flow: FlowRowFragment; products: readonly ProductFlows[] }) {
  const { name, description, revision, updatedAt, steps, revisions, syncedFrom } = flow;
  const of = products.filter(({ promotionFlows }) => promotionFlows.some((each) => each.name === name));
  const groups = steps.filter(({ group }) => group).length;
  const environments = 1 + steps.filter(({ environment }) => environment).length;
  const by = revisions.nodes[0]?.by;
  const remove = useOrder(DeleteFlowDocument);
  return (
    <tr>
      <th scope="row">
        <Link to="/flows/$name" params={{ name }} className="main-link">
          {name}
        </Link>
        {description && <small>{description}</small>}
        {syncedFrom && (
          <small>
            <GitBranch size={12} aria-hidden /> from {syncedFrom.source}: {syncedFrom.file}
          </small>
        )}
      </th>
      <td>{of.map((each) => each.name).join(', ')}</td>
      <td className="numbers">
        {environments}
        {groups > 0 && ` and ${count(groups, 'group')}`}
      </td>
      <td>
        <LastRelease flow={name} />
      </td>
      <td>
        <When at={updatedAt} />
        <small className="under">
          {by ? `by ${by}, ` : ''}revision {revision}
        </small>
      </td>
      <td>
        <div className="actions">
          <Link to="/flows/new" search={{ from: name }} className="button" aria-label={`Duplicate ${name}`}>
            <Copy size={16} aria-hidden />
            Duplicate
          </Link>
          {!syncedFrom && (
            <Ask
              label="Delete"
              title={`Delete the flow ${name}`}
              icon={<Trash2 size={16} aria-hidden />}
              kind="danger"
              onConfirm={() => remove({ input: { name, expectedRevision: revision } })}
            >
              <p>Releases on their way keep it, and go on. Its revisions stay.</p>
            </Ask>
          )}
        </div>
      </td>
    </tr>
  );
}

function LastRelease({ flow }: { flow: string }) {
  const [{ data }] = useQuery({ query: LastReleaseOfFlowDocument, variables: { flow } });
  const release = data?.releases.nodes[0];
  if (!release) return data && <span className="hint">none yet</span>;
  return (
    <>
      <Link to="/releases/$id" params={{ id: release.uuid }}>
        {release.shortId}
      </Link>{' '}
      <Status status={release.status} />
    </>
  );
}

import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { GitBranch, Plus, Trash2 } from 'lucide-react';
import { useQuery } from 'urql';
import { useTitle } from '../../frame/title.ts';
import { DeleteWorkflowDocument, WorkflowsDocument } from '../../generated/documents.ts';
import { Ask } from '../../parts/ask.tsx';
import { Empty, Loading } from '../../parts/empty.tsx';
import { PageHeading } from '../../parts/heading.tsx';
import { useOrder } from '../../parts/order.ts';
import { Pages } from '../../parts/pages.tsx';
import { Problem, QueryProblem } from '../../parts/problem.tsx';
import { When } from '../../parts/time.tsx';
import { Typed } from '../../parts/typed.tsx';
import { count } from '../../parts/words.ts';
import { useWorkflowDraft } from './use-workflow-draft.ts';
import { WorkflowEditor } from './workflow-editor.tsx';

const PER_PAGE = 25;

/** Every workflow, and where one begins a new one. */
export function WorkflowsPage() {
  const { search, after } = useSearch({ from: '/workflows' });
  const navigate = useNavigate({ from: '/workflows' });
  const [{ data, error }] = useQuery({ query: WorkflowsDocument, variables: { first: PER_PAGE, after, search } });
  const workflows = data?.promotionWorkflows;
  const remove = useOrder(DeleteWorkflowDocument);
  return (
    <>
      <PageHeading title="Workflows">
        <div className="actions">
          <Link to="/flows" className="button">
            Flows
          </Link>
          <Link to="/workflows/new" className="button primary">
            <Plus size={16} aria-hidden />
            New workflow
          </Link>
        </div>
      </PageHeading>
      <QueryProblem error={error} />
      {workflows === undefined ? (
        error === undefined && <Loading what="the workflows" />
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
          {workflows.nodes.length === 0 ? (
            <Empty title={search === undefined ? 'There is no workflow yet.' : 'No workflow is like this.'}>
              <p>
                A workflow is named actions, one after the other or side by side. Flows and policies run it before,
                after and around a change.
              </p>
            </Empty>
          ) : (
            <div className="list-box">
              <table className="list flows">
                <thead>
                  <tr>
                    <th scope="col">Workflow</th>
                    <th scope="col">Actions</th>
                    <th scope="col">Last change</th>
                    <th scope="col">
                      <span className="hidden">What can be done</span>
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {workflows.nodes.map(({ name, description, actions, updatedAt, revision, syncedFrom }) => (
                    <tr key={name}>
                      <th scope="row">
                        <Link to="/workflows/$name" params={{ name }} className="main-link">
                          {name}
                        </Link>
                        {description && <small>{description}</small>}
                        {syncedFrom && (
                          <small>
                            <GitBranch size={12} aria-hidden /> from {syncedFrom.source}: {syncedFrom.file}
                          </small>
                        )}
                      </th>
                      <td>
                        {count(actions.length, 'action')}
                        <small className="under">{actions.map((each) => each.name).join(', ')}</small>
                      </td>
                      <td>
                        <When at={updatedAt} />
                        <small className="under">revision {revision}</small>
                      </td>
                      <td>
                        {!syncedFrom && (
                          <Ask
                            label="Delete"
                            title={`Delete the workflow ${name}`}
                            icon={<Trash2 size={16} aria-hidden />}
                            kind="danger"
                            onConfirm={() => remove({ input: { name, expectedRevision: revision } })}
                          >
                            <p>Releases on their way keep it. A workflow that a flow or a policy names cannot go.</p>
                          </Ask>
                        )}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
          <Pages
            after={after}
            info={workflows.pageInfo}
            next="More"
            onPage={(cursor) => void navigate({ search: { search, after: cursor } })}
          />
        </>
      )}
    </>
  );
}

export function EditWorkflowPage() {
  const { name } = useParams({ from: '/workflows/$name' });
  return <WorkflowPage key={name} name={name} />;
}

export const NewWorkflowPage = () => <WorkflowPage name={null} />;

function WorkflowPage({ name }: { name: string | null }) {
  useTitle(name ?? 'New workflow');
  const navigate = useNavigate();
  const { draft, origin, problem, isMissing } = useWorkflowDraft(name);
  const title = (
    <h1>
      <Link to="/workflows">Workflows</Link>
      <span aria-hidden>/</span>
      {name ?? 'New workflow'}
    </h1>
  );
  return (
    <>
      {!draft && title}
      {problem !== undefined && <Problem>{problem}</Problem>}
      {isMissing && (
        <Empty title={`There is no workflow ${name}.`}>
          <Link to="/workflows">Show all workflows</Link>
        </Empty>
      )}
      {!draft && problem === undefined && !isMissing && <Loading what="the workflow" />}
      {draft && (
        <WorkflowEditor
          draft={draft}
          origin={origin}
          title={title}
          onShown={(saved) => name === null && void navigate({ to: '/workflows/$name', params: { name: saved } })}
        />
      )}
    </>
  );
}

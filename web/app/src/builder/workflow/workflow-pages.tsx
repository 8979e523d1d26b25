import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useDefinitionChanges } from '../../api/changes.ts';
import { useRead } from '../../api/read.ts';
import { Definitions } from '../../flows/definitions.tsx';
import { useTitle } from '../../frame/title.ts';
import { DeleteWorkflowDocument, type WorkflowRowFragment, WorkflowsDocument } from '../../generated/documents.ts';
import { Empty, Loading } from '../../parts/empty.tsx';
import { PageHeading } from '../../parts/heading.tsx';
import { useOrder } from '../../parts/order.ts';
import { Problem } from '../../parts/problem.tsx';
import { count } from '../../parts/words.ts';
import { useWorkflowDraft } from './use-workflow-draft.ts';
import { WorkflowEditor } from './workflow-editor.tsx';

const PER_PAGE = 25;

/** Every workflow, and where one begins a new one. */
export function WorkflowsPage() {
  const { search, after } = useSearch({ from: '/workflows' });
  const navigate = useNavigate({ from: '/workflows' });
  const [{ data, error }, ask] = useRead({ query: WorkflowsDocument, variables: { first: PER_PAGE, after, search } });
  useDefinitionChanges(['PromotionWorkflow'], [ask]);
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
      <Definitions<WorkflowRowFragment>
        kind="PromotionWorkflow"
        shown={{ search, after }}
        onShow={(shown) => void navigate({ search: shown })}
        list={data?.promotionWorkflows}
        error={error}
        columns={[
          {
            title: 'Actions',
            cell: ({ actions }) => (
              <>
                {count(actions.length, 'action')}
                <small className="under">{actions.map((each) => each.name).join(', ')}</small>
              </>
            ),
          },
        ]}
        onDelete={remove}
        consequence="Releases on their way keep it. A workflow that a flow or a policy names cannot go."
        begin={
          <Empty title="There is no workflow yet.">
            <p>
              A workflow is named actions, one after the other or side by side. Flows and policies run it before, after
              and around a change.
            </p>
          </Empty>
        }
      />
    </>
  );
}

export function EditWorkflowPage() {
  const { name } = useParams({ from: '/workflows/$name' });
  return <WorkflowPage key={name} name={name} />;
}

export function NewWorkflowPage() {
  const { begin } = useSearch({ from: '/workflows/new' });
  return <WorkflowPage key={begin} name={null} begin={begin} />;
}

function WorkflowPage({ name, begin }: { name: string | null; begin?: string }) {
  useTitle(name ?? 'New workflow');
  const navigate = useNavigate();
  const { draft, origin, problem, isMissing } = useWorkflowDraft(name, begin);
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

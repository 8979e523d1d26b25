import { Button } from 'react-aria-components';
import { Loading } from '../../parts/empty.tsx';
import { Over } from '../../parts/over.tsx';
import { Problem } from '../../parts/problem.tsx';
import { useWorkflowDraft } from './use-workflow-draft.ts';
import { WorkflowEditor } from './workflow-editor.tsx';

/** A workflow over the draft of the flow that names it: a new one, or one to be looked at and changed. */
export function WorkflowOver({
  name,
  begin,
  onDone,
}: {
  /** null: a new one. */
  name: string | null;
  /** What a new one is called at first. */
  begin?: string;
  /** With its name when it was saved; null: it was closed. What is not saved is kept in the browser. */
  onDone: (name: string | null) => void;
}) {
  const { draft, origin, problem, isMissing } = useWorkflowDraft(name, begin);
  return (
    <Over title={name === null ? 'New workflow' : `Workflow ${name}`} size="whole" onClose={() => onDone(null)}>
      {draft ? (
        <WorkflowEditor draft={draft} origin={origin} onShown={onDone}>
          <Button className="button" onPress={() => onDone(null)}>
            Close
          </Button>
        </WorkflowEditor>
      ) : (
        <>
          {problem !== undefined && <Problem>{problem}</Problem>}
          {isMissing && <Problem>{`There is no workflow ${name}.`}</Problem>}
          {problem === undefined && !isMissing && <Loading what="the workflow" />}
          <Button className="button" onPress={() => onDone(null)}>
            Close
          </Button>
        </>
      )}
    </Over>
  );
}

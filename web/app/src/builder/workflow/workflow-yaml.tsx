import { useMemo } from 'react';
import { ACTIONS } from '../../../../../src/core/kinds/actions.ts';
import { promotionWorkflow, workflowAction } from '../../../../../src/core/kinds/promotion-workflow.ts';
import { asKey, completed, YamlText } from '../yaml/yaml-text.tsx';
import { rangeOfSelection, type WorkflowProblem, workflowSelectionAt } from './document.ts';
import { useWorkflow, useWorkflowStore } from './state.ts';

const KEYS = [promotionWorkflow, workflowAction, ...Object.values(ACTIONS)]
  .flatMap(({ fields }) => Object.entries(fields))
  .map(asKey);

/** The text of the workflow, as it is saved. */
export default function WorkflowYaml({ problems }: { problems: readonly WorkflowProblem[] }) {
  const store = useWorkflowStore();
  const document = useWorkflow(({ draft }) => draft.document);
  const selection = useWorkflow(({ draft }) => draft.selection);
  const isReadOnly = useWorkflow(({ readOnly }) => readOnly !== null);
  const isWhole = selection.action === null && selection.field.length === 0;
  const part = useMemo(() => (isWhole ? null : rangeOfSelection(document, selection)), [document, selection, isWhole]);
  const { type, undo, redo, select, ask, say } = store.getState();
  return (
    <YamlText
      label="YAML of the workflow"
      text={document.text}
      part={part && part.start < part.end ? part : null}
      isReadOnly={isReadOnly}
      problems={problems}
      onType={type}
      undo={undo}
      redo={redo}
      save={() => {
        const { readOnly } = store.getState();
        if (readOnly === null) ask({ is: 'save' });
        else say(readOnly);
      }}
      onCursor={(offset) => {
        const { document: now } = store.getState().draft;
        if (!now.isCurrent) return;
        const { action, field } = workflowSelectionAt(now, offset);
        select(action, field);
      }}
      complete={(context) =>
        completed(context, KEYS, () => [
          ...Object.keys(ACTIONS),
          ...(store.getState().draft.document.workflow?.spec.actions.map(({ name }) => name) ?? []),
        ])
      }
    />
  );
}

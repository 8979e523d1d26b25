import { useMemo } from 'react';
import { ACTIONS } from '../../../../../src/core/kinds/actions.ts';
import { flowStep, promotionFlow } from '../../../../../src/core/kinds/promotion-flow.ts';
import { promotionWorkflow, workflowAction } from '../../../../../src/core/kinds/promotion-workflow.ts';
import { calledThe, type DraftKind, rangeOf, selectionAt } from '../document/index.ts';
import { useDraft, useDraftStore } from '../draft.ts';
import { useProblems } from '../problems.tsx';
import { asKey, completed, YamlText } from './yaml-text.tsx';

const keysOf = (...shapes: { fields: Record<string, { about: string }> }[]) =>
  shapes.flatMap(({ fields }) => Object.entries(fields)).map(asKey);

const KEYS = {
  PromotionFlow: keysOf(promotionFlow, flowStep),
  PromotionWorkflow: keysOf(promotionWorkflow, workflowAction, ...Object.values(ACTIONS)),
} satisfies Record<DraftKind, unknown>;

/** The text of the draft, as it is saved. @param names what can stand behind a colon or a dash */
export default function YamlEditor({ names }: { names: () => Iterable<string> }) {
  const store = useDraftStore();
  const document = useDraft(({ session }) => session.document);
  const selection = useDraft(({ session }) => session.selection);
  const isReadOnly = useDraft(({ readOnly }) => readOnly !== null);
  const problems = useProblems();
  const isWhole = selection.node === null && selection.field.length === 0;
  const part = useMemo(() => (isWhole ? null : rangeOf(document, selection)), [document, selection, isWhole]);
  const { type, undo, redo, select } = store.getState();
  return (
    <YamlText
      label={`YAML of ${calledThe(document)}`}
      text={document.text}
      part={part && part.start < part.end ? part : null}
      isReadOnly={isReadOnly}
      problems={problems}
      onType={type}
      undo={undo}
      redo={redo}
      onCursor={(offset) => {
        const { document: now } = store.getState().session;
        if (!now.isCurrent) return;
        const { node, field } = selectionAt(now, offset);
        select(node, field);
      }}
      complete={(context) => completed(context, KEYS[document.kind], names)}
    />
  );
}

import { useMemo } from 'react';
import { flowStep, promotionFlow } from '../../../../../src/core/kinds/promotion-flow.ts';
import { rangeOf, selectionAt } from '../document/index.ts';
import { useProblems } from '../problems.tsx';
import { useBuilder, useBuilderStore } from '../state.ts';
import { asKey, completed, YamlText } from './yaml-text.tsx';

const KEYS = [...Object.entries(promotionFlow.fields), ...Object.entries(flowStep.fields)].map(asKey);

/** The text of the flow, as it is saved. */
export default function YamlEditor() {
  const store = useBuilderStore();
  const document = useBuilder(({ session }) => session.document);
  const selection = useBuilder(({ session }) => session.selection);
  const isReadOnly = useBuilder(({ readOnly }) => readOnly !== null);
  const problems = useProblems();
  const isWhole = selection.node === null && selection.field.length === 0;
  const part = useMemo(() => (isWhole ? null : rangeOf(document, selection)), [document, selection, isWhole]);
  const { type, undo, redo, select } = store.getState();
  return (
    <YamlText
      label="YAML of the flow"
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
      complete={(context) =>
        completed(context, KEYS, () => {
          const { environments, groups, workflows } = store.getState().catalogue;
          return [...environments.keys(), ...groups.keys(), ...workflows];
        })
      }
    />
  );
}

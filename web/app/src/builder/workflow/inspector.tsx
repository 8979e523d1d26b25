import { GitFork, Plus, Trash2, X } from 'lucide-react';
import { type ReactNode, useRef } from 'react';
import { Button } from 'react-aria-components';
import type { WorkflowAction } from '../../../../../src/core/definitions.ts';
import type { ActionType } from '../../../../../src/core/kinds/actions.ts';
import { promotionWorkflow, workflowAction } from '../../../../../src/core/kinds/promotion-workflow.ts';
import { Differences, Gone } from '../changes.tsx';
import { focusNode } from '../chart/canvas.tsx';
import { name as nameShape, object, required } from '../../../../../src/core/kinds/shape.ts';
import { Fields, FormHelper, useFocusOnJump } from '../forms/form.tsx';
import { useTyping } from '../left.tsx';
import { ProblemsAt } from '../problems.tsx';
import { freshParameters } from './dialogs.tsx';
import { useWorkflow, useWorkflowStore } from './state.ts';

const NO_NAMES = { namesFor: () => null };
const METADATA = object('', '', { name: required(nameShape('the workflow'), 'What flows and policies call it.') });

/** All that can be said of the action that is selected, by its type; of the workflow when none is. */
export function ActionInspector() {
  const store = useWorkflowStore();
  const workflow = useWorkflow(({ session }) => session.document.workflow);
  const { node: name, field } = useWorkflow(({ session }) => session.selection);
  const jumps = useWorkflow((state) => state.jumps);
  const readOnly = useWorkflow((state) => state.readOnly);
  const panel = useRef<HTMLElement>(null);
  useFocusOnJump(panel, jumps, field.join('.'));
  const typing = useTyping();
  if (!workflow) return null;
  const { actions } = workflow.spec;
  const action = actions.find((each) => each.name === name);
  return (
    <aside
      className="inspector"
      aria-label={`Settings of ${name ?? 'the workflow'}`}
      ref={panel}
      onKeyDown={(event) => {
        const { key, target } = event;
        if (key !== 'Escape' || !panel.current?.contains(target as Node)) return;
        event.stopPropagation();
        // Blurred first: what was typed counts.
        (target as HTMLElement).blur();
        const { selection } = store.getState().session;
        const to = selection.node ?? actions[0]?.name;
        if (to !== undefined) focusNode(panel.current.closest('.workflow'), to);
      }}
    >
      <FormHelper value={{ ...NO_NAMES, isReadOnly: readOnly !== null, ...typing }}>
        {action ? (
          <OfAction key={actions.indexOf(action)} action={action} />
        ) : name === null ? (
          <OfWorkflow name={workflow.name} />
        ) : (
          <Gone node={name} />
        )}
        <ProblemsAt node={action?.name ?? null} />
      </FormHelper>
    </aside>
  );
}

function OfWorkflow({ name }: { name: string }) {
  const spec = useWorkflow(({ session }) => session.document.workflow!.spec);
  const isNew = useWorkflow(({ session }) => session.base.revision === null);
  const edit = useWorkflow((state) => state.edit);
  return (
    <>
      <p className="inspector-kind">Workflow</p>
      <h2 tabIndex={-1}>{name || 'New workflow'}</h2>
      {isNew && (
        <Fields
          shape={METADATA}
          value={{ name }}
          path={['metadata']}
          onChange={(_, to) => typeof to === 'string' && edit({ type: 'renameWorkflow', to })}
        />
      )}
      <Fields
        shape={promotionWorkflow}
        value={spec}
        only={['description']}
        onChange={(_, description) => edit({ type: 'changeWorkflow', description: description as string | undefined })}
      />
    </>
  );
}

function OfAction({ action }: { action: WorkflowAction }) {
  const store = useWorkflowStore();
  const isReadOnly = useWorkflow(({ readOnly }) => readOnly !== null);
  const { ask, edit } = store.getState();
  const { name, dependsOn = [] } = action;
  const change = (key: string, value: unknown): void => {
    if (key === 'name')
      return void (typeof value === 'string' && edit({ type: 'renameAction', action: name, to: value }));
    // Another type takes other parameters.
    const settings =
      key === 'type'
        ? { type: value as ActionType, parameters: freshParameters(value as ActionType) }
        : { [key]: value };
    edit({ type: 'changeAction', action: name, settings });
  };
  const add = (label: ReactNode, place: 'after' | 'before' | 'beside') => (
    <Button className="button small" onPress={() => ask({ is: 'add', place, of: name })}>
      <Plus size={14} aria-hidden />
      {label}
    </Button>
  );
  return (
    <>
      <p className="inspector-kind">Action</p>
      <h2 tabIndex={-1}>{name}</h2>
      <Differences node={name} />
      {!isReadOnly && (
        <div className="actions node-actions">
          {add('Add after', 'after')}
          {add('Add before', 'before')}
          {add('Add side by side', 'beside')}
          <Button
            className="button small"
            onPress={() => ask({ is: 'depends-on', action: name })}
            data-field="dependsOn"
          >
            <GitFork size={14} aria-hidden />
            Depends on ({dependsOn.length})
          </Button>
          <Button className="button small danger" onPress={() => ask({ is: 'remove', action: name })}>
            <Trash2 size={14} aria-hidden />
            Remove
          </Button>
        </div>
      )}
      {dependsOn.length > 0 && (
        <ul className="waits-for-list" aria-label={`What ${name} waits for`}>
          {dependsOn.map((each) => (
            <li key={each}>
              {each}
              {!isReadOnly && (
                <Button
                  className="icon-button"
                  aria-label={`${name} no longer waits for ${each}`}
                  onPress={() =>
                    edit({
                      type: 'setDependencies',
                      action: name,
                      dependsOn: dependsOn.filter((other) => other !== each),
                    })
                  }
                >
                  <X size={14} aria-hidden />
                </Button>
              )}
            </li>
          ))}
        </ul>
      )}
      <Fields shape={workflowAction} value={action} without={['dependsOn']} onChange={change} />
    </>
  );
}

import { useEffect, useState } from 'react';
import { Button, Form, Label, Radio, RadioGroup } from 'react-aria-components';
import type { WorkflowAction } from '../../../../../src/core/definitions.ts';
import { ACTIONS, type ActionType } from '../../../../../src/core/kinds/actions.ts';
import { Over } from '../../parts/over.tsx';
import { Choose } from '../dialogs/choose.tsx';
import { fresh } from '../forms/form.tsx';
import { freeName, type Place, previewOf, targetsOf } from './edits.ts';
import { NO_PREVIEW } from '../draft.ts';
import { useWorkflow, useWorkflowStore } from './state.ts';

const useActions = (): readonly WorkflowAction[] =>
  useWorkflow(({ session }) => session.document.workflow?.spec.actions) ?? [];

/** An action of a type with what it needs, as a form shows it. */
export const freshParameters = (type: ActionType): Record<string, unknown> =>
  fresh(ACTIONS[type], true) as Record<string, unknown>;

const WHERE: Record<Place, string> = { after: 'after', before: 'before', beside: 'side by side with' };

function Buttons({
  close,
  label,
  isDisabled = false,
  danger = false,
}: {
  close: () => void;
  label: string;
  isDisabled?: boolean;
  danger?: boolean;
}) {
  return (
    <div className="actions">
      <Button className="button" onPress={close}>
        Cancel
      </Button>
      <Button
        className={danger ? 'button danger' : 'button primary'}
        type="submit"
        isDisabled={isDisabled}
        autoFocus={danger}
      >
        {label}
      </Button>
    </div>
  );
}

/** What the action does is chosen first; its name and its parameters are filled in behind it. */
export function AddAction({ place, of, close }: { place: Place; of: string | null; close: () => void }) {
  const store = useWorkflowStore();
  const actions = useActions();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [type] = chosen as ReadonlySet<ActionType>;
  const refusals = useWorkflow((state) => state.refusals);
  const add = (): void => {
    if (type === undefined) return;
    const { edit, jump } = store.getState();
    const name = freeName([...actions], type);
    const action: WorkflowAction = { name, type, parameters: freshParameters(type) };
    if (!edit({ type: 'addAction', action, place, of })) return;
    close();
    jump({ node: name, field: ['name'] });
  };
  return (
    <Over title={of === null ? 'Add an action' : `Add ${WHERE[place]} ${of}`} refusals={refusals} onClose={close}>
      <Form
        onSubmit={(event) => {
          event.preventDefault();
          event.stopPropagation();
          add();
        }}
      >
        <Choose
          label="What it does"
          choices={[
            {
              title: 'Types of actions',
              entries: Object.entries(ACTIONS).map(([id, { about }]) => ({ id, name: id, about })),
            },
          ]}
          chosen={chosen}
          isMultiple={false}
          onChange={setChosen}
        />
        <Buttons close={close} label="Add action" isDisabled={type === undefined} />
      </Form>
    </Over>
  );
}

export function ActionDependsOn({ action, close }: { action: string; close: () => void }) {
  const store = useWorkflowStore();
  const actions = useActions();
  const before = actions.find(({ name }) => name === action)?.dependsOn ?? [];
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set(before));
  const refusals = useWorkflow((state) => state.refusals);
  const entries = actions
    .filter(({ name }) => name !== action)
    .map(({ name }) => {
      const reason = before.includes(name) ? null : (targetsOf([...actions], name).get(action) ?? null);
      return { id: name, name, isDisabled: reason !== null, about: reason ?? '' };
    });
  return (
    <Over title={`What ${action} depends on`} refusals={refusals} onClose={close}>
      <Form
        onSubmit={(event) => {
          event.preventDefault();
          event.stopPropagation();
          const dependsOn = [
            ...before.filter((each) => chosen.has(each)),
            ...[...chosen].filter((each) => !before.includes(each)),
          ];
          if (store.getState().edit({ type: 'setDependencies', action, dependsOn })) close();
        }}
      >
        <Choose
          label={`${action} waits for all of these; for none it begins with the workflow`}
          choices={[{ title: 'Actions', entries }]}
          chosen={chosen}
          isMultiple
          onChange={setChosen}
        />
        <Buttons close={close} label="Update dependencies" />
      </Form>
    </Over>
  );
}

/** What goes and what is connected anew is drawn before it is done. */
export function RemoveAction({ action, close }: { action: string; close: () => void }) {
  const store = useWorkflowStore();
  const actions = useActions();
  const [what, setWhat] = useState<'RECONNECT' | 'REMOVE'>('RECONNECT');
  const { dependents, removed, reconnected } = previewOf([...actions], action);
  const refusals = useWorkflow((state) => state.refusals);
  useEffect(() => {
    const { show } = store.getState();
    show(what === 'REMOVE' ? { removed } : { removed: [action], reconnected });
    return () => show(NO_PREVIEW);
    // What would go is the same as long as the choice is.
  }, [what, action, store]);
  return (
    <Over title={`Remove ${action}`} refusals={refusals} onClose={close}>
      <Form
        onSubmit={(event) => {
          event.preventDefault();
          event.stopPropagation();
          if (store.getState().edit({ type: 'removeAction', action, dependents: what })) close();
        }}
      >
        {dependents.length === 0 ? (
          <p>Nothing depends on it.</p>
        ) : (
          <RadioGroup className="field radios" value={what} onChange={(value) => setWhat(value as typeof what)}>
            <Label>
              {dependents.join(', ')} {dependents.length === 1 ? 'depends' : 'depend'} on it.
            </Label>
            <Radio value="RECONNECT" className="radio">
              Reconnect to what it depends on
            </Radio>
            <Radio value="REMOVE" className="radio bad">
              Remove all that follow: {removed.length} actions with it
            </Radio>
          </RadioGroup>
        )}
        <Buttons close={close} danger label={what === 'REMOVE' ? `Remove ${removed.length}` : 'Remove action'} />
      </Form>
    </Over>
  );
}

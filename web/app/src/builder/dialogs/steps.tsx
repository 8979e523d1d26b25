import { useEffect, useMemo, useState } from 'react';
import { Button, Form, Input, Label, Radio, RadioGroup, TextField } from 'react-aria-components';
import type { Kind } from '../../../../../src/core/kinds/names.ts';
import {
  connectTargets,
  type FlowEdit,
  type FlowStepSpec,
  foresee,
  previewRemoval,
  type RemovalPreview,
} from '../document/index.ts';
import { NO_PREVIEW } from '../draft.ts';
import { whenIdle } from '../idle.ts';
import { type BuilderState, nameOf, useBuilder, useBuilderStore, useDocument } from '../state.ts';
import { Choose, type Choices } from './choose.tsx';
import { Over } from './sheet.tsx';

export type Create = (kind: Kind, name?: string) => Promise<string | null>;

/** What the flow has already, by name: a name is in it once. */
function usedIn({ session, catalogue }: BuilderState): Set<string> {
  const { flow } = session.document;
  if (!flow) return new Set();
  const of = flow.spec.steps.flatMap((step) => [
    nameOf(step),
    ...(step.group ? (catalogue.groups.get(step.group) ?? []) : []),
  ]);
  return new Set([flow.spec.triggerEnvironment, ...of]);
}

/** The kind stands in the key: an environment and a group may have the same name. */
const keyOf = (kind: string, name: string): string => `${kind} ${name}`;

function useChoices(kinds: readonly string[]): Choices[] {
  const { environments, groups, workflows } = useBuilder((state) => state.catalogue);
  const store = useBuilderStore();
  const used = usedIn(store.getState());
  const entries = (kind: string, names: Iterable<string>, about?: (name: string) => string) =>
    kinds.includes(kind)
      ? [...names].map((name) => ({
          id: keyOf(kind, name),
          name,
          isDisabled: used.has(name),
          about: used.has(name) ? 'is in the flow' : (about?.(name) ?? ''),
        }))
      : [];
  return [
    {
      title: 'Environments',
      entries: entries('environment', environments.keys(), (name) =>
        environments.get(name)!.isProduction ? 'production' : '',
      ),
    },
    { title: 'Groups', entries: entries('group', groups.keys(), (name) => groups.get(name)!.join(', ')) },
    { title: 'Workflows', entries: entries('workflow', workflows) },
  ];
}

const NEW: Record<string, { kind: Kind; label: string }> = {
  environment: { kind: 'Environment', label: 'New environment' },
  group: { kind: 'EnvironmentGroup', label: 'New group' },
  workflow: { kind: 'PromotionWorkflow', label: 'New workflow' },
};

function NewButtons({
  kinds,
  typed,
  create,
  onMade,
}: {
  kinds: readonly string[];
  /** What was searched: the name of what is made when nothing has it. */
  typed: string;
  create: Create;
  onMade: (key: string) => void;
}) {
  const { environments, groups, workflows } = useBuilder((state) => state.catalogue);
  const wanted = typed.trim();
  const isThere = environments.has(wanted) || groups.has(wanted) || workflows.has(wanted);
  const name = isName(wanted) && !isThere ? wanted : '';
  return (
    <div className="actions new-actions">
      {kinds.map((each) => (
        <Button
          key={each}
          className="button small"
          onPress={() => void create(NEW[each]!.kind, name).then((made) => made !== null && onMade(keyOf(each, made)))}
        >
          {NEW[each]!.label}
          {name !== '' && ` ${name}`}
        </Button>
      ))}
    </div>
  );
}

/** Labels and names have letters, digits and dashes. */
const isName = (text: string): boolean => /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(text);

export function ChooseTrigger({ close, create }: { close: () => void; create: Create }) {
  const edit = useBuilder((state) => state.edit);
  const choices = useChoices(['environment']);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [typed, setTyped] = useState('');
  const [key] = chosen;
  const name = key?.split(' ')[1];
  return (
    <Over title="Choose the trigger environment" onClose={close}>
      <Form
        onSubmit={(event) => {
          event.preventDefault();
          if (name !== undefined && edit({ type: 'setTriggerEnvironment', environment: name })) close();
        }}
      >
        <Choose
          label="Environment"
          choices={choices}
          chosen={chosen}
          isMultiple={false}
          onChange={setChosen}
          typed={typed}
          onType={setTyped}
        />
        <NewButtons
          kinds={['environment']}
          typed={typed}
          create={create}
          onMade={(made) => {
            setTyped('');
            setChosen(new Set([made]));
          }}
        />
        <div className="actions">
          <Button className="button" onPress={close}>
            Cancel
          </Button>
          <Button className="button primary" type="submit" isDisabled={name === undefined}>
            Begin here
          </Button>
        </div>
      </Form>
    </Over>
  );
}

/** Environments, groups and workflows, several at once: they run side by side. */
export function AddSteps({
  node,
  place,
  close,
  create,
}: {
  node: string;
  place: 'after' | 'before';
  close: () => void;
  create: Create;
}) {
  const edit = useBuilder((state) => state.edit);
  const store = useBuilderStore();
  const kinds = ['environment', 'group', 'workflow'];
  const choices = useChoices(kinds);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [typed, setTyped] = useState('');
  const add = (): void => {
    const used = usedIn(store.getState());
    const steps = [...chosen].map((key): FlowStepSpec => {
      const [kind, name] = key.split(' ') as [string, string];
      if (kind !== 'workflow') return { [kind]: name, dependsOn: [] };
      // A workflow runs in many places: each step has a name of its own.
      let own = name;
      for (let count = 2; used.has(own); count += 1) own = `${name}-${count}`;
      return { workflow: name, name: own, dependsOn: [] };
    });
    const ends = place === 'after' ? { after: [node], before: [] } : { after: [], before: [node] };
    if (edit({ type: 'addSteps', steps, ...ends })) close();
  };
  return (
    <Over title={`Add ${place} ${node}`} onClose={close}>
      <Form
        onSubmit={(event) => {
          event.preventDefault();
          add();
        }}
      >
        <Choose
          label="What comes there; several run side by side"
          choices={choices}
          chosen={chosen}
          isMultiple
          onChange={setChosen}
          typed={typed}
          onType={setTyped}
        />
        <NewButtons
          kinds={kinds}
          typed={typed}
          create={create}
          onMade={(made) => {
            setTyped('');
            setChosen((before) => new Set([...before, made]));
          }}
        />
        <div className="actions">
          <Button className="button" onPress={close}>
            Cancel
          </Button>
          <Button className="button primary" type="submit" isDisabled={chosen.size === 0}>
            {chosen.size > 1 ? `Add ${chosen.size} in parallel` : 'Add'}
          </Button>
        </div>
      </Form>
    </Over>
  );
}

export function DependsOn({ node, close }: { node: string; close: () => void }) {
  const { flow } = useDocument();
  const document = useDocument();
  const catalogue = useBuilder((state) => state.catalogue);
  const edit = useBuilder((state) => state.edit);
  const before = flow!.spec.steps.find((step) => nameOf(step) === node)?.dependsOn ?? [];
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set(before));
  const names = [flow!.spec.triggerEnvironment, ...flow!.spec.steps.map(nameOf)].filter((name) => name !== node);
  const members = flow!.spec.steps.flatMap(({ group }) => catalogue.groups.get(group ?? '') ?? []);
  const entry = (name: string) => {
    // Asked from its own side: what may `node` wait for?
    const reason = connectTargets(document, catalogue, name).find((each) => each.name === node)?.reason ?? null;
    const isRefused = reason !== null && !before.includes(name);
    return { id: name, name, isDisabled: isRefused, about: isRefused ? reason : '' };
  };
  return (
    <Over title={`What ${node} depends on`} onClose={close}>
      <Form
        onSubmit={(event) => {
          event.preventDefault();
          const kept = before.filter((each) => chosen.has(each));
          const added = [...chosen].filter((each) => !before.includes(each));
          if (edit({ type: 'setDependencies', step: node, dependsOn: [...kept, ...added] })) close();
        }}
      >
        <Choose
          label={`${node} waits for all of these`}
          choices={[
            { title: 'Steps', entries: names.map(entry) },
            { title: 'Members of groups', entries: members.filter((name) => !names.includes(name)).map(entry) },
          ]}
          chosen={chosen}
          isMultiple
          onChange={setChosen}
        />
        <div className="actions">
          <Button className="button" onPress={close}>
            Cancel
          </Button>
          <Button className="button primary" type="submit" isDisabled={chosen.size === 0}>
            Update dependencies
          </Button>
        </div>
      </Form>
    </Over>
  );
}

/** In front of the step that dependents are connected to. */
const TO = 'to ';
const NOTHING: RemovalPreview = { dependents: [], reconnectTo: [], reconnected: [], removed: [] };

/** What goes and what is connected anew is drawn before it is done. */
export function RemoveStep({ node, close }: { node: string; close: () => void }) {
  const document = useDocument();
  const catalogue = useBuilder((state) => state.catalogue);
  const edit = useBuilder((state) => state.edit);
  const show = useBuilder((state) => state.show);
  const { dependents, reconnectTo, reconnected, removed } = useMemo(
    () => previewRemoval(document, catalogue, node) ?? NOTHING,
    [document, catalogue, node],
  );
  const [what, setWhat] = useState('RECONNECT');
  const isAlone = dependents.length === 0;
  useEffect(() => {
    show(what === 'REMOVE' ? { removed } : { removed: [node], reconnected });
    return () => show(NO_PREVIEW);
    // What would go is the same as long as the choice is.
  }, [what, node, show]);
  const removal = useMemo((): FlowEdit => {
    const reconnectTo = what.startsWith(TO) ? [what.slice(TO.length)] : [];
    const isChosen = !isAlone && (what === 'RECONNECT' || what === 'REMOVE');
    return { type: 'removeStep', step: node, reconnectTo, ...(isChosen && { dependents: what }) };
  }, [what, isAlone, node]);
  // It takes longest in a large flow, and a person has to read the question first.
  useEffect(() => whenIdle(() => foresee(document, removal, catalogue)), [document, removal, catalogue]);
  return (
    <Over title={`Remove ${node}`} onClose={close}>
      <Form
        onSubmit={(event) => {
          event.preventDefault();
          if (edit(removal)) close();
        }}
      >
        {isAlone ? (
          <p>Nothing depends on it.</p>
        ) : (
          <RadioGroup className="field radios" value={what} onChange={setWhat}>
            <Label>
              {dependents.join(', ')} {dependents.length === 1 ? 'depends' : 'depend'} on it.
            </Label>
            <Radio value="RECONNECT" className="radio">
              Reconnect to what it depends on
            </Radio>
            {reconnectTo.map((each) => (
              <Radio key={each} value={TO + each} className="radio">
                Reconnect to {each}
              </Radio>
            ))}
            <Radio value="REMOVE" className="radio bad">
              Remove all that follow: {removed.length} steps with it
            </Radio>
          </RadioGroup>
        )}
        <div className="actions">
          <Button className="button" onPress={close}>
            Cancel
          </Button>
          <Button className="button danger" type="submit" autoFocus>
            {what === 'REMOVE' ? `Remove ${removed.length}` : 'Remove'}
          </Button>
        </div>
      </Form>
    </Over>
  );
}

export function RenameStep({ node, close }: { node: string; close: () => void }) {
  const edit = useBuilder((state) => state.edit);
  const { flow } = useDocument();
  const [name, setName] = useState(node);
  const step = flow!.spec.steps.find((each) => nameOf(each) === node);
  const what = step?.workflow === undefined ? (step?.group === undefined ? 'environment' : 'group') : 'name';
  return (
    <Over title={`Another ${what} instead of ${node}`} onClose={close}>
      <Form
        onSubmit={(event) => {
          event.preventDefault();
          if (edit({ type: 'renameStep', step: node, to: name.trim() })) close();
        }}
      >
        <TextField className="field" value={name} onChange={setName} isRequired autoFocus>
          <Label>{what === 'name' ? 'Name of the step' : `Name of the ${what}`}</Label>
          <Input />
        </TextField>
        <p className="hint">
          Everything in the flow that names it follows. An {what} of that name has to exist when it is saved.
        </p>
        <div className="actions">
          <Button className="button" onPress={close}>
            Cancel
          </Button>
          <Button className="button primary" type="submit" isDisabled={name.trim() === '' || name.trim() === node}>
            Rename
          </Button>
        </div>
      </Form>
    </Over>
  );
}

import type { PromotionWorkflowSpec, WorkflowAction } from '../../../../../src/core/definitions.ts';
import { quote } from '../../../../../src/core/wording.ts';
import { listed } from '../document/sentences.ts';

/** Where an action comes: after or before another one, side by side with it, or at the beginning, when `of` is null. */
export type Place = 'after' | 'before' | 'beside';

/** One change of a workflow. */
export type WorkflowEdit =
  | { type: 'addAction'; action: WorkflowAction; place: Place; of: string | null }
  /** RECONNECT: those that depend on it depend on what it depended on. REMOVE: they go with it, and all that follow. */
  | { type: 'removeAction'; action: string; dependents: 'RECONNECT' | 'REMOVE' }
  | { type: 'renameAction'; action: string; to: string }
  /** All that it depends on; without any it begins with the workflow. */
  | { type: 'setDependencies'; action: string; dependsOn: string[] }
  /** What is given replaces what is there; undefined removes it. */
  | { type: 'changeAction'; action: string; settings: Partial<Omit<WorkflowAction, 'name' | 'dependsOn'>> }
  | { type: 'changeWorkflow'; description: string | undefined }
  | { type: 'renameWorkflow'; to: string };

/** What came of an edit of the actions, or why it was not made. */
export type Edited = { spec: PromotionWorkflowSpec; said: string; selected: string | null } | { refusal: string };

type Actions = PromotionWorkflowSpec['actions'];

const named = (actions: Actions, name: string): WorkflowAction | undefined =>
  actions.find((each) => each.name === name);

/** Everything that waits for an action, directly or not. */
export function followersOf(actions: Actions, name: string): Set<string> {
  const found = new Set([name]);
  // A Set is walked in insertion order and can grow meanwhile.
  for (const each of found)
    for (const { name: next, dependsOn = [] } of actions) if (dependsOn.includes(each)) found.add(next);
  found.delete(name);
  return found;
}

/** Of each action whether it can wait for `from`: null, or the reason why not. */
export function targetsOf(actions: Actions, from: string): Map<string, string | null> {
  const reasonOf = ({ name, dependsOn = [] }: WorkflowAction): string | null => {
    if (name === from) return `${quote(name)} cannot wait for itself`;
    if (dependsOn.includes(from)) return `${quote(name)} waits for ${quote(from)} already`;
    if (followersOf(actions, name).has(from))
      return `${quote(from)} waits for ${quote(name)}: both would wait for each other`;
    return null;
  };
  return new Map(actions.map((each) => [each.name, reasonOf(each)]));
}

/** The same without `dependsOn` where it would be empty: then the action begins with the workflow. */
function waitingFor({ dependsOn: _, ...action }: WorkflowAction, dependsOn: string[]): WorkflowAction {
  const { name, type, ...more } = action;
  return { name, type, ...(dependsOn.length > 0 && { dependsOn }), ...more };
}

/** What removing an action would do: who waits for it, what goes with all that follow, and the edges that come when it goes alone. */
export function previewOf(actions: Actions, name: string) {
  const { dependsOn = [] } = named(actions, name) ?? {};
  const dependents = actions.filter((each) => each.dependsOn?.includes(name));
  return {
    dependents: dependents.map((each) => each.name),
    removed: [name, ...followersOf(actions, name)],
    reconnected: dependents.flatMap((each) =>
      dependsOn.filter((from) => !each.dependsOn!.includes(from)).map((from) => ({ from, to: each.name })),
    ),
  };
}

/** The actions after an edit, and what is said of it. Names and the workflow's own name are judged by the checks of the definition. */
export function editActions(
  spec: PromotionWorkflowSpec,
  edit: Exclude<WorkflowEdit, { type: 'renameWorkflow' }>,
): Edited {
  const { actions } = spec;
  const become = (next: Actions, said: string, selected: string | null): Edited => ({
    spec: { ...spec, actions: next },
    said,
    selected,
  });
  const replaced = (name: string, by: (action: WorkflowAction) => WorkflowAction): Actions =>
    actions.map((each) => (each.name === name ? by(each) : each));
  if ('action' in edit && typeof edit.action === 'string' && !named(actions, edit.action))
    return { refusal: `${quote(edit.action)} is not in the workflow` };
  switch (edit.type) {
    case 'addAction':
      return added(actions, edit, become);
    case 'removeAction': {
      const { removed } = previewOf(actions, edit.action);
      const before = named(actions, edit.action)!.dependsOn ?? [];
      const gone = edit.dependents === 'REMOVE' ? removed : [edit.action];
      const left = actions
        .filter((each) => !gone.includes(each.name))
        .map((each) => {
          if (!each.dependsOn?.some((name) => gone.includes(name))) return each;
          const now = each.dependsOn.flatMap((name) => (name === edit.action ? before : [name]));
          return waitingFor(
            each,
            [...new Set(now)].filter((name) => !gone.includes(name)),
          );
        });
      return become(left, `${listed(gone)} removed, ${left.length} left`, before[0] ?? left[0]?.name ?? null);
    }
    case 'renameAction': {
      if (named(actions, edit.to)) return { refusal: `there is an action ${quote(edit.to)} already` };
      const next = actions.map((each) => ({
        ...each,
        ...(each.name === edit.action && { name: edit.to }),
        ...(each.dependsOn && { dependsOn: each.dependsOn.map((name) => (name === edit.action ? edit.to : name)) }),
      }));
      return become(next, `${edit.action} is ${edit.to} now`, edit.to);
    }
    case 'setDependencies': {
      const { action, dependsOn } = edit;
      const unknown = dependsOn.find((name) => !named(actions, name));
      if (unknown !== undefined) return { refusal: `${quote(unknown)} is not in the workflow` };
      const wrong = dependsOn.find((name) => name === action || followersOf(actions, action).has(name));
      if (wrong !== undefined) return { refusal: targetsOf(actions, wrong).get(action)! };
      const words = dependsOn.length === 0 ? 'begins with the workflow' : `depends on ${listed(dependsOn)}`;
      return become(
        replaced(action, (each) => waitingFor(each, dependsOn)),
        `${action} ${words}`,
        action,
      );
    }
    case 'changeAction': {
      const next = replaced(edit.action, (each) => {
        const changed = { ...each, ...edit.settings };
        for (const key of Object.keys(edit.settings) as (keyof typeof edit.settings)[])
          if (edit.settings[key] === undefined) delete changed[key];
        return changed;
      });
      return become(next, `${listed(Object.keys(edit.settings))} of ${edit.action} changed`, edit.action);
    }
    case 'changeWorkflow': {
      const { description: _, ...rest } = spec;
      const { description } = edit;
      return {
        spec: description === undefined ? rest : { description, ...rest },
        said: description === undefined ? 'the description is removed' : 'the description is changed',
        selected: null,
      };
    }
  }
}

function added(
  actions: Actions,
  { action, place, of }: Extract<WorkflowEdit, { type: 'addAction' }>,
  become: (next: Actions, said: string, selected: string | null) => Edited,
): Edited {
  if (named(actions, action.name)) return { refusal: `there is an action ${quote(action.name)} already` };
  const at = of === null ? undefined : named(actions, of);
  if (of !== null && !at) return { refusal: `${quote(of)} is not in the workflow` };
  const { name } = action;
  const count = `${actions.length + 1} in all`;
  if (!at) return become([...actions, waitingFor(action, [])], `${name} added, ${count}`, name);
  if (place === 'after')
    return become([...actions, waitingFor(action, [at.name])], `${name} added after ${at.name}, ${count}`, name);
  const made = waitingFor(action, [...(at.dependsOn ?? [])]);
  if (place === 'beside')
    return become([...actions, made], `${name} added side by side with ${at.name}, ${count}`, name);
  const next = actions.flatMap((each) => (each === at ? [made, waitingFor(each, [name])] : [each]));
  return become(next, `${name} added before ${at.name}, ${count}`, name);
}

/** A name that no action has: that of the type, with a number behind it where it is taken. */
export function freeName(actions: Actions, type: string): string {
  const base = type.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  let name = base;
  for (let count = 2; named(actions, name); count += 1) name = `${base}-${count}`;
  return name;
}

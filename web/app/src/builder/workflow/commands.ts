import { one, plain, withControl } from '../commands.ts';
import type { WorkflowState, WorkflowStore } from './state.ts';

interface WorkflowCommand {
  keys: string;
  about: string;
  matches: (event: KeyboardEvent) => boolean;
  run: (state: WorkflowState, views: WorkflowViews, event: KeyboardEvent) => void;
}

/** What the page can do with its views. */
export interface WorkflowViews {
  toInspector: () => void;
  toggleYaml: () => void;
  fit: () => void;
  zoom: (step: number) => void;
}

/** The first action where none is selected; the first one is made where there is none. */
const atAction = (run: (state: WorkflowState, action: string) => void) => (state: WorkflowState) => {
  const { selection, document } = state.draft;
  const action = selection.action ?? document.workflow?.spec.actions[0]?.name;
  if (action === undefined) state.ask({ is: 'add', place: 'after', of: null });
  else run(state, action);
};

/** The keys of a workflow: those of a flow, where there is the same to do. */
export const WORKFLOW_COMMANDS: readonly WorkflowCommand[] = [
  {
    keys: '← → ↑ ↓',
    about: 'In the graph: go from action to action. In the outline: from row to row.',
    matches: () => false,
    run: () => {},
  },
  {
    keys: 'A',
    about: 'Add an action after the selected one',
    matches: plain('a'),
    run: atAction((state, of) => state.ask({ is: 'add', place: 'after', of })),
  },
  {
    keys: 'Shift A',
    about: 'Add one before it',
    matches: plain('a', true),
    run: atAction((state, of) => state.ask({ is: 'add', place: 'before', of })),
  },
  {
    keys: 'P',
    about: 'Add one side by side with it',
    matches: plain('p'),
    run: atAction((state, of) => state.ask({ is: 'add', place: 'beside', of })),
  },
  {
    keys: 'D',
    about: 'Say what it depends on',
    matches: plain('d'),
    run: atAction((state, action) => state.ask({ is: 'depends-on', action })),
  },
  {
    keys: 'R',
    about: 'Rename it',
    matches: plain('r'),
    run: atAction((state, action) => state.jump(action, ['name'])),
  },
  {
    keys: 'Delete',
    about: 'Remove it',
    matches: ({ key }) => key === 'Delete' || key === 'Backspace',
    run: atAction((state, action) => state.ask({ is: 'remove', action })),
  },
  { keys: 'E', about: 'Go to its settings', matches: plain('e'), run: (_, { toInspector }) => toInspector() },
  {
    keys: 'W',
    about: 'Go to the settings of the workflow',
    matches: plain('w'),
    run: (state) => state.jump(null, []),
  },
  { keys: 'Esc', about: 'From the settings back to the graph', matches: () => false, run: () => {} },
  { keys: 'Y', about: 'Show or hide the YAML', matches: plain('y'), run: (_, { toggleYaml }) => toggleYaml() },
  { keys: 'Ctrl Z', about: 'Undo', matches: withControl('z', false), run: (state) => state.undo() },
  {
    keys: 'Ctrl Shift Z or Ctrl Y',
    about: 'Redo',
    matches: (event) => withControl('z', true)(event) || withControl('y', false)(event),
    run: (state) => state.redo(),
  },
  { keys: 'Ctrl S', about: 'Save', matches: withControl('s', false), run: (state) => state.ask({ is: 'save' }) },
  { keys: 'F', about: 'Fit the graph', matches: plain('f'), run: (_, { fit }) => fit() },
  {
    keys: '+ −',
    about: 'Zoom',
    matches: (event) => one('+')(event) || one('-')(event),
    run: (_, { zoom }, { key }) => zoom(key === '+' ? 1.25 : 0.8),
  },
  { keys: '?', about: 'This list', matches: one('?'), run: (state) => state.ask({ is: 'keys' }) },
];

/** Does what a key stands for, unless a field or a dialog above has the focus. */
export function onWorkflowKey(
  event: KeyboardEvent,
  store: WorkflowStore,
  views: WorkflowViews,
  root: HTMLElement,
): void {
  const target = event.target as HTMLElement;
  const field = target.closest(
    'input, textarea, [contenteditable], [role="listbox"], [aria-haspopup="listbox"], .yaml',
  );
  const above = [...document.querySelectorAll('[role="dialog"]')].at(-1) ?? null;
  if (field || above !== root.closest('[role="dialog"]')) return;
  const command = WORKFLOW_COMMANDS.find(({ matches }) => matches(event));
  if (!command) return;
  event.preventDefault();
  event.stopPropagation();
  command.run(store.getState(), views, event);
}

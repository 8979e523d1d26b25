import { type Command, draftCommands, isRemoval, plain, type Views } from '../keys.ts';
import type { WorkflowState } from './state.ts';

/** The first action where none is selected; the first one is made where there is none. */
const atAction = (run: (state: WorkflowState, action: string) => void) => (state: WorkflowState) => {
  const { selection, document } = state.session;
  const action = selection.node ?? document.workflow?.spec.actions[0]?.name;
  if (action === undefined) state.ask({ is: 'add', place: 'after', of: null });
  else run(state, action);
};

const { walk, edit, look } = draftCommands({ picture: 'graph', whole: 'workflow', node: 'action' });

/** The keys of a workflow: those of a flow, where there is the same to do. */
export const WORKFLOW_COMMANDS: readonly Command<WorkflowState, Views>[] = [
  walk,
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
    run: atAction((state, action) => state.jump({ node: action, field: ['name'] })),
  },
  {
    keys: 'Delete',
    about: 'Remove it',
    matches: isRemoval,
    run: atAction((state, action) => state.ask({ is: 'remove', action })),
  },
  ...edit,
  ...look,
];

import { MOST_SHOWN } from './chart/place.ts';
import { type Builder, type BuilderState, nameOf } from './state.ts';

/** What a key does, wherever one is in the builder; the same words stand in the list of keys. */
export interface Command {
  /** As it is shown. */
  keys: string;
  about: string;
  matches: (event: KeyboardEvent) => boolean;
  run: (state: BuilderState, views: Views, event: KeyboardEvent) => void;
}

/** What the page can do with its views. */
export interface Views {
  newGroup: (after: string) => void;
  toggleYaml: () => void;
  toInspector: () => void;
  search: () => void;
  fit: () => void;
  zoom: (step: number) => void;
  zoomTo: (zoom: number) => void;
}

export const plain =
  (key: string, shift = false) =>
  ({ key: pressed, shiftKey, ctrlKey, metaKey, altKey }: KeyboardEvent): boolean =>
    pressed.toLowerCase() === key && shiftKey === shift && !ctrlKey && !metaKey && !altKey;

export const withControl =
  (key: string, shift: boolean) =>
  ({ key: pressed, shiftKey, ctrlKey, metaKey }: KeyboardEvent): boolean =>
    (ctrlKey || metaKey) && pressed.toLowerCase() === key && shiftKey === shift;

export const one = (character: string) => (event: KeyboardEvent) =>
  event.key === character && !event.ctrlKey && !event.metaKey && !event.altKey;

/** Something has to be selected: the trigger environment when nothing is. */
const atNode = (run: (state: BuilderState, node: string) => void) => (state: BuilderState) => {
  const { selection, document } = state.session;
  const trigger = document.flow?.spec.triggerEnvironment ?? '';
  const node = selection.node ?? trigger;
  if (node === '') state.ask({ is: 'trigger-environment' });
  else run(state, node);
};

const atStep = (run: (state: BuilderState, node: string) => void) =>
  atNode((state, node) => {
    if (node !== state.session.document.flow?.spec.triggerEnvironment) run(state, node);
    else state.say(`${node} is the trigger environment: everything else comes after it`);
  });

const SAVE = 'Ctrl S';
/** Where letters, Delete and Ctrl-Z are of the text there; a box that is ticked has no text. */
const TYPED = 'input:not([type="checkbox"], [type="radio"]), textarea, [contenteditable], .yaml';

export const COMMANDS: readonly Command[] = [
  {
    keys: '← → ↑ ↓',
    about: 'In the chart: go from node to node. In the outline: from row to row.',
    matches: () => false,
    run: () => {},
  },
  {
    keys: 'A',
    about: 'Add after the selected node; several at once are parallel',
    matches: plain('a'),
    run: atNode((state, node) => state.ask({ is: 'add', node, place: 'after' })),
  },
  {
    keys: 'Shift A',
    about: 'Add before it',
    matches: plain('a', true),
    run: atStep((state, node) => state.ask({ is: 'add', node, place: 'before' })),
  },
  {
    keys: 'G',
    about: 'Make a group, and add it after the selected node',
    matches: plain('g'),
    run: (state, { newGroup }) => atNode((_, node) => newGroup(node))(state),
  },
  {
    keys: 'D',
    about: 'Say what it depends on',
    matches: plain('d'),
    run: atStep((state, node) => state.ask({ is: 'depends-on', node })),
  },
  {
    keys: 'R',
    about: 'Rename it, or put another environment in its place',
    matches: plain('r'),
    run: atNode((state, node) => state.ask({ is: 'rename', node })),
  },
  {
    keys: 'Delete',
    about: 'Remove it',
    matches: ({ key }) => key === 'Delete' || key === 'Backspace',
    run: atStep((state, node) => state.ask({ is: 'remove', node })),
  },
  { keys: 'E', about: 'Go to its settings', matches: plain('e'), run: (_, { toInspector }) => toInspector() },
  {
    keys: 'W',
    about: 'Go to the settings of the whole flow',
    matches: plain('w'),
    run: (state) => state.jump({ node: null, field: [] }),
  },
  { keys: 'Esc', about: 'From the settings back to the chart', matches: () => false, run: () => {} },
  { keys: 'Y', about: 'Show or hide the YAML', matches: plain('y'), run: (_, { toggleYaml }) => toggleYaml() },
  { keys: 'Ctrl Z', about: 'Undo', matches: withControl('z', false), run: (state) => state.undo() },
  {
    keys: 'Ctrl Shift Z or Ctrl Y',
    about: 'Redo',
    matches: (event) => withControl('z', true)(event) || withControl('y', false)(event),
    run: (state) => state.redo(),
  },
  {
    keys: SAVE,
    about: 'Save',
    matches: withControl('s', false),
    run: (state) => (state.readOnly === null ? state.ask({ is: 'save' }) : state.say(state.readOnly)),
  },
  { keys: '/', about: 'Search a node', matches: one('/'), run: (_, { search }) => search() },
  {
    keys: 'C',
    about: 'Show or hide on the chart what differs from the saved flow',
    matches: plain('c'),
    run: (state) => state.toggleDiff(),
  },
  {
    keys: 'M',
    about: 'Show all members of a large group, or fewer',
    matches: plain('m'),
    run: atStep((state, node) => {
      const { groups } = state.catalogue;
      if ((groups.get(node)?.length ?? 0) > MOST_SHOWN) state.toggleMembers(node);
      else state.say(`${node} shows all that it has`);
    }),
  },
  {
    keys: 'T',
    about: 'Tidy up: lay the chart out afresh',
    matches: plain('t'),
    run: (state) => state.tidy(),
  },
  {
    keys: 'O',
    about: 'Open the workflow of the selected node',
    matches: plain('o'),
    run: atStep((state, node) => {
      const step = state.session.document.flow?.spec.steps.find((each) => nameOf(each) === node);
      const workflow = step?.workflow ?? step?.policy?.preAction ?? step?.policy?.postAction;
      if (workflow === undefined) state.say(`${node} runs no workflow`);
      else state.ask({ is: 'workflow', name: workflow });
    }),
  },
  { keys: 'F', about: 'Fit the chart', matches: plain('f'), run: (_, { fit }) => fit() },
  {
    keys: '0',
    about: 'Show it in its real size',
    matches: one('0'),
    run: (_, { zoomTo }) => zoomTo(1),
  },
  {
    keys: '+ −',
    about: 'Zoom',
    matches: (event) => one('+')(event) || one('-')(event),
    run: (_, { zoom }, { key }) => zoom(key === '+' ? 1.25 : 0.8),
  },
  { keys: '?', about: 'This list', matches: one('?'), run: (state) => state.ask({ is: 'keys' }) },
];

/** @returns whether the key was for the builder */
export function onKey(event: KeyboardEvent, builder: Builder, views: Views): boolean {
  const target = event.target as HTMLElement;
  // What is asked over the draft has keys of its own.
  if (target.closest('[role="dialog"], [role="listbox"], [aria-haspopup="listbox"]')) return false;
  const command = COMMANDS.find(({ matches }) => matches(event));
  if (!command || (command.keys !== SAVE && target.closest(TYPED))) return false;
  event.preventDefault();
  event.stopPropagation();
  if (command.keys === SAVE && target.closest('input, textarea')) {
    const { refusals } = builder.getState();
    // What is typed in a field counts when the field is left.
    target.blur();
    if (builder.getState().refusals !== refusals && builder.getState().refusals.length > 0) return true;
  }
  command.run(builder.getState(), views, event);
  return true;
}

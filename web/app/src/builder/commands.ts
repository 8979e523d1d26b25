import { MOST_SHOWN } from './chart/place.ts';
import { type Command, draftCommands, isRemoval, one, plain, type Views } from './keys.ts';
import { type BuilderState, nameOf } from './state.ts';

/** What the page can do with its views. */
export interface FlowViews extends Views {
  newGroup: (after: string) => void;
  search: () => void;
}

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

const { walk, edit, look } = draftCommands({ picture: 'chart', whole: 'whole flow', node: 'node' });

export const COMMANDS: readonly Command<BuilderState, FlowViews>[] = [
  walk,
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
    matches: isRemoval,
    run: atStep((state, node) => state.ask({ is: 'remove', node })),
  },
  ...edit,
  { keys: '/', about: 'Search a node', matches: one('/'), run: (_, { search }) => search() },
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
  ...look,
];

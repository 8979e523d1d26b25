import { type RefObject, useEffect, useRef } from 'react';
import type { DraftDialog, DraftState } from './draft.ts';

/** What a key does, wherever one is on the page of a draft; the same words stand in the list of keys. */
export interface Command<S, V> {
  /** As it is shown. */
  keys: string;
  about: string;
  matches: (event: KeyboardEvent) => boolean;
  run: (state: S, views: V, event: KeyboardEvent) => void;
}

/** What the page of a draft can do with its views. */
export interface Views {
  toggleYaml: () => void;
  toInspector: () => void;
  fit: () => void;
  zoom: (step: number) => void;
  zoomTo: (zoom: number) => void;
}

export const plain =
  (key: string, shift = false) =>
  ({ key: pressed, shiftKey, ctrlKey, metaKey, altKey }: KeyboardEvent): boolean =>
    pressed.toLowerCase() === key && shiftKey === shift && !ctrlKey && !metaKey && !altKey;

const withControl =
  (key: string, shift: boolean) =>
  ({ key: pressed, shiftKey, ctrlKey, metaKey }: KeyboardEvent): boolean =>
    (ctrlKey || metaKey) && pressed.toLowerCase() === key && shiftKey === shift;

export const one = (character: string) => (event: KeyboardEvent) =>
  event.key === character && !event.ctrlKey && !event.metaKey && !event.altKey;

export const isRemoval = ({ key }: KeyboardEvent): boolean => key === 'Delete' || key === 'Backspace';

const SAVE = 'Ctrl S';
const isSave = withControl('s', false);
/** Where letters, Delete and Ctrl-Z are of the text there, or search a list; a box that is ticked has no text. */
const TYPED =
  'input:not([type="checkbox"], [type="radio"]), textarea, [contenteditable], .yaml, [role="listbox"], [aria-haspopup="listbox"]';

/** A list that is opened by a button counts as a dialog, but nothing is asked in it. */
const LIST = '[data-trigger]';
const DIALOG = `[role="dialog"]:not(${LIST})`;

interface AnyState {
  readOnly: string | null;
  undo: () => void;
  redo: () => void;
  toggleDiff: () => void;
  jump: DraftState['jump'];
  say: (text: string) => void;
  ask: (dialog: DraftDialog) => void;
}

/**
 * The keys of each draft.
 * @param words what its picture is called, and what has the settings when no node is selected
 */
export function draftCommands({ picture, whole, node }: { picture: string; whole: string; node: string }): {
  walk: Command<AnyState, Views>;
  edit: readonly Command<AnyState, Views>[];
  look: readonly Command<AnyState, Views>[];
} {
  return {
    walk: {
      keys: '← → ↑ ↓',
      about: `In the ${picture}: go from ${node} to ${node}. In the outline: from row to row.`,
      matches: () => false,
      run: () => {},
    },
    edit: [
      { keys: 'E', about: 'Go to its settings', matches: plain('e'), run: (_, { toInspector }) => toInspector() },
      {
        keys: 'W',
        about: `Go to the settings of the ${whole}`,
        matches: plain('w'),
        run: (state) => state.jump({ node: null, field: [] }),
      },
      { keys: 'Esc', about: `From the settings back to the ${picture}`, matches: () => false, run: () => {} },
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
        matches: isSave,
        run: (state) => (state.readOnly === null ? state.ask({ is: 'save' }) : state.say(state.readOnly)),
      },
    ],
    look: [
      {
        keys: 'C',
        about: `Show or hide in the ${picture} what differs from what is saved`,
        matches: plain('c'),
        run: (state) => state.toggleDiff(),
      },
      { keys: 'F', about: `Fit the ${picture}`, matches: plain('f'), run: (_, { fit }) => fit() },
      { keys: '0', about: 'Show it in its real size', matches: one('0'), run: (_, { zoomTo }) => zoomTo(1) },
      {
        keys: '+ −',
        about: 'Zoom',
        matches: (event) => one('+')(event) || one('-')(event),
        run: (_, { zoom }, { key }) => zoom(key === '+' ? 1.25 : 0.8),
      },
      { keys: '?', about: 'This list', matches: one('?'), run: (state) => state.ask({ is: 'keys' }) },
    ],
  };
}

interface Heard<S, V> {
  commands: readonly Command<S, V>[];
  store: { getState: () => S };
  views: V;
}

/**
 * Does what keys stand for while the focus is in `root`, or around it; Ctrl S saves wherever the focus is, as from a list that is open. What is
 * asked over the draft has keys of its own.
 */
export function useKeys<S extends { refusals: readonly string[] }, V>(
  root: RefObject<HTMLElement | null>,
  heard: Heard<S, V>,
): void {
  const now = useRef(heard);
  now.current = heard;
  useEffect(() => {
    const listen = (event: KeyboardEvent): void => {
      const { target } = event;
      if (!(target instanceof HTMLElement) || !root.current) return;
      // The browser would save the page as a file.
      if (isSave(event)) event.preventDefault();
      // A click beside everything gives the focus to the page around the builder.
      if (isSave(event) || target.contains(root.current) || root.current.contains(target))
        onKey(event, root.current, now.current);
    };
    // In front of the widgets and of a draft below: a letter is a command here and no search among the rows of a tree.
    document.addEventListener('keydown', listen, true);
    return () => document.removeEventListener('keydown', listen, true);
  }, [root]);
}

function onKey<S extends { refusals: readonly string[] }, V>(
  event: KeyboardEvent,
  root: HTMLElement,
  { commands, store, views }: Heard<S, V>,
): void {
  const target = event.target as HTMLElement;
  const above = [...document.querySelectorAll(DIALOG)].at(-1) ?? null;
  if (above !== root.closest('[role="dialog"]')) return;
  const command = commands.find(({ matches }) => matches(event));
  if (!command || (command.keys !== SAVE && target.closest(TYPED))) return;
  event.preventDefault();
  event.stopPropagation();
  if (command.keys === SAVE && target.closest('input, textarea')) {
    const { refusals } = store.getState();
    // What is typed in a field counts when the field is left.
    target.blur();
    if (store.getState().refusals !== refusals && store.getState().refusals.length > 0) return;
  }
  // A list that is open goes: a dialog has the focus for itself.
  target.closest(LIST)?.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }));
  command.run(store.getState(), views, event);
}

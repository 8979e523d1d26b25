import {
  autocompletion,
  type Completion,
  type CompletionContext,
  type CompletionResult,
} from '@codemirror/autocomplete';
import { defaultKeymap, indentWithTab } from '@codemirror/commands';
import { yaml } from '@codemirror/lang-yaml';
import {
  bracketMatching,
  defaultHighlightStyle,
  HighlightStyle,
  indentOnInput,
  syntaxHighlighting,
} from '@codemirror/language';
import { type Diagnostic, lintGutter, setDiagnostics } from '@codemirror/lint';
import { highlightSelectionMatches, searchKeymap } from '@codemirror/search';
import { Annotation, EditorState, StateEffect, StateField } from '@codemirror/state';
import {
  Decoration,
  type DecorationSet,
  drawSelection,
  EditorView,
  highlightActiveLine,
  keymap,
  lineNumbers,
} from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { useEffect, useRef } from 'react';
import type { Range } from '../document/index.ts';

/** What comes from the draft and not from a person: it does not go back there. */
const fromDraft = Annotation.define<boolean>();

const setPart = StateEffect.define<{ from: number; to: number } | null>();
const PART = Decoration.mark({ class: 'cm-part' });
/** What is selected in the other views. */
const part = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, { changes, effects }) {
    let next = marks.map(changes);
    for (const effect of effects) {
      if (!effect.is(setPart)) continue;
      const { value } = effect;
      next =
        value === null || value.from === value.to
          ? Decoration.none
          : Decoration.set([PART.range(value.from, value.to)]);
    }
    return next;
  },
  provide: (field) => EditorView.decorations.from(field),
});

const COLOURS = HighlightStyle.define([
  { tag: tags.definition(tags.propertyName), color: 'var(--accent)' },
  { tag: tags.comment, color: 'var(--soft)', fontStyle: 'italic' },
  { tag: [tags.string, tags.attributeValue], color: 'var(--good)' },
]);

const THEME = EditorView.theme({
  '&': { height: '100%', color: 'var(--text)', backgroundColor: 'var(--card)', fontSize: '13px' },
  '.cm-scroller': {
    fontFamily: "ui-monospace, 'SF Mono', 'Cascadia Mono', 'DejaVu Sans Mono', monospace",
    overflow: 'auto',
  },
  '.cm-gutters': { color: 'var(--soft)', backgroundColor: 'var(--raised)', border: 'none' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'color-mix(in srgb, var(--raised) 60%, transparent)' },
  '.cm-part': { backgroundColor: 'var(--busy-back)' },
  '.cm-cursor': { borderLeftColor: 'var(--text)' },
  '&.cm-focused .cm-selectionBackground, .cm-selectionBackground': {
    backgroundColor: 'color-mix(in srgb, var(--accent) 30%, transparent)',
  },
  '.cm-tooltip': { backgroundColor: 'var(--card)', color: 'var(--text)', border: '1px solid var(--line)' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { backgroundColor: 'var(--raised)', color: 'var(--text)' },
  '.cm-panels': { backgroundColor: 'var(--raised)', color: 'var(--text)' },
});

interface YamlTextProps {
  /** What it is, for a screen reader. */
  label: string;
  text: string;
  isReadOnly: boolean;
  /** What is selected in the other views; null: nothing, or all of it. */
  part: Range | null;
  problems: readonly { range: Range; severity: 'ERROR' | 'WARNING'; message: string }[];
  onType: (text: string) => void;
  /** The cursor was moved there by a person. */
  onCursor: (offset: number) => void;
  /** One history for all views: that of the draft. */
  undo: () => void;
  redo: () => void;
  complete: (context: CompletionContext) => CompletionResult | null;
}

/** A text under way. It lives in a shadow root: its styles are adopted there, and the policy of the page lets no style element in. */
export function YamlText(props: YamlTextProps) {
  const { label, text, part: shown, isReadOnly, problems } = props;
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  // The editor is made once, and asks for what is to be done when it is done.
  const now = useRef(props);
  now.current = props;

  useEffect(() => {
    const root = host.current!.shadowRoot ?? host.current!.attachShadow({ mode: 'open' });
    const editor = new EditorView({
      root,
      parent: root,
      state: EditorState.create({
        doc: now.current.text,
        extensions: extensionsOf(() => now.current, label, isReadOnly),
      }),
    });
    view.current = editor;
    return () => editor.destroy();
  }, [label, isReadOnly]);

  useEffect(() => {
    const editor = view.current;
    if (!editor) return;
    const changes = difference(editor.state.doc.toString(), text);
    if (changes) editor.dispatch({ changes, annotations: fromDraft.of(true) });
  }, [text]);

  const [from, end] = [shown?.start ?? null, shown?.end ?? null];
  useEffect(() => {
    const editor = view.current;
    if (!editor) return;
    const { length } = editor.state.doc;
    const range = from === null || end === null ? null : { from: Math.min(from, length), to: Math.min(end, length) };
    const effects: StateEffect<unknown>[] = [setPart.of(range)];
    // Who types there needs no scrolling.
    if (range && !editor.hasFocus) effects.push(EditorView.scrollIntoView(range.from, { y: 'nearest', yMargin: 40 }));
    editor.dispatch({ effects, annotations: fromDraft.of(true) });
  }, [from, end, text]);

  useEffect(() => {
    const editor = view.current;
    if (!editor) return;
    const { length } = editor.state.doc;
    const diagnostics = problems.map(({ range, severity, message }): Diagnostic => ({
      from: Math.min(range.start, length),
      to: Math.min(range.end, length),
      severity: severity === 'ERROR' ? 'error' : 'warning',
      message,
    }));
    editor.dispatch(setDiagnostics(editor.state, diagnostics));
  }, [problems]);

  return <div className="yaml" ref={host} />;
}

/**
 * Several lines that come as one input, as from an input method or the keyboard of a phone. The browser would put them into the page with
 * styles of its own, which the policy refuses.
 */
const linesAtOnce = EditorView.domEventHandlers({
  beforeinput(event, view) {
    const isBreak = event.inputType === 'insertParagraph' || event.inputType === 'insertLineBreak';
    const text = isBreak ? '\n' : event.data;
    if (!text?.includes('\n') || !event.cancelable || view.state.readOnly) return false;
    view.dispatch(view.state.replaceSelection(text), { scrollIntoView: true, userEvent: 'input.type' });
    return true;
  },
});

function extensionsOf(now: () => YamlTextProps, label: string, isReadOnly: boolean) {
  return [
    lineNumbers(),
    lintGutter(),
    drawSelection(),
    highlightActiveLine(),
    highlightSelectionMatches(),
    indentOnInput(),
    bracketMatching(),
    yaml(),
    syntaxHighlighting(COLOURS),
    syntaxHighlighting(defaultHighlightStyle, { fallback: true }),
    part,
    THEME,
    EditorState.readOnly.of(isReadOnly),
    autocompletion({ override: [(context) => now().complete(context)] }),
    linesAtOnce,
    EditorView.contentAttributes.of({ 'aria-label': label }),
    keymap.of([
      { key: 'Mod-z', run: () => (now().undo(), true), preventDefault: true },
      { key: 'Mod-Shift-z', run: () => (now().redo(), true), preventDefault: true },
      { key: 'Mod-y', run: () => (now().redo(), true), preventDefault: true },
      // Tab leaves the editor, as anywhere on the page; Ctrl-] indents.
      { key: 'Mod-]', run: indentWithTab.run! },
      ...searchKeymap,
      ...defaultKeymap,
    ]),
    EditorView.updateListener.of((update) => {
      if (update.transactions.some((each) => each.annotation(fromDraft))) return;
      if (update.docChanged) now().onType(update.state.doc.toString());
      if ((update.selectionSet || update.docChanged) && update.view.hasFocus)
        now().onCursor(update.state.selection.main.head);
    }),
  ];
}

/** The one change between two texts: what is equal at both ends stays, with the cursor in it. */
function difference(before: string, after: string): { from: number; to: number; insert: string } | null {
  if (before === after) return null;
  let start = 0;
  const most = Math.min(before.length, after.length);
  while (start < most && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < most - start && before.at(-1 - end) === after.at(-1 - end)) end += 1;
  return { from: start, to: before.length - end, insert: after.slice(start, after.length - end) };
}

/** A field, at the beginning of a line. */
export const asKey = ([label, { about }]: [string, { about: string }]): Completion => ({
  label,
  type: 'property',
  info: about,
  apply: `${label}: `,
});

/** Fields at the beginning of a line; names of what exists behind a colon or a dash. */
export function completed(
  context: CompletionContext,
  keys: readonly Completion[],
  names: () => Iterable<string>,
): CompletionResult | null {
  const word = context.matchBefore(/[\w-]*/);
  if (!word || (word.from === word.to && !context.explicit)) return null;
  const line = context.state.doc.lineAt(context.pos);
  const before = line.text.slice(0, word.from - line.from);
  if (/^\s*(- )?$/.test(before) && !/dependsOn/.test(before)) return { from: word.from, options: [...keys] };
  return { from: word.from, options: [...names()].map((label) => ({ label, type: 'constant' })) };
}

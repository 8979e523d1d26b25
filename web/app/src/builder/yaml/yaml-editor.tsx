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
import { flowStep, promotionFlow } from '../../../../../src/core/kinds/promotion-flow.ts';
import { rangeOf, selectionAt } from '../document/index.ts';
import { useProblems } from '../problems.tsx';
import { type Builder, useBuilder, useBuilderStore } from '../state.ts';

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

/**
 * The text of the draft. It lives in a shadow root: its styles are adopted there, and the policy of the page lets no style element in.
 */
export default function YamlEditor() {
  const store = useBuilderStore();
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  const text = useBuilder(({ session }) => session.document.text);
  const selection = useBuilder(({ session }) => session.selection);
  const isReadOnly = useBuilder(({ readOnly }) => readOnly !== null);
  const problems = useProblems();

  useEffect(() => {
    const root = host.current!.shadowRoot ?? host.current!.attachShadow({ mode: 'open' });
    const editor = new EditorView({
      root,
      parent: root,
      state: EditorState.create({
        doc: store.getState().session.document.text,
        extensions: extensionsOf(store, isReadOnly),
      }),
    });
    view.current = editor;
    return () => editor.destroy();
  }, [store, isReadOnly]);

  useEffect(() => {
    const editor = view.current;
    if (!editor) return;
    const changes = difference(editor.state.doc.toString(), text);
    if (changes) editor.dispatch({ changes, annotations: fromDraft.of(true) });
  }, [text]);

  useEffect(() => {
    const editor = view.current;
    if (!editor) return;
    const { document } = store.getState().session;
    const range = document.isCurrent ? rangeOf(document, selection) : null;
    const isWhole = selection.node === null && selection.field.length === 0;
    const shown =
      range === null || isWhole ? null : { from: range.start, to: Math.min(range.end, editor.state.doc.length) };
    const effects: StateEffect<unknown>[] = [setPart.of(shown)];
    // Who types there needs no scrolling.
    if (shown && !editor.hasFocus) effects.push(EditorView.scrollIntoView(shown.from, { y: 'nearest', yMargin: 40 }));
    editor.dispatch({ effects, annotations: fromDraft.of(true) });
  }, [selection, text, store]);

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

function extensionsOf(store: Builder, isReadOnly: boolean) {
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
    autocompletion({ override: [(context) => complete(context, store)] }),
    EditorView.contentAttributes.of({ 'aria-label': 'YAML of the flow' }),
    keymap.of([
      // One history for all views: that of the draft.
      { key: 'Mod-z', run: () => (store.getState().undo(), true), preventDefault: true },
      { key: 'Mod-Shift-z', run: () => (store.getState().redo(), true), preventDefault: true },
      { key: 'Mod-y', run: () => (store.getState().redo(), true), preventDefault: true },
      // Tab leaves the editor, as anywhere on the page; Ctrl-] indents.
      { key: 'Mod-]', run: indentWithTab.run! },
      ...searchKeymap,
      ...defaultKeymap,
    ]),
    EditorView.updateListener.of((update) => {
      if (update.transactions.some((each) => each.annotation(fromDraft))) return;
      if (update.docChanged) store.getState().type(update.state.doc.toString());
      if (!update.selectionSet && !update.docChanged) return;
      const { document } = store.getState().session;
      if (!document.isCurrent || !update.view.hasFocus) return;
      const { node, field } = selectionAt(document, update.state.selection.main.head);
      store.getState().select(node, field);
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

const KEYS: Completion[] = [...Object.entries(promotionFlow.fields), ...Object.entries(flowStep.fields)].map(
  ([label, { about }]) => ({ label, type: 'property', info: about, apply: `${label}: ` }),
);

/** Fields at the beginning of a line; names of what exists behind a colon or a dash. */
function complete(context: CompletionContext, store: Builder): CompletionResult | null {
  const word = context.matchBefore(/[\w-]*/);
  if (!word || (word.from === word.to && !context.explicit)) return null;
  const line = context.state.doc
    .lineAt(context.pos)
    .text.slice(0, word.from - context.state.doc.lineAt(context.pos).from);
  if (/^\s*(- )?$/.test(line) && !/dependsOn/.test(line)) return { from: word.from, options: KEYS };
  const { environments, groups, workflows } = store.getState().catalogue;
  const names = [...environments.keys(), ...groups.keys(), ...workflows];
  return { from: word.from, options: names.map((label) => ({ label, type: 'constant' })) };
}

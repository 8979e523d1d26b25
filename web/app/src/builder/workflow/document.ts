import type { AnyDefinition, PromotionWorkflowSpec } from '../../../../../src/core/definitions.ts';
import { checkDefinition } from '../../../../../src/core/validate.ts';
import { lineEnd } from '../../../../../src/drivers/edit/text.ts';
import { readYamlText, type YamlText } from '../../../../../src/drivers/edit/yaml-document.ts';
import { parseManifests, readManifest, sameDefinition, wireOf } from '../../../../../src/manifests/index.ts';
import { rewritten } from '../document/edit.ts';
import { offsetOf, pathAt, placeOf, rangeIn } from '../document/places.ts';
import { inPlace, newText, readDefinition, type Sought } from '../document/read.ts';
import type { Reading } from '../document/reading.ts';
import type { Base, Path, Range } from '../document/types.ts';
import { editActions, type WorkflowEdit } from './edits.ts';

type WorkflowDefinition = Extract<AnyDefinition, { kind: 'PromotionWorkflow' }>;

/** What is selected in all views: an action by name, or the workflow, and a field of it. */
export interface WorkflowSelection {
  action: string | null;
  field: Path;
}

export interface WorkflowProblem {
  message: string;
  severity: 'ERROR' | 'WARNING';
  range: Range;
  /** Counted from 1. */
  line: number;
  at: WorkflowSelection;
}

/** One workflow in a text of YAML, which is the truth. Immutable. */
export interface WorkflowDocument {
  readonly text: string;
  /** What the text says, or said last; null: it never was a workflow. */
  readonly workflow: { name: string; spec: PromotionWorkflowSpec } | null;
  /** Whether `workflow` is what the text says now. When it is not, edits are refused. */
  readonly isCurrent: boolean;
  readonly problems: readonly WorkflowProblem[];
  readonly reading?: Reading<WorkflowDefinition>;
}

/** A draft of a workflow under way, and how to get back. Immutable. */
export interface WorkflowDraft {
  readonly document: WorkflowDocument;
  readonly selection: WorkflowSelection;
  readonly base: Base;
  readonly past: readonly Step[];
  readonly future: readonly Step[];
}

/** A text that was there before, or that was undone. */
interface Step {
  text: string;
  /** What led away from it. */
  said: string;
  selection: WorkflowSelection;
  /** When it was typed, in milliseconds; null of an edit. */
  typedAt: number | null;
}

export const WHOLE: WorkflowSelection = { action: null, field: [] };
const WORKFLOW: Sought = { kind: 'PromotionWorkflow', emptySpec: { actions: [] }, called: 'workflow' };
const MOST_STEPS = 500;
/** In milliseconds: typing that pauses for longer begins another step. */
const PAUSE = 1000;

export const newWorkflowText = (name: string): string => newText('PromotionWorkflow', name, 'actions');

/** Reads a text. Never throws, whatever the text; of one that cannot be read, the workflow of `before` stays. */
export function openWorkflow(text: string, before?: WorkflowDocument): WorkflowDocument {
  const { reading, isWhole, problem } = readDefinition<WorkflowDefinition>(text, WORKFLOW);
  const bare: WorkflowDocument = {
    text,
    workflow: reading
      ? { name: reading.definition.metadata.name, spec: reading.definition.spec }
      : (before?.workflow ?? null),
    isCurrent: reading !== undefined,
    problems: [],
    ...(reading && { reading }),
  };
  const faults = isWhole ? [] : parseManifests(text).errors;
  const problems = faults.map(({ message, path, line, column }) =>
    problemAt(bare, inPlace(message, path), path, offsetOf(text, line, column)),
  );
  if (problems.length === 0 && !isWhole && problem !== undefined) problems.push(problemAt(bare, problem, [], 0));
  if (reading && problems.length === 0)
    for (const { message, path } of checkDefinition(reading.definition)) problems.push(problemAt(bare, message, path));
  return { ...bare, problems };
}

function problemAt(document: WorkflowDocument, message: string, path: Path, offset?: number): WorkflowProblem {
  const { text } = document;
  const source = sourceOf(document);
  const found = source && document.reading ? rangeIn(source, document.reading.at, path) : null;
  const start = offset ?? found?.start ?? 0;
  const end = offset === undefined && found && path.length > 0 ? found.end : Math.max(start, lineEnd(text, start));
  return {
    message,
    severity: 'ERROR',
    range: { start, end },
    line: placeOf(text, start).line,
    at: selectionOf(document, path),
  };
}

/** What the server says of a path of the manifest, with its place. */
export const foundByServer = (
  document: WorkflowDocument,
  message: string,
  path: readonly string[],
  severity: WorkflowProblem['severity'],
): WorkflowProblem => ({
  ...problemAt(
    document,
    message,
    path.map((each) => (/^\d+$/.test(each) ? Number(each) : each)),
  ),
  severity,
});

const sources = new WeakMap<WorkflowDocument, YamlText | null>();

function sourceOf(document: WorkflowDocument): YamlText | null {
  const known = sources.get(document);
  if (known !== undefined) return known;
  let source: YamlText | null = null;
  try {
    source = document.isCurrent ? readYamlText(document.text) : null;
  } catch {
    // A text that is no YAML has no places.
  }
  sources.set(document, source);
  return source;
}

function selectionOf({ workflow }: WorkflowDocument, [head, list, at, ...field]: Path): WorkflowSelection {
  const action = head === 'spec' && list === 'actions' ? workflow?.spec.actions[Number(at)] : undefined;
  if (action) return { action: action.name, field };
  return {
    action: null,
    field: head === 'metadata' ? ['metadata', ...(list === undefined ? [] : [list])] : list === undefined ? [] : [list],
  };
}

/** Where a selection stands in the text; null: nowhere, or the text cannot be read. */
export function rangeOfSelection(document: WorkflowDocument, { action, field }: WorkflowSelection): Range | null {
  const source = sourceOf(document);
  if (!source || !document.reading) return null;
  if (action === null)
    return rangeIn(source, document.reading.at, field[0] === 'metadata' ? field : ['spec', ...field]);
  const at = document.workflow?.spec.actions.findIndex(({ name }) => name === action) ?? -1;
  return at < 0 ? null : rangeIn(source, document.reading.at, ['spec', 'actions', at, ...field]);
}

/** What stands at this offset of the text. */
export function workflowSelectionAt(document: WorkflowDocument, offset: number): WorkflowSelection {
  const source = sourceOf(document);
  return source && document.reading ? selectionOf(document, pathAt(source, document.reading.at, offset)) : WHOLE;
}

/** A draft of a saved workflow, or of a new one. */
export const startDraft = (base: Base, text: string = base.text): WorkflowDraft => ({
  document: openWorkflow(text, openWorkflow(base.text)),
  selection: WHOLE,
  base,
  past: [],
  future: [],
});

export const isChanged = ({ document, base }: WorkflowDraft): boolean =>
  document.text !== base.text || base.revision === null;

/** A draft after something was asked, what is to be spoken, and why it was not done. */
export interface WorkflowDone {
  draft: WorkflowDraft;
  said: string;
  refusal?: string;
}

/** Makes an edit in the text: only what says otherwise is changed. What came of it is read back, and has to be what was meant. */
export function editWorkflow(draft: WorkflowDraft, edit: WorkflowEdit): WorkflowDone {
  const { document } = draft;
  const refused = (refusal: string): WorkflowDone => ({ draft, said: refusal, refusal });
  const source = sourceOf(document);
  const { reading } = document;
  if (!document.isCurrent || !reading || !source) {
    const [fault] = document.problems;
    return refused(
      fault
        ? `the text cannot be read in line ${fault.line}: ${fault.message}. Mend it or undo, then edit`
        : 'there is no workflow in the text',
    );
  }
  const { definition } = reading;
  const made =
    edit.type === 'renameWorkflow'
      ? { spec: definition.spec, said: `the workflow is called ${edit.to}`, selected: null }
      : editActions(definition.spec, edit);
  if ('refusal' in made) return refused(made.refusal);
  const name = edit.type === 'renameWorkflow' ? edit.to : definition.metadata.name;
  const wanted = withDefaults({ ...definition, metadata: { ...definition.metadata, name }, spec: made.spec });
  if ('problem' in wanted) return refused(wanted.problem);
  const written = rewritten(source, reading, wanted, (text) => {
    const now = text === document.text ? document : openWorkflow(text, document);
    return now.reading && sameDefinition(now.reading.definition, wanted) ? now : undefined;
  });
  if ('problem' in written) return refused(written.problem);
  const field = edit.type === 'changeAction' ? Object.keys(edit.settings).slice(0, 1) : [];
  const selection = { action: made.selected, field };
  if (written.text === document.text) return { draft: { ...draft, selection }, said: made.said };
  return { draft: moved(draft, written, made.said, selection, null), said: made.said };
}

/** A form leaves out what has a default: the definition as a text of it is read. */
function withDefaults(definition: WorkflowDefinition): WorkflowDefinition | { problem: string } {
  const problems: string[] = [];
  const wire: unknown = JSON.parse(
    JSON.stringify(wireOf({ ...definition, metadata: { ...definition.metadata, annotations: {} } })),
  );
  const read = readManifest(wire, (path, message) => void problems.push(inPlace(message, path)));
  return read?.definition.kind === 'PromotionWorkflow'
    ? { ...definition, spec: read.definition.spec }
    : { problem: problems[0] ?? 'it would be no workflow' };
}

function moved(
  draft: WorkflowDraft,
  document: WorkflowDocument,
  said: string,
  selection: WorkflowSelection,
  typedAt: number | null,
): WorkflowDraft {
  const step: Step = { text: draft.document.text, said, selection: draft.selection, typedAt };
  return { ...draft, document, selection, past: [...draft.past, step].slice(-MOST_STEPS), future: [] };
}

/** The whole text as it stands in an editor now; typing without a pause is one step. `at`: in milliseconds */
export function typeWorkflow(draft: WorkflowDraft, text: string, at: number): WorkflowDraft {
  if (text === draft.document.text) return draft;
  const document = openWorkflow(text, draft.document);
  const last = draft.past.at(-1);
  const goesOn = last !== undefined && last.typedAt !== null && at - last.typedAt < PAUSE && draft.future.length === 0;
  if (!goesOn) return moved(draft, document, 'typing', draft.selection, at);
  return { ...draft, document, past: [...draft.past.slice(0, -1), { ...last, typedAt: at }] };
}

/** What is saved now takes the place of the draft, which is one step back. */
export const takeSaved = (draft: WorkflowDraft, saved: Base): WorkflowDraft => ({
  ...moved(draft, openWorkflow(saved.text, draft.document), `taking revision ${saved.revision}`, WHOLE, null),
  base: saved,
});

/** Back by one step, byte for byte. */
export function undoWorkflow(draft: WorkflowDraft): WorkflowDone {
  const last = draft.past.at(-1);
  if (!last) return { draft, said: 'there is nothing to undo' };
  const step: Step = { ...last, text: draft.document.text, selection: draft.selection };
  const document = openWorkflow(last.text, draft.document);
  return {
    draft: {
      ...draft,
      document,
      selection: last.selection,
      past: draft.past.slice(0, -1),
      future: [step, ...draft.future],
    },
    said: `undone: ${last.said}`,
  };
}

/** Forth again by one step. */
export function redoWorkflow(draft: WorkflowDraft): WorkflowDone {
  const [next, ...future] = draft.future;
  if (!next) return { draft, said: 'there is nothing to redo' };
  const step: Step = { ...next, text: draft.document.text, selection: draft.selection };
  const document = openWorkflow(next.text, draft.document);
  return {
    draft: { ...draft, document, selection: next.selection, past: [...draft.past, step], future },
    said: `redone: ${next.said}`,
  };
}

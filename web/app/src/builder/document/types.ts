import type { FlowEdit as CoreEdit } from '../../../../../src/core/kinds/flow-edit.ts';
import type {
  FlowStepSpec,
  Kind,
  PromotionFlowSpec,
  PromotionWorkflowSpec,
} from '../../../../../src/core/definitions.ts';
import type { EdgeTarget, Known } from '../../../../../src/core/flow.ts';

export type { EdgeTarget, FlowStepSpec, Kind, Known, PromotionFlowSpec, PromotionWorkflowSpec };

/** Keys and indexes from the root of the manifest, such as `['spec', 'steps', 2, 'dependsOn', 0]`. */
export type Path = (string | number)[];

/** A part of the text: offsets in UTF-16 units as JavaScript and editors count; `end` is behind the last one. */
export interface Range {
  start: number;
  end: number;
}

/** What is selected in all views at once. */
export interface Selection {
  /** The name of a step or an action as `dependsOn` calls it, or of the trigger environment; null: the definition itself. */
  node: string | null;
  /** Below the step or the action (`['policy', 'preAction']`), else below `spec`; empty: the whole of it. */
  field: Path;
}

/** A flow as far as it can be shown: what is missing (`triggerEnvironment`, `steps`, the name) is empty in it. */
export interface Flow {
  name: string;
  spec: PromotionFlowSpec;
}

/** A workflow as far as it can be shown. */
export interface Workflow {
  name: string;
  spec: PromotionWorkflowSpec;
}

/** What is edited as text. */
export type DraftKind = 'PromotionFlow' | 'PromotionWorkflow';

/**
 * One definition in a text of YAML, which is the truth. Immutable: each change answers another document. Documents of other kinds in the
 * text stay as they are.
 */
export interface TextDocument {
  readonly kind: DraftKind;
  readonly text: string;
  /** Whether what is shown is what the text says now. When it is not, edits are refused, and what it said last is shown greyed. */
  readonly isCurrent: boolean;
  /** Why the text cannot be read as its kind, or not yet as a whole one (a field is missing). */
  readonly faults: readonly TextProblem[];
}

export interface FlowDocument extends TextDocument {
  readonly kind: 'PromotionFlow';
  /** What the text says, or said last; null: it never was a flow. */
  readonly flow: Flow | null;
}

export interface WorkflowDocument extends TextDocument {
  readonly kind: 'PromotionWorkflow';
  /** What the text says, or said last; null: it never was a workflow. */
  readonly workflow: Workflow | null;
}

export interface TextProblem {
  severity: 'ERROR' | 'WARNING';
  /** Names the thing, its value and the cure. */
  message: string;
  path: Path;
  /** Where it stands in the text; the nearest part around it when it is not there itself. */
  range: Range;
  /** Counted from 1. */
  line: number;
  column: number;
  /** Where it stands in the chart and the inspector. */
  at: Selection;
  /** A name that does not exist, and which kind of definition would make it exist. */
  unknown: { kind: Kind; name: string } | null;
}

/** One change of a flow: those of the API, and a few that are made of them. */
export type FlowEdit =
  | CoreEdit
  /** `metadata.name` of the flow. */
  | { type: 'renameFlow'; to: string }
  /** Also the first one of an empty flow. */
  | { type: 'setTriggerEnvironment'; environment: string }
  /** `to` waits for `from`, besides what it waits for. */
  | { type: 'connect'; from: string; to: string }
  /** `to` waits for `from` no longer. */
  | { type: 'disconnect'; from: string; to: string };

/** Why an edit was not made. */
export interface Refused {
  document?: undefined;
  /** Each names the thing, and what to do instead. */
  refusals: { message: string; at: Selection }[];
  /** The first of them, to be spoken. */
  said: string;
}

/** A document that came of edits. */
export interface Edited<D extends TextDocument = FlowDocument> {
  document: D;
  /** What was done: "eu added after staging, 4 of 5". */
  said: string;
  /** What came with it and may not be expected, such as a rollback policy that lost its last name. */
  notes: string[];
  /** What is best selected now. */
  selection: Selection;
  refusals?: undefined;
}

/** What a removal would do, before it is done. */
export interface RemovalPreview {
  /** Those that depend on it directly; without any the choice is none. */
  dependents: string[];
  /** What they can be connected to instead: all that comes before it, the nearest first; what it waits for itself when none is chosen. */
  reconnectTo: string[];
  /** RECONNECT: the step alone goes; these edges come in place of its own, to be drawn dashed. */
  reconnected: { from: string; to: string }[];
  /** REMOVE: all that go, the step itself first, to be drawn red and counted. */
  removed: string[];
}

/** One change of a text, both ways. */
export interface Change {
  at: number;
  removed: string;
  inserted: string;
  /** For "undone: …"; null of what was typed. */
  said: string | null;
  before: Selection;
  after: Selection;
  /** When it was typed, in milliseconds; null of an edit. What is typed at one place within a second is one change. */
  typedAt: number | null;
}

/** What the draft was made from. */
export interface Base {
  /** Of what is saved; null: it was never saved. */
  revision: number | null;
  /** Its manifest as text. */
  text: string;
}

/** A draft under way: its document, and how to get back. Immutable. */
export interface Session<D extends TextDocument = FlowDocument> {
  readonly document: D;
  readonly selection: Selection;
  readonly base: Base;
  readonly past: readonly Change[];
  readonly future: readonly Change[];
  /** What a merge could not decide; mine stands in the text. */
  readonly conflicts: readonly Conflict[];
}

/** A field of a step or an action that was changed on both sides, differently. */
export interface Conflict {
  /** The name of the step or the action; null: the definition itself. */
  step: string | null;
  /** Such as `soak` or `policy.preAction`; empty: the step as a whole, which was removed on one side; `comments`: remarks in the text. */
  field: string;
  /** Where in the manifest; an entry of a list that has a name is found by it, such as `environment/eu`. */
  path: Path;
  /** As YAML; null: it is not there. */
  base: string | null;
  theirs: string | null;
  mine: string | null;
  /** "soak of eu was 1h, is 2h there and 3h here". */
  message: string;
}

/** Whose draft of what. `name`: what it is saved as, or what a new one is told apart by. */
export interface DraftOwner<D extends TextDocument = TextDocument> {
  kind: D['kind'];
  name: string;
  person: string;
}

/** A draft as it is kept: plain data. */
export interface StoredDraft {
  base: Base;
  text: string;
  past: Change[];
  future: Change[];
  conflicts: Conflict[];
  /** Goes up with each save: a tab sees by it that another tab wrote. */
  count: number;
  /** When it was saved here, in milliseconds since the epoch. */
  at: number;
  /** The tab that wrote it; absent in drafts of earlier versions. */
  tab?: string;
}

/** What stands in a field of a draft and was not taken in yet. */
export interface Typing {
  /** Whose field; null: one of the definition itself. */
  node: string | null;
  /** Below it, such as `policy.preAction`. */
  field: string;
  text: string;
  /** The base that the draft had; null: it was never saved. */
  revision: number | null;
  /** In milliseconds since the epoch. */
  at: number;
}

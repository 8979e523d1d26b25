import { Extensions, Field, InputType, Int, ObjectType } from 'type-graphql';
import { SPECS } from '../core/kinds/index.ts';
import { flowEdit, type FlowEdit } from '../core/kinds/flow-edit.ts';
import type { PromotionFlowSpec } from '../core/definitions.ts';
import type { FlowNode, Members } from '../core/flow.ts';
import { EXPECTED_REVISION } from './definition.ts';
import { DEFINITION_TYPES, PromotionFlow } from './definition-types.ts';
import { enumOf } from './enums.ts';
import { ManifestChangeKindEnum } from './manifests.ts';
import { addFields, inputFor } from './shape-types.ts';
import { UserError } from './user-errors.ts';
import { Label } from './values.ts';

const { createInput } = DEFINITION_TYPES.PromotionFlow;

@InputType({ description: 'A promotion flow as a whole: created, or replaced by this.' })
export class PromotionFlowSaveInput extends createInput {
  @Field(() => Int, { nullable: true, description: `${EXPECTED_REVISION} 0: it must not exist yet.` })
  expectedRevision?: number;
}

@InputType({ description: 'Environments (or groups) to add to a flow, side by side.' })
export class PromotionFlowAddEnvironmentsInput {
  @Field(() => String, { description: 'The name of the flow.' })
  name!: string;

  @Field(() => [String], { nullable: true, description: 'The environments to add.' })
  environments?: string[];

  @Field(() => [String], { nullable: true, description: 'The groups to add.' })
  groups?: string[];

  @Field(() => [String], {
    description:
      'What they come after, each of them after all of these: the trigger environment, environments, groups or named steps.',
  })
  after!: string[];

  @Field(() => Int, { nullable: true, description: EXPECTED_REVISION })
  expectedRevision?: number;
}

@InputType({ description: 'What to take out of a flow, and what becomes of that which depends on it.' })
export class PromotionFlowRemoveEnvironmentInput {
  @Field(() => String, { description: 'The name of the flow.' })
  name!: string;

  @Field(() => String, { description: 'The environment, group or named step to take out.' })
  environment!: string;

  @Field(() => String, {
    nullable: true,
    description: 'What its dependents are connected to: something that comes before it.',
  })
  reconnectTo?: string;

  @Field(() => Boolean, {
    defaultValue: false,
    description: 'Takes everything out that comes after it, instead of reconnecting.',
  })
  removeDependents!: boolean;

  @Field(() => Int, { nullable: true, description: EXPECTED_REVISION })
  expectedRevision?: number;
}

/** One change of a flow, as `core/kinds/flow-edit.ts` describes it. */
export const PromotionFlowEditInput = inputFor(flowEdit);
/** As GraphQL hands it over; `toSpec` makes a `FlowEdit` of it. */
export type PromotionFlowEditInput = { [T in FlowEdit['type']]?: object | null };

@InputType({ description: 'Changes of a saved flow, all of them or none.' })
export class PromotionFlowApplyEditsInput {
  @Field(() => String, { description: 'The name of the flow.' })
  name!: string;

  @Field(() => [PromotionFlowEditInput], { description: 'The changes, made one after the other.' })
  edits!: PromotionFlowEditInput[];

  @Field(() => Int, { nullable: true, description: EXPECTED_REVISION })
  expectedRevision?: number;
}

@InputType({ description: 'A flow that is not saved, or not as it is here: exactly one of these.' })
@Extensions({ oneOf: true })
export class PromotionFlowDraftInput {
  @Field(() => PromotionFlowSaveInput, {
    nullable: true,
    description:
      'The flow as `promotionFlowSave` takes it. Its `expectedRevision` and `idempotencyKey` are not looked at.',
  })
  flow?: PromotionFlowSaveInput | null;

  @Field(() => String, {
    nullable: true,
    description: 'Its manifest, as YAML: one document of the kind PromotionFlow.',
  })
  manifest?: string | null;

  @Field(() => String, { nullable: true, description: 'The name of a saved flow: how it would be with the edits.' })
  saved?: string | null;
}

const FlowNodeKindEnum = enumOf<FlowNode['kind']>('FlowNodeKind', 'What a node of a flow is.', {
  trigger: 'The trigger environment.',
  environment: 'A step that promotes an environment.',
  group: 'A step that promotes a group.',
  workflow: 'A step that runs a workflow.',
});

/** Where a sentence about a flow belongs. */
const FLOW_PATH =
  'Where in the flow that came of the edits, e.g. `["spec", "steps", "2", "dependsOn", "0"]`; list places count from 0. Of a refused edit: in the flow that it found. Empty: nowhere any more.';

@ObjectType({ description: 'A place in the text of a manifest.' })
export class TextPlace {
  @Field(() => Int, { description: 'The line, counted from 1.' })
  line!: number;

  @Field(() => Int, { description: 'The column in that line, counted from 1.' })
  column!: number;
}

const PLACE = 'Where in the manifest of the draft; null: the draft is none, or edits were made of it.';

@ObjectType({
  implements: UserError,
  description: 'Something is wrong with an edit, or with the flow that came of the edits.',
})
export class PromotionFlowError extends UserError {
  @Field(() => [String], { description: FLOW_PATH })
  flowPath!: string[];

  @Field(() => TextPlace, { nullable: true, description: PLACE })
  place!: TextPlace | null;
}

@ObjectType({ description: 'What is accepted and may not do what one expects, as things are now.' })
export class PromotionFlowWarning {
  @Field(() => String, { description: 'For people.' })
  message!: string;

  @Field(() => [String], {
    nullable: true,
    description: 'Where in the arguments it comes from; null: not from an edit.',
  })
  path!: string[] | null;

  @Field(() => [String], { description: FLOW_PATH })
  flowPath!: string[];

  @Field(() => TextPlace, { nullable: true, description: PLACE })
  place!: TextPlace | null;
}

@ObjectType({ description: 'A flow that is not saved: what was left out has its default.' })
export class PromotionFlowDraft {
  @Field(() => String, { description: 'Its name.' })
  name!: string;

  @Field(() => [Label], { description: 'The labels, by key.' })
  labels!: Label[];

  @Field(() => [Label], { description: 'Notes of people and tools, by key.' })
  annotations!: Label[];

  @Field(() => String, { description: 'The flow as YAML that `manifestsApply` takes.' })
  manifest!: string;
}
addFields('type', PromotionFlowDraft, SPECS.PromotionFlow);

/** What came of edits of a flow, saved or not. */
@ObjectType()
abstract class PromotionFlowEdits {
  @Field(() => [PromotionFlowWarning], { description: 'What is accepted and may not do what one expects.' })
  warnings!: PromotionFlowWarning[];

  @Field(() => [UserError], {
    description: 'What is wrong, with the edit that it goes back to; empty when the flow can be saved like this.',
  })
  userErrors!: UserError[];
}

@ObjectType({ description: 'A step of a flow, as it is drawn; or the trigger environment.' })
export class FlowGraphNode {
  @Field(() => String, { description: 'The name by which `dependsOn` calls it.' })
  name!: string;

  @Field(() => FlowNodeKindEnum, { description: 'What it is.' })
  kind!: FlowNode['kind'];

  @Field(() => [String], {
    description: 'The names of the environments that it promotes; of a group, its members now.',
  })
  environments!: string[];

  @Field(() => Int, {
    nullable: true,
    description:
      'Its column: 0 for what waits for nothing, else one more than the largest of those that it waits for. Null on or behind a circle.',
  })
  rank!: number | null;
}

@ObjectType({ description: 'What waits for what in a flow.' })
export class FlowGraphEdge {
  @Field(() => String, { description: 'The name of the node that is waited for.' })
  from!: string;

  @Field(() => String, { description: 'The name of the node that waits.' })
  to!: string;

  @Field(() => String, {
    nullable: true,
    description: 'The member of the group `from` that is waited for; null: the whole node is.',
  })
  member!: string | null;
}

@ObjectType({ description: 'Whether an edge may end at a node.' })
export class FlowEdgeTarget {
  @Field(() => String, { description: 'The name of the node.' })
  name!: string;

  @Field(() => String, { nullable: true, description: 'Why it may not; null: it may.' })
  reason!: string | null;
}

@ObjectType({ description: 'A flow as it is drawn.' })
export class PromotionFlowGraph {
  /** What it is of, for the field that is asked with a node. */
  spec!: PromotionFlowSpec;
  groups!: Members;

  @Field(() => [FlowGraphNode], { description: 'The trigger environment, then the steps in their order.' })
  nodes!: FlowGraphNode[];

  @Field(() => [FlowGraphEdge], { description: 'The dependencies that lead somewhere.' })
  edges!: FlowGraphEdge[];
}

@ObjectType({ description: 'A draft with edits. Nothing was saved.' })
export class PromotionFlowEdited extends PromotionFlowEdits {
  @Field(() => PromotionFlowDraft, {
    nullable: true,
    description: 'The flow with all edits, also when it could not be saved like this; null when an edit was refused.',
  })
  flow!: PromotionFlowDraft | null;

  @Field(() => PromotionFlowGraph, {
    nullable: true,
    description: 'The same flow as a graph; null when an edit was refused.',
  })
  graph!: PromotionFlowGraph | null;
}

@ObjectType({ description: 'A draft that was checked, beside the saved flow of its name. Nothing was saved.' })
export class PromotionFlowChecked extends PromotionFlowEdited {
  @Field(() => ManifestChangeKindEnum, {
    nullable: true,
    description: 'What saving it would do; null: it cannot be saved like this.',
  })
  change!: 'CREATED' | 'UPDATED' | 'UNCHANGED' | null;

  @Field(() => String, {
    nullable: true,
    description:
      'A unified diff from the manifest of the saved flow to that of the draft, or from its text where that alone is another; null: they are the same.',
  })
  diff!: string | null;

  @Field(() => Int, { nullable: true, description: 'The newest revision of the saved flow; null: there is none.' })
  revision!: number | null;
}

@ObjectType({ description: 'What became of edits of a saved flow.' })
export class PromotionFlowApplyEditsPayload extends PromotionFlowEdits {
  @Field(() => PromotionFlow, { nullable: true, description: 'The flow as it is saved now; null when refused.' })
  promotionFlow!: PromotionFlow | null;
}

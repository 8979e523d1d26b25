import { Field, InputType, Int, ObjectType } from 'type-graphql';
import type { DependsOnPolicy, OnFailure, PromotionActionKind } from '../core/definitions.ts';
import { ApprovalSpecInput, ApprovalSpecType } from './approval-spec.ts';
import { GatePolicyEnum, OnFailureEnum, PromotionActionEnum } from './choices.ts';
import { connectionOf } from './connection.ts';
import { Definition, DefinitionInput, EXPECTED_REVISION, IDEMPOTENCY_KEY } from './definition.ts';
import { Node } from './node.ts';
import { RollbackPolicyInput, RollbackPolicyType } from './rollback-policy.ts';
import { SelectorInput, SelectorType } from './selector.ts';
import { UserError } from './user-errors.ts';
import { Duration } from './values.ts';

const ON_START = 'The workflow at the start.';
const ON_SUCCESS = 'The workflow after success.';
const ON_FAIL = 'The workflow after a failure.';

@ObjectType('PromotionHooks', { description: 'Workflows run once around a release or an environment.' })
export class HooksType {
  @Field(() => String, { nullable: true, description: ON_START })
  onStart!: string | null;

  @Field(() => String, { nullable: true, description: ON_SUCCESS })
  onSuccess!: string | null;

  @Field(() => String, { nullable: true, description: ON_FAIL })
  onFail!: string | null;
}

@InputType('PromotionHooksInput', { description: 'Workflows run once around a release or an environment.' })
export class HooksInput {
  @Field(() => String, { nullable: true, description: ON_START })
  onStart?: string;

  @Field(() => String, { nullable: true, description: ON_SUCCESS })
  onSuccess?: string;

  @Field(() => String, { nullable: true, description: ON_FAIL })
  onFail?: string;
}

const PRE_ACTION = 'The workflow before the change.';
const ACTION = 'The change itself; COMMIT when left out.';
const POST_ACTION = 'The workflow after the change.';

@ObjectType('InlinePromotionPolicy', { description: 'What is done in an environment, said in the flow itself.' })
export class InlinePolicyType {
  @Field(() => String, { nullable: true, description: PRE_ACTION })
  preAction!: string | null;

  @Field(() => PromotionActionEnum, { nullable: true, description: ACTION })
  action!: PromotionActionKind | null;

  @Field(() => String, { nullable: true, description: POST_ACTION })
  postAction!: string | null;
}

@InputType('InlinePromotionPolicyInput', { description: 'What is done in an environment, said in the flow itself.' })
export class InlinePolicyInput {
  @Field(() => String, { nullable: true, description: PRE_ACTION })
  preAction?: string;

  @Field(() => PromotionActionEnum, { nullable: true, description: ACTION })
  action?: PromotionActionKind;

  @Field(() => String, { nullable: true, description: POST_ACTION })
  postAction?: string;
}

@ObjectType('DependsOnPolicy', { description: 'How many of its dependencies a step needs.' })
export class DependsOnPolicyType {
  @Field(() => GatePolicyEnum, { description: 'How many.' })
  policy!: DependsOnPolicy['policy'];

  @Field(() => Int, { nullable: true, description: 'For AT_LEAST: the number.' })
  count!: number | null;
}

@InputType({ description: 'How many of its dependencies a step needs.' })
export class DependsOnPolicyInput {
  @Field(() => GatePolicyEnum, { description: 'How many.' })
  policy!: DependsOnPolicy['policy'];

  @Field(() => Int, { nullable: true, description: 'For AT_LEAST: the number.' })
  count?: number;
}

const NAME = "What dependsOn calls it: needed for a workflow step, elsewhere it is the environment's or group's name.";
const DEPENDS_ON = 'Names of environments, groups or named steps that must have succeeded before.';
const DEPENDS_ON_POLICY = 'How many of them; ALL when left out.';
const SOAK = 'How long the environment must stay healthy before the promotion counts.';
const TIMEOUT = 'How long the promotion may take.';
const APPROVAL = 'Who must agree before it starts; nobody when left out. Each member of a group asks for itself.';

@ObjectType({ description: 'A step of a flow: promotes one environment, one group, or runs a workflow.' })
export class PromotionFlowStep {
  @Field(() => String, { nullable: true, description: 'The environment that it promotes.' })
  environment!: string | null;

  @Field(() => String, { nullable: true, description: 'The group that it promotes.' })
  group!: string | null;

  @Field(() => String, { nullable: true, description: 'The workflow that it runs, without an environment.' })
  workflow!: string | null;

  @Field(() => String, { nullable: true, description: NAME })
  name!: string | null;

  @Field(() => [String], { description: DEPENDS_ON })
  dependsOn!: string[];

  @Field(() => DependsOnPolicyType, { nullable: true, description: DEPENDS_ON_POLICY })
  dependsOnPolicy!: DependsOnPolicyType | null;

  @Field(() => InlinePolicyType, { nullable: true, description: 'What is done there.' })
  policy!: InlinePolicyType | null;

  @Field(() => HooksType, { nullable: true, description: 'Workflows around it.' })
  hooks!: HooksType | null;

  @Field(() => Duration, { nullable: true, description: SOAK })
  soak!: number | null;

  @Field(() => Duration, { nullable: true, description: TIMEOUT })
  timeout!: number | null;

  @Field(() => ApprovalSpecType, { nullable: true, description: APPROVAL })
  approval!: ApprovalSpecType | null;
}

@InputType({ description: 'A step of a flow: exactly one of environment, group and workflow.' })
export class PromotionFlowStepInput {
  @Field(() => String, { nullable: true, description: 'The environment that it promotes.' })
  environment?: string;

  @Field(() => String, { nullable: true, description: 'The group that it promotes.' })
  group?: string;

  @Field(() => String, { nullable: true, description: 'The workflow that it runs, without an environment.' })
  workflow?: string;

  @Field(() => String, { nullable: true, description: NAME })
  name?: string;

  @Field(() => [String], { description: DEPENDS_ON, defaultValue: [] })
  dependsOn!: string[];

  @Field(() => DependsOnPolicyInput, { nullable: true, description: DEPENDS_ON_POLICY })
  dependsOnPolicy?: DependsOnPolicyInput;

  @Field(() => InlinePolicyInput, { nullable: true, description: 'What is done there.' })
  policy?: InlinePolicyInput;

  @Field(() => HooksInput, { nullable: true, description: 'Workflows around it.' })
  hooks?: HooksInput;

  @Field(() => Duration, { nullable: true, description: SOAK })
  soak?: number;

  @Field(() => Duration, { nullable: true, description: TIMEOUT })
  timeout?: number;

  @Field(() => ApprovalSpecInput, { nullable: true, description: APPROVAL })
  approval?: ApprovalSpecInput;
}

const TRIGGER = 'The environment where a change arrives; the flow begins there.';
const TRIGGER_WORKFLOW = 'Runs once the change is healthy in the trigger environment, before any other step.';
const SELECTOR =
  'The products that it is for, where a product names no flow itself; an empty one takes all, none takes none.';
const ROLLBACK_POLICIES =
  'What goes back when an environment fails or is taken back: the first policy that fits. Without one nothing goes back by itself.';
const FLOW_TIMEOUT =
  'How long a whole release may move; 24 hours when left out. Its turn, windows, holds, people and reports from outside do not count.';
const MAX_AGE =
  'How old a release may get, whatever it waits for; 30 days (`720h`) when left out. A retry counts anew.';

@ObjectType({
  implements: [Definition, Node],
  description: 'The way of a version: one trigger environment, then steps that depend on each other.',
})
export class PromotionFlow extends Definition {
  @Field(() => String, { nullable: true, description: 'What it is, for people.' })
  description!: string | null;

  @Field(() => String, { nullable: true, description: 'A version of the flow, for people; `revision` is what counts.' })
  version!: string | null;

  @Field(() => String, { description: TRIGGER })
  triggerEnvironment!: string;

  @Field(() => String, { nullable: true, description: TRIGGER_WORKFLOW })
  triggerWorkflow!: string | null;

  @Field(() => SelectorType, { nullable: true, description: SELECTOR })
  productSelector!: SelectorType | null;

  @Field(() => [PromotionFlowStep], { description: 'The steps after the trigger environment.' })
  steps!: PromotionFlowStep[];

  @Field(() => HooksType, { nullable: true, description: 'Workflows around a release.' })
  hooks!: HooksType | null;

  @Field(() => Duration, { nullable: true, description: FLOW_TIMEOUT })
  timeout!: number | null;

  @Field(() => Duration, { nullable: true, description: MAX_AGE })
  maxAge!: number | null;

  @Field(() => OnFailureEnum, { description: 'What a release does when a promotion fails.' })
  onFailure!: OnFailure;

  @Field(() => [RollbackPolicyType], { nullable: true, description: ROLLBACK_POLICIES })
  rollbackPolicies!: RollbackPolicyType[] | null;
}

@InputType()
export abstract class PromotionFlowInput extends DefinitionInput {
  @Field(() => String, { nullable: true, description: 'What it is, for people.' })
  description?: string;

  @Field(() => String, { nullable: true, description: 'A version of the flow, for people; `revision` is what counts.' })
  version?: string;

  @Field(() => String, { nullable: true, description: TRIGGER_WORKFLOW })
  triggerWorkflow?: string;

  @Field(() => SelectorInput, { nullable: true, description: SELECTOR })
  productSelector?: SelectorInput;

  @Field(() => HooksInput, { nullable: true, description: 'Workflows around a release.' })
  hooks?: HooksInput;

  @Field(() => Duration, { nullable: true, description: FLOW_TIMEOUT })
  timeout?: number;

  @Field(() => Duration, { nullable: true, description: MAX_AGE })
  maxAge?: number;

  @Field(() => OnFailureEnum, {
    nullable: true,
    description: 'What a release does when a promotion fails. FINISH_RUNNING when left out.',
  })
  onFailure?: OnFailure;

  @Field(() => [RollbackPolicyInput], { nullable: true, description: ROLLBACK_POLICIES })
  rollbackPolicies?: RollbackPolicyInput[];
}

@InputType({ description: 'A new promotion flow.' })
export class PromotionFlowCreateInput extends PromotionFlowInput {
  @Field(() => String, { description: TRIGGER })
  triggerEnvironment!: string;

  @Field(() => [PromotionFlowStepInput], { description: 'The steps after the trigger environment.' })
  steps!: PromotionFlowStepInput[];

  @Field(() => String, { nullable: true, description: IDEMPOTENCY_KEY })
  idempotencyKey?: string;
}

@InputType({ description: 'A promotion flow as a whole: created, or replaced by this.' })
export class PromotionFlowSaveInput extends PromotionFlowCreateInput {
  @Field(() => Int, { nullable: true, description: `${EXPECTED_REVISION} 0: it must not exist yet.` })
  expectedRevision?: number;
}

@InputType({ description: 'Changes to a promotion flow: what is given replaces what is there, null removes it.' })
export class PromotionFlowUpdateInput extends PromotionFlowInput {
  @Field(() => String, { nullable: true, description: TRIGGER })
  triggerEnvironment?: string;

  @Field(() => [PromotionFlowStepInput], { nullable: true, description: 'The steps after the trigger environment.' })
  steps?: PromotionFlowStepInput[];

  @Field(() => Int, { nullable: true, description: EXPECTED_REVISION })
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

@ObjectType({ description: 'What became of a promotion flow.' })
export class PromotionFlowPayload {
  @Field(() => PromotionFlow, {
    nullable: true,
    description: 'As it is now, or as it was before it was deleted; null when refused.',
  })
  promotionFlow!: PromotionFlow | null;

  @Field(() => [UserError], { description: 'Why it was refused; empty when it was done.' })
  userErrors!: UserError[];
}

export const PromotionFlowConnection = connectionOf('PromotionFlow', PromotionFlow);

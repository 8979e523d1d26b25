import { Field, InputType, Int, ObjectType } from 'type-graphql';
import { DEFAULT_RETRY } from '../core/definitions.ts';
import type { WorkflowAction } from '../core/definitions.ts';
import { WorkflowActionTypeEnum } from './choices.ts';
import { connectionOf } from './connection.ts';
import { Definition, DefinitionInput, EXPECTED_REVISION, IDEMPOTENCY_KEY } from './definition.ts';
import { Node } from './node.ts';
import { UserError } from './user-errors.ts';
import { Duration, JSONObject } from './values.ts';

@ObjectType({ description: 'How a failed step is tried again by itself.' })
export class RetryRule {
  @Field(() => Int, { description: 'How many times after the first try.' })
  limit!: number;

  @Field(() => Duration, { description: 'The first pause; it is doubled each time.' })
  backoff!: number;

  @Field(() => Duration, { description: 'The longest pause.' })
  maxDelay!: number;
}

@InputType({ description: 'How a failed step is tried again by itself.' })
export class RetryRuleInput {
  @Field(() => Int, { description: 'How many times after the first try.', defaultValue: DEFAULT_RETRY.limit })
  limit!: number;

  @Field(() => Duration, {
    description: 'The first pause; it is doubled each time.',
    defaultValue: DEFAULT_RETRY.backoff,
  })
  backoff!: number;

  @Field(() => Duration, { description: 'The longest pause.', defaultValue: DEFAULT_RETRY.maxDelay })
  maxDelay!: number;
}

const PARAMETERS = 'What the type needs; texts may hold `${NAME}` references to the parameters handed in.';

@ObjectType('WorkflowAction', { description: 'One action of a workflow.' })
export class WorkflowActionType {
  @Field(() => String, { description: 'Its name in the workflow.' })
  name!: string;

  @Field(() => WorkflowActionTypeEnum, { description: 'What it does.' })
  type!: WorkflowAction['type'];

  @Field(() => [String], { nullable: true, description: 'The actions that must have succeeded before.' })
  dependsOn!: string[] | null;

  @Field(() => JSONObject, { description: PARAMETERS })
  parameters!: Record<string, unknown>;

  @Field(() => Duration, { nullable: true, description: 'How long it may take.' })
  timeout!: number | null;

  @Field(() => RetryRule, { nullable: true, description: 'How it is tried again; null: as steps are by default.' })
  retry!: RetryRule | null;
}

@InputType({ description: 'One action of a workflow.' })
export class WorkflowActionInput {
  /** GraphQL cannot print an object of any content as a default. */
  static readonly fallbacks = { parameters: {} };

  @Field(() => String, { description: 'Its name in the workflow.' })
  name!: string;

  @Field(() => WorkflowActionTypeEnum, { description: 'What it does.' })
  type!: WorkflowAction['type'];

  @Field(() => [String], { nullable: true, description: 'The actions that must have succeeded before.' })
  dependsOn?: string[];

  @Field(() => JSONObject, { nullable: true, description: PARAMETERS })
  parameters?: Record<string, unknown>;

  @Field(() => Duration, { nullable: true, description: 'How long it may take.' })
  timeout?: number;

  @Field(() => RetryRuleInput, {
    nullable: true,
    description: 'How it is tried again; as steps are by default when left out.',
  })
  retry?: RetryRuleInput;
}

@ObjectType({
  implements: [Definition, Node],
  description: 'Named actions, one after the other or side by side, run before, after or around a change.',
})
export class PromotionWorkflow extends Definition {
  @Field(() => String, { nullable: true, description: 'What it is, for people.' })
  description!: string | null;

  @Field(() => [WorkflowActionType], { description: 'The actions.' })
  actions!: WorkflowActionType[];
}

@InputType({ description: 'A new promotion workflow.' })
export class PromotionWorkflowCreateInput extends DefinitionInput {
  @Field(() => String, { nullable: true, description: 'What it is, for people.' })
  description?: string;

  @Field(() => [WorkflowActionInput], { description: 'The actions.' })
  actions!: WorkflowActionInput[];

  @Field(() => String, { nullable: true, description: IDEMPOTENCY_KEY })
  idempotencyKey?: string;
}

@InputType({ description: 'Changes to a promotion workflow: what is given replaces what is there, null removes it.' })
export class PromotionWorkflowUpdateInput extends DefinitionInput {
  @Field(() => String, { nullable: true, description: 'What it is, for people.' })
  description?: string;

  @Field(() => [WorkflowActionInput], { nullable: true, description: 'The actions.' })
  actions?: WorkflowActionInput[];

  @Field(() => Int, { nullable: true, description: EXPECTED_REVISION })
  expectedRevision?: number;
}

@ObjectType({ description: 'What became of a promotion workflow.' })
export class PromotionWorkflowPayload {
  @Field(() => PromotionWorkflow, {
    nullable: true,
    description: 'As it is now, or as it was before it was deleted; null when refused.',
  })
  promotionWorkflow!: PromotionWorkflow | null;

  @Field(() => [UserError], { description: 'Why it was refused; empty when it was done.' })
  userErrors!: UserError[];
}

export const PromotionWorkflowConnection = connectionOf('PromotionWorkflow', PromotionWorkflow);

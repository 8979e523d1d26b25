import { Field, InputType, Int } from 'type-graphql';
import { EXPECTED_REVISION } from './definition.ts';
import { DEFINITION_TYPES } from './definition-types.ts';

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

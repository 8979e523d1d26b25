import { Field, ObjectType } from 'type-graphql';
import type { RollbackDecision } from '../core/rollback/rollback.ts';
import { RollbackDecisionEnum } from './enums.ts';

@ObjectType('RollbackDecisionMade', { description: 'What a rollback decided about one environment when it started.' })
export class RollbackDecisionNode {
  @Field(() => String, { description: "The environment's name." })
  environment!: string;

  @Field(() => RollbackDecisionEnum, { description: 'What becomes of it.' })
  decision!: RollbackDecision;

  @Field(() => String, { description: 'Why, in words.' })
  reason!: string;

  @Field(() => String, { nullable: true, description: 'What people call the version that is there.' })
  from?: string;

  @Field(() => String, { nullable: true, description: 'What people call the version that it goes back to.' })
  to?: string;
}

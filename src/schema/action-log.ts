import { Field, InputType, Int, ObjectType } from 'type-graphql';
import { connectionOf } from './connection.ts';

@ObjectType({
  description:
    'A part of the log of an action: what it wrote within a moment, in whole lines where they are no longer than a chunk. Lines that begin with `> ` are those of Sluice.',
})
export class ActionLogChunk {
  @Field(() => Int, { description: 'Its number among the chunks of its release, from 1, without gaps.' })
  sequence!: number;

  @Field(() => Date, { description: 'When it was kept.' })
  at!: Date;

  @Field(() => String, { description: 'The name of the environment, or of the workflow step.' })
  environment!: string;

  @Field(() => String, { nullable: true, description: 'The application that the action is for; null: none.' })
  application!: string | null;

  @Field(() => String, { description: 'The name of its step, as `PromotionStep` has it.' })
  step!: string;

  @Field(() => String, { description: 'The name of the action in its workflow.' })
  action!: string;

  @Field(() => Int, { description: 'The attempt of the promotion, counted from 1.' })
  attempt!: number;

  @Field(() => Int, {
    description:
      'The try in this attempt, counted from 1: a try begins when the action is tried again, and when a worker begins it anew because another one is gone.',
  })
  try!: number;

  @Field(() => String, { description: 'The text, without secrets.' })
  text!: string;
}

export const ActionLogConnection = connectionOf('ActionLogChunk', ActionLogChunk);

@ObjectType({ description: 'A chunk, as the subscription delivers it.' })
export class ActionLogDelivery {
  @Field(() => String, {
    description: 'Pass it as `after` to get what comes later, in the subscription and in the list alike.',
  })
  cursor!: string;

  @Field(() => ActionLogChunk, { description: 'The chunk.' })
  node!: ActionLogChunk;
}

@InputType('ActionLogFilterInput', { description: 'All that are given must fit.' })
export class ActionLogFilterInput {
  @Field(() => String, { nullable: true, description: 'The name of the environment, or of the workflow step.' })
  environment?: string | null;

  @Field(() => String, { nullable: true, description: 'The name of a step, or of its action.' })
  step?: string | null;

  @Field(() => Int, { nullable: true, description: 'The attempt of the promotion.' })
  attempt?: number | null;

  @Field(() => Int, { nullable: true, description: 'The try in its attempt.' })
  try?: number | null;
}

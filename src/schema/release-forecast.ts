import { Field, InputType, Int, ObjectType } from 'type-graphql';
import type { ForecastCause } from '../core/forecast.ts';
import { enumOf } from './enums.ts';
import { PromotionFlowDraftInput } from './promotion-flow.ts';
import { UserError } from './user-errors.ts';
import { Duration } from './values.ts';

@InputType({ description: 'How long the work of one promotion takes.' })
export class ForecastWorkInput {
  @Field(() => String, { description: 'The name of the environment, or of the workflow step.' })
  name!: string;

  @Field(() => Duration, { description: 'From its start to its soak, or to its end where it does not soak.' })
  duration!: number;
}

@InputType({ description: 'What a forecast takes for granted.' })
export class ForecastAssumptionsInput {
  @Field(() => Duration, {
    nullable: true,
    description:
      'How long people take once they are asked: to approve, to answer a step, to merge a pull request. When left out, nobody knows, and what comes after it has no time.',
  })
  people?: number | null;

  @Field(() => [ForecastWorkInput], { nullable: true, description: 'How long work takes, where it is known better.' })
  work?: ForecastWorkInput[] | null;

  @Field(() => Boolean, {
    defaultValue: true,
    description:
      'Whether work that is not named takes as long as half of the newest 100 promotions there did; otherwise it takes no time but its pauses.',
  })
  measured!: boolean;
}

@InputType({ description: 'A release that is imagined: along a saved flow, or along a draft.' })
export class ReleaseForecastInput {
  @Field(() => String, { description: 'The name of the product.' })
  product!: string;

  @Field(() => String, { nullable: true, description: 'The name of a saved flow; without it, `draft`.' })
  flow?: string | null;

  @Field(() => PromotionFlowDraftInput, {
    nullable: true,
    description: 'A flow that is not saved. It takes the permission to edit everything.',
  })
  draft?: PromotionFlowDraftInput | null;

  @Field(() => Date, { nullable: true, description: 'When it is triggered; now when left out.' })
  at?: Date | null;

  @Field(() => ForecastAssumptionsInput, { nullable: true, description: 'What is taken for granted.' })
  assume?: ForecastAssumptionsInput | null;
}

const ForecastWaitKindEnum = enumOf<ForecastCause>('ForecastWaitKind', 'What keeps a promotion from going on.', {
  TURN: 'Another release of the product goes first.',
  DEPENDENCIES: 'What comes before it in the flow.',
  GROUP: 'As many members of its group run as may at once.',
  ENVIRONMENT: 'Another release is at work in the environment.',
  HOLD: 'The environment is on hold.',
  WINDOW: 'A release window of the environment is closed.',
  APPROVAL: 'People have to agree.',
  MERGE: 'People have to merge its pull request.',
  MAX_AGE: 'The release ends before, at its maxAge.',
});

@ObjectType({ description: 'A time in which something keeps a promotion from going on.' })
export class ForecastWait {
  @Field(() => ForecastWaitKindEnum, { description: 'What does.' })
  kind!: ForecastCause;

  @Field(() => String, { description: 'In words.' })
  message!: string;

  @Field(() => String, { nullable: true, description: 'Who or what can end it; null: time alone.' })
  who!: string | null;

  @Field(() => Date, { description: 'When it begins.' })
  from!: Date;

  @Field(() => Date, { nullable: true, description: 'When it is over at the earliest; null: no time is known.' })
  until!: Date | null;

  @Field(() => [String], { description: 'The names of the release windows that decide.' })
  windowNames!: string[];

  @Field(() => Boolean, { description: 'Whether its end is assumed: people end it.' })
  isAssumed!: boolean;
}

@ObjectType({ description: 'When a promotion of a release would start and end.' })
export class PromotionForecast {
  @Field(() => String, { description: "The environment's name, or the workflow step's." })
  name!: string;

  @Field(() => String, { nullable: true, description: 'The name of the environment; null for a workflow step.' })
  environmentName!: string | null;

  @Field(() => String, { nullable: true, description: 'The name of the group that it is a member of; null: none.' })
  groupName!: string | null;

  @Field(() => Date, {
    nullable: true,
    description: 'When what it depends on is met, and people are asked; null: not known.',
  })
  dependenciesMet!: Date | null;

  @Field(() => Date, {
    nullable: true,
    description:
      'The first moment at which all of its gates let it start together; null: never, or not known. `waits` says why.',
  })
  earliestStart!: Date | null;

  @Field(() => Date, { nullable: true, description: 'From when on it soaks; null: it does not, or that is not known.' })
  soaksFrom!: Date | null;

  @Field(() => Date, { nullable: true, description: 'Until when it soaks; null: as for `soaksFrom`.' })
  soaksUntil!: Date | null;

  @Field(() => Date, { nullable: true, description: 'When it has succeeded; null: never, or not known.' })
  earliestEnd!: Date | null;

  @Field(() => [ForecastWait], { description: 'Everything that it waits for, by its beginning.' })
  waits!: ForecastWait[];
}

@ObjectType({ description: 'When the gate of a group would let through what depends on it.' })
export class GroupForecast {
  @Field(() => String, { description: 'The name of the group.' })
  name!: string;

  @Field(() => Int, { description: 'How many of its members have to be healthy.' })
  required!: number;

  @Field(() => Date, { nullable: true, description: 'When it does; null: never, or not known.' })
  earliestGate!: Date | null;
}

@ObjectType({ description: 'How long the work of a promotion was taken to last.' })
export class ForecastWork {
  @Field(() => String, { description: 'The name of the environment, or of the workflow step.' })
  name!: string;

  @Field(() => Duration, { description: 'How long, without its soak.' })
  duration!: number;

  @Field(() => Boolean, { description: 'Whether it was measured of earlier promotions; otherwise it was given.' })
  isMeasured!: boolean;
}

@ObjectType({ description: 'When each promotion of a release would start at the earliest, and end, if all goes well.' })
export class ReleaseForecast {
  @Field(() => String, { description: 'The name of the flow.' })
  flowName!: string;

  @Field(() => Date, { description: 'When the release is triggered.' })
  at!: Date;

  @Field(() => [PromotionForecast], { description: 'Its promotions, in the order of the flow.' })
  promotions!: PromotionForecast[];

  @Field(() => [GroupForecast], { description: 'Its groups, in the order of the flow.' })
  groups!: GroupForecast[];

  @Field(() => Date, { nullable: true, description: 'When all of it has succeeded; null: never, or not known.' })
  earliestEnd!: Date | null;

  @Field(() => Date, { description: 'Nothing of it goes on after this: its maxAge.' })
  endsBy!: Date;

  @Field(() => [ForecastWork], {
    description: 'How long work was taken to last, by name; other work takes no time but its pauses.',
  })
  work!: ForecastWork[];

  @Field(() => [String], { description: 'What the release would warn of.' })
  warnings!: string[];

  @Field(() => [String], { description: 'What was not looked at.' })
  notes!: string[];
}

@ObjectType({ description: 'What a release would do in time, or why it would be refused.' })
export class ReleaseForecastPayload {
  @Field(() => ReleaseForecast, { nullable: true, description: 'The forecast; null when it would be refused.' })
  forecast!: ReleaseForecast | null;

  @Field(() => [UserError], { description: 'Why it would be refused; what is wrong with a draft.' })
  userErrors!: UserError[];
}

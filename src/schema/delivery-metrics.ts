import { Field, Float, Int, ObjectType } from 'type-graphql';
import type { Spread as CoreSpread } from '../core/delivery-metrics.ts';
import { Duration } from './values.ts';

@ObjectType({ description: 'How long something took.' })
export class Spread implements CoreSpread {
  @Field(() => Duration, { description: 'Half of them took no longer.' })
  median!: number;

  @Field(() => Duration, { description: 'Nine of ten took no longer.' })
  p90!: number;

  @Field(() => Int, { description: 'How many there were.' })
  count!: number;
}

@ObjectType({ description: 'How a product is delivered to an environment: the four figures of DORA.' })
export class DeliveryMetrics {
  @Field(() => Date, { description: 'What came since then counts.' })
  since!: Date;

  @Field(() => Date, { description: 'What came before then counts.' })
  until!: Date;

  @Field(() => Int, { description: 'How many versions were brought by a flow and found healthy. Rollbacks are none.' })
  deployments!: number;

  @Field(() => Float, { description: 'How many of them on a day, on average.' })
  deploymentsPerDay!: number;

  @Field(() => Spread, {
    nullable: true,
    description: 'From the newest commit of a version until it was found healthy there; null: none had a commit.',
  })
  leadTime!: Spread | null;

  @Field(() => Int, { description: 'How many versions were brought and failed there, or were taken back.' })
  failed!: number;

  @Field(() => Float, {
    nullable: true,
    description: 'Their share of all that were brought, from 0 to 1; null: none was.',
  })
  changeFailureRate!: number | null;

  @Field(() => Spread, {
    nullable: true,
    description: 'From a failure until a version was found healthy there again; null: there was none.',
  })
  timeToRestore!: Spread | null;

  @Field(() => Int, { description: 'After how many failures none was found healthy so far.' })
  unrestored!: number;

  @Field(() => Boolean, {
    description:
      'More came than can be counted at once: the figures are those of the newest 2,000 deployments, and `since` is their time.',
  })
  truncated!: boolean;
}

import { Field, ID, Int, InterfaceType, ObjectType } from 'type-graphql';
import type { GateName } from '../core/gates/answer.ts';
import type { ReleaseStatus } from '../core/release.ts';
import { GateEnum } from './choices.ts';
import { ReleaseStatusEnum } from './enums.ts';
import { DateTime } from './scalars.ts';

/** The name of the concrete type travels in every value. */
const resolveType = (value: { type: string }): string => value.type;

@InterfaceType('ReleaseEvent', {
  description:
    'One fact about a release, with what a screen needs to redraw without asking again. Facts are never changed or taken back.',
  resolveType,
})
export abstract class ReleaseEventNode {
  /** The name of the GraphQL type, which is that of the core's event. */
  type!: string;

  /** The release's uuid. */
  release!: string;

  @Field(() => Int, { description: 'Its number in its release: from 1, without gaps, in the order of what happened.' })
  sequence!: number;

  @Field(() => DateTime, { description: 'When it was decided. Never before the event before it in the same release.' })
  at!: Date;

  @Field(() => ID, { description: 'The release that it is about.' })
  releaseId!: string;

  @Field(() => String, { description: 'The name of the product that is released.' })
  product!: string;

  @Field(() => ReleaseStatusEnum, { description: "The release's status once this had happened." })
  releaseStatus!: ReleaseStatus;

  @Field(() => String, { nullable: true, description: 'Who did it; null: Sluice by itself.' })
  actor!: string | null;
}

@InterfaceType('PromotionEvent', {
  description: 'A fact about the promotion into one environment.',
  implements: ReleaseEventNode,
  resolveType,
})
export abstract class PromotionEventNode extends ReleaseEventNode {
  /** The name of its promotion. */
  environment!: string;
}

@InterfaceType('StepEvent', {
  description: 'A fact about one step of the promotion into one environment.',
  implements: ReleaseEventNode,
  resolveType,
})
export abstract class StepEventNode extends ReleaseEventNode {
  /** The name of its promotion. */
  environment!: string;
}

@ObjectType('UnmetGate', { description: 'A gate that did not hold.' })
export class UnmetGateNode {
  @Field(() => GateEnum, { description: 'Which gate.' })
  gate!: GateName;

  @Field(() => String, { description: 'Why, in words.' })
  reason!: string;
}

@ObjectType('StepOutput', { description: 'A named value that a step left for the steps after it.' })
export class StepOutput {
  @Field(() => String, { description: 'Its name.' })
  name!: string;

  @Field(() => String, { description: 'Its value.' })
  value!: string;
}

import { Field, ID, InputType, ObjectType } from 'type-graphql';
import type { EnvironmentHold as Hold } from '../core/holds.ts';
import { Barrier } from './barrier.ts';
import { connectionOf } from './connection.ts';
import { IDEMPOTENCY_KEY } from './definition.ts';
import { toNodeId } from './node-id.ts';
import { Node } from './node.ts';
import { UserError } from './user-errors.ts';
import { dateOf } from './values.ts';

/** The fields that need more than its own row are in `src/resolvers/environment-hold.ts`. */
@ObjectType({
  implements: Node,
  description: 'An environment on hold: nothing is promoted into it. Rollbacks may go on. Lifted, it stays as history.',
})
export class EnvironmentHold extends Barrier {
  constructor(
    readonly fields: Hold & { liftedAt: number | null; liftedBy: string | null; liftReason: string | null },
    readonly now: number,
  ) {
    super();
    this.id = toNodeId('EnvironmentHold', fields.id);
  }

  @Field(() => String, { nullable: true, description: 'The name of the product; null: whatever product.' })
  get productName(): string | null {
    return this.fields.product;
  }

  @Field(() => String, { description: 'The name of the environment.' })
  get environmentName(): string {
    return this.fields.environment;
  }

  @Field(() => Date, { nullable: true, description: 'When it ends by itself; null: when it is lifted.' })
  get until(): Date | null {
    return dateOf(this.fields.until);
  }

  @Field(() => Boolean, { description: 'Whether it holds now.' })
  get active(): boolean {
    const { liftedAt, until } = this.fields;
    return liftedAt === null && (until === null || until > this.now);
  }

  @Field(() => Date, { nullable: true, description: 'When it was lifted; null: it was not.' })
  get liftedAt(): Date | null {
    return dateOf(this.fields.liftedAt);
  }

  @Field(() => String, {
    nullable: true,
    description: 'Who lifted it; null: a caller without a name, or a release that went there.',
  })
  get liftedBy(): string | null {
    return this.fields.liftedBy;
  }

  @Field(() => String, { nullable: true, description: 'Why it was lifted.' })
  get liftReason(): string | null {
    return this.fields.liftReason;
  }
}

@InputType({ description: 'Which holds; everything in it must agree.' })
export class EnvironmentHoldFilterInput {
  @Field(() => String, {
    nullable: true,
    description: 'Those that hold this product: its own, and those of all products.',
  })
  product?: string;

  @Field(() => String, { nullable: true, description: 'In this environment.' })
  environment?: string;

  @Field(() => Boolean, { nullable: true, description: 'True: only those that hold now. All when left out.' })
  active?: boolean;
}

@InputType({ description: 'What to put on hold.' })
export class EnvironmentHoldInput {
  @Field(() => String, { description: 'The name of the environment.' })
  environment!: string;

  @Field(() => String, { nullable: true, description: 'The name of the product; every product when left out.' })
  product?: string;

  @Field(() => String, { description: 'Why; shown to people who wait for it.' })
  reason!: string;

  @Field(() => Date, { nullable: true, description: 'When it ends by itself; when it is lifted, if left out.' })
  until?: Date;

  @Field(() => String, { nullable: true, description: IDEMPOTENCY_KEY })
  idempotencyKey?: string;
}

@InputType({ description: 'Which holds to lift.' })
export class EnvironmentReleaseInput {
  @Field(() => String, { description: 'The name of the environment.' })
  environment!: string;

  @Field(() => String, {
    nullable: true,
    description:
      'The name of the product: its own holds are lifted. When left out, those of all products are; one is not the other.',
  })
  product?: string;

  @Field(() => ID, { nullable: true, description: 'Only this hold; every one that holds now when left out.' })
  holdId?: string;

  @Field(() => String, { nullable: true, description: 'Why; kept with them.' })
  reason?: string;
}

@ObjectType({ description: 'What became of the holds.' })
export class EnvironmentHoldPayload {
  @Field(() => [EnvironmentHold], { description: 'Those that were made or lifted; none when refused.' })
  holds!: EnvironmentHold[];

  @Field(() => [UserError], { description: 'Why it was refused; empty when it was done.' })
  userErrors!: UserError[];
}

export const EnvironmentHoldConnection = connectionOf('EnvironmentHold', EnvironmentHold as never);

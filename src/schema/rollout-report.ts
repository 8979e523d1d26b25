import { Field, InputType, ObjectType } from 'type-graphql';
import type { RolloutStatus } from '../core/release.ts';
import { IDEMPOTENCY_KEY } from './definition.ts';
import { RolloutStatusEnum } from './enums.ts';
import { Release } from './release.ts';
import { Rollback } from './rollback.ts';
import { UserError } from './user-errors.ts';

@InputType({ description: 'How the rollout of a version in an environment went, as an outside system saw it.' })
export class RolloutReportInput {
  @Field(() => String, { description: 'The name of the product.' })
  product!: string;

  @Field(() => String, { description: 'The name of the environment.' })
  environment!: string;

  @Field(() => String, {
    nullable: true,
    description:
      'The label or digest of the version; when left out, the one that is on its way or live there when the report first comes.',
  })
  version?: string;

  @Field(() => RolloutStatusEnum, { description: 'How it went.' })
  status!: RolloutStatus;

  @Field(() => String, { nullable: true, description: 'What went wrong, in words.' })
  message?: string;

  @Field(() => Date, {
    nullable: true,
    description: 'When it was seen; now when left out. What is older than the policy says starts nothing by itself.',
  })
  at?: Date;

  @Field(() => String, { nullable: true, description: IDEMPOTENCY_KEY })
  idempotencyKey?: string;
}

@ObjectType({ description: 'What came of the report of a rollout.' })
export class RolloutReportPayload {
  @Field(() => Release, {
    nullable: true,
    description: 'The release that brought the version there; null when refused.',
  })
  release!: Release | null;

  @Field(() => Rollback, {
    nullable: true,
    description: 'The rollback that it started, or that was under way already; null: nothing goes back.',
  })
  rollback!: Rollback | null;

  @Field(() => String, { nullable: true, description: 'What came of it, in words; null when refused.' })
  outcome!: string | null;

  @Field(() => [UserError], { description: 'Why it was refused; empty when it was taken.' })
  userErrors!: UserError[];
}

import { Field, ID, InputType, ObjectType } from 'type-graphql';
import type { RollbackCause as Cause, RollbackDecision } from '../core/rollback/rollback.ts';
import { targetStatuses } from '../core/rollback/target-status.ts';
import type { RollbackTargetStatus } from '../core/rollback/target-status.ts';
import { connectionOf } from './connection.ts';
import { IDEMPOTENCY_KEY } from './definition.ts';
import { enumOf, RollbackDecisionEnum } from './enums.ts';
import { toNodeId } from './node-id.ts';
import { Node, RELEASE_NAMES } from './node.ts';
import { EnvironmentPromotion } from './promotion.ts';
import type { WholeRelease } from './promotion.ts';
import { VersionNameType } from './rollback-plan.ts';
import { UserError } from './user-errors.ts';

export const RollbackTargetStatusEnum = enumOf<RollbackTargetStatus>(
  'RollbackTargetStatus',
  'Where one environment of a rollback is.',
  {
    PROPOSED: 'It waits for an approval.',
    WAITING: 'It will go back: another promotion, a window or a limit comes first.',
    ROLLING_BACK: 'It is going back.',
    ROLLED_BACK: 'It is back at its earlier version, and healthy.',
    FAILED: 'It could not be brought back: a person has to look.',
    LEFT_ALONE: 'It does not go back.',
    IMPOSSIBLE: 'It should go back and cannot: a person has to look.',
  },
);

@ObjectType({ description: 'One environment that a rollback looked at: what was decided, and what became of it.' })
export class RollbackTarget {
  @Field(() => String, { description: 'The name of the environment.' })
  environment!: string;

  @Field(() => RollbackDecisionEnum, { description: 'What was decided when the rollback started.' })
  decision!: RollbackDecision;

  @Field(() => RollbackTargetStatusEnum, { description: 'Where it is now.' })
  status!: RollbackTargetStatus;

  @Field(() => String, { description: 'Why, in a sentence: of the newest of the two.' })
  reason!: string;

  @Field(() => VersionNameType, { nullable: true, description: 'What was live there, or on its way there.' })
  from!: VersionNameType | null;

  @Field(() => VersionNameType, { nullable: true, description: 'What it goes back to; null unless it goes back.' })
  to!: VersionNameType | null;

  @Field(() => EnvironmentPromotion, {
    nullable: true,
    description:
      'The promotion that brings it back: its steps, its approval, what it waits for. Null where nothing goes back.',
  })
  promotion!: EnvironmentPromotion | null;
}

export interface RollbackFields {
  id: string;
  product: string;
  cause: Cause;
  origins: string[];
  createdAt: Date;
}

/** The fields that need more than its own row are in `src/resolvers/rollback.ts`. */
@ObjectType({
  implements: Node,
  description:
    'A rollback: why, of what, and what becomes of each environment. Its work is a release of kind ROLLBACK of the same bare id.',
})
export class Rollback extends Node {
  constructor(readonly fields: RollbackFields) {
    super();
    this.id = toNodeId('Rollback', fields.id);
  }

  @Field(() => String, { description: 'The bare id that logs, URLs and commit messages carry.' })
  get uuid(): string {
    return this.fields.id;
  }

  @Field(() => String, { description: 'The name of the product.' })
  get productName(): string {
    return this.fields.product;
  }

  @Field(() => Date, { description: 'When it was started.' })
  get createdAt(): Date {
    return this.fields.createdAt;
  }
}

export function targetsOf(parts: WholeRelease): RollbackTarget[] {
  const { plan, state } = parts;
  const statuses = targetStatuses(plan, state);
  return (plan.rollback?.targets ?? []).map(({ environment, decision, from, to }, index) => {
    const position = plan.promotions.findIndex((each) => each.name === environment);
    const promotion = position < 0 ? null : new EnvironmentPromotion(parts, position);
    const { status, reason } = statuses[index] as { status: RollbackTargetStatus; reason: string };
    return { environment, decision, status, reason, from, to, promotion };
  });
}

export const RollbackConnection = connectionOf('Rollback', Rollback as never);

@ObjectType({ description: 'A rollback that was started, or decided on.' })
export class RollbackPayload {
  @Field(() => Rollback, { nullable: true, description: 'As it is now; null when refused.' })
  rollback!: Rollback | null;

  @Field(() => [UserError], { description: 'Why it was refused; empty when it was done.' })
  userErrors!: UserError[];
}

@InputType({ description: 'Which environment of a rollback is decided on.' })
export class RollbackTargetDecisionInput {
  @Field(() => ID, { description: `The rollback, named as its release is: ${RELEASE_NAMES}.` })
  rollbackId!: string;

  @Field(() => String, { description: 'The name of the environment.' })
  environment!: string;

  @Field(() => String, { nullable: true, description: 'Why; kept and shown.' })
  comment?: string;

  @Field(() => String, { nullable: true, description: IDEMPOTENCY_KEY })
  idempotencyKey?: string;
}

import { Field, ObjectType } from 'type-graphql';
import type { ReleaseEventType } from '../core/events.ts';
import { connectionOf } from './connection.ts';
import { ReleaseEventTypeEnum } from './events.ts';
import { EnvironmentPromotion } from './promotion.ts';
import { UserError } from './user-errors.ts';

@ObjectType({ description: 'What became of a promotion.' })
export class PromotionPayload {
  @Field(() => EnvironmentPromotion, { nullable: true, description: 'As it is now; null when refused.' })
  promotion!: EnvironmentPromotion | null;

  @Field(() => [UserError], { description: 'Why it was refused; empty when it was done.' })
  userErrors!: UserError[];
}

@ObjectType({ description: 'What became of an approval link.' })
export class ApprovalLinkPayload {
  @Field(() => String, {
    nullable: true,
    description:
      'The link. Its holder can decide with it, once: it is a secret, and shown here only. Null when refused.',
  })
  url!: string | null;

  @Field(() => Date, { nullable: true, description: 'Until when it can be used.' })
  expiresAt!: Date | null;

  @Field(() => EnvironmentPromotion, { nullable: true, description: 'The promotion that it decides on.' })
  promotion!: EnvironmentPromotion | null;

  @Field(() => [UserError], { description: 'Why it was refused; empty when it was made.' })
  userErrors!: UserError[];
}

export const ApprovalInboxConnection = connectionOf('ApprovalInbox', EnvironmentPromotion as never);

@ObjectType({ description: 'Something happened to a promotion that asks people, or has asked them.' })
export class ApprovalInboxEvent {
  @Field(() => String, { description: 'Subscribe after it, and nothing is missed.' })
  cursor!: string;

  @Field(() => ReleaseEventTypeEnum, { description: 'What happened.' })
  type!: ReleaseEventType;

  @Field(() => Date, { description: 'When.' })
  at!: Date;

  @Field(() => EnvironmentPromotion, {
    nullable: true,
    description: 'The promotion as it is now; null: its release is no longer there.',
  })
  promotion!: EnvironmentPromotion | null;

  @Field(() => Boolean, { description: 'Whether it waits for an approval now: it stands in `approvals`.' })
  isWaiting!: boolean;

  @Field(() => Boolean, {
    description:
      'Whether an approval of the caller would count now: it stands in `approvals(filter: { forMe: true })`.',
  })
  isForMe!: boolean;
}

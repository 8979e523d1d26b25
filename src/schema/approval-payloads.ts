import { Field, ObjectType } from 'type-graphql';
import { connectionOf } from './connection.ts';
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

export const EnvironmentPromotionConnection = connectionOf('EnvironmentPromotion', EnvironmentPromotion as never);

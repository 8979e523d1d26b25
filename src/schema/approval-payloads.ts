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

export const EnvironmentPromotionConnection = connectionOf('EnvironmentPromotion', EnvironmentPromotion as never);

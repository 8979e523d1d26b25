import { Field, ID, InputType, ObjectType } from 'type-graphql';
import { RELEASE_NAMES } from './node.ts';
import { EnvironmentPromotion } from './promotion.ts';
import { UserError } from './user-errors.ts';

@InputType({ description: 'Which windows are not to count for a release in an environment, why and until when.' })
export class WindowOverrideInput {
  @Field(() => ID, { description: `The release: ${RELEASE_NAMES}.` })
  releaseId!: string;

  @Field(() => String, { description: 'The name of the environment.' })
  environment!: string;

  @Field(() => [String], { description: 'The exact names of the windows. Others that are closed, too, go on holding.' })
  windows!: string[];

  @Field(() => String, { description: 'Why; kept with the release and shown.' })
  reason!: string;

  @Field(() => Date, {
    description: 'From when on the windows count again; at the latest they do for the next release.',
  })
  expiresAt!: Date;
}

@ObjectType({ description: 'What became of an override.' })
export class WindowOverridePayload {
  @Field(() => EnvironmentPromotion, {
    nullable: true,
    description: 'As it is now; `waitingFor` says what else holds it. Null when refused.',
  })
  promotion!: EnvironmentPromotion | null;

  @Field(() => [UserError], { description: 'Why it was refused; empty when it was done.' })
  userErrors!: UserError[];
}

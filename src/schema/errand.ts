import { Field, Int, ObjectType } from 'type-graphql';
import { EnvironmentPromotion } from './promotion.ts';

/** Its read model; `src/store/outbox.ts` fills it. */
export interface ErrandFields {
  name: string;
  about: string;
  since: Date;
  attempts: number;
  lastError: string | null;
  dueAt: Date;
}

@ObjectType({
  description:
    'Work for the outside world that is not done yet. It outlives its promotion and its release, is tried until it is done, and is gone then.',
})
export class Errand {
  static of(errand: ErrandFields, promotion: EnvironmentPromotion | null): Errand {
    const { name, about, since, attempts, lastError, dueAt } = errand;
    return Object.assign(new Errand(), { name, about, promotion, since, attempts, lastError, nextAttemptAt: dueAt });
  }

  @Field(() => String, { description: 'Of which sort it is.' })
  name!: string;

  @Field(() => String, { description: 'What is to be done, in words.' })
  about!: string;

  @Field(() => EnvironmentPromotion, {
    nullable: true,
    description: 'The promotion that it is about; null: the release as a whole.',
  })
  promotion!: EnvironmentPromotion | null;

  @Field(() => Date, { description: 'When it was asked for.' })
  since!: Date;

  @Field(() => Int, { description: 'How often it was tried.' })
  attempts!: number;

  @Field(() => String, { nullable: true, description: 'Why the last attempt failed; null: none has.' })
  lastError!: string | null;

  @Field(() => Date, {
    description:
      'When it is tried again: after 2 s, and later and later up to an hour. In the past: a worker is about to.',
  })
  nextAttemptAt!: Date;
}

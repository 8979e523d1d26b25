import { Field, Int, ObjectType } from 'type-graphql';
import type { LookFailure, LookShown } from '../core/receiver/look.ts';
import { enumOf } from './enums.ts';

const LookFailureEnum = enumOf<LookFailure>('LookFailure', 'Why a look at a repository got no answer.', {
  CREDENTIALS: 'The login was refused, or one is needed. No more looks until a secret changes, or a message comes.',
  NOT_FOUND: 'The repository is not there, or its host does not tell this login that it is.',
  REFUSED: 'The address may not be called from here, has moved or is none. No more looks until it changes.',
  RATE_LIMITED: 'The host asked for a pause.',
  UNREACHABLE: 'The host did not answer, or not in time.',
});

@ObjectType({ description: 'The last look at the repository of an application.' })
export class RepositoryLook {
  constructor(
    readonly shown: LookShown,
    readonly branch: string,
  ) {}

  @Field(() => Date, { nullable: true, description: 'When it began; null: there was none so far.' })
  get lookedAt(): Date | null {
    return this.shown.lookedAt;
  }

  @Field(() => String, {
    nullable: true,
    description: 'The commit at which it saw the branch of the application; null: the branch was not there.',
  })
  get commit(): string | null {
    return this.shown.heads[this.branch] ?? null;
  }

  @Field(() => Date, {
    nullable: true,
    description: 'When the next one is due by itself; null: one is under way, or none comes by itself.',
  })
  get nextAt(): Date | null {
    return this.shown.nextAt;
  }

  @Field(() => LookFailureEnum, { nullable: true, description: 'What came in its way; null: nothing.' })
  get failure(): LookFailure | null {
    return this.shown.errorKind;
  }

  @Field(() => String, { nullable: true, description: 'The same in words.' })
  get error(): string | null {
    return this.shown.error;
  }

  @Field(() => String, {
    nullable: true,
    description: 'Why its pull requests could not be listed the last time; null: they could, or there was no need.',
  })
  get pullRequestError(): string | null {
    return this.shown.pullError;
  }

  @Field(() => Int, { description: 'How many looks in a row failed.' })
  get failures(): number {
    return this.shown.failures;
  }
}

import { Field, Int, ObjectType } from 'type-graphql';
import type { StatusState } from '../core/gates/merge-state.ts';
import { enumOf } from './enums.ts';
import { EnvironmentPromotion } from './promotion.ts';

export const CommitStatusStateEnum = enumOf<StatusState>('CommitStatusState', 'What a commit status says.', {
  PENDING: 'Not yet.',
  SUCCESS: 'Yes: a pull request may be merged now, a release has arrived.',
  FAILURE: 'No.',
  ERROR: 'It cannot be told: what stands there is not what was proposed.',
});

/** Its read model; `src/store/commit-statuses.ts` fills it. */
export interface CommitStatusFields {
  repository: string;
  sha: string;
  context: string;
  state: StatusState;
  description: string;
  url: string | null;
  appliedState: StatusState | null;
  attempts: number;
  lastError: string | null;
  dueAt: Date | null;
  givenUp: boolean;
}

@ObjectType({
  description:
    'What the host of a repository is told of a commit: of a pull request whether its gates let it be merged, of the commit that was released how that goes.',
})
export class CommitStatus {
  static of(shown: CommitStatusFields, promotion: EnvironmentPromotion | null): CommitStatus {
    const { repository, sha, context, state, description, url, appliedState, attempts, lastError, dueAt, givenUp } =
      shown;
    const status = { repository, sha, context, state, description, url, appliedState, attempts, lastError, givenUp };
    return Object.assign(new CommitStatus(), { ...status, promotion, nextAttemptAt: dueAt });
  }

  @Field(() => EnvironmentPromotion, {
    nullable: true,
    description: 'The promotion whose pull request it is about; null: the release as a whole.',
  })
  promotion!: EnvironmentPromotion | null;

  @Field(() => String, { description: 'The address of the repository.' })
  repository!: string;

  @Field(() => String, { description: 'The commit.' })
  sha!: string;

  @Field(() => String, {
    description:
      'Its name at the host, which a protected branch can require: `sluice/PRODUCT/ENVIRONMENT` or `sluice/PRODUCT`.',
  })
  context!: string;

  @Field(() => CommitStatusStateEnum, { description: 'What it is to say now.' })
  state!: StatusState;

  @Field(() => String, { description: 'Why, in at most 140 characters.' })
  description!: string;

  @Field(() => String, { nullable: true, description: 'Where it leads to.' })
  url!: string | null;

  @Field(() => CommitStatusStateEnum, {
    nullable: true,
    description: 'What the host has taken last; null: nothing yet.',
  })
  appliedState!: StatusState | null;

  @Field(() => Int, { description: 'How many calls have failed since it is to say this.' })
  attempts!: number;

  @Field(() => String, { nullable: true, description: 'Why the last call failed; null: none has.' })
  lastError!: string | null;

  @Field(() => Date, {
    nullable: true,
    description: 'When it is sent, or tried again; null: there is nothing to send.',
  })
  nextAttemptAt!: Date | null;

  @Field(() => Boolean, {
    description:
      'The host refused it for half an hour, as `lastError` says. It is sent again when it is to say something else, or when a secret of a forge is set.',
  })
  givenUp!: boolean;
}

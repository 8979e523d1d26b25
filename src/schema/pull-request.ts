import { Field, Int, ObjectType } from 'type-graphql';
import type { PullRequestState } from '../core/pull-request.ts';
import { PullRequestStateEnum } from './choices.ts';

/** Its read model; `src/store/pull-requests.ts` fills it. */
export interface PullRequestFields {
  attempt: number;
  repository: string;
  number: number | null;
  branch: string;
  base: string;
  headSha: string | null;
  url: string | null;
  state: PullRequestState;
  openedAt: Date | null;
  mergedAt: Date | null;
  mergedBy: string | null;
  mergeCommit: string | null;
}

@ObjectType({ description: 'A pull request that a promotion opened, as it was last seen.' })
export class PullRequest {
  static of(fields: PullRequestFields): PullRequest {
    const { attempt, repository, number, branch, base, headSha, url, state } = fields;
    const { openedAt, mergedAt, mergedBy, mergeCommit } = fields;
    const seen = { attempt, repository, number, branch, base, headCommit: headSha, url, state };
    return Object.assign(new PullRequest(), seen, { openedAt, mergedAt, mergedBy, mergeCommit });
  }

  @Field(() => Int, { description: 'The attempt of the promotion that opened it.' })
  attempt!: number;

  @Field(() => String, { description: 'The address of its repository.' })
  repository!: string;

  @Field(() => Int, { nullable: true, description: 'Its number at its host; null: it was not seen yet.' })
  number!: number | null;

  @Field(() => String, { nullable: true, description: 'Its address; null: it was not seen yet.' })
  url!: string | null;

  @Field(() => String, { description: 'The branch that it brings.' })
  branch!: string;

  @Field(() => String, { description: 'The branch that it is for.' })
  base!: string;

  @Field(() => String, { nullable: true, description: 'Where its branch was seen; null: not yet.' })
  headCommit!: string | null;

  @Field(() => PullRequestStateEnum, { description: 'Where it is in its life.' })
  state!: PullRequestState;

  @Field(() => Date, { nullable: true, description: 'When it was seen open for the first time.' })
  openedAt!: Date | null;

  @Field(() => Date, { nullable: true, description: 'When it was merged, as its host says.' })
  mergedAt!: Date | null;

  @Field(() => String, { nullable: true, description: 'Who merged it, as its host says.' })
  mergedBy!: string | null;

  @Field(() => String, { nullable: true, description: 'The commit of the merge, as its host says.' })
  mergeCommit!: string | null;
}

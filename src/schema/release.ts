import { ArgsType, Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import type { Problem } from '../core/problems.ts';
import { PROMOTION_STATUSES } from '../core/release.ts';
import type { PromotionStatus, ReleaseKind, ReleaseStatus } from '../core/release.ts';
import type { Trigger } from '../core/trigger/change.ts';
import { CommitNoteType } from './candidate.ts';
import { connectionOf } from './connection.ts';
import { PromotionStatusEnum, ReleaseKindEnum, ReleaseStatusEnum } from './enums.ts';
import { shortIdOf } from '../core/short-id.ts';
import { toNodeId } from './node-id.ts';
import { Node, RELEASE_NAMES } from './node.ts';
import { UserError } from './user-errors.ts';

@ObjectType({ description: 'A version: its pinned content, and what people call it.' })
export class Version {
  @Field(() => String, {
    description: 'What the version source says, or the short commit. Two different versions may share it.',
  })
  label!: string;

  @Field(() => String, { description: 'sha-256 of the pinned content, hex: the same digest is the same version.' })
  digest!: string;

  @Field(() => String, {
    nullable: true,
    description: 'The commit that it was pinned from; null without git, or with several sources.',
  })
  commit!: string | null;
}

@ObjectType({ description: 'What was pinned from one application of the trigger environment.' })
export class ReleaseSource {
  @Field(() => String, { description: 'The name of the application in the trigger environment.' })
  application!: string;

  @Field(() => Version, { description: 'Its version.' })
  version!: Version;

  @Field(() => String, { nullable: true, description: 'Who made the commit.' })
  author!: string | null;

  @Field(() => String, { nullable: true, description: 'The message of the commit.' })
  message!: string | null;

  @Field(() => Date, { nullable: true, description: 'When the commit was made.' })
  date!: Date | null;
}

@ObjectType({ description: 'Why there is a release.' })
export class ReleaseTrigger {
  @Field(() => String, {
    description:
      'MANUAL: a person or a program asked for it. ROLLBACK: it takes another one back. PUSH, MERGE, POLL, DEPLOYMENT, ARGO_CD: it came by itself, and was noticed so.',
  })
  kind!: string;

  @Field(() => String, {
    nullable: true,
    description:
      'Who did it; of a release that came by itself: the user who made the commit, null where that is not known.',
  })
  actor!: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'The commit that was asked for, or that arrived; null: the newest one.',
  })
  commit!: string | null;

  @Field(() => String, { nullable: true, description: 'Who made the commit that arrived, as it says.' })
  author!: string | null;

  @Field(() => String, { nullable: true, description: 'The branch on which it arrived.' })
  branch!: string | null;

  @Field(() => ID, { nullable: true, description: 'The candidate that it was made of.' })
  candidateId!: string | null;

  @Field(() => [CommitNoteType], {
    description: 'What arrived since the last release, newest first; at most 100 commits.',
  })
  commits!: CommitNoteType[];
}

@ObjectType({ description: 'How many promotions of a release have which status.' })
export class PromotionStatusCounts {
  static of(counts: Partial<Record<PromotionStatus, number>>): PromotionStatusCounts {
    const all = PROMOTION_STATUSES.map((status) => [camel(status), counts[status] ?? 0] as const);
    const total = all.reduce((sum, [, count]) => sum + count, 0);
    return Object.assign(new PromotionStatusCounts(), Object.fromEntries(all), { total });
  }

  @Field(() => Int, { description: 'All promotions.' })
  total!: number;

  @Field(() => Int, { description: 'PENDING ones.' })
  pending!: number;

  @Field(() => Int, { description: 'WAITING ones.' })
  waiting!: number;

  @Field(() => Int, { description: 'RUNNING ones.' })
  running!: number;

  @Field(() => Int, { description: 'SUSPENDED ones.' })
  suspended!: number;

  @Field(() => Int, { description: 'SUCCEEDED ones.' })
  succeeded!: number;

  @Field(() => Int, { description: 'FAILED ones.' })
  failed!: number;

  @Field(() => Int, { description: 'TERMINATED ones.' })
  terminated!: number;

  @Field(() => Int, { description: 'SKIPPED ones.' })
  skipped!: number;

  @Field(() => Int, { description: 'ROLLING_BACK ones.' })
  rollingBack!: number;

  @Field(() => Int, { description: 'ROLLED_BACK ones.' })
  rolledBack!: number;

  @Field(() => Int, { description: 'ROLLBACK_FAILED ones.' })
  rollbackFailed!: number;
}

function camel(status: string): string {
  return status.toLowerCase().replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}

@ObjectType('Problem', { description: 'What went wrong.' })
export class ProblemType {
  static of(problem: Problem | null): ProblemType | null {
    return problem && Object.assign(new ProblemType(), problem, { at: new Date(problem.at) });
  }

  @Field(() => String, { description: 'In words.' })
  message!: string;

  @Field(() => Date, { description: 'When.' })
  at!: Date;

  @Field(() => String, { nullable: true, description: 'The environment (or workflow step) where it happened.' })
  environment?: string;

  @Field(() => String, { nullable: true, description: 'The step where it happened, e.g. `billing-eu/ACTION`.' })
  step?: string;

  @Field(() => Int, { nullable: true, description: 'The attempt of the promotion, counted from 1.' })
  attempt?: number;
}

@ObjectType({
  description: 'The first and the last thing that went wrong; the first is often the cause, the last what it led to.',
})
export class ReleaseProblem {
  @Field(() => ProblemType, { description: 'The first one.' })
  first!: ProblemType;

  @Field(() => ProblemType, { description: 'The last one; the first again when there was one only.' })
  last!: ProblemType;
}

/** Its read model; `src/store/release-reads.ts` fills it. */
export interface ReleaseFields {
  id: string;
  number: number;
  kind: ReleaseKind;
  product: string;
  flow: string;
  flowRevision: number;
  version: string;
  digest: string;
  trigger: Trigger;
  status: ReleaseStatus;
  sequence: number;
  createdAt: Date;
  startedAt: Date | null;
  endedAt: Date | null;
  deadline: Date | null;
  rest: {
    terminating: { reason: string; by: string | null } | null;
    firstProblem: Problem | null;
    lastProblem: Problem | null;
  };
}

/** The fields that need more than its own row are in `src/resolvers/release.ts`. */
@ObjectType({
  implements: Node,
  description: 'One version of one product on its way through one flow, frozen when it was created.',
})
export class Release extends Node {
  constructor(readonly fields: ReleaseFields) {
    super();
    this.id = toNodeId('Release', fields.id);
  }

  @Field(() => String, {
    description: 'The bare id that logs, URLs and commit messages carry; whatever takes an id takes this, too.',
  })
  get uuid(): string {
    return this.fields.id;
  }

  @Field(() => String, {
    description: '`billing#42`: its product and its number, for people. Whatever takes the id of a release takes it.',
  })
  get shortId(): string {
    return shortIdOf(this.fields.product, this.fields.number);
  }

  @Field(() => Int, { description: 'Counts the releases of the installation in the order of their creation.' })
  get number(): number {
    return this.fields.number;
  }

  @Field(() => ReleaseKindEnum, { description: 'Whether it brings a version or takes one back.' })
  get kind(): ReleaseKind {
    return this.fields.kind;
  }

  @Field(() => String, { description: 'The name of its product; `product` is null once that is deleted.' })
  get productName(): string {
    return this.fields.product;
  }

  @Field(() => String, { description: 'The name of its flow.' })
  get flowName(): string {
    return this.fields.flow;
  }

  @Field(() => Int, { description: 'The revision of its flow that it runs.' })
  get flowRevision(): number {
    return this.fields.flowRevision;
  }

  @Field(() => ReleaseStatusEnum, { description: 'Where it is in its life.' })
  get status(): ReleaseStatus {
    return this.fields.status;
  }

  @Field(() => Int, {
    description:
      'The number of its newest event that all this holds already: an event with this number or a lower one says nothing newer.',
  })
  get sequence(): number {
    return this.fields.sequence;
  }

  @Field(() => ReleaseTrigger, { description: 'Why there is this release.' })
  get trigger(): ReleaseTrigger {
    const { kind, actor, commit, news } = this.fields.trigger;
    return {
      kind,
      actor,
      commit: commit ?? null,
      author: news?.author ?? null,
      branch: news?.branch ?? null,
      candidateId: news ? toNodeId('Candidate', news.candidate) : null,
      commits: (news?.commits ?? []).map((each) => CommitNoteType.of(each)),
    };
  }

  @Field(() => Date, { description: 'When it was created.' })
  get createdAt(): Date {
    return this.fields.createdAt;
  }

  @Field(() => Date, { nullable: true, description: 'When its turn came; the newest time, if it was retried.' })
  get startedAt(): Date | null {
    return this.fields.startedAt;
  }

  @Field(() => Date, {
    nullable: true,
    description: 'When its own work ended; a rollback that takes it back later does not change that.',
  })
  get endedAt(): Date | null {
    return this.fields.endedAt;
  }

  @Field(() => Date, {
    nullable: true,
    description: 'When a limit ends it if everything stays as it is: `maxAge`, or `timeout` while it moves.',
  })
  get deadline(): Date | null {
    return this.fields.deadline;
  }

  @Field(() => String, { nullable: true, description: 'Why it was ended before its time.' })
  get terminationReason(): string | null {
    return this.fields.rest.terminating?.reason ?? null;
  }

  @Field(() => ReleaseProblem, { nullable: true, description: 'What went wrong; null: nothing so far.' })
  get problem(): ReleaseProblem | null {
    const { firstProblem, lastProblem } = this.fields.rest;
    const first = ProblemType.of(firstProblem);
    return first && { first, last: ProblemType.of(lastProblem) ?? first };
  }
}

@ArgsType()
export class PromotionsArgs {
  @Field(() => Int, { nullable: true, description: 'How many at most; all when left out.' })
  first?: number | null;

  @Field(() => String, {
    nullable: true,
    description: 'The name of one of its promotions: those that come after it in the order of the flow.',
  })
  after?: string | null;

  @Field(() => [PromotionStatusEnum], {
    nullable: true,
    description: 'Those in one of these states; all when left out.',
  })
  status?: PromotionStatus[] | null;

  @Field(() => [String], {
    nullable: true,
    description:
      'Those with these names; all when left out. What is asked for by name, status or number is read alone.',
  })
  names?: string[] | null;
}

@InputType({ description: 'Which releases; everything in it must agree.' })
export class ReleaseFilterInput {
  @Field(() => String, { nullable: true, description: 'Of this product.' })
  product?: string;

  @Field(() => [ReleaseStatusEnum], { nullable: true, description: 'In one of these states.' })
  status?: ReleaseStatus[];

  @Field(() => String, { nullable: true, description: 'Whose flow has this environment.' })
  environment?: string;

  @Field(() => String, { nullable: true, description: 'That travel the flow with this name.' })
  flow?: string;

  @Field(() => ReleaseKindEnum, { nullable: true, description: 'That bring a version, or take one back.' })
  kind?: ReleaseKind;

  @Field(() => String, { nullable: true, description: 'Of the version with exactly this label.' })
  version?: string;

  @Field(() => String, {
    nullable: true,
    description: 'That pinned this commit for one of their applications: its id, or the first 7 digits or more.',
  })
  commit?: string;

  @Field(() => String, { nullable: true, description: 'That this person or program asked for: the exact name.' })
  actor?: string;

  @Field(() => Date, { nullable: true, description: 'Created at this moment or later.' })
  since?: Date;

  @Field(() => Date, { nullable: true, description: 'Created before this moment.' })
  until?: Date;

  @Field(() => String, {
    nullable: true,
    description:
      'That have this text in `billing#42`, in the name of their flow, in their version, or in the name of whoever asked for them; whatever the case.',
  })
  text?: string;

  @Field(() => Boolean, {
    nullable: true,
    description:
      'True: only those that a person should look at. They are open, and a promotion waits for people or an outside system or has failed; or they have FAILED, and no later release of the product came to their flow. False asks for nothing.',
  })
  needsAttention?: boolean;
}

@ObjectType({ description: 'A value that releases have, and how many of them.' })
export class ReleaseFacet {
  @Field(() => String, { description: 'The value, as the filter takes it.' })
  value!: string;

  @Field(() => Int, { description: 'How many releases have it, of those that were counted.' })
  count!: number;
}

@ObjectType({
  description:
    'Which values the releases of a list have, the most frequent first; of the newest `totalCount` that fit the filter.',
})
export class ReleaseFacets {
  @Field(() => [ReleaseFacet], { description: 'Names of products, at most 50.' })
  products!: ReleaseFacet[];

  @Field(() => [ReleaseFacet], { description: 'Names of flows, at most 50.' })
  flows!: ReleaseFacet[];

  @Field(() => [ReleaseFacet], { description: 'Statuses.' })
  statuses!: ReleaseFacet[];

  @Field(() => [ReleaseFacet], { description: 'Kinds.' })
  kinds!: ReleaseFacet[];

  @Field(() => [ReleaseFacet], { description: 'Names of who asked for them, at most 50.' })
  actors!: ReleaseFacet[];
}

@InputType({ description: 'What to release.' })
export class ReleaseTriggerInput {
  @Field(() => String, { description: 'The name of the product.' })
  product!: string;

  @Field(() => String, {
    nullable: true,
    description: 'The commit of the trigger environment to pin; the newest when left out.',
  })
  commit?: string;

  @Field(() => String, { nullable: true, description: 'For drivers without files: the version itself.' })
  version?: string;

  @Field(() => String, { nullable: true, description: 'The name of the flow; chosen by the rules when left out.' })
  flow?: string;

  @Field(() => String, {
    nullable: true,
    description:
      'With `to`, and without a flow: the name of the environment whose version is promoted. Commits are those of its branch then.',
  })
  from?: string;

  @Field(() => String, {
    nullable: true,
    description: 'With `from`: the name of the one environment that gets it.',
  })
  to?: string;

  @Field(() => String, {
    nullable: true,
    description:
      'Any text of your choice: the same key with the same input returns the first release again. Kept at least 24 h.',
  })
  idempotencyKey?: string;

  @Field(() => Boolean, {
    nullable: true,
    description:
      'True: release a version although it is marked bad. The release waits wherever the mark counts, until it is over.',
  })
  acknowledgeBadVersion?: boolean;

  @Field(() => String, {
    nullable: true,
    description:
      'The label or digest of the earliest version to which an environment may go back once this release ran there: an irreversible migration comes with it. Its own version: there is no way back.',
  })
  rollbackFloor?: string;
}

@InputType({ description: 'Which release to end.' })
export class ReleaseTerminateInput {
  @Field(() => ID, { description: `The release: ${RELEASE_NAMES}.` })
  releaseId!: string;

  @Field(() => String, { nullable: true, description: 'Why; kept and shown.' })
  reason?: string;
}

@InputType({ description: 'Which release to try again, or which environment of it.' })
export class ReleaseRetryInput {
  @Field(() => ID, { description: `The release: ${RELEASE_NAMES}.` })
  releaseId!: string;

  @Field(() => String, {
    nullable: true,
    description:
      'The name of an environment, or of a workflow step: that one alone is tried again, also while the release goes on. What comes after it and never started follows. Everything that did not succeed when left out.',
  })
  environment?: string;
}

@InputType({ description: 'What to leave out of a release, and why.' })
export class PromotionSkipInput {
  @Field(() => ID, { description: `The release: ${RELEASE_NAMES}.` })
  releaseId!: string;

  @Field(() => String, { description: 'The name of the environment, or of the workflow step.' })
  environment!: string;

  @Field(() => String, { description: 'Why; kept with the release and shown.' })
  reason!: string;
}

@ObjectType({ description: 'What became of a release.' })
export class ReleasePayload {
  @Field(() => Release, { nullable: true, description: 'As it is now; null when refused.' })
  release!: Release | null;

  @Field(() => [UserError], { description: 'Why it was refused; empty when it was done.' })
  userErrors!: UserError[];
}

export const ReleaseConnection = connectionOf('Release', Release as never);

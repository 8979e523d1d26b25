import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import type { CandidateStatus } from '../core/trigger/candidate.ts';
import type { CommitNote, NewsKind } from '../core/trigger/change.ts';
import type { KeptCandidate } from '../core/trigger/kept.ts';
import { connectionOf } from './connection.ts';
import { enumOf } from './enums.ts';
import { toNodeId } from './node-id.ts';
import { Node } from './node.ts';
import { UserError } from './user-errors.ts';

export const CandidateStatusEnum = enumOf<CandidateStatus>('CandidateStatus', 'Where a candidate is in its life.', {
  COALESCING: 'Further pushes may still belong to it.',
  WAITING: 'The trigger environment does not run it healthily yet, or triggers are paused; `reason` says which.',
  RELEASED: 'There is a release.',
  SUPERSEDED: 'A newer state of the trigger environment came first.',
  REFUSED: 'No release can be made of it; `reason` says why.',
  DISMISSED: 'A person said that it is not to become a release.',
  FAILED: 'It could not become one in time.',
});

export const NewsKindEnum = enumOf<NewsKind>('NewsKind', 'How a change was noticed.', {
  PUSH: 'A git host told of a push.',
  MERGE: 'A git host told of a merged pull request.',
  POLL: 'A look at the repository found it.',
  DEPLOYMENT: 'What the trigger environment runs was reported.',
  ARGO_CD: 'Argo CD told of it.',
});

@ObjectType('CommitNote', { description: 'A commit in the notes of a release.' })
export class CommitNoteType {
  static of(note: CommitNote): CommitNoteType {
    return Object.assign(new CommitNoteType(), { ...note, date: new Date(note.date) });
  }

  @Field(() => String, { description: 'The application of the trigger environment whose folder it touched.' })
  application!: string;

  @Field(() => String, { description: 'Its full id.' })
  commit!: string;

  @Field(() => String, { description: 'Name and address, as the commit says them.' })
  author!: string;

  @Field(() => String, { description: 'The first line of its message.' })
  subject!: string;

  @Field(() => Date, { description: 'When it was made, as the commit says.' })
  date!: Date;
}

@ObjectType({ description: 'Where an application of the trigger environment stood.' })
export class CandidateRevision {
  @Field(() => String, { description: 'The name of the application.' })
  application!: string;

  @Field(() => String, {
    nullable: true,
    description: 'The commit that brought its content; null: not known, or none.',
  })
  commit!: string | null;

  @Field(() => String, { nullable: true, description: 'Of a driver without commits: the version.' })
  version!: string | null;

  @Field(() => Int, { description: 'How often its branch had left the commits that it had.' })
  epoch!: number;
}

/** The fields that need more than its own row are in `src/resolvers/candidate.ts`. */
@ObjectType({
  implements: Node,
  description:
    'A state of a trigger environment that may become a release by itself, or what became of it; once for good.',
})
export class Candidate extends Node {
  constructor(readonly fields: KeptCandidate) {
    super();
    this.id = toNodeId('Candidate', fields.id);
  }

  @Field(() => String, { description: 'The bare id, as logs carry it; commands take it as well.' })
  get uuid(): string {
    return this.fields.id;
  }

  @Field(() => String, { description: 'The name of the product.' })
  get productName(): string {
    return this.fields.product;
  }

  @Field(() => String, { description: 'The name of the flow that it travels.' })
  get flowName(): string {
    return this.fields.flow;
  }

  @Field(() => String, { description: 'The name of the trigger environment.' })
  get environmentName(): string {
    return this.fields.environment;
  }

  @Field(() => NewsKindEnum, { description: 'How it was noticed first.' })
  get kind(): NewsKind {
    return this.fields.kind;
  }

  @Field(() => CandidateStatusEnum, { description: 'Where it is in its life.' })
  get status(): CandidateStatus {
    return this.fields.status;
  }

  @Field(() => String, { description: 'What it waits for, or what came of it.' })
  get reason(): string {
    return this.fields.reason;
  }

  @Field(() => [CandidateRevision], { description: 'Where the applications of the trigger environment stood.' })
  get state(): CandidateRevision[] {
    return Object.entries(this.fields.state).map(([application, { commit, version, epoch }]) => ({
      application,
      commit: commit ?? null,
      version: version ?? null,
      epoch: epoch ?? 0,
    }));
  }

  @Field(() => String, { nullable: true, description: 'The newest of its commits.' })
  get commit(): string | null {
    return this.fields.facts.commit ?? null;
  }

  @Field(() => String, { nullable: true, description: 'Who made that commit, as it says.' })
  get author(): string | null {
    return this.fields.facts.author ?? null;
  }

  @Field(() => String, { nullable: true, description: 'The message of that commit.' })
  get message(): string | null {
    return this.fields.facts.message ?? null;
  }

  @Field(() => String, { nullable: true, description: 'The branch on which it arrived.' })
  get branch(): string | null {
    return this.fields.facts.branch ?? null;
  }

  @Field(() => [CommitNoteType], {
    description: 'What came since the last release, newest first; at most 100 commits.',
  })
  get commits(): CommitNoteType[] {
    return this.fields.facts.commits.map((each) => CommitNoteType.of(each));
  }

  @Field(() => [String], { description: 'Why its flow was chosen, and others were not.' })
  get explanation(): string[] {
    return this.fields.facts.explanation;
  }

  @Field(() => Date, { description: 'When it was noticed.' })
  get createdAt(): Date {
    return this.fields.createdAt;
  }

  @Field(() => Date, { nullable: true, description: 'When it is looked at next; null: it has ended.' })
  get dueAt(): Date | null {
    return this.fields.dueAt;
  }

  @Field(() => Date, { nullable: true, description: 'When it is given up; null: it has ended.' })
  get expiresAt(): Date | null {
    return this.fields.endedAt ? null : this.fields.expiresAt;
  }

  @Field(() => Date, { nullable: true, description: 'When it ended.' })
  get endedAt(): Date | null {
    return this.fields.endedAt;
  }

  @Field(() => ID, { nullable: true, description: 'The newer candidate that came first.' })
  get supersededBy(): string | null {
    return this.fields.supersededBy && toNodeId('Candidate', this.fields.supersededBy);
  }

  @Field(() => String, { nullable: true, description: 'Who released it at once, tried it again or dismissed it.' })
  get by(): string | null {
    return this.fields.actor;
  }
}

export const CandidateConnection = connectionOf('Candidate', Candidate as never);

@InputType({ description: 'Which candidates; everything in it must agree.' })
export class CandidateFilterInput {
  @Field(() => String, { nullable: true, description: 'Of this product.' })
  product?: string;

  @Field(() => [CandidateStatusEnum], { nullable: true, description: 'In one of these states.' })
  status?: CandidateStatus[];
}

@InputType({ description: 'Which candidate.' })
export class CandidateInput {
  @Field(() => ID, { description: 'Its id, or the bare one.' })
  candidateId!: string;
}

@InputType({ description: 'Which candidate, and why.' })
export class CandidateDismissInput extends CandidateInput {
  @Field(() => String, { description: 'Why; kept with it.' })
  reason!: string;
}

@ObjectType({ description: 'What became of the candidate.' })
export class CandidatePayload {
  @Field(() => Candidate, { nullable: true, description: 'The candidate; null when refused.' })
  candidate!: Candidate | null;

  @Field(() => [UserError], { description: 'Why it was refused; empty when it was done.' })
  userErrors!: UserError[];
}

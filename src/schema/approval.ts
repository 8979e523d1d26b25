import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { approvalStatus, missingOf, nameOf, progressOf } from '../core/approvals/approval.ts';
import type {
  ApprovalDecision as Decision,
  ApprovalStatus,
  DecisionChannel,
  RuleProgress,
} from '../core/approvals/approval.ts';
import type { ApprovalRule, ApprovalSpec } from '../core/definitions.ts';
import { approvalRule } from '../core/kinds/approval.ts';
import type { PromotionState } from '../core/release.ts';
import { DecisionChannelEnum, OnExpiryEnum, wordsOf } from './choices.ts';
import { enumOf } from './enums.ts';
import { typeFor } from './shape-types.ts';
import { RELEASE_NAMES } from './node.ts';
import { Duration } from './values.ts';

/** What the core says, and two that a reader wants to know: it was not asked for yet, and it is needed no more. */
export type ShownApprovalStatus = ApprovalStatus | 'NOT_ASKED' | 'DROPPED';

export const ApprovalStatusEnum = enumOf<ShownApprovalStatus>('ApprovalStatus', 'Where an approval stands.', {
  NOT_ASKED: 'What comes before the promotion is not through yet.',
  OPEN: 'People are asked.',
  GRANTED: 'Enough of the right people have approved. That stays so, whatever else the promotion waits for.',
  REJECTED: 'An approver said no: final for this attempt.',
  EXPIRED: 'It was not given in time. Where the flow says WAIT, it still can be.',
  DROPPED: 'The promotion, or the step that asked, ended before it was decided.',
});

export const DecisionKindEnum = enumOf<Decision['kind']>('ApprovalDecisionKind', 'What was decided.', {
  APPROVED: 'Yes.',
  REJECTED: 'No.',
});

@ObjectType({ description: 'A decision on a promotion that needs an approval.' })
export class ApprovalDecision {
  static of({ kind, by, at, comment, via, makers = [] }: Decision): ApprovalDecision {
    const broughtBy = [...new Set(makers.map((each) => nameOf(each.name)))];
    return { kind, by, at: new Date(at), comment, via, broughtBy };
  }

  @Field(() => DecisionKindEnum, { description: 'Yes or no.' })
  kind!: Decision['kind'];

  @Field(() => String, {
    nullable: true,
    description: 'Who; null: a caller without a name, on a server without authentication.',
  })
  by!: string | null;

  @Field(() => Date, { description: 'When.' })
  at!: Date;

  @Field(() => String, { nullable: true, description: 'Why, in their words.' })
  comment!: string | null;

  @Field(() => DecisionChannelEnum, { description: 'How it came.' })
  via!: DecisionChannel;

  @Field(() => [String], { description: 'Who made the link or token with which it came, where another person did.' })
  broughtBy!: string[];
}

const ApprovalRuleType = typeFor(approvalRule);

@ObjectType({ description: 'How far one rule of an approval is.' })
export class ApprovalRuleProgress {
  static of({ rule, approvals, missing }: RuleProgress): ApprovalRuleProgress {
    return { rule, approvals: approvals.map((each) => ApprovalDecision.of(each)), missing };
  }

  @Field(() => ApprovalRuleType, { description: 'The rule, as the release froze it.' })
  rule!: ApprovalRule;

  @Field(() => [ApprovalDecision], {
    description: 'The approvals that count for it, in the best assignment of all approvals to all rules.',
  })
  approvals!: ApprovalDecision[];

  @Field(() => Int, { description: 'How many more it takes.' })
  missing!: number;
}

/** The fields that need the time or the caller are in `src/resolvers/approval.ts`. */
@ObjectType({
  description: 'Who has to agree before one attempt of one promotion starts, or a step of it goes on, and who has.',
})
export class Approval {
  constructor(
    readonly of: { releaseId: string; position: number; step?: number; initiator: string | null },
    readonly spec: ApprovalSpec,
    readonly state: Pick<PromotionState, 'approval' | 'attempt' | 'endedAt'>,
    asking: { step: string | null; question: string | null } = { step: null, question: null },
  ) {
    this.step = asking.step;
    this.question = asking.question;
  }

  @Field(() => String, {
    nullable: true,
    description: 'The name of the step that asks while it is under way; null: the start of the promotion does.',
  })
  step: string | null;

  @Field(() => String, { nullable: true, description: 'What the step asks, in words, where it has some.' })
  question: string | null;

  shownStatus(now: number): ShownApprovalStatus {
    const { approval, endedAt } = this.state;
    const status = approval === null ? 'NOT_ASKED' : approvalStatus(this.spec, approval, now);
    const decided = status === 'GRANTED' || status === 'REJECTED' || (approval?.expiredAt ?? null) !== null;
    return endedAt !== null && !decided ? 'DROPPED' : status;
  }

  @Field(() => Int, { description: 'The attempt of the promotion that it is about; a retry asks again.' })
  get attempt(): number {
    return this.state.attempt;
  }

  @Field(() => Date, { nullable: true, description: 'When people were asked: as soon as the dependencies were met.' })
  get requestedAt(): Date | null {
    return this.state.approval && new Date(this.state.approval.requestedAt);
  }

  @Field(() => Date, {
    nullable: true,
    description: 'Until when they may take their time; null: they are not asked yet.',
  })
  get expiresAt(): Date | null {
    return this.state.approval && new Date(this.state.approval.expiresAt);
  }

  @Field(() => OnExpiryEnum, { description: 'What happens then.' })
  get onExpiry(): ApprovalSpec['onExpiry'] {
    return this.spec.onExpiry;
  }

  @Field(() => Boolean, {
    description:
      'Whether the approval of the person who triggered the release, or started the rollback, does not count.',
  })
  get forbidInitiator(): boolean {
    return this.spec.forbidInitiator;
  }

  @Field(() => String, {
    nullable: true,
    description: 'Who triggered the release; null: Sluice, or a caller without a name.',
  })
  get initiator(): string | null {
    return this.of.initiator;
  }

  @Field(() => [ApprovalRuleProgress], { description: 'All rules; every one must be met.' })
  get rules(): ApprovalRuleProgress[] {
    return progressOf(this.spec, this.state.approval).map((each) => ApprovalRuleProgress.of(each));
  }

  @Field(() => [ApprovalDecision], { description: 'What was said, in that order.' })
  get decisions(): ApprovalDecision[] {
    return (this.state.approval?.decisions ?? []).map((each) => ApprovalDecision.of(each));
  }

  @Field(() => Int, { description: 'How many more approvals it takes, over all rules.' })
  get missing(): number {
    return missingOf(this.spec, this.state.approval);
  }
}

/** Which promotion: one of the two ways to name it. */
@InputType()
abstract class NamedPromotion {
  @Field(() => ID, { nullable: true, description: 'The id of the promotion.' })
  promotionId?: string;

  @Field(() => ID, { nullable: true, description: `The release, together with \`environment\`: ${RELEASE_NAMES}.` })
  releaseId?: string;

  @Field(() => String, { nullable: true, description: "The environment's name; for a workflow step, the step's." })
  environment?: string;
}

const STEP_THAT_ASKS =
  'The step that asks: its name, such as `billing-eu/PRE_ACTION/sign-off`, or that of its action where no other step has it. Left out, the start of the promotion is decided on.';

@InputType({
  description: 'A decision on one promotion that needs an approval: name the promotion, or release and environment.',
})
export class PromotionDecisionInput extends NamedPromotion {
  @Field(() => String, { nullable: true, description: STEP_THAT_ASKS })
  step?: string;

  @Field(() => Int, {
    nullable: true,
    description:
      'The attempt that the decision is about: it is refused once there is another. The current one when left out.',
  })
  attempt?: number;

  @Field(() => String, { nullable: true, description: 'Why; kept and shown. At most 2,000 characters.' })
  comment?: string;

  @Field(() => String, {
    nullable: true,
    description:
      'Any text of your choice: the same key with the same input changes nothing the second time. Kept at least 24 h.',
  })
  idempotencyKey?: string;
}

export const LinkDecisionEnum = wordsOf<'approve' | 'reject'>('ApprovalLinkDecision', 'What a link decides.', {
  APPROVE: ['approve', 'It approves.'],
  REJECT: ['reject', 'It rejects.'],
});

@InputType({
  description: 'A link with which one person decides on one promotion, or on a step of it, once, without signing in.',
})
export class ApprovalLinkCreateInput extends NamedPromotion {
  @Field(() => String, { nullable: true, description: STEP_THAT_ASKS })
  step?: string;

  @Field(() => LinkDecisionEnum, { description: 'What it decides: make one for each.' })
  decision!: 'approve' | 'reject';

  @Field(() => String, {
    nullable: true,
    description:
      "Whose decision it will be; the caller's when left out. Only a service account, which brings the link to its person, can name another person; then it counts for rules that name the person or no people, not for groups and roles.",
  })
  approver?: string;

  @Field(() => Duration, {
    nullable: true,
    description:
      'How long it can be used, at most 30 days; 24 hours when left out, never longer than the approval may take.',
  })
  expiresIn?: number;

  @Field(() => String, {
    nullable: true,
    description: 'Any text of your choice: the same key with the same input returns the same link. Kept at least 24 h.',
  })
  idempotencyKey?: string;
}

@InputType({ description: 'Which promotions that wait for an approval; everything in it must agree.' })
export class ApprovalFilterInput {
  @Field(() => String, { nullable: true, description: 'Of this product.' })
  product?: string;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Only those where an approval of the caller would count now.',
  })
  forMe?: boolean;
}

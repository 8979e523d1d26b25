import { Field, ID, Int, ObjectType } from 'type-graphql';
import type {
  AtPromotion,
  AtStep,
  AtTarget,
  OfStep,
  PullRequestEnd,
  ReleaseEvent,
  ReleaseEventType,
} from '../core/events.ts';
import { DecisionChannelEnum, NoticedByEnum, PhaseEnum } from './choices.ts';
import {
  enumOf,
  HealthStatusEnum,
  PromotionStatusEnum,
  ReleaseKindEnum,
  RollbackCauseKindEnum,
  RolloutStatusEnum,
} from './enums.ts';
import { PromotionEventNode, ReleaseEventNode, StepEventNode, StepOutput, UnmetGateNode } from './event-types.ts';
import { RollbackDecisionNode } from './rollback-decision.ts';
import { DateTime } from './scalars.ts';

/** A field: its GraphQL type, what it says, and whether it can be absent. */
type FieldSpec = [type: () => unknown, about: string, nullable?: 'nullable'];

type EventOf<T> = ReleaseEvent extends infer E
  ? E extends { type: infer U }
    ? T extends U
      ? E
      : never
    : never
  : never;
type OwnFields<E> = { [K in Exclude<keyof E, 'type'>]-?: FieldSpec };
type EventSpec<T> = {
  about: string;
  kind?: typeof PromotionEventNode | typeof StepEventNode;
  fields: OwnFields<EventOf<T>>;
};

const text = (): StringConstructor => String;
const texts = (): [StringConstructor] => [String];

const atPromotion: OwnFields<AtPromotion> = {
  environment: [text, "The environment's name; for a workflow step of the flow, the step's."],
  attempt: [() => Int, 'Which try of the whole promotion, from 1; a retry of the release begins a new one.'],
  before: [() => PromotionStatusEnum, "The promotion's status before."],
  status: [() => PromotionStatusEnum, "The promotion's status from now on."],
};

/** Of an approval. */
const ofStep: OwnFields<OfStep> = {
  step: [text, 'The id of the step that asks; null: the start of the promotion does.', 'nullable'],
};

const atStep: OwnFields<AtStep> = {
  environment: [text, "The environment's name; for a workflow step of the flow, the step's."],
  attempt: [() => Int, 'Which try of the whole promotion, from 1; a retry of the release begins a new one.'],
  step: [text, "The step's id, unique in its promotion."],
  phase: [() => PhaseEnum, 'The phase of the promotion that the step belongs to.'],
  application: [text, "The application's name, for a step that works on one.", 'nullable'],
};

const aPullRequest: OwnFields<Pick<PullRequestEnd, 'number' | 'url' | 'branch'>> = {
  number: [() => Int, 'Its number at its host.'],
  url: [text, 'Its address.'],
  branch: [text, 'The branch that it brings.'],
};

const itsEnd: OwnFields<PullRequestEnd> = {
  ...aPullRequest,
  by: [text, 'Who did it, as the host says. Null: not known, or Sluice.', 'nullable'],
  when: [text, 'When, as the host says: ISO 8601, UTC. Null: not known.', 'nullable'],
  noticedBy: [() => NoticedByEnum, 'What led to the look that noticed it. Null: it was closed later.', 'nullable'],
  late: [() => Boolean, 'True: its promotion was over by then. Null otherwise.', 'nullable'],
};

const atTarget: OwnFields<AtTarget> = {
  target: [text, "The environment's name."],
  from: [text, 'What people call the version that it leaves; null: not known.', 'nullable'],
  to: [text, 'What people call the version that it goes back to; null: there is none.', 'nullable'],
};

const BROUGHT_BY = 'Who made the link or token with which it came; null: no other person did.';

const promotion = { kind: PromotionEventNode };
const step = { kind: StepEventNode };

/** A new event, or a new field of one, does not compile until it is described here. */
const EVENTS: { [T in ReleaseEventType]: EventSpec<T> } = {
  ReleaseQueued: {
    about: 'A release was created and stands in line; a rollback was, and stands in none.',
    fields: {
      kind: [
        () => ReleaseKindEnum,
        'ROLLBACK: the version is taken back, in these environments; null: it travels its flow.',
        'nullable',
      ],
      product: [text, 'The name of the product that is released.'],
      flow: [text, "The flow's name."],
      version: [text, 'The version that travels.'],
      environments: [texts, 'The environments and workflow steps that it will travel, in the order of the flow.'],
      warnings: [
        texts,
        'What was found in the source while it was pinned, at most 20; the plan has all. Null: nothing.',
        'nullable',
      ],
    },
  },
  ReleaseStarted: { about: 'It was its turn: the release began.', fields: {} },
  ReleaseTerminating: {
    about: 'A person or a timeout ended the release; what runs is being stopped.',
    fields: { reason: [text, 'Why.'] },
  },
  ReleaseRetried: {
    about:
      'What had not succeeded begins again: of a whole release that had ended, or what a retry or a skip of one environment leads to, also while the release goes on.',
    fields: { environments: [texts, 'What is promoted once more, or for the first time after all.'] },
  },
  ReleaseSucceeded: {
    about: 'The release ended: all of it succeeded or was skipped.',
    fields: { reason: [text, 'Why, where there is more to say.', 'nullable'] },
  },
  ReleaseFailed: {
    about: 'The release ended: something failed that nothing tolerates.',
    fields: { reason: [text, 'Why, where there is more to say.', 'nullable'] },
  },
  ReleaseTerminated: {
    about: 'The release ended: a person or a timeout had ended it, and all of it stands still.',
    fields: { reason: [text, 'Why, where there is more to say.', 'nullable'] },
  },
  PromotionWaiting: {
    ...promotion,
    about: 'A promotion could start, but for a gate.',
    fields: {
      ...atPromotion,
      reason: [text, 'What it waits for, in words.'],
      earliest: [() => DateTime, 'When that can end by itself; null: a person has to act.', 'nullable'],
    },
  },
  WindowOverridden: {
    ...promotion,
    about: 'A person let the release into the environment although release windows are closed.',
    fields: {
      ...atPromotion,
      windows: [texts, 'The names of the windows that do not count for it.'],
      reason: [text, 'Why.'],
      expiresAt: [() => DateTime, 'From when on they count again.'],
    },
  },
  HoldLifted: {
    ...promotion,
    about: 'The hold that a rollback had put on the environment ended: a person promotes there again.',
    fields: { ...atPromotion, reason: [text, 'Why.'] },
  },
  PromotionStarted: {
    ...promotion,
    about: 'A promotion began; it has the environment to itself.',
    fields: {
      ...atPromotion,
      afresh: [
        () => Boolean,
        'True: another version was there since the last attempt, so what that had done is done again; null: it goes on from there.',
        'nullable',
      ],
    },
  },
  PromotionResumed: {
    ...promotion,
    about: 'A promotion goes on after it had waited, or after its worker was lost.',
    fields: { ...atPromotion, dispatch: [() => Int, 'The number of the job that takes it up.'] },
  },
  PromotionSucceeded: { ...promotion, about: 'The version is in the environment and healthy.', fields: atPromotion },
  PromotionFailed: {
    ...promotion,
    about: 'A promotion was judged bad, or its time was over.',
    fields: { ...atPromotion, reason: [text, 'Why.'] },
  },
  PromotionSkipped: {
    ...promotion,
    about: 'A promotion will not take place in this release, or a person wants no more of it.',
    fields: {
      ...atPromotion,
      reason: [text, 'Why.'],
      byPerson: [
        () => Boolean,
        'True: a person skipped it, and what depends on it goes on as if it had succeeded; null: nothing could start it any more.',
        'nullable',
      ],
      by: [text, 'Who skipped it; null: no person did, or a caller without a name.', 'nullable'],
    },
  },
  PromotionTerminated: {
    ...promotion,
    about: 'A promotion was stopped: with its release, or because a rollback needs its environment.',
    fields: { ...atPromotion, reason: [text, 'Why, where there is more to say.', 'nullable'] },
  },
  ApprovalRequested: {
    ...promotion,
    about:
      'All that comes before it is through: people are asked whether the promotion may start, or whether a step may go on.',
    fields: {
      ...atPromotion,
      ...ofStep,
      needed: [text, 'Whose approval it needs, in words.'],
      expiresAt: [() => DateTime, 'Until when they may take their time.'],
    },
  },
  ApprovalGiven: {
    ...promotion,
    about: 'An approver agreed.',
    fields: {
      ...atPromotion,
      ...ofStep,
      by: [text, 'Who; null: a caller without a name, on a server without authentication.', 'nullable'],
      comment: [text, 'What they said.', 'nullable'],
      via: [() => DecisionChannelEnum, 'How it came.'],
      broughtBy: [texts, BROUGHT_BY, 'nullable'],
      missing: [() => Int, 'How many approvals are still missing.'],
    },
  },
  ApprovalGranted: {
    ...promotion,
    about: 'Enough of the right people have approved.',
    fields: { ...atPromotion, ...ofStep, approvedBy: [text, 'All who approved.'] },
  },
  ApprovalRejected: {
    ...promotion,
    about: 'An approver rejected: that is final for this attempt.',
    fields: {
      ...atPromotion,
      ...ofStep,
      by: [text, 'Who; null: a caller without a name, on a server without authentication.', 'nullable'],
      comment: [text, 'What they said.', 'nullable'],
      via: [() => DecisionChannelEnum, 'How it came.'],
      broughtBy: [texts, BROUGHT_BY, 'nullable'],
    },
  },
  ApprovalExpired: {
    ...promotion,
    about: 'The time for an approval is over, and it was not given.',
    fields: { ...atPromotion, ...ofStep, reason: [text, 'What is missing.'] },
  },
  StepStarted: { ...step, about: 'A worker began a step.', fields: atStep },
  StepWaiting: {
    ...step,
    about: 'A step looked, and it is not there yet.',
    fields: {
      ...atStep,
      reason: [text, 'What it waits for, in words.'],
      recheckAt: [() => DateTime, 'When it looks again; null: when a report comes.', 'nullable'],
    },
  },
  StepRetrying: {
    ...step,
    about: 'A step could not get there (network, rate limit, crash) and is tried again.',
    fields: {
      ...atStep,
      message: [text, 'What went wrong.'],
      tries: [() => Int, 'How many times it was tried.'],
      retryAt: [() => DateTime, 'When it is tried again.'],
    },
  },
  StepSucceeded: {
    ...step,
    about: 'A step is done.',
    fields: { ...atStep, outputs: [() => [StepOutput], 'What it left for the steps after it.'] },
  },
  StepFailed: {
    ...step,
    about: 'A step was judged bad, or was tried often enough.',
    fields: {
      ...atStep,
      message: [text, 'What went wrong.'],
      applied: [
        () => Boolean,
        'True: its change was made before it was stopped, and what it brought is live. Null otherwise.',
        'nullable',
      ],
    },
  },
  StepTerminated: { ...step, about: 'A step was stopped together with its promotion.', fields: atStep },
  ActionCommitted: {
    ...step,
    about: "The version was written into the application's repository.",
    fields: {
      ...atStep,
      commit: [text, 'The commit that holds it.'],
      changed: [() => Boolean, 'False: it was there already, and nothing had to be written.'],
      skipped: [
        texts,
        'Entries that stand in the source alone and were left out, as the template says: file and place; at most 50.',
        'nullable',
      ],
    },
  },
  PullRequestOpened: {
    ...step,
    about: 'The change was proposed as a pull request.',
    fields: {
      ...atStep,
      ...aPullRequest,
      remarks: [
        texts,
        'What was asked for with it and is not so, such as a label or reviewer that the host does not know; at most 20. Null: nothing.',
        'nullable',
      ],
    },
  },
  PullRequestMerged: {
    ...step,
    about: 'The change of a pull request is on the branch that it was for.',
    fields: {
      ...atStep,
      ...itsEnd,
      commit: [text, 'The commit of that branch at which the change was there. Null: not known.', 'nullable'],
    },
  },
  PullRequestClosed: {
    ...step,
    about: 'A pull request was closed without being merged.',
    fields: { ...atStep, ...itsEnd },
  },
  DriftOverwritten: {
    ...step,
    about: 'What was live there was not what had been promoted: it had been changed by hand, and this went over it.',
    fields: {
      ...atStep,
      files: [texts, "What had been changed, below the application's folder; at most 20."],
      commit: [text, 'The commit that had touched it last.', 'nullable'],
      author: [text, 'Who made that commit.', 'nullable'],
    },
  },
  PullRequestMergedOutsideGates: {
    ...step,
    about:
      'A pull request was merged, or its change came to the branch by another way while it was open, at a moment at which gates of its promotion did not hold. The change is live.',
    fields: {
      ...atStep,
      unmet: [() => [UnmetGateNode], 'The gates that did not hold at that moment.'],
      by: [text, 'Who merged it, as the host says; null: the host does not say, or it was not merged.', 'nullable'],
      when: [text, 'When it was merged, as the host says; else when the change was found: ISO 8601, UTC.'],
      number: [() => Int, 'The number of the pull request at its host.'],
      url: [text, 'Its address.'],
    },
  },
  HealthChanged: {
    ...promotion,
    about: "An application's health is another one than before.",
    fields: {
      ...atPromotion,
      application: [text, "The application's name."],
      health: [() => HealthStatusEnum, 'Its health now.'],
      message: [text, 'What the health source said.', 'nullable'],
    },
  },
  DeploymentReported: {
    ...promotion,
    about: 'A report named the commit or version that an application runs.',
    fields: {
      ...atPromotion,
      application: [text, "The application's name."],
      commit: [text, 'The commit; null: it was not named.', 'nullable'],
      version: [text, 'The version; null: it was not named.', 'nullable'],
    },
  },
  RolloutReported: {
    ...promotion,
    about: "A report from outside told how the rollout of the release's version went there.",
    fields: {
      ...atPromotion,
      rollout: [() => RolloutStatusEnum, 'How it went.'],
      message: [text, 'What they said.'],
    },
  },
  ReleaseTakenBack: {
    about: 'A rollback takes (a part of) this release back: nothing of it starts any more.',
    fields: {
      rollback: [() => ID, 'The id of the rollback, which is that of its release.'],
      reason: [text, 'Why.'],
    },
  },
  PromotionRollingBack: {
    ...promotion,
    about: "A rollback is at work in the promotion's environment.",
    fields: { ...atPromotion, rollback: [() => ID, 'The id of the rollback.'] },
  },
  PromotionRolledBack: {
    ...promotion,
    about: 'The environment is back at the version that was healthy there before.',
    fields: { ...atPromotion, rollback: [() => ID, 'The id of the rollback.'] },
  },
  PromotionRollbackFailed: {
    ...promotion,
    about: 'The environment could not be brought back; a person has to look.',
    fields: { ...atPromotion, rollback: [() => ID, 'The id of the rollback.'], reason: [text, 'Why.'] },
  },
  RollbackStarted: {
    about: 'A rollback was decided: what it takes back, why, and what becomes of each environment.',
    fields: {
      cause: [() => RollbackCauseKindEnum, 'What happened.'],
      causedIn: [text, 'The environment in which it happened; null: one that the caller does not see.', 'nullable'],
      reason: [text, 'In words.'],
      version: [text, 'What people call the version that is taken back.'],
      digest: [text, 'Its digest.'],
      origin: [() => ID, 'The release that brought it; null when it is not known.', 'nullable'],
      targets: [() => [RollbackDecisionNode], 'Every environment that was looked at.'],
    },
  },
  RollbackJoined: {
    about:
      'Something else went wrong in an environment that this rollback takes back already: one rollback does for both.',
    fields: {
      cause: [() => RollbackCauseKindEnum, 'What happened.'],
      causedIn: [text, 'The environment in which it happened; null: one that the caller does not see.', 'nullable'],
      reason: [text, 'In words.'],
      origin: [() => ID, 'The release to which it happened; null when it is not known.', 'nullable'],
    },
  },
  RollbackTargetProposed: {
    about: 'An environment goes back once it is approved.',
    fields: { ...atTarget, reason: [text, 'Why it is proposed.'] },
  },
  RollbackTargetImpossible: {
    about: 'An environment should go back and cannot; a person has to look.',
    fields: { ...atTarget, reason: [text, 'Why it cannot.'] },
  },
  RollbackTargetStarted: { about: 'An environment is going back.', fields: atTarget },
  RollbackTargetSucceeded: { about: 'An environment is back at its earlier version, and healthy.', fields: atTarget },
  RollbackTargetFailed: {
    about: 'An environment could not be brought back.',
    fields: { ...atTarget, reason: [text, 'Why.'] },
  },
  RollbackTargetLeftAlone: {
    about: 'An environment does not go back.',
    fields: { ...atTarget, reason: [text, 'Why not.'] },
  },
  GroupGateAsked: {
    about: 'Enough members of a group have succeeded: they are asked whether they are healthy now, together.',
    fields: { group: [text, "The group's name."] },
  },
  GroupGatePassed: {
    about: 'Enough members of a group are healthy: what depends on it may start.',
    fields: { group: [text, "The group's name."] },
  },
  GroupGateWaiting: {
    about: 'Not enough members of a group are known to be healthy yet: they are asked again.',
    fields: { group: [text, "The group's name."], reason: [text, 'What it waits for, in words.'] },
  },
  GroupGateFailed: {
    about: "A group's gate can no longer be fulfilled.",
    fields: { group: [text, "The group's name."], reason: [text, 'Why.'] },
  },
};

function objectType(name: string, { about, kind, fields }: EventSpec<ReleaseEventType>): new () => ReleaseEventNode {
  const base = (kind ?? ReleaseEventNode) as unknown as new () => ReleaseEventNode;
  const type = class extends base {};
  ObjectType(name, { description: about, implements: kind ? [ReleaseEventNode, kind] : ReleaseEventNode })(type);
  addFields(type, fields);
  return type;
}

function addFields(type: { prototype: object }, fields: Record<string, FieldSpec>): void {
  for (const [name, [fieldType, description, nullable]] of Object.entries(fields)) {
    Field(fieldType as () => StringConstructor, { description, nullable: nullable === 'nullable' })(
      type.prototype,
      name,
    );
  }
}

addFields(PromotionEventNode, atPromotion);
addFields(StepEventNode, atStep);

export const RELEASE_EVENT_TYPES = Object.entries(EVENTS).map(([name, spec]) =>
  objectType(name, spec as EventSpec<ReleaseEventType>),
);

export const ReleaseEventTypeEnum = enumOf<ReleaseEventType>(
  'ReleaseEventType',
  'The kinds of events; each is also the name of the type that carries it.',
  Object.fromEntries(Object.entries(EVENTS).map(([name, { about }]) => [name, about])) as Record<
    ReleaseEventType,
    string
  >,
);

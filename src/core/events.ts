import type { DecisionChannel } from './approvals/approval.ts';
import type { HealthStatus, RollbackCauseKind } from './definitions.ts';
import type { GateName } from './gates/answer.ts';
import type { NoticedBy, PromotionStatus, ReleaseStatus, RolloutStatus } from './release.ts';
import type { RollbackDecision } from './rollback/rollback.ts';

/**
 * What happened to a release: history, never orders. Each carries what a screen needs to redraw without asking again.
 * The store adds the release, the gapless number, the time and the actor.
 */
export type ReleaseEvent =
  /** `kind`: left out where a version travels its flow. */
  | {
      type: 'ReleaseQueued';
      kind?: 'ROLLBACK';
      product: string;
      flow: string;
      version: string;
      environments: string[];
      /** What was found in the source while it was pinned; left out where there is nothing. */
      warnings?: string[];
    }
  | { type: 'ReleaseStarted' }
  | { type: 'ReleaseTerminating'; reason: string }
  /** These begin again: all that did not succeed, or those that a retry or a skip of one of them leads to. */
  | { type: 'ReleaseRetried'; environments: string[] }
  | { type: 'ReleaseSucceeded' | 'ReleaseTerminated' | 'ReleaseFailed'; reason?: string }
  | ({ type: 'PromotionWaiting'; reason: string; earliest?: string } & AtPromotion)
  | ({ type: 'WindowOverridden'; windows: string[]; reason: string; expiresAt: string } & AtPromotion)
  | ({ type: 'HoldLifted'; reason: string } & AtPromotion)
  /** `afresh`: steps that an earlier attempt had done are done again, because another version was there since. */
  | ({ type: 'PromotionStarted'; afresh?: true } & AtPromotion)
  | ({ type: 'PromotionResumed'; dispatch: number } & AtPromotion)
  | ({ type: 'PromotionSucceeded' } & AtPromotion)
  | ({ type: 'PromotionTerminated'; reason?: string } & AtPromotion)
  | ({ type: 'PromotionFailed'; reason: string } & AtPromotion)
  /** `byPerson`: a person wanted it, `by` by name; what depends on it goes on. Left out where nothing could start it any more. */
  | ({ type: 'PromotionSkipped'; reason: string; byPerson?: true; by?: string } & AtPromotion)
  | ({ type: 'ApprovalRequested'; needed: string; expiresAt: string } & OfStep & AtPromotion)
  | ({ type: 'ApprovalGiven'; missing: number } & Said & OfStep & AtPromotion)
  | ({ type: 'ApprovalGranted'; approvedBy: string } & OfStep & AtPromotion)
  | ({ type: 'ApprovalRejected' } & Said & OfStep & AtPromotion)
  | ({ type: 'ApprovalExpired'; reason: string } & OfStep & AtPromotion)
  | ({ type: 'StepStarted' } & AtStep)
  | ({ type: 'StepWaiting'; reason: string; recheckAt?: string } & AtStep)
  | ({ type: 'StepRetrying'; message: string; tries: number; retryAt: string } & AtStep)
  | ({ type: 'StepSucceeded'; outputs?: Record<string, string> } & AtStep)
  /** `applied`: the change was made before the step was stopped, and what it brought is live. */
  | ({ type: 'StepFailed'; message: string; applied?: true } & AtStep)
  | ({ type: 'StepTerminated' } & AtStep)
  | ({ type: 'ActionCommitted'; commit: string; changed: boolean; skipped?: string[] } & AtStep)
  | ({ type: 'PullRequestOpened'; number: number; url: string; branch: string; remarks?: string[] } & AtStep)
  /**
   * `when`: as the host says, ISO 8601. `noticedBy`: what led to the look that noticed it. `late`: after its promotion was over; the
   * change of one that was merged then is live all the same.
   */
  | ({ type: 'PullRequestMerged'; commit?: string } & PullRequestEnd & AtStep)
  | ({ type: 'PullRequestClosed' } & PullRequestEnd & AtStep)
  | ({ type: 'DriftOverwritten'; files: string[]; commit?: string; author?: string } & AtStep)
  /** The gates that did not hold at that moment. `by`: who merged, where the host says so. `when`: ISO 8601, as the host says. */
  | ({
      type: 'PullRequestMergedOutsideGates';
      unmet: UnmetGate[];
      by?: string;
      when: string;
      number: number;
      url: string;
    } & AtStep)
  | ({ type: 'HealthChanged'; application: string; health: HealthStatus; message?: string } & AtPromotion)
  | ({ type: 'DeploymentReported'; application: string; commit?: string; version?: string } & AtPromotion)
  | ({ type: 'RolloutReported'; rollout: RolloutStatus; message: string } & AtPromotion)
  /** To the log of the release that is taken back. */
  | { type: 'ReleaseTakenBack'; rollback: string; reason: string }
  | ({ type: 'PromotionRollingBack' | 'PromotionRolledBack'; rollback: string } & AtPromotion)
  | ({ type: 'PromotionRollbackFailed'; rollback: string; reason: string } & AtPromotion)
  /** To the log of the rollback, which is a release of its own. */
  | {
      type: 'RollbackStarted';
      cause: RollbackCauseKind;
      causedIn: string;
      reason: string;
      version: string;
      digest: string;
      origin?: string;
      targets: ToldDecision[];
    }
  | { type: 'RollbackJoined'; causedIn: string; cause: RollbackCauseKind; reason: string; origin?: string }
  | ({ type: 'RollbackTargetProposed' | 'RollbackTargetImpossible'; reason: string } & AtTarget)
  | ({ type: 'RollbackTargetStarted' | 'RollbackTargetSucceeded' } & AtTarget)
  | ({ type: 'RollbackTargetFailed' | 'RollbackTargetLeftAlone'; reason: string } & AtTarget)
  | { type: 'GroupGateAsked' | 'GroupGatePassed'; group: string }
  | { type: 'GroupGateWaiting' | 'GroupGateFailed'; group: string; reason: string };

/** A gate that did not hold, and why. */
export interface UnmetGate {
  gate: GateName;
  reason: string;
}

/** How a pull request came to its end. */
export interface PullRequestEnd {
  number: number;
  url: string;
  branch: string;
  by?: string;
  when?: string;
  noticedBy?: NoticedBy;
  late?: true;
}

/** What a caller said. `broughtBy`: who made the link or token that brought it, where that was not the caller. */
export interface Said {
  by?: string;
  comment?: string;
  via: DecisionChannel;
  broughtBy?: string[];
}

/** `step`: the id of the step that asks; left out where the start of the promotion does. */
export interface OfStep {
  step?: string;
}

/** What was decided for one environment. */
export interface ToldDecision {
  environment: string;
  decision: RollbackDecision;
  reason: string;
  from?: string;
  to?: string;
}

/** `from` and `to` are what people call the versions. */
export interface AtTarget {
  target: string;
  from?: string;
  to?: string;
}

export interface AtPromotion {
  /** The environment's name, or the workflow step's. */
  environment: string;
  attempt: number;
  before: PromotionStatus;
  status: PromotionStatus;
}

export interface AtStep {
  environment: string;
  attempt: number;
  step: string;
  phase: string;
  application?: string;
}

export type ReleaseEventType = ReleaseEvent['type'];

/** An event with its place in the log. */
export interface NumberedEvent {
  sequence: number;
  /** Milliseconds since the epoch, UTC; never before the event before it. */
  at: number;
  /** The release's status after the decision that the event belongs to. */
  releaseStatus: ReleaseStatus;
  actor: string | null;
  event: ReleaseEvent;
}

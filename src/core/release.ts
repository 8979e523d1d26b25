import type { ApprovalState, DecisionChannel } from './approvals/approval.ts';
import type { Caller, Maker } from './caller.ts';
import type { PromotionContext } from './context.ts';
import type { ApprovalSpec, HealthStatus, RollbackCauseKind } from './definitions.ts';
import type { GateAnswer } from './gates/answer.ts';
import type { MergeState } from './gates/merge-state.ts';
import type { HealthClock, Observation } from './health-clock.ts';
import type { BadVersion, EnvironmentHold } from './holds.ts';
import type { Problem } from './problems.ts';
import type { Running } from './running.ts';
import type { ReleaseWindow } from './windows/index.ts';
import type { WindowOverride } from './windows/override.ts';

/** The state of a release: plain data, all times in milliseconds since the epoch (UTC). */
export interface ReleaseState {
  id: string;
  status: ReleaseStatus;
  /** Who triggered it, by name; null: a caller without a name, or Sluice itself. */
  initiator: string | null;
  /** Who made the credential with which that was done; absent: no other caller. */
  initiatorMakers?: readonly Maker[];
  createdAt: number;
  startedAt: number | null;
  endedAt: number | null;
  /** When a limit ends the release if everything stays as it is: what waits by then does not use up `timeout`. */
  deadline: number | null;
  /** From when `maxAge` counts: its creation, or the last retry. */
  countsFrom: number;
  /** How long it has moved, for the flow's `timeout`; in this attempt. */
  moving: Meter;
  /** The same, by position, of promotions that have a limit of their own. */
  limited: Readonly<Record<number, Meter>>;
  /** Set once a caller or a timeout wants it to end; nothing new starts from then on. */
  terminating: { reason: string; by: string | null } | null;
  /** Set when a failure that nothing tolerates stopped the flow: what is not started never starts. */
  halted: boolean;
  promotions: PromotionState[];
  groups: GroupState[];
  /** By position: what a person wants left out, or left out. What depends on it goes on as if it had succeeded. */
  skips: Readonly<Record<number, Skip>>;
  /** Positions of what failed and holds up nothing any more: a person has seen it, and retried or skipped something else since. */
  forgiven: readonly number[];
  /** Rollback's id → what it has told this release; empty as long as nothing of it is taken back. */
  rollbacks: Record<string, TakenBack>;
  /** What its hooks have handed on to later ones. */
  context: PromotionContext;
  /** Keys of what it was told and must not take in twice, the newest last. */
  heard: Heard[];
  firstProblem: Problem | null;
  lastProblem: Problem | null;
  /** The earliest time at which `advance` must look again without being told anything. */
  wakeAt: number | null;
  /** The number of the last event; the next one is one more. */
  sequence: number;
  /** The time of the last event: events never go back in time, even when a server's clock does. */
  lastEventAt: number;
}

/** A key that a release has taken in, and when. */
export interface Heard {
  key: string;
  at: number;
}

/** What a runner keeps of what it began, from one look to the next: plain JSON, such as the number of a pull request. */
export type Progress = Readonly<Record<string, unknown>>;

/** How long something has moved. `since`: it moves now, since then, in milliseconds; null: it waits. */
export interface Meter {
  used: number;
  since: number | null;
}

/** A person's decision to leave a promotion out. */
export interface Skip {
  reason: string;
  /** Null: a caller without a name. */
  by: string | null;
  /** Milliseconds since the epoch, UTC. */
  at: number;
}

/** A rollback that takes (a part of) this release back. */
export interface TakenBack {
  /** `billing#42`; absent in states that an older version saved. */
  called?: string;
  reason: string;
  /** The number of the rollback's event at which this was told: what an older telling says does not count any more. */
  sequence: number;
  /** Promotions that must not go on: the rollback needs their environments. */
  stop: number[];
  /** Its release was retried since: what is pending may start again. */
  over: boolean;
}

/** Every status of a release. SUSPENDED: nothing runs, and something still waits. */
export const RELEASE_STATUSES = [
  'QUEUED',
  'RUNNING',
  'SUSPENDED',
  'TERMINATING',
  'SUCCEEDED',
  'FAILED',
  'TERMINATED',
] as const;
export type ReleaseStatus = (typeof RELEASE_STATUSES)[number];

/** FORWARD brings a version through a flow; ROLLBACK takes one back where it is live. */
export type ReleaseKind = 'FORWARD' | 'ROLLBACK';

/** Every status of a promotion; the last three say how it was taken back. */
export const PROMOTION_STATUSES = [
  'PENDING',
  'WAITING',
  'RUNNING',
  'SUSPENDED',
  'SUCCEEDED',
  'FAILED',
  'TERMINATED',
  'SKIPPED',
  'ROLLING_BACK',
  'ROLLED_BACK',
  'ROLLBACK_FAILED',
] as const;
export type PromotionStatus = (typeof PROMOTION_STATUSES)[number];

/** Where one promotion is. */
export interface PromotionState {
  status: PromotionStatus;
  /** Counts the tries of the whole promotion from 1; a retry of the release begins a new one. */
  attempt: number;
  /** Counts the jobs that were asked for in this release's promotion; the newest one's number. */
  dispatch: number;
  steps: StepState[];
  startedAt: number | null;
  endedAt: number | null;
  problem: Problem | null;
  /** What was judged, together, in the transaction that started it. */
  evidence: GateAnswer[] | null;
  /** What people said about windows that were to hold it; those that have expired, too. */
  overrides: WindowOverride[];
  /** Null until an approval is asked for, and where none is needed. */
  approval: ApprovalState | null;
  /** What stands between its pull requests and their merge; null: it has none yet. States of Sluice 0.1 have none. */
  merge?: MergeState | null;
}

export const STEP_STATUSES = ['PENDING', 'RUNNING', 'WAITING', 'SUCCEEDED', 'FAILED', 'TERMINATED'] as const;
export type StepStatus = (typeof STEP_STATUSES)[number];

/** Where one step is, and what it left. */
export interface StepState {
  status: StepStatus;
  /** The job that owns this step while it is RUNNING. */
  dispatch: number;
  /**
   * The job that does this dispatch besides its own, by its name in the release (see jobs/job-data.ts); null: the dispatch has a job to
   * itself. States of Sluice 0.1 have none.
   */
  carrier?: string | null;
  /** The step whose success made this one RUNNING: its lane goes on here. Null where a dispatch began with it. */
  after: number | null;
  /** How many times it was tried in this attempt of the promotion, transient failures included. */
  tries: number;
  startedAt: number | null;
  endedAt: number | null;
  /** Since when it has been WAITING; null: not written down. */
  waitingSince: number | null;
  /** When a WAITING step is due. */
  recheckAt: number | null;
  /**
   * It waits for a person or an outside system, and is looked at now and then: because that is how it is noticed, or in case the
   * telling was lost. Such a look is no work: what waits goes on waiting.
   */
  outside: boolean;
  /** What it waits for; null: for a time, or it does not wait. States of Sluice 0.1 have none. */
  waitsFor?: Awaited | null;
  /** Until when its source was seen to hold the change back: its patience counts from there. Null or absent: never. */
  heldUntil?: number | null;
  /** People are asked about it; null or absent: nobody is, or it goes on already. */
  asked?: AskedOfStep | null;
  /** What its runner keeps of what it began; null: nothing is begun that a look could ask about. States of Sluice 0.1 have none. */
  progress?: Progress | null;
  /**
   * The health that was reported during a look; TOLD: the running version was reported during it. That look may have come too early,
   * and is done again.
   */
  news: HealthStatus | 'TOLD' | null;
  /** What told it to look, since its last look. States of Sluice 0.1 do not say so. */
  toldBy?: NoticedBy | null;
  /**
   * Nothing that it began outside is left to end: its pull request is closed, its workflow is over, or an errand sees to it. States of Sluice
   * 0.1 do not say so.
   */
  closed?: boolean;
  /** It was told to stop: it has failed, with this message, once its effect has ended, and at `by` whatever became of it. */
  stop: { message: string; since: number; by: number } | null;
  /** What it waits for, in words. */
  reason: string | null;
  /** Of a soak: how long its application has been healthy. */
  clock: HealthClock | null;
  /** How many looks in a row found its application DEGRADED. */
  badLooks: number;
  /** Of a health and of a soak: the last look could tell how it is. What fails without takes nothing back. */
  seen: boolean;
  outputs: Record<string, string> | null;
  /** Of a change: its target held the content already. States of Sluice 0.1 do not say so. */
  unchanged?: boolean;
  /**
   * Of a sync: when its target was told to run the change; of a merge: when it was merged. Both may be long before a look found that; null or
   * absent: at its end.
   */
  runsSince?: number | null;
  /** It failed, and it is not known whether its effect took place. */
  unclear: boolean;
  firstError: string | null;
  lastError: string | null;
}

/**
 * OPEN: members are still on their way. ASKING: enough have succeeded, and their health is asked again now. WAITING: the
 * answer was not final, it is asked again at `recheckAt`. PASSED and FAILED are final until a retry.
 */
export interface GroupState {
  status: 'OPEN' | 'ASKING' | 'WAITING' | 'PASSED' | 'FAILED';
  /** Counts the times that the gate was asked: an answer to an older question is ignored. */
  generation: number;
  /** While ASKING: the job that asks besides its own work, by its name. Null: a job for this question asks. States of Sluice 0.1 have none. */
  carrier?: string | null;
  recheckAt: number | null;
  /** Since when the gate has been waiting for an answer that is not UNKNOWN. */
  unknownSince: number | null;
  reason: string | null;
  /** What was told of members while the gate was asked: an answer that does not know of it is no answer. */
  news: { member: number; status: HealthStatus }[];
  /** Of each member, in the order of the plan: how long it has been healthy. Null: it was never asked about. */
  clocks: (HealthClock | null)[];
  /** Of each member: how many looks in a row found it DEGRADED. States of Sluice 0.1 have none. */
  badLooks?: number[];
}

/** What people are asked about a step that is under way, and what they said. */
export interface AskedOfStep {
  /** In words, where the step has some. */
  question: string | null;
  spec: ApprovalSpec;
  approval: ApprovalState;
}

/** Who has to do something before a step goes on. */
export type Awaited = 'PERSON' | 'SYSTEM';

/** What a driver, a workflow action or a health source came back with. */
export type Outcome =
  | {
      kind: 'succeeded';
      outputs?: Record<string, string>;
      commit?: string;
      changed?: boolean;
      /** It went over a change that was made by hand. */
      drift?: { files: string[]; commit?: string; author?: string };
      /** Entries that stand in the source alone and were left out, in words. */
      skipped?: string[];
      /** Of work on a pull request: the one that was opened, or has its change on the branch now. */
      pullRequest?: PullRequestNews;
      /** Of a sync: when its target was told to run the change; of a merge: when it was merged. In milliseconds; absent: it was seen just now. */
      runsSince?: number;
    }
  /**
   * Never tried again by itself. `unclear`: cut off, so that its effect may have taken place all the same; of a look at a health:
   * it could not be seen, and is not judged.
   */
  | {
      kind: 'failed';
      message: string;
      unclear?: boolean;
      pullRequest?: PullRequestNews & { state: 'MERGED' | 'CLOSED' };
      /** Nothing that it began outside goes on. */
      over?: true;
    }
  /**
   * Could not tell, or could not get there: tried again with backoff, `retryAfter` milliseconds at the least. `throttled`: there was no
   * room for it, so it was no try. `progress`: in the place of what the look before kept.
   */
  | { kind: 'transient'; message: string; retryAfter?: number; throttled?: true; progress?: Progress }
  /**
   * Not there yet: look again at `recheckAfter` milliseconds from now, or when a report comes. `waitsFor`: a person or an outside
   * system has to do something, which uses up no `timeout`; without it and with a time it is work that goes on.
   */
  | {
      kind: 'pending';
      reason: string;
      recheckAfter?: number;
      waitsFor?: Awaited;
      progress?: Progress;
      /** Its source holds the change back for now, as a sync window of Argo CD does: that time uses up no patience. */ held?: true;
    }
  /** People have to agree before it goes on. It is looked at once more when they have. Asked again, it is the same question. */
  | { kind: 'asked'; question: string | null; approval: ApprovalSpec; progress?: Progress }
  /** A look at the health of what waits for it, or soaks. */
  | {
      kind: 'observed';
      health: Observation;
      /** When to ask again where it is not final, in milliseconds; absent: a report will come. */ recheckAfter?: number;
      /** It goes on when a person has done something, such as promoting a rollout that is paused. */ waitsFor?: Awaited;
    }
  | { kind: 'aborted' };

/** A pull request as it was seen, or left. */
export interface PullRequestNews {
  /** OPEN, although its change is on the branch: it came there by another way. */
  state: 'OPEN' | 'MERGED' | 'CLOSED';
  number: number;
  url: string;
  branch: string;
  /** Who merged or closed it, where the host says so. */
  by?: string;
  /** When, as the host says: milliseconds since the epoch, UTC. */
  at?: number;
  /** What led to the look, where the look itself knows. */
  noticedBy?: NoticedBy;
  /** It was merged, and its branch could not be deleted with it: an errand does that. */
  branchLeft?: true;
  /** What was asked for with it and is not so, such as a reviewer whom the host does not know: in words. */
  remarks?: string[];
}

/** What led to the look that noticed something about a pull request. */
export const NOTICED_BY = ['WEBHOOK', 'PUSH', 'POLL', 'LOOK', 'MERGE'] as const;
export type NoticedBy = (typeof NOTICED_BY)[number];

/** What one of a member's applications says; several make several of these. */
export interface MemberHealth extends Observation {
  promotion: number;
}

/**
 * What makes a release move. `key`: the same key again is the same stimulus, and changes nothing; those of `KEYED` need one.
 */
export type Stimulus = SomeStimulus & { key?: string };

type SomeStimulus =
  /** Time passed, a lock was freed, a turn came: look again. */
  | { kind: 'tick' }
  /** `job`: the name of the job that reports it and can go on with what follows from it. Absent: that is for another job. */
  | {
      kind: 'outcome';
      promotion: number;
      attempt: number;
      step: number;
      dispatch: number;
      outcome: Outcome;
      job?: string;
    }
  | { kind: 'group-answer'; group: number; generation: number; health: MemberHealth[]; job?: string }
  /** An application's health was reported: steps that wait for it are due now. */
  | ({ kind: 'health-reported'; environment: string; application: string; by?: string | null } & Pick<
      Observation,
      'status' | 'message' | 'unhealthyAt'
    >)
  /** The commit or version that an application runs was reported: what waits for that looks at once. */
  | { kind: 'deployment-reported'; environment: string; application: string; running: Running; by?: string | null }
  /** A source has news of an application: what waits for its sync or health asks at once. Nothing of the news is believed. */
  | { kind: 'application-told'; environment: string; application: string }
  /** Something happened to a pull request of that attempt, or to the branch that it is for: what waits for the merge looks at once. */
  | { kind: 'pull-request-told'; promotion: number; attempt: number; via: Exclude<NoticedBy, 'LOOK' | 'MERGE'> }
  /** What became of a pull request after its promotion was over. `landed`: applications whose change is on the branch, as it was merged first. */
  | {
      kind: 'pull-request-closed';
      promotion: number;
      attempt: number;
      /** Those of its step that opens it. */
      step: number;
      pullRequest: PullRequestNews;
      landed: { application: number; commit: string | null }[];
    }
  /**
   * `onlyIf`: it ends nothing unless the release, when this is decided, waits for its turn, is at work in that environment, or does
   * nothing but wait for a pull request there that a newer release replaces.
   */
  | {
      kind: 'terminate';
      reason: string;
      by: string | null;
      onlyIf?: 'QUEUED' | { atWorkIn: string } | { inReviewIn: string };
    }
  | DecisionStimulus
  | OverrideStimulus
  /** `promotion`: of that one alone, also after the end; absent: of everything that did not succeed. */
  | { kind: 'retry'; by: string | null; promotion?: number }
  /** A person leaves a promotion out: one that is to start, one that is at work, or one that did not succeed. */
  | { kind: 'skip'; promotion: number; reason: string; by: string | null }
  /** The queue no longer has the job of this dispatch (or of this question): it is asked for again. */
  | { kind: 'lost-dispatch'; promotion: number; dispatch: number }
  | { kind: 'lost-question'; group: number; generation: number }
  /** A caller reports how the rollout of this release's version in an environment went, in one attempt. */
  | {
      kind: 'rollout-reported';
      environment: string;
      attempt: number;
      status: RolloutStatus;
      message: string;
      by?: string | null;
    }
  /** A rollback says where it stands in the environments that it takes this release back from. Told whole, and told again. */
  | { kind: 'rollback-told'; rollback: string; called: string; sequence: number; reason: string; targets: ToldTarget[] }
  /** To a rollback: something else went wrong in an environment that it takes back already. */
  | {
      kind: 'rollback-joined';
      environment: string;
      cause: RollbackCauseKind;
      reason: string;
      release: string | null;
      by?: string | null;
    };

/** What an outside system says of a rollout. UNKNOWN is noted and decides nothing. */
export const ROLLOUT_STATUSES = ['SUCCEEDED', 'FAILED', 'ROLLED_BACK', 'UNKNOWN'] as const;
export type RolloutStatus = (typeof ROLLOUT_STATUSES)[number];

export interface ToldTarget {
  environment: string;
  standing: RollbackStanding;
  /** Why it failed. */
  reason: string | null;
}

/** NONE: not begun, or it never will. STOP: it will go back, and what the taken-back release still does there has to end. */
export type RollbackStanding = 'NONE' | 'STOP' | 'ROLLING_BACK' | 'ROLLED_BACK' | 'ROLLBACK_FAILED';

/** A caller decides on a promotion that waits for an approval. `attempt`: the one that the caller was asked about. */
export interface DecisionStimulus {
  kind: 'approve' | 'reject';
  promotion: number;
  /** Of a step that asks by itself; absent: on the start of the promotion. */
  step?: number;
  attempt: number;
  by: Caller | null;
  comment: string | null;
  via: DecisionChannel;
}

/** A caller lets this release into an environment although windows are closed. */
export interface OverrideStimulus {
  kind: 'override-windows';
  promotion: number;
  windows: string[];
  reason: string;
  by: string | null;
  expiresAt: number;
}

/** Read from the database under the product's lock, in the transaction of the decision. */
export interface Facts {
  /** The release that must end before this one may start, or null when it is its turn. */
  behind: OtherRelease | null;
  /** Environment → the other release that is at work there. */
  heldBy: Readonly<Record<string, OtherRelease>>;
  /** Environment → what the older release that goes first there, and has not started there yet, is doing about it. */
  ahead?: Readonly<Record<string, PromotionStatus>>;
  /** Environment → the release windows that concern this product there, as they are defined now. */
  windows: Readonly<Record<string, ReleaseWindow[]>>;
  /** Environment → how long a promotion takes there, in milliseconds: p95 of those that succeeded. */
  runway: Readonly<Record<string, number>>;
  /** For a rollback: application → its newest deployment. */
  live: Readonly<Record<string, LiveVersion>>;
  /** Environment → what holds this product there and was not lifted. */
  holds: Readonly<Record<string, EnvironmentHold[]>>;
  /** Environment → the marks that keep this version out of it and were not taken back. */
  badVersions: Readonly<Record<string, BadVersion[]>>;
  /** A person triggered this release. */
  byPerson: boolean;
  /** Environments where this release had made its change, and another version has become current since. */
  overtaken: readonly string[];
}

/** A release by its id, and as people call it. */
export interface OtherRelease {
  id: string;
  /** `billing#42`. */
  called: string;
}

/** A deployment record's id, and the version that it made current. */
export interface LiveVersion {
  id: string;
  digest: string;
  label: string;
}

/** Nothing is in the way. For explaining what has ended: a start is decided on facts that were read. */
export const NO_FACTS: Facts = {
  behind: null,
  heldBy: {},
  windows: {},
  runway: {},
  live: {},
  holds: {},
  badVersions: {},
  byPerson: false,
  overtaken: [],
};

/** A version became current in an environment's application, or was found healthy there. */
export interface DeploymentFact {
  promotion: number;
  application: number;
  at: number;
  commit: string | null;
  /** Null: not found healthy yet. */
  verified: Verification | null;
}

/** How a deployment was found good: by its health alone, or after its target was seen to run the change. */
export const VERIFICATIONS = ['HEALTH_ONLY', 'SYNC_AND_HEALTH'] as const;
export type Verification = (typeof VERIFICATIONS)[number];

/** Its own work is over; what still happens in ROLLING_BACK is the work of the rollback, which is a release of its own. */
export const ENDED_PROMOTION: ReadonlySet<PromotionStatus> = new Set([
  'SUCCEEDED',
  'FAILED',
  'TERMINATED',
  'SKIPPED',
  'ROLLING_BACK',
  'ROLLED_BACK',
  'ROLLBACK_FAILED',
]);

/** The version is not there, or not good there. */
export const BAD_PROMOTION: ReadonlySet<PromotionStatus> = new Set([
  'FAILED',
  'ROLLING_BACK',
  'ROLLED_BACK',
  'ROLLBACK_FAILED',
]);

/** A release whose own work has ended is RUNNING again while a rollback takes it back: `endedAt` says what has ended. */
/** A rollback has restored what was there before, or tries to: what the promotion did is undone. */
export const TAKEN_BACK: ReadonlySet<PromotionStatus> = new Set(['ROLLING_BACK', 'ROLLED_BACK', 'ROLLBACK_FAILED']);

/** From these a release comes back only by a retry. */
export const ENDED_RELEASE: ReadonlySet<ReleaseStatus> = new Set(['SUCCEEDED', 'FAILED', 'TERMINATED']);

/** A promotion that has the environment to itself, from its start to its end: no other release may start there. */
export function occupiesEnvironment(promotion: PromotionState): boolean {
  return promotion.startedAt !== null && !ENDED_PROMOTION.has(promotion.status);
}

/** It did not go well there, and that still counts against the others: no person has gone on in spite of it. */
export function isStandingFailure({ promotions, forgiven }: ReleaseState, position: number): boolean {
  const { status } = promotions[position] as PromotionState;
  return BAD_PROMOTION.has(status) && !forgiven.includes(position);
}

import type {
  ApplicationSpec,
  ApprovalSpec,
  OnFailure,
  PullRequestPolicy,
  RetrySpec,
  RollbackPolicySpec,
  WorkflowAction,
} from './definitions.ts';
import type { PromotedFiles } from './file-pattern.ts';
import type { FrozenPolicy } from './policies.ts';
import type { RollbackPlan, VersionRef } from './rollback/rollback.ts';

/**
 * The plan: everything that a release will do, frozen when it is created (promise 6).
 *
 * A flow's steps, groups, workflows and applications are resolved once into a flat list of promotions, one per
 * environment (or per workflow step), each with its own small DAG of steps. Positions in these lists are the identities
 * that state, jobs and keys use, so no later edit of a definition can shift them.
 */
export interface ReleasePlan {
  product: string;
  flow: { name: string; revision: number; version?: string; description?: string };
  triggerEnvironment: string;
  onFailure: OnFailure;
  /** How long the whole release may move, in milliseconds: see limits.ts. */
  timeout: number;
  /** How old it may get, in milliseconds; `DEFAULT_MAX_AGE` when absent. */
  maxAge?: number;
  /** One per environment or workflow step, in the order of the flow, and behind them those of the release's own steps. */
  promotions: PlannedPromotion[];
  groups: PlannedGroup[];
  warnings: string[];
  /** What goes back when an environment of this release fails: those of the flow, as they were. */
  rollbackPolicies?: RollbackPolicySpec[];
  /**
   * The label or digest of the earliest version to which an environment may go back once this release ran there: an
   * irreversible migration came with it.
   */
  rollbackFloor?: string;
  /** How many installations of Sluice made what led to it, one after the other; a person did when absent. */
  chain?: number;
  /** Of a rollback: what it takes back. Its promotions then bring earlier versions, and ask the gates of a rollback. */
  rollback?: RollbackPlan;
  /** Of a rollback: the releases that it tells how it stands. */
  origins?: string[];
  /** Commits of this release are signed, and none without a signature is believed; releases of Sluice 0.1 do not say so. */
  signsCommits?: true;
}

/** What must have succeeded before: a promotion or a group, by its place in the plan. */
export type Dependency = { promotion: number } | { group: number };

/** One environment of a release (or one workflow step), with all that is to be done there. */
export interface PlannedPromotion {
  /** The environment's name, or the workflow step's. */
  name: string;
  environment: string | null;
  production: boolean;
  group: number | null;
  dependsOn: Dependency[];
  /** How many of `dependsOn` must be satisfied. */
  required: number;
  applications: PlannedApplication[];
  steps: PlannedStep[];
  /** Who must agree before it starts; null: no approval is needed. Each member of a group has its own. */
  approval: ApprovalSpec | null;
  /** How long the whole environment promotion may move, in milliseconds, or null. */
  timeout: number | null;
  /** The release's own steps, not an environment's: see own-steps.ts. */
  own?: OwnSteps;
  /** Of what has `own`: the promotion whose failure it is about, by its position. Absent: it is about the release. */
  of?: number;
  /**
   * Of the trigger environment, where its change came by itself: from when on it can run it, in milliseconds. What was told of its
   * health since then counts, also before the promotion began.
   */
  since?: number;
  /**
   * Of a rollback: the version that goes, the one that comes back, and the release whose promotion is taken back. `overChange`:
   * a person wants it also where the live version was changed by hand.
   */
  restores?: { from: VersionRef; to: VersionRef; origin: string; overChange?: true };
  /** How its changes are proposed; absent: they are made without a pull request. */
  pullRequest?: PullRequestPolicy;
  /** Of an environment that the flow promotes: what is done there, and who said so. A release that is older than policies does not say. */
  policy?: FrozenPolicy;
}

/** ON_START before everything else, ON_SUCCESS after it, ON_FAIL after it where it did not succeed, a termination included. Of a promotion only ON_FAIL. */
export type OwnSteps = 'ON_START' | 'ON_SUCCESS' | 'ON_FAIL';

/** An application of the environment as it was when the release was created. */
export interface PlannedApplication {
  name: string;
  /** Key of the pinned content that this application receives. */
  content: string;
  spec: ApplicationSpec;
  /** Of a rollback: what was live when it was planned, and what may be live when it acts. */
  expects?: Expected;
  /** Of a rollback: what came after the version that it restores and is not a part of it. */
  undo?: Undo;
}

/** Compare-and-set: the deployment record that was the newest one, or any of the version that is taken back. */
export interface Expected {
  deployment: string | null;
  digests: string[];
}

/**
 * What later versions did in the application's folder besides changing the content that comes back: it becomes what it was at
 * `commit`, where that content was live; null: no commit is known.
 */
export interface Undo {
  commit: string | null;
  /** Files that they brought whole. */
  files: string[];
  /** Files in which they wrote values. */
  edited: string[];
  /** Of what they removed the files that they did not have. */
  removed?: PromotedFiles[];
}

export type Phase =
  | 'ON_START'
  | 'PRE_ACTION'
  | 'ACTION'
  | 'SYNC'
  | 'HEALTH'
  | 'SOAK'
  | 'POST_ACTION'
  | 'WORKFLOW'
  | 'ON_SUCCESS'
  | 'ON_FAIL';

/** What a step does; by its kind, `src/jobs/runners` knows how. */
export type StepWork =
  | { kind: 'action'; workflow: string; action: WorkflowAction }
  | { kind: 'apply' }
  /** Opens the pull request for the changes of these applications, which share a repository and a branch. */
  | { kind: 'propose'; applications: number[] }
  /** Until the change is on the branch, by the merge of that pull request. */
  | { kind: 'merge' }
  /** Does the target run the change? */
  | { kind: 'sync' }
  | { kind: 'health' }
  | { kind: 'soak'; duration: number };

/** Whether this work ends with the change being live: its success is the deployment. */
export function isChange({ kind }: StepWork): boolean {
  return kind === 'apply' || kind === 'merge';
}

/** The position of the step that changes this application; negative: nothing is to be changed. */
export function changeOf({ steps }: PlannedPromotion, application: number): number {
  return steps.findIndex((each) => each.application === application && isChange(each.work));
}

/** The position of the step that opens the pull request of this step's change; undefined: there is none. */
export function proposalOf({ steps }: PlannedPromotion, step: number): number | undefined {
  const { work, needs } = steps[step] as PlannedStep;
  if (work.kind === 'propose') return step;
  return work.kind === 'merge' ? needs.find((each) => steps[each]?.work.kind === 'propose') : undefined;
}

/** Whether it is a step of a hook. */
export function isHook({ phase }: Pick<PlannedStep, 'phase'>): boolean {
  return phase === 'ON_START' || phase === 'ON_SUCCESS' || phase === 'ON_FAIL';
}

/** One thing to do, in its place among the others of its promotion. */
export interface PlannedStep {
  /** Unique in its promotion, readable: `billing-eu/PRE_ACTION/smoke-tests`. */
  id: string;
  phase: Phase;
  /** Position in the promotion's `applications`; null for a workflow step. */
  application: number | null;
  work: StepWork;
  /** Positions of the steps that must have succeeded before. */
  needs: number[];
  timeout: number | null;
  /** How long it may wait for a person or an outside system, in milliseconds; a day when absent. */
  patience?: number;
  retry: RetrySpec;
}

/** A group with its members as they were when the release was created. */
export interface PlannedGroup {
  name: string;
  members: number[];
  /** How many members must be healthy for the gate. */
  required: number;
  /** Where that is a share of the members: it is one of those that count, once a person has skipped some. */
  percent?: number;
  unknownTimeout: number;
  /** How long a member has been healthy before it counts, in milliseconds; at once when absent. */
  soak?: number;
  /** A health that was seen longer ago is UNKNOWN, in milliseconds. */
  freshness?: number;
  maxParallel: number;
  maxFailures: number;
}

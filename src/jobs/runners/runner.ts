import type { Clock } from '../../clock.ts';
import type { PlannedApplication, PlannedPromotion, PlannedStep, StepWork } from '../../core/plan.ts';
import type { Outcome, PromotionState, ReleaseState, StepState } from '../../core/release.ts';
import type { EffectContext, PinnedContent } from '../../drivers/driver.ts';
import type { HealthReport } from '../../drivers/health/source.ts';
import type { Drivers } from '../../drivers/index.ts';
import type { ContentReference } from '../../store/frozen-releases.ts';
import type { DeploymentReport } from '../../store/deployment-reports.ts';
import type { FrozenRelease } from '../../store/load-releases.ts';
import type { ActionLogs } from '../action-logs.ts';
import type { NewPullRequestRecord, PullRequestRecord, PullRequestSighting } from '../../store/pull-requests.ts';

/**
 * How one kind of work is done. Whatever it throws is an outcome, too: `PermanentError` fails the step, anything else is tried
 * again as the step's `retry` says. A runner decides nothing, waits for nothing (it answers `pending`), and keeps nothing but what it
 * answers as `progress`.
 */
export interface Runner<W extends StepWork = StepWork> {
  /**
   * Begins the work. Asked again with the same key (its process died before its outcome was recorded) it finds what it began: one
   * effect per key.
   */
  start(at: StepAt<W>): Promise<Outcome>;
  /**
   * Asks again about what waits (`stepState.progress` is what the outcome before kept), or about what a worker that is gone may have
   * begun. Where nothing is there it begins it, as `start` does.
   */
  look(at: StepAt<W>): Promise<Outcome>;
  /** It was told to stop, or its time is over, and `start` or `look` has ended because of that: ends what would go on by itself. */
  abort(at: StepAt<W>): Promise<void>;
}

/** A step at the moment at which it is done: everything that its runner may know. */
export interface StepAt<W extends StepWork = StepWork> {
  hands: Hands;
  release: FrozenRelease;
  state: ReleaseState;
  promoted: PlannedPromotion;
  promotionState: PromotionState;
  /** Its position in the release's plan, and that of the step in it. */
  position: number;
  index: number;
  planned: PlannedStep;
  stepState: StepState;
  work: W;
  application: PlannedApplication | undefined;
  /** With the key under which the effect is found again, and the signal that ends it. */
  context: EffectContext;
}

/** What runners do their work with: the outside world, and what the database knows of it. */
export interface Hands {
  drivers: Drivers;
  clock: Clock;
  /** The newest report about an application's health, for `report` sources. */
  healthReport(application: string): Promise<HealthReport | undefined>;
  /** A version that a release pinned, with its files. */
  content(reference: ContentReference): Promise<PinnedContent>;
  /** The newest report of what an application runs, for `report` sources of syncs. */
  deploymentReport(application: string): Promise<DeploymentReport | undefined>;
  /** What is live in an application as the records say, and what these releases were to bring there. */
  knownContents(place: ContentPlace, releases: string[]): Promise<PinnedContent[]>;
  /** Whether the gates let Sluice merge the pull requests of this promotion now: to be asked right before it does. */
  mayMerge(at: { releaseId: string; promotion: number }): Promise<{ may: true } | { may: false; why: string }>;
  /** The host merges in a queue, by this commit of its own: its statuses are those of the promotions in it. */
  inMergeQueue(at: { repository: string; commit: string; base: string }): Promise<unknown>;
  /** What is kept of pull requests. */
  pullRequests: PullRequestsKept;
  /** Where actions write what people read of them. */
  actionLogs: Pick<ActionLogs, 'open'>;
  /** The branch of the pull request of a step with this key. */
  branchOf(place: { product: string; environment: string }, key: string): string;
  /** Where people look at a release. */
  linkTo(release: string): string;
  /** Compares what an environment runs with what is recorded, and keeps what differs. */
  lookAtLive(product: string, environment: string): Promise<void>;
  /** Whether this release began a change there whose end was not seen. */
  mayStillArrive(place: ContentPlace, release: string): Promise<boolean>;
}

/** What is kept of pull requests, by the key of the step that opens them; see store/pull-requests.ts. */
export interface PullRequestsKept {
  begin(record: NewPullRequestRecord): Promise<boolean>;
  saw(key: string, seen: PullRequestSighting): Promise<boolean>;
  ofRelease(release: string): Promise<PullRequestRecord[]>;
  openIn(
    place: Pick<PullRequestRecord, 'product' | 'environment' | 'repository' | 'base'>,
  ): Promise<PullRequestRecord[]>;
  /** Closes it at its host, deletes its branch, and tells its release. */
  close(record: PullRequestRecord, reason: string, signal: AbortSignal): Promise<void>;
  /** Of a closed one; a branch that others have made stays. */
  deleteBranch(record: PullRequestRecord, signal: AbortSignal): Promise<void>;
}

/** An application of a product in an environment. */
export interface ContentPlace {
  product: string;
  environment: string;
  application: string;
}

/** A runner that only asks: the first look and every later one are the same question, and nothing is left to end. */
export function asking<W extends StepWork>(ask: (at: StepAt<W>) => Promise<Outcome>): Runner<W> {
  return { start: ask, look: ask, abort: () => Promise.resolve() };
}

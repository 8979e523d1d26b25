import type { Clock } from '../clock.ts';
import type { Observation } from '../core/health-clock.ts';
import { changedAt, looksAtHealth } from '../core/health-tolerance.ts';
import type { PlannedApplication, PlannedPromotion, PlannedStep } from '../core/plan.ts';
import type { Outcome, PromotionState, ReleaseState, StepState } from '../core/release.ts';
import { PermanentError, TransientError } from '../drivers/driver.ts';
import type { HealthAnswer, HealthReport, KnownLive, PinnedContent } from '../drivers/driver.ts';
import type { Drivers } from '../drivers/index.ts';
import { reach } from '../faults.ts';
import type { FrozenRelease } from '../store/load-releases.ts';
import type { AbortReason } from './aborts.ts';
import { stepParameters } from './parameters.ts';

export interface StepPlace {
  release: FrozenRelease;
  state: ReleaseState;
  promotion: number;
  step: number;
  /** Whether the step is still this lane's to do; asked of the database. */
  stillMine?: () => Promise<boolean>;
  /** Of the lane that does the step: aborted to stop, to shut down, or when the step's time is over. */
  controller: AbortController;
}

export interface Hands {
  drivers: Drivers;
  clock: Clock;
  /** The newest report about an application's health, for `report` sources. */
  healthReport(application: string): Promise<HealthReport | undefined>;
  /** What is live in an application as the records say, and what these releases were to bring there. */
  knownContents(place: ContentPlace, releases: string[]): Promise<PinnedContent[]>;
  /** Whether this release began a change there that nobody has seen the end of. */
  mayStillArrive(place: ContentPlace, release: string): Promise<boolean>;
}

export interface ContentPlace {
  product: string;
  environment: string;
  application: string;
}

/** Does what a step says, and says what came of it. Never throws, never decides. */
export async function performStep(hands: Hands, place: StepPlace): Promise<Outcome> {
  const { planned } = at(place);
  const { controller } = place;
  const { signal } = controller;
  if (signal.aborted) return { kind: 'aborted' };
  const limit = planned.timeout ?? (looksAtHealth(planned) ? HEALTH_LIMIT : STEP_LIMIT);
  const timer = hands.clock.after('step', limit, () => controller.abort('overdue' satisfies AbortReason));
  try {
    reach('before-effect');
    const outcome = await perform(hands, place, signal);
    reach('after-effect');
    return outcome;
  } catch (error) {
    const message = messageOf(error);
    if (signal.aborted) {
      return signal.reason === 'overdue'
        ? { kind: 'failed', message: `not done within ${limit / 1000} s`, unclear: true }
        : { kind: 'aborted' };
    }
    if (error instanceof PermanentError) return { kind: 'failed', message, unclear: looksAtHealth(planned) };
    return { kind: 'transient', message, retryAfter: error instanceof TransientError ? error.retryAfter : undefined };
  } finally {
    timer.cancel();
  }
}

/** When a step sets no `timeout` of its own, in milliseconds. */
const STEP_LIMIT = 30 * 60 * 1000;
const HEALTH_LIMIT = 60 * 1000;

function at({ release, state, promotion, step }: StepPlace): {
  promoted: PlannedPromotion;
  planned: PlannedStep;
  promotionState: PromotionState;
  stepState: StepState;
} {
  const promoted = release.plan.promotions[promotion] as PlannedPromotion;
  const promotionState = state.promotions[promotion] as PromotionState;
  return {
    promoted,
    planned: promoted.steps[step] as PlannedStep,
    promotionState,
    stepState: promotionState.steps[step] as StepState,
  };
}

function applicationOf(place: StepPlace): PlannedApplication | undefined {
  const { promoted, planned } = at(place);
  return planned.application === null ? undefined : promoted.applications[planned.application];
}

async function perform(hands: Hands, place: StepPlace, signal: AbortSignal): Promise<Outcome> {
  const { promoted, planned, promotionState, stepState } = at(place);
  const { release } = place;
  const application = applicationOf(place);
  const context = {
    // Same release, attempt and step → same key, whichever process asks and however often.
    key: `${release.id}.${promotionState.attempt}.${promoted.name}.${planned.id}`,
    releaseId: release.id,
    product: release.product,
    environment: promoted.name,
    application: application?.name ?? '',
    attempt: promotionState.attempt,
    tries: stepState.tries,
    signal,
    since: place.state.createdAt,
    unsignedKeys: release.plan.signsCommits !== true,
    stillMine: place.stillMine,
  };
  const { work } = planned;
  if (work.kind === 'action') {
    const parameters = stepParameters(release, promoted, planned, promotionState);
    const outputs = await hands.drivers.runAction(work.action, parameters, context);
    return { kind: 'succeeded', outputs };
  }
  if (application === undefined) return { kind: 'failed', message: `${planned.id} has no application` };
  if (work.kind === 'apply') {
    const content = release.contents[application.content];
    if (!content) return { kind: 'failed', message: `the pinned content of ${application.content} is missing` };
    const { spec, undo } = application;
    const cause = release.plan.rollback?.cause;
    const takesBack = promoted.restores?.from.label ?? release.version;
    const reason = cause ? `${cause.environment}: ${cause.reason}` : '';
    const { product, environment } = context;
    const begun = (): Promise<boolean> =>
      promoted.restores === undefined
        ? Promise.resolve(false)
        : hands.mayStillArrive({ product, environment, application: application.name }, promoted.restores.origin);
    const rollback = undo && { takesBack, reason, undo, mayStillArrive: begun };
    const live = liveOf(hands, place, application);
    const effect = await hands.drivers.driver(spec.driver).apply(spec.driver, content, { ...context, rollback, live });
    const { drift, skipped } = effect;
    if (effect.commit === undefined) return { kind: 'succeeded', changed: effect.changed, drift, skipped };
    const outputs = {
      COMMIT_SHA: effect.commit,
      COMMIT_AUTHOR: effect.author ?? '',
      COMMIT_MESSAGE: effect.message ?? '',
      COMMIT_DATE: effect.date ?? '',
    };
    return { kind: 'succeeded', outputs, commit: effect.commit, changed: effect.changed, drift, skipped };
  }
  if (work.kind === 'soak') {
    const look = checkHealth(hands, release, promoted, promotionState, application, signal);
    const answer = await look.catch((error: unknown): HealthAnswer => {
      if (signal.reason !== 'overdue') signal.throwIfAborted();
      return { status: 'UNKNOWN', message: messageOf(error) };
    });
    return { kind: 'observed', health: toObservation(answer) };
  }
  const answer = await checkHealth(hands, release, promoted, promotionState, application, signal);
  return { kind: 'observed', health: toObservation(answer), recheckAfter: answer.recheckAfter };
}

/**
 * What may be there before the change: a promotion goes over what somebody changed by hand, and tells; a rollback goes over it
 * when a person said so, knowing it.
 */
function liveOf(hands: Hands, place: StepPlace, { name }: PlannedApplication): KnownLive {
  const { release, promotion } = place;
  const { name: environment, restores } = release.plan.promotions[promotion] as PlannedPromotion;
  const origin = restores ? [restores.origin] : [];
  return {
    contents: () => hands.knownContents({ product: release.product, environment, application: name }, origin),
    otherwise: restores && !restores.overChange ? 'REFUSE' : 'TELL',
  };
}

/** How an application is now, since its change was made in this promotion. */
export async function checkHealth(
  hands: Hands,
  release: FrozenRelease,
  promoted: PlannedPromotion,
  promotionState: PromotionState,
  application: PlannedApplication,
  signal: AbortSignal,
): Promise<HealthAnswer> {
  const since = changedAt(promoted, promotionState, promoted.applications.indexOf(application));
  const { health } = application.spec;
  return hands.drivers.checkHealth(health, {
    application: application.name,
    environment: promoted.name,
    product: release.product,
    version: release.contents[application.content]?.label,
    since: new Date(since),
    now: hands.clock.now(),
    report: health.type === 'report' ? await freshReport(hands, application.name, since) : undefined,
    signal,
  });
}

export function toObservation({ status, message, at, unhealthyAt }: HealthAnswer): Observation {
  const times = { at: at?.getTime(), unhealthyAt: unhealthyAt?.getTime() };
  return { status, message, ...times };
}

/** A report from before the change says nothing about it. */
async function freshReport(hands: Hands, application: string, since: number): ReturnType<Hands['healthReport']> {
  const report = await hands.healthReport(application);
  return report !== undefined && report.at.getTime() >= since ? report : undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

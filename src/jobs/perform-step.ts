import { onlyLooks } from '../core/health-tolerance.ts';
import { aboutOf } from '../core/own-steps.ts';
import type { PlannedPromotion, PlannedStep, StepWork } from '../core/plan.ts';
import type { Outcome, PromotionState, ReleaseState, StepState } from '../core/release.ts';
import { PermanentError, ThrottledError, TransientError } from '../drivers/driver.ts';
import { reach } from '../faults.ts';
import type { FrozenRelease } from '../store/load-releases.ts';
import type { AbortReason } from './aborts.ts';
import { runnerOf } from './runners/index.ts';
import type { Hands, StepAt } from './runners/runner.ts';
import { keyOf } from './step-key.ts';

/** A step that is to be done: of which release, promotion and job. */
export interface StepPlace {
  release: FrozenRelease;
  state: ReleaseState;
  promotion: number;
  step: number;
  /** Whether the step is still this lane's to do; asked of the database. */
  stillMine?: () => Promise<boolean>;
  /** Whether nothing will come of the step any more; asked of the database. */
  givenUp?: () => Promise<boolean>;
  /** Whether the lock of the job is still this worker's. */
  holdsLock?: () => Promise<boolean>;
  /** Another worker may have begun it: the job came a second time. */
  again?: boolean;
  /** Of the lane that does the step: aborted to stop, to shut down, or when the step's time is over. */
  controller: AbortController;
}

/** Does what a step says, and says what came of it. Never throws, never decides. */
export async function performStep(hands: Hands, place: StepPlace): Promise<Outcome> {
  const at = stepAt(hands, place);
  const { planned, stepState, work } = at;
  const { controller } = place;
  const { signal } = controller;
  if (signal.aborted) return { kind: 'aborted' };
  const runner = runnerOf(work);
  const limit = planned.timeout ?? (onlyLooks(work) ? LOOK_LIMIT : STEP_LIMIT);
  const timer = hands.clock.after('step', limit, () => controller.abort('overdue' satisfies AbortReason));
  try {
    reach('before-effect', nameOfWork(work));
    const outcome = await (place.again === true || (stepState.progress ?? null) !== null
      ? runner.look(at)
      : runner.start(at));
    reach('after-effect', nameOfWork(work));
    return outcome;
  } catch (error) {
    const message = messageOf(error);
    const throttled = error instanceof ThrottledError ? throttledBy(error) : undefined;
    if (signal.aborted) {
      // Nothing was done, so nothing has to be ended either.
      if (signal.reason === 'overdue' && throttled) return throttled;
      // Another worker goes on where this one shuts down; anything else is the end of it.
      if (signal.reason !== 'shutdown') await runner.abort(at).catch(() => undefined);
      return signal.reason === 'overdue'
        ? { kind: 'failed', message: `not done within ${limit / 1000} s`, unclear: true }
        : { kind: 'aborted' };
    }
    if (error instanceof PermanentError) return { kind: 'failed', message, unclear: onlyLooks(work) };
    if (throttled) return throttled;
    return { kind: 'transient', message, retryAfter: error instanceof TransientError ? error.retryAfter : undefined };
  } finally {
    timer.cancel();
  }
}

/** As a test of crashes names what is done: an action by its type. */
export const nameOfWork = (work: StepWork): string => (work.kind === 'action' ? work.action.type : work.kind);

const throttledBy = ({ message, retryAfter }: ThrottledError): Outcome => ({
  kind: 'transient',
  message,
  retryAfter,
  throttled: true,
});

/** When a step sets no `timeout` of its own, in milliseconds. */
const STEP_LIMIT = 30 * 60 * 1000;
const LOOK_LIMIT = 60 * 1000;

function stepAt(hands: Hands, place: StepPlace): StepAt {
  const { release, state, promotion, step, controller, stillMine, givenUp, holdsLock } = place;
  const promoted = release.plan.promotions[promotion] as PlannedPromotion;
  const promotionState = state.promotions[promotion] as PromotionState;
  const planned = promoted.steps[step] as PlannedStep;
  const stepState = promotionState.steps[step] as StepState;
  const application = planned.application === null ? undefined : promoted.applications[planned.application];
  const { attempt } = promotionState;
  const context = {
    key: keyOf(release.id, promoted, attempt, step),
    releaseId: release.id,
    product: release.product,
    environment: aboutOf(release.plan, promoted) ?? '',
    application: application?.name ?? '',
    attempt,
    tries: stepState.tries,
    signal: controller.signal,
    since: state.createdAt,
    unsignedKeys: release.plan.signsCommits !== true,
    chain: release.plan.chain,
    stillMine,
    givenUp,
    holdsLock,
  };
  const at = { hands, release, state, promoted, promotionState, position: promotion, index: step, planned, stepState };
  return { ...at, work: planned.work, application, context };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

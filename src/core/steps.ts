import { askWindow } from './gates/window.ts';
import { pauses } from './gates/answer.ts';
import type { GateAnswer } from './gates/answer.ts';
import type { Draft } from './draft.ts';
import { isChange } from './plan.ts';
import type { ReleasePlan } from './plan.ts';
import { ENDED_PROMOTION } from './release.ts';
import type { PromotionState, ReleaseState, StepState, TakenBack } from './release.ts';
import { beginSoak } from './soak.ts';
import { failStep, stopStep } from './step.ts';
import { isAfterAll, recordVerified } from './sync.ts';

/**
 * True when what runs has to stop: terminating, or halted by a failure in a flow that says STOP. With `position`: or when a
 * rollback needs that promotion's environment, or a person skips it. What a release does about its own failure outlives that: see own-steps.ts.
 */
export function mustStop(plan: ReleasePlan, state: ReleaseState, position?: number): boolean {
  if (position !== undefined && plan.promotions[position]?.own === 'ON_FAIL') return false;
  return (
    state.terminating !== null ||
    (state.halted && plan.onFailure === 'STOP') ||
    (position !== undefined &&
      (stoppedBy(state, position) !== null || state.skips[position] !== undefined || isCut(state, position)))
  );
}

/** Something of it was stopped already: it does not go on, also where what stopped it has been mended since. */
function isCut(state: ReleaseState, position: number): boolean {
  return state.promotions[position]?.steps.some(({ status }) => status === 'TERMINATED') === true;
}

/** Whether the change of an application was begun and did not succeed: it may have been made, and may yet be. */
export function hasUnseenEffect(
  plan: ReleasePlan,
  state: ReleaseState,
  environment: string,
  application: string,
): boolean {
  const position = plan.promotions.findIndex((each) => each.environment === environment);
  const planned = plan.promotions[position];
  if (!planned) return false;
  return planned.steps.some(({ work, application: of }, index) => {
    const step = state.promotions[position]?.steps[index];
    if (!isChange(work) || planned.applications[of ?? -1]?.name !== application) return false;
    return step !== undefined && step.startedAt !== null && step.status !== 'SUCCEEDED';
  });
}

/** Why a rollback ends this promotion; null: none does. */
function stoppedBy(state: ReleaseState, position: number): string | null {
  for (const each of Object.values(state.rollbacks)) if (each.stop.includes(position)) return takenBackBecause(each);
  return null;
}

/** Why nothing of this release starts any more; null: no rollback takes it back. */
export function takenBackBy(state: ReleaseState): string | null {
  for (const each of Object.values(state.rollbacks)) if (!each.over) return takenBackBecause(each);
  return null;
}

/** Why some of it was taken back, also where a retry has begun since. Null: nothing was. */
export function wasTakenBackBy(state: ReleaseState): string | null {
  const [earlier] = Object.values(state.rollbacks);
  return takenBackBy(state) ?? (earlier ? takenBackBecause(earlier) : null);
}

/** Why what runs has to stop. */
export function stopReason(state: ReleaseState, position: number): string {
  const skip = state.skips[position];
  if (skip !== undefined) return `skipped${skip.by === null ? '' : ` by ${skip.by}`}: ${skip.reason}`;
  return state.terminating?.reason ?? stoppedBy(state, position) ?? 'another environment failed';
}

function takenBackBecause({ called, reason }: TakenBack): string {
  return `${called === undefined ? 'a rollback' : `rollback ${called}`} takes it back: ${reason}`;
}

/** Why the next phase may not begin now: a window that pauses work on its way has closed. Null: nothing holds it. */
export function pausedBy(draft: Draft, position: number): GateAnswer | null {
  const { environment } = draft.planned(position);
  const started = draft.state.promotions[position] as PromotionState;
  if (environment === null || !started.evidence?.some(pauses)) return null;
  const action = draft.plan.rollback ? 'ROLLBACK' : 'PROMOTE';
  const answer = askWindow(environment, draft.state, draft.facts, draft.now, action, started.overrides);
  return answer?.verdict === 'wait' && pauses(answer) ? answer : null;
}

/** It must not go on: at once where nothing is on its way, otherwise when its effect has ended. */
export function cutOff(draft: Draft, position: number, index: number, message: string): void {
  const running = draft.state.promotions[position]?.steps[index]?.status === 'RUNNING';
  if (running) stopStep(draft, position, index, message);
  else failStep(draft, position, index, message);
}

/** A step of it has failed, or will have as soon as its effect has ended: nothing new begins. */
export function isFailing({ steps }: PromotionState): boolean {
  return steps.some((each) => each.status === 'FAILED' || each.stop !== null);
}

/**
 * Whether the job of this dispatch may do the step now. Asked before it is done, by the effect itself right before it is made, and
 * once a second while it is done: whatever may not, ends. It covers every cause: a limit that is over, a failure that was
 * reported, a termination, a rollback, another job that took over.
 */
export function mayWork(
  plan: ReleasePlan,
  state: ReleaseState,
  { promotion, attempt, dispatch }: { promotion: number; attempt: number; dispatch: number },
  step: number,
): boolean {
  const seen = state.promotions[promotion];
  const owned = seen?.steps[step];
  return (
    seen?.attempt === attempt &&
    owned?.status === 'RUNNING' &&
    owned.dispatch === dispatch &&
    owned.stop === null &&
    !mustStop(plan, state, promotion)
  );
}

/**
 * Whether nothing will come of the step any more, so that an effect of it that is there all the same has to be taken back. A step that
 * another run of its job, or another job, has done or is doing is not given up: its effect is the one that the release goes on with.
 */
export function isGivenUp(
  plan: ReleasePlan,
  state: ReleaseState,
  { promotion, attempt }: { promotion: number; attempt: number },
  step: number,
): boolean {
  const seen = state.promotions[promotion];
  const asked = seen?.steps[step];
  return (
    seen?.attempt !== attempt ||
    asked === undefined ||
    ENDED_PROMOTION.has(seen.status) ||
    asked.status === 'FAILED' ||
    asked.status === 'TERMINATED' ||
    asked.stop !== null ||
    mustStop(plan, state, promotion)
  );
}

/** Makes every PENDING step whose needs have succeeded RUNNING under a dispatch; a soak waits for its time instead. */
export function runReadySteps(
  draft: Draft,
  position: number,
  {
    dispatch,
    carrier = null,
    after = null,
  }: Pick<StepState, 'dispatch'> & Partial<Pick<StepState, 'carrier' | 'after'>>,
): number {
  const promotion = draft.promotion(position);
  if (isFailing(promotion)) return 0;
  let running = 0;
  const { steps } = draft.planned(position);
  steps.forEach((planned, index) => {
    if (promotion.steps[index]?.status !== 'PENDING') return;
    if (!planned.needs.every((need) => promotion.steps[need]?.status === 'SUCCEEDED')) return;
    const newPhase = planned.needs.some((need) => steps[need]?.phase !== planned.phase);
    if (newPhase && pausedBy(draft, position) !== null) return;
    if (isAfterAll(planned) && steps.every((each, at) => !isAfterAll(each) || promotion.steps[at]?.startedAt === null))
      recordVerified(draft, position);
    const step = draft.step(position, index);
    step.startedAt ??= draft.now;
    Object.assign(step, { dispatch, carrier, after });
    const at = draft.atStep(position, index);
    draft.emit({ type: 'StepStarted', ...at });
    if (planned.work.kind === 'soak') {
      beginSoak(draft, position, index);
      return;
    }
    step.status = 'RUNNING';
    running += 1;
  });
  return running;
}

/** Gives the RUNNING steps that `which` names to a new job. */
export function redispatch(draft: Draft, position: number, which: (step: StepState) => boolean): void {
  const seen = draft.state.promotions[position];
  if (!seen || ENDED_PROMOTION.has(seen.status)) return;
  const lost = [...seen.steps.keys()].filter((index) => {
    const step = seen.steps[index] as StepState;
    return step.status === 'RUNNING' && which(step);
  });
  if (lost.length === 0) return;
  const dispatch = draft.dispatch(position);
  for (const index of lost) Object.assign(draft.step(position, index), { dispatch, carrier: null, news: null });
  draft.emit({ type: 'PromotionResumed', ...draft.atPromotion(position, seen.status), dispatch });
}

/** What runs of these promotions is told to stop; without a list, of all that have to. */
export function abortRunning(draft: Draft, only?: number[]): void {
  const promotions = (only ?? [...draft.state.promotions.keys()]).filter(
    (position) =>
      draft.state.promotions[position]?.steps.some((step) => step.status === 'RUNNING') &&
      (only !== undefined || mustStop(draft.plan, draft.state, position)),
  );
  if (promotions.length > 0) draft.work.push({ kind: 'abort', promotions });
}

/** Steps whose time has come run again, under a new dispatch. */
export function dispatchDueSteps(draft: Draft): void {
  draft.state.promotions.forEach((seen, position) => {
    if (mustStop(draft.plan, draft.state, position)) return;
    if (ENDED_PROMOTION.has(seen.status) || isFailing(seen)) return;
    const due = [...seen.steps.keys()].filter((index) => {
      const step = seen.steps[index] as StepState;
      return step.status === 'WAITING' && step.recheckAt !== null && step.recheckAt <= draft.now;
    });
    if (due.length === 0) return;
    const dispatch = draft.dispatch(position);
    for (const index of due) {
      Object.assign(draft.step(position, index), {
        status: 'RUNNING',
        dispatch,
        carrier: null,
        recheckAt: null,
        news: null,
      });
    }
  });
}

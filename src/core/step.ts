import type { Draft } from './draft.ts';
import type { Awaited, StepState } from './release.ts';

/** What happens to one step, whatever the others do. */

/** A step before anything was done, with every field: what differs from it is what is stored. */
export function freshStep(): Required<StepState> {
  return {
    status: 'PENDING',
    dispatch: 0,
    carrier: null,
    after: null,
    tries: 0,
    startedAt: null,
    endedAt: null,
    waitingSince: null,
    recheckAt: null,
    outside: false,
    waitsFor: null,
    heldUntil: null,
    asked: null,
    progress: null,
    news: null,
    toldBy: null,
    closed: false,
    stop: null,
    reason: null,
    clock: null,
    badLooks: 0,
    seen: false,
    outputs: null,
    runsSince: null,
    unchanged: false,
    unclear: false,
    firstError: null,
    lastError: null,
  };
}

/** In milliseconds; see `wait`. */
const SAFETY_LOOK = 30_000;
const SAFETY_LOOK_AT_MOST = 10 * 60_000;

/**
 * `recheckAt` null: a report will come. It may be lost (the process dies before it passes it on), so there is a look of
 * safety after half a minute, and later ones the longer it takes. `waitsFor` with a time: only a look notices what was done.
 */
export function wait(
  draft: Draft,
  step: StepState,
  recheckAt: number | null,
  reason: string,
  waitsFor: Awaited | null = recheckAt === null ? 'SYSTEM' : null,
): void {
  step.status = 'WAITING';
  step.waitingSince = draft.now;
  step.reason = reason;
  step.outside = waitsFor !== null;
  step.waitsFor = waitsFor;
  step.recheckAt = recheckAt ?? draft.now + safetyPause(draft.now - (step.startedAt ?? draft.now));
}

function safetyPause(waited: number): number {
  return Math.floor(Math.min(Math.max(waited / 2, SAFETY_LOOK), SAFETY_LOOK_AT_MOST));
}

/** How long an effect that was told to stop may take to end, in milliseconds; after that the step has failed all the same. */
const STOP_GRACE = 30_000;

/**
 * It must not go on, and something of it may be on its way: it is told to stop, and has failed when it says that it has ended.
 * Until then the promotion keeps its environment, so that nothing else (a rollback) begins there beside it.
 */
export function stopStep(draft: Draft, position: number, index: number, message: string): void {
  const step = draft.step(position, index);
  step.stop ??= { message, since: draft.now, by: draft.now + STOP_GRACE };
}

/** @param applied its change was made all the same. */
export function failStep(
  draft: Draft,
  position: number,
  index: number,
  message: string,
  unclear = false,
  applied = false,
): void {
  const step = draft.step(position, index);
  step.status = 'FAILED';
  step.unclear = unclear;
  step.endedAt = draft.now;
  step.recheckAt = null;
  step.outside = false;
  step.stop = null;
  step.firstError ??= message;
  step.lastError = message;
  const promotion = draft.promotion(position);
  const problem = draft.problem(message, position, draft.plannedStep(position, index).id);
  promotion.problem ??= problem;
  draft.state.firstProblem ??= problem;
  draft.state.lastProblem = problem;
  draft.emit({ type: 'StepFailed', ...draft.atStep(position, index), message, ...(applied && { applied }) });
}

import type { Move } from './move.ts';
import type { StepState } from './release.ts';

/** What happens to one step, whatever the others do. */

export function freshStep(): StepState {
  return {
    status: 'PENDING',
    dispatch: 0,
    after: null,
    tries: 0,
    startedAt: null,
    endedAt: null,
    recheckAt: null,
    reason: null,
    clock: null,
    outputs: null,
    unclear: false,
    firstError: null,
    lastError: null,
  };
}

export function wait(step: StepState, recheckAt: number | null, reason: string): void {
  step.status = 'WAITING';
  step.recheckAt = recheckAt;
  step.reason = reason;
}

export function failStep(move: Move, position: number, index: number, message: string, unclear = false): void {
  const step = move.step(position, index);
  step.status = 'FAILED';
  step.unclear = unclear;
  step.endedAt = move.now;
  step.recheckAt = null;
  step.firstError ??= message;
  step.lastError = message;
  const promotion = move.promotion(position);
  const problem = move.problem(message, position, move.plannedStep(position, index).id);
  promotion.problem ??= problem;
  move.state.firstProblem ??= problem;
  move.state.lastProblem = problem;
  move.emit({ type: 'StepFailed', ...move.atStep(position, index), message });
}

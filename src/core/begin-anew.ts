import type { Draft } from './draft.ts';
import { FRESH_METER } from './limits.ts';
import { comesAtTheEnd } from './own-steps.ts';
import { isUnmerged } from './pull-request.ts';
import { TAKEN_BACK } from './release.ts';
import type { PromotionState } from './release.ts';
import { freshStep } from './step.ts';
import { askToTellCommit } from './tell-commit.ts';

/** One promotion of a retry: PENDING, from its point of failure; from its start where it was taken back, or comes at the end of the release. */
export function beginAnew(draft: Draft, position: number): void {
  const planned = draft.planned(position);
  const seen = draft.state.promotions[position] as PromotionState;
  const whole = TAKEN_BACK.has(seen.status) || comesAtTheEnd(planned.own);
  const promotion = draft.promotion(position);
  // An approval belongs to the attempt that it was asked for: its approvers are asked again.
  if (promotion.startedAt !== null || promotion.approval !== null) promotion.attempt += 1;
  const fresh = { startedAt: null, endedAt: null, problem: null, evidence: null, approval: null, merge: null };
  Object.assign(promotion, { status: 'PENDING', ...fresh });
  promotion.steps.forEach((step, index) => {
    if (step.status !== 'SUCCEEDED' || whole || isUnmerged(planned, seen, index))
      Object.assign(draft.step(position, index), freshStep(), { dispatch: step.dispatch });
  });
  const { [position]: _, ...skips } = draft.state.skips;
  if (draft.state.skips[position] !== undefined) draft.state.skips = skips;
}

/** A release that has ended waits for its turn once more, and its age and limits count anew. */
export function queueAgain(draft: Draft): void {
  const { state, now } = draft;
  Object.assign(state, {
    status: 'QUEUED',
    startedAt: null,
    endedAt: null,
    deadline: null,
    countsFrom: now,
    moving: FRESH_METER,
    terminating: null,
    halted: false,
  });
  askToTellCommit(draft, now);
}

import type { Draft } from './draft.ts';
import { goOnAfter } from './go-on.ts';
import type { PlannedPromotion, ReleasePlan } from './plan.ts';
import { refusal } from './problems.ts';
import { ENDED_PROMOTION, TAKEN_BACK } from './release.ts';
import type { PromotionState, ReleaseState, Stimulus } from './release.ts';
import { whyUntouchable } from './retry.ts';
import { abortRunning } from './steps.ts';

/** Why a person cannot skip a promotion; null: it can be skipped. */
export function whyNoSkip(plan: ReleasePlan, state: ReleaseState, position: number): string | null {
  const { name } = plan.promotions[position] as PlannedPromotion;
  const { status } = state.promotions[position] as PromotionState;
  const skip = state.skips[position];
  if (status === 'SUCCEEDED') return `${name} has succeeded: nothing of it is left to skip`;
  if (TAKEN_BACK.has(status)) return `${name} was taken back: retry it, or roll forward with another release`;
  if (skip !== undefined)
    return `${name} is skipped already${skip.by === null ? '' : ` by ${skip.by}`}: ${skip.reason}`;
  return whyUntouchable(plan, state, position);
}

/**
 * A person leaves a promotion out, and what depends on it goes on as if it had succeeded; in a group it leaves the count. What has not
 * started ends at once. What is at work is told to stop, and ends when nothing of it runs any more; what it has done stays. What did not
 * succeed is skipped afterwards, also when the release has ended: the release goes on.
 */
export function applySkip(draft: Draft, stimulus: Extract<Stimulus, { kind: 'skip' }>): void {
  const { promotion: position, reason, by } = stimulus;
  const { state, plan } = draft;
  const seen = state.promotions[position];
  const unfit = seen === undefined ? 'there is no such promotion' : whyNoSkip(plan, state, position);
  if (seen === undefined || unfit !== null)
    return void draft.refused.set(stimulus, refusal('WRONG_STATE', unfit ?? '', ['environment']));
  const skip = { reason, by, at: draft.now };
  state.skips = { ...state.skips, [position]: skip };
  draft.touched += 1;
  if (!ENDED_PROMOTION.has(seen.status) && seen.startedAt !== null) return abortRunning(draft, [position]);
  draft.skip(position, skip);
  if (ENDED_PROMOTION.has(seen.status)) goOnAfter(draft, position, 'SKIP');
}

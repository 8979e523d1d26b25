import { beginAnew, queueAgain } from './begin-anew.ts';
import type { Draft } from './draft.ts';
import { askDependencies } from './gates/dependencies.ts';
import { goOnAfter } from './go-on.ts';
import { freshGroup } from './group-gate.ts';
import { comesAtTheEnd, isOfRelease } from './own-steps.ts';
import type { PlannedPromotion, ReleasePlan } from './plan.ts';
import { refusal } from './problems.ts';
import { ENDED_PROMOTION, TAKEN_BACK } from './release.ts';
import type { PromotionState, ReleaseState, Stimulus } from './release.ts';
import { isSkippedByPerson } from './required.ts';
import { overBy } from './rollback/take-back.ts';
import { takenBackBy } from './steps.ts';

/** Of two that come at once the second finds it retried. Null: it can be. */
export function whyNoRetry(status: ReleaseState['status']): string | null {
  return status === 'FAILED' || status === 'TERMINATED'
    ? null
    : `only a release that FAILED or was TERMINATED can be retried, it is ${status}`;
}

/** Why one promotion cannot be retried by itself; null: it can be. */
export function whyNoRetryOf(plan: ReleasePlan, state: ReleaseState, position: number): string | null {
  const planned = plan.promotions[position] as PlannedPromotion;
  const { status } = state.promotions[position] as PromotionState;
  const { name } = planned;
  if (status === 'SUCCEEDED') return `${name} has succeeded: a retry is for what did not`;
  if (!ENDED_PROMOTION.has(status)) return `${name} is ${status}: a retry is for what has ended`;
  const hindered = whyUntouchable(plan, state, position);
  if (hindered !== null) return hindered;
  const { verdict, reason } = askDependencies(plan, state, planned);
  return verdict === 'fail'
    ? `${name} could not start, ${reason}: retry or skip that first, or retry the release`
    : null;
}

/** Why nothing can be made of one promotion alone now, whatever its status; null: something can. */
export function whyUntouchable(plan: ReleasePlan, state: ReleaseState, position: number): string | null {
  const { name, own } = plan.promotions[position] as PlannedPromotion;
  if (plan.rollback) return `${name} goes back: retry or terminate the rollback as a whole`;
  if (own !== undefined) return `${name} is a step of the release itself: retry the release`;
  if (state.endedAt !== null)
    return state.status === 'RUNNING' ? (takenBackBy(state) ?? 'a rollback takes it back') : null;
  if (state.terminating !== null) return `it is TERMINATING: do it when it has ended`;
  const atTheEnd = plan.promotions.some(
    (each, index) => isOfRelease(each) && comesAtTheEnd(each.own) && state.promotions[index]?.status !== 'PENDING',
  );
  // Also one that waits for a person.
  const hook = plan.promotions.findIndex(({ of }, index) => {
    const { status, startedAt } = state.promotions[index] as PromotionState;
    return of === position && startedAt !== null && !ENDED_PROMOTION.has(status);
  });
  if (hook >= 0) return `its hook ${plan.promotions[hook]?.name} runs: do it when that has ended`;
  return takenBackBy(state) ?? (atTheEnd ? 'its last steps run: do it when it has ended' : null);
}

/**
 * From the exact point of failure: steps that succeeded stay, everything else of what did not succeed begins again. What was
 * taken back begins from its start, and the gate of its group is asked anew: what succeeded there is undone. What a person skipped stays
 * skipped.
 */
export function applyRetry(draft: Draft, stimulus: Extract<Stimulus, { kind: 'retry' }>): void {
  const { state, plan } = draft;
  const { promotion: only } = stimulus;
  const unfit = only === undefined ? whyNoRetry(state.status) : whyNoRetryOf(plan, state, only);
  if (unfit !== null)
    return void draft.refused.set(
      stimulus,
      refusal('WRONG_STATE', unfit, [only === undefined ? 'releaseId' : 'environment']),
    );
  if (only !== undefined) return goOnAfter(draft, only, 'RETRY');
  state.rollbacks = overBy(state.rollbacks);
  const again: string[] = [];
  const undone = new Set<number | null>();
  state.promotions.forEach((seen, position) => {
    const planned = draft.planned(position);
    const { own, of } = planned;
    if (isSkippedByPerson(state, position) || (seen.status === 'SUCCEEDED' && !comesAtTheEnd(own))) return;
    // What is done about a failure is tried again with what failed, which stands before it.
    if (of !== undefined && state.promotions[of]?.status !== 'PENDING') return;
    if (TAKEN_BACK.has(seen.status)) undone.add(planned.group);
    again.push(planned.name);
    beginAnew(draft, position);
  });
  state.groups.forEach((group, position) => {
    if (group.status !== 'PASSED' || undone.has(position))
      Object.assign(draft.group(position), freshGroup(group.generation));
  });
  queueAgain(draft);
  state.limited = {};
  state.forgiven = [];
  draft.emit({ type: 'ReleaseRetried', environments: again });
}

import { onlyLooks } from '../health-tolerance.ts';
import type { Draft } from '../draft.ts';
import { isChange, isHook } from '../plan.ts';
import type { PromotionState } from '../release.ts';
import { policyFor } from './reach.ts';

/**
 * A promotion has failed: if its change was made, or may have been made, and a frozen policy says what goes back then, that
 * is work. What goes back is decided where that work is done, on what is live then.
 */
export function askForRollback(draft: Draft, position: number): void {
  const { environment, steps } = draft.planned(position);
  if (environment === null || draft.plan.rollback) return;
  const promotion = draft.state.promotions[position] as PromotionState;
  const failed = steps.flatMap((planned, index) => {
    const { work } = planned;
    const state = promotion.steps[index];
    if (state?.status !== 'FAILED') return [];
    const cause = isHook(planned)
      ? 'HOOK'
      : state.seen || !onlyLooks(work)
        ? 'FAILED'
        : work.kind === 'sync'
          ? 'NOT_SYNCED'
          : null;
    return [cause];
  });
  // An unknown health takes nothing back. That a target does not run the change (sync), and that a hook failed, is for a policy to judge.
  const kind = (['FAILED', 'NOT_SYNCED', 'HOOK'] as const).find((each) => failed.includes(each));
  if (kind === undefined) return;
  const acted = steps.some((step, index) => {
    const { status, unclear } = promotion.steps[index] as PromotionState['steps'][number];
    return isChange(step.work) && (status === 'SUCCEEDED' || unclear);
  });
  if (!acted || policyFor(draft.plan, { kind, environment }) === null) return;
  const reason = promotion.problem?.message ?? 'failed';
  const { attempt } = promotion;
  const cause = kind !== 'FAILED' && { cause: kind };
  draft.work.push({ kind: 'roll-back', promotion: position, attempt, reason, at: draft.now, ...cause });
}

/** A promotion has succeeded: a policy may want its environment to be looked at for a while. */
export function askForObservation(draft: Draft, position: number): void {
  const { environment } = draft.planned(position);
  if (environment === null || draft.plan.rollback) return;
  const observeFor = policyFor(draft.plan, { kind: 'DEGRADED', environment })?.observeFor ?? 0;
  if (observeFor <= 0) return;
  const { attempt } = draft.state.promotions[position] as PromotionState;
  draft.work.push({ kind: 'observe', promotion: position, attempt, until: draft.now + observeFor });
}

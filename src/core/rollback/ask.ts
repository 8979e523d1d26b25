import { looksAtHealth } from '../health-tolerance.ts';
import type { Move } from '../move.ts';
import type { PlannedStep } from '../plan.ts';
import type { PromotionState } from '../release.ts';
import { policyFor } from './reach.ts';

/**
 * A promotion has failed: if its change was made, or may have been made, and a frozen policy says what goes back then, that
 * is work. What goes back is decided where that work is done, on what is live then.
 */
export function askForRollback(move: Move, position: number): void {
  const { environment, steps } = move.planned(position);
  if (environment === null || move.plan.rollback) return;
  const promotion = move.state.promotions[position] as PromotionState;
  // Nobody could tell how it is: what nobody knows takes nothing back.
  const isKnown = promotion.steps.some(({ status, seen }, index) => {
    return status === 'FAILED' && (seen || !looksAtHealth(steps[index] as PlannedStep));
  });
  if (!isKnown) return;
  const acted = steps.some((step, index) => {
    const { status, unclear } = promotion.steps[index] as PromotionState['steps'][number];
    return step.phase === 'ACTION' && (status === 'SUCCEEDED' || unclear);
  });
  if (!acted || policyFor(move.plan, { kind: 'FAILED', environment }) === null) return;
  const reason = promotion.problem?.message ?? 'failed';
  move.work.push({ kind: 'roll-back', promotion: position, attempt: promotion.attempt, reason, at: move.now });
}

/** A promotion has succeeded: a policy may want its environment to be looked at for a while. */
export function askForObservation(move: Move, position: number): void {
  const { environment } = move.planned(position);
  if (environment === null || move.plan.rollback) return;
  const observeFor = policyFor(move.plan, { kind: 'DEGRADED', environment })?.observeFor ?? 0;
  if (observeFor <= 0) return;
  const { attempt } = move.state.promotions[position] as PromotionState;
  move.work.push({ kind: 'observe', promotion: position, attempt, until: move.now + observeFor });
}

import { missingOf } from '../approvals/approval.ts';
import type { PlannedPromotion, ReleasePlan } from '../plan.ts';
import { ENDED_PROMOTION } from '../release.ts';
import type { PromotionState, ReleaseState, RollbackStanding, Stimulus } from '../release.ts';

/**
 * What a rollback tells the releases that it takes back: the same for all of them, made of its own state alone.
 * @param called `billing#42`
 */
export function tellingOf(
  plan: ReleasePlan,
  state: ReleaseState,
  called: string,
): Extract<Stimulus, { kind: 'rollback-told' }> | null {
  if (!plan.rollback) return null;
  const { cause } = plan.rollback;
  const targets = plan.promotions.map((planned, position) => {
    const promotion = state.promotions[position] as PromotionState;
    return {
      environment: planned.name,
      standing: standingOf(planned, promotion, state),
      reason: promotion.problem?.message ?? null,
    };
  });
  const reason = `${cause.environment}: ${cause.reason}`;
  return { kind: 'rollback-told', rollback: state.id, called, sequence: state.sequence, reason, targets };
}

function standingOf(planned: PlannedPromotion, promotion: PromotionState, state: ReleaseState): RollbackStanding {
  const { status, startedAt } = promotion;
  if (status === 'SKIPPED') return 'NONE';
  if (startedAt === null) {
    if (ENDED_PROMOTION.has(status) || state.terminating !== null || state.halted) return 'NONE';
    return isAgreed(planned, promotion) ? 'STOP' : 'NONE';
  }
  if (!ENDED_PROMOTION.has(status)) return 'ROLLING_BACK';
  return status === 'FAILED' || status === 'TERMINATED' ? 'ROLLBACK_FAILED' : 'ROLLED_BACK';
}

/** No approval is missing: from then on the environment is the rollback's. */
function isAgreed({ approval: spec }: PlannedPromotion, { approval }: PromotionState): boolean {
  return spec === null || missingOf(spec, approval) === 0;
}

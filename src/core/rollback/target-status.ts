import { missingOf } from '../approvals/approval.ts';
import type { ReleasePlan } from '../plan.ts';
import { ENDED_PROMOTION } from '../release.ts';
import type { PromotionState, ReleaseState } from '../release.ts';

/** Where one environment of a rollback is. */
export const ROLLBACK_TARGET_STATUSES = [
  'PROPOSED',
  'WAITING',
  'ROLLING_BACK',
  'ROLLED_BACK',
  'FAILED',
  'LEFT_ALONE',
  'IMPOSSIBLE',
] as const;
export type RollbackTargetStatus = (typeof ROLLBACK_TARGET_STATUSES)[number];

/** What became of each target of a rollback, and why; in the order of its targets. */
export function targetStatuses(
  { rollback, promotions }: ReleasePlan,
  state: ReleaseState,
): { status: RollbackTargetStatus; reason: string }[] {
  return (rollback?.targets ?? []).map(({ environment, decision, reason }) => {
    const position = promotions.findIndex((each) => each.name === environment);
    // What does not go back has no promotion.
    if (position < 0) return { status: decision === 'IMPOSSIBLE' ? decision : 'LEFT_ALONE', reason };
    const promotion = state.promotions[position] as PromotionState;
    const approval = promotions[position]?.approval ?? null;
    const told = promotion.problem?.message ?? reason;
    switch (promotion.status) {
      case 'SUCCEEDED':
      case 'ROLLING_BACK':
      case 'ROLLED_BACK':
      case 'ROLLBACK_FAILED':
        return { status: 'ROLLED_BACK', reason };
      case 'SKIPPED':
        return { status: 'LEFT_ALONE', reason: told };
      default:
        if (ENDED_PROMOTION.has(promotion.status)) {
          return { status: promotion.startedAt === null ? 'LEFT_ALONE' : 'FAILED', reason: told };
        }
        if (promotion.startedAt !== null) return { status: 'ROLLING_BACK', reason };
        const open = approval !== null && missingOf(approval, promotion.approval) > 0;
        return { status: open ? 'PROPOSED' : 'WAITING', reason };
    }
  });
}

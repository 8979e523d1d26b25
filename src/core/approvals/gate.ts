import type { PlannedPromotion } from '../plan.ts';
import type { GateAnswer, PromotionState } from '../release.ts';
import { approvalStatus, describeRule, nameOf, progressOf } from './approval.ts';

/** Have enough of the right people agreed? Null where nobody has to be asked. */
export function askApproval(
  { approval: spec }: PlannedPromotion,
  state: PromotionState,
  now: number,
): GateAnswer | null {
  if (!spec) return null;
  const gate = 'APPROVAL' as const;
  const progress = progressOf(spec, state.approval);
  const open = progress.filter((each) => each.missing > 0);
  const missing = open.map((each) => describeRule(each.rule, each.missing)).join(' and ');
  if (state.approval === null) {
    return { gate, verdict: 'wait', reason: `will need the approval of ${missing}`, who: missing };
  }
  const { decisions, expiresAt } = state.approval;
  const given = decisions.map((each) => nameOf(each.by)).join(', ');
  switch (approvalStatus(spec, state.approval, now)) {
    case 'GRANTED':
      return { gate, verdict: 'pass', reason: `approved by ${given}` };
    case 'REJECTED': {
      const { by, comment } = decisions.find((each) => each.kind === 'REJECTED') as (typeof decisions)[number];
      return { gate, verdict: 'fail', reason: `rejected by ${nameOf(by)}${comment === null ? '' : `: ${comment}`}` };
    }
    case 'EXPIRED': {
      const late = `not approved in time, by ${new Date(expiresAt).toISOString()}: needs the approval of ${missing}`;
      return spec.onExpiry === 'FAIL'
        ? { gate, verdict: 'fail', reason: late }
        : { gate, verdict: 'wait', reason: `${late}; waits on`, who: missing };
    }
    case 'OPEN': {
      const so = given === '' ? '' : `; approved by ${given}`;
      return { gate, verdict: 'wait', reason: `needs the approval of ${missing}${so}`, who: missing, expiresAt };
    }
  }
}

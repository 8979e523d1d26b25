import type { ApprovalSpec } from '../definitions.ts';
import type { PlannedPromotion } from '../plan.ts';
import { EVERY_RELEASE, promotionOf } from '../gates/gate.ts';
import type { AnswerOf } from '../gates/answer.ts';
import type { Gate } from '../gates/gate.ts';
import type { PromotionState } from '../release.ts';
import { approvalStatus, describeRule, nameOf, progressOf } from './approval.ts';
import type { ApprovalState } from './approval.ts';

export const approvalGate: Gate<'APPROVAL'> = {
  name: 'APPROVAL',
  of: EVERY_RELEASE,
  again: true,
  appliesTo: ({ approval }) => approval !== null,
  ask: (question) =>
    askApproval(promotionOf(question), question.state.promotions[question.position] as PromotionState, question.now),
};

/** What those may do who are asked: the permission that a decision takes, in words. */
export const deedOf = ({ restores }: Pick<PlannedPromotion, 'restores'>): 'approve' | 'roll back' =>
  restores ? 'roll back' : 'approve';

/** Have enough of the right people agreed? Null where no approval is needed. */
export function askApproval(
  planned: PlannedPromotion,
  state: PromotionState,
  now: number,
): AnswerOf<'APPROVAL'> | null {
  return planned.approval && answerOf(planned.approval, state.approval, deedOf(planned), now);
}

/** Have enough of them agreed to what was asked? `approval` null: nobody was asked yet. */
export function answerOf(
  spec: ApprovalSpec,
  approval: ApprovalState | null,
  deed: ReturnType<typeof deedOf>,
  now: number,
): AnswerOf<'APPROVAL'> {
  const gate = 'APPROVAL' as const;
  const progress = progressOf(spec, approval);
  const open = progress.filter((each) => each.missing > 0);
  const missing = open.map((each) => describeRule(each.rule, each.missing, deed)).join(' and ');
  if (approval === null) {
    return { gate, verdict: 'wait', reason: `will need the approval of ${missing}`, who: missing };
  }
  const { decisions, expiresAt } = approval;
  const given = decisions.map((each) => nameOf(each.by)).join(', ');
  switch (approvalStatus(spec, approval, now)) {
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

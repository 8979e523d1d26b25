import type { Maker } from '../caller.ts';
import type { ApprovalSpec } from '../definitions.ts';
import type { Draft } from '../draft.ts';
import type { PlannedPromotion } from '../plan.ts';
import { refusal } from '../problems.ts';
import type { Refusal } from '../problems.ts';
import type { GateAnswer } from '../gates/answer.ts';
import type { DecisionStimulus, PromotionState } from '../release.ts';
import { windowState } from '../windows/index.ts';
import { approvalStatus, describeRule, missingOf, nameOf, rulesFor, rulesOf } from './approval.ts';
import type { ApprovalDecision, ApprovalState } from './approval.ts';
import { askApproval, deedOf } from './gate.ts';
import { whyNot } from './may-decide.ts';

/**
 * What becomes of a promotion's approval: asked for when its dependencies are met, decided by people, over when its time is.
 */
export function followApproval(draft: Draft, position: number, spec: ApprovalSpec, answers: GateAnswer[]): void {
  const planned = draft.planned(position);
  const { approval } = draft.state.promotions[position] as PromotionState;
  if (approval === null) {
    const met = answers.some((each) => each.gate === 'DEPENDENCIES' && each.verdict === 'pass');
    if (!met || answers.some((each) => each.verdict === 'fail')) return;
    const promotion = draft.promotion(position);
    const expiresAt = draft.now + spec.expiry;
    promotion.approval = { requestedAt: draft.now, expiresAt, expiredAt: null, decisions: [] };
    const needed = rulesOf(spec)
      .map((each) => describeRule(each, each.count, deedOf(planned)))
      .join(' and ');
    const until = new Date(expiresAt).toISOString();
    draft.emit({
      type: 'ApprovalRequested',
      ...draft.atPromotion(position, promotion.status),
      needed,
      expiresAt: until,
    });
    return;
  }
  if (approval.expiredAt !== null || approvalStatus(spec, approval, draft.now) !== 'EXPIRED') return;
  const promotion = draft.promotion(position);
  promotion.approval = { ...approval, expiredAt: draft.now };
  const { reason } = askApproval(planned, promotion, draft.now) as GateAnswer;
  draft.emit({ type: 'ApprovalExpired', ...draft.atPromotion(position, promotion.status), reason });
}

/** A refused decision changes nothing and is explained; the same one of the same person again changes nothing either. */
export function applyDecision(draft: Draft, stimulus: DecisionStimulus): void {
  const seen = draft.state.promotions[stimulus.promotion];
  const spec = seen && draft.planned(stimulus.promotion).approval;
  if (seen && isKnown(seen, stimulus)) return;
  const why =
    whyNot(draft.plan, draft.state, stimulus, draft.now) ??
    (stimulus.kind === 'approve' ? whyClosed(draft, draft.planned(stimulus.promotion)) : null);
  if (why !== null) return void draft.refused.set(stimulus, why);
  if (!seen || !spec) return;
  const { promotion: position, via, comment } = stimulus;
  const by = stimulus.by?.name ?? null;
  const promotion = draft.promotion(position);
  const before = promotion.approval as ApprovalState;
  const kind = stimulus.kind === 'approve' ? 'APPROVED' : 'REJECTED';
  const makers = othersThan(by, stimulus.by?.makers ?? []);
  const rules = rulesFor(spec, stimulus.by);
  const decision: ApprovalDecision = {
    kind,
    by,
    at: draft.now,
    comment,
    via,
    rules,
    ...(makers.length > 0 && { makers }),
  };
  promotion.approval = { ...before, decisions: [...before.decisions, decision] };
  const at = draft.atPromotion(position, promotion.status);
  const broughtBy = [...new Set(makers.map((each) => nameOf(each.name)))];
  const brought = broughtBy.length > 0 && { broughtBy };
  const who = { by: by ?? undefined, comment: comment ?? undefined, via, ...brought };
  if (kind === 'REJECTED') return draft.emit({ type: 'ApprovalRejected', ...at, ...who });
  const missing = missingOf(spec, promotion.approval);
  draft.emit({ type: 'ApprovalGiven', ...at, ...who, missing });
  if (missing > 0) return;
  const approvedBy = promotion.approval.decisions.map((each) => nameOf(each.by)).join(', ');
  draft.emit({ type: 'ApprovalGranted', ...at, approvedBy });
}

/** The makers of a credential other than the caller; makers without a name stay. */
function othersThan(name: string | null, makers: readonly Maker[]): readonly Maker[] {
  return makers.filter((each) => each.name === null || each.name !== name);
}

function isKnown({ attempt, approval }: PromotionState, stimulus: DecisionStimulus): boolean {
  const kind = stimulus.kind === 'approve' ? 'APPROVED' : 'REJECTED';
  const by = stimulus.by?.name ?? null;
  return (
    attempt === stimulus.attempt &&
    approval !== null &&
    approval.decisions.some((each) => each.kind === kind && each.by === by)
  );
}

/** A window can hold approvals, too. The promotion's own windows are another question. */
function whyClosed(draft: Draft, { name, environment }: PlannedPromotion): Refusal | null {
  if (environment === null) return null;
  const { closed, reason, nextOpen, windows } = windowState(
    draft.facts.windows[environment] ?? [],
    draft.now,
    'APPROVE',
  );
  if (!closed) return null;
  const opens = nextOpen === null ? 'it does not open within five years' : `opens ${new Date(nextOpen).toISOString()}`;
  const why = refusal('WINDOW_CLOSED', `${name} takes no approvals now: ${reason}; ${opens}`, ['environment']);
  return { ...why, closed: { windows, nextOpen } };
}

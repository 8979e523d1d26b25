import type { Maker } from '../caller.ts';
import type { ApprovalSpec } from '../definitions.ts';
import type { Move } from '../move.ts';
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
export function followApproval(move: Move, position: number, spec: ApprovalSpec, answers: GateAnswer[]): void {
  const planned = move.planned(position);
  const { approval } = move.state.promotions[position] as PromotionState;
  if (approval === null) {
    const met = answers.some((each) => each.gate === 'DEPENDENCIES' && each.verdict === 'pass');
    if (!met || answers.some((each) => each.verdict === 'fail')) return;
    const promotion = move.promotion(position);
    const expiresAt = move.now + spec.expiry;
    promotion.approval = { requestedAt: move.now, expiresAt, expiredAt: null, decisions: [] };
    const needed = rulesOf(spec)
      .map((each) => describeRule(each, each.count, deedOf(planned)))
      .join(' and ');
    const until = new Date(expiresAt).toISOString();
    move.emit({ type: 'ApprovalRequested', ...move.atPromotion(position, promotion.status), needed, expiresAt: until });
    return;
  }
  if (approval.expiredAt !== null || approvalStatus(spec, approval, move.now) !== 'EXPIRED') return;
  const promotion = move.promotion(position);
  promotion.approval = { ...approval, expiredAt: move.now };
  const { reason } = askApproval(planned, promotion, move.now) as GateAnswer;
  move.emit({ type: 'ApprovalExpired', ...move.atPromotion(position, promotion.status), reason });
}

/** A refused decision changes nothing and is explained; the same one of the same person again changes nothing either. */
export function takeDecision(move: Move, stimulus: DecisionStimulus): void {
  const seen = move.state.promotions[stimulus.promotion];
  const spec = seen && move.planned(stimulus.promotion).approval;
  if (seen && isKnown(seen, stimulus)) return;
  const why =
    whyNot(move.plan, move.state, stimulus, move.now) ??
    (stimulus.kind === 'approve' ? whyClosed(move, move.planned(stimulus.promotion)) : null);
  if (why !== null) return void move.refused.set(stimulus, why);
  if (!seen || !spec) return;
  const { promotion: position, via, comment } = stimulus;
  const by = stimulus.by?.name ?? null;
  const promotion = move.promotion(position);
  const before = promotion.approval as ApprovalState;
  const kind = stimulus.kind === 'approve' ? 'APPROVED' : 'REJECTED';
  const makers = othersThan(by, stimulus.by?.makers ?? []);
  const rules = rulesFor(spec, stimulus.by);
  const decision: ApprovalDecision = {
    kind,
    by,
    at: move.now,
    comment,
    via,
    rules,
    ...(makers.length > 0 && { makers }),
  };
  promotion.approval = { ...before, decisions: [...before.decisions, decision] };
  const at = move.atPromotion(position, promotion.status);
  const broughtBy = [...new Set(makers.map((each) => nameOf(each.name)))];
  const brought = broughtBy.length > 0 && { broughtBy };
  const who = { by: by ?? undefined, comment: comment ?? undefined, via, ...brought };
  if (kind === 'REJECTED') return move.emit({ type: 'ApprovalRejected', ...at, ...who });
  const missing = missingOf(spec, promotion.approval);
  move.emit({ type: 'ApprovalGiven', ...at, ...who, missing });
  if (missing > 0) return;
  const approvedBy = promotion.approval.decisions.map((each) => nameOf(each.by)).join(', ');
  move.emit({ type: 'ApprovalGranted', ...at, approvedBy });
}

/** Whoever made it for themselves brings nothing. */
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
function whyClosed(move: Move, { name, environment }: PlannedPromotion): Refusal | null {
  if (environment === null) return null;
  const { closed, reason, nextOpen, windows } = windowState(move.facts.windows[environment] ?? [], move.now, 'APPROVE');
  if (!closed) return null;
  const opens = nextOpen === null ? 'it does not open within five years' : `opens ${new Date(nextOpen).toISOString()}`;
  const why = refusal('WINDOW_CLOSED', `${name} takes no approvals now: ${reason}; ${opens}`, ['environment']);
  return { ...why, closed: { windows, nextOpen } };
}

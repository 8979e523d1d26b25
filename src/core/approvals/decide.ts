import { askDependencies } from '../gates.ts';
import type { Move } from '../move.ts';
import type { PlannedPromotion } from '../plan.ts';
import { refusal } from '../problems.ts';
import type { Refusal } from '../problems.ts';
import { ENDED_PROMOTION, ENDED_RELEASE } from '../release.ts';
import type { DecisionStimulus, GateAnswer, PromotionState } from '../release.ts';
import { windowState } from '../windows/index.ts';
import { approvalStatus, describeRule, missingOf, nameOf, progressOf, rulesFor, rulesOf } from './approval.ts';
import type { ApprovalDecision, ApprovalState } from './approval.ts';
import { askApproval } from './gate.ts';

/**
 * What becomes of a promotion's approval: asked for when its dependencies are met, decided by people, over when its time is.
 * True when something changed, so that the gate has another answer.
 */
export function followApproval(move: Move, position: number, answers: GateAnswer[]): boolean {
  const planned = move.planned(position);
  const { approval } = move.state.promotions[position] as PromotionState;
  const spec = planned.approval;
  if (!spec) return false;
  if (approval === null) {
    const met = answers.some((each) => each.gate === 'DEPENDENCIES' && each.verdict === 'pass');
    if (!met || answers.some((each) => each.verdict === 'fail')) return false;
    const promotion = move.promotion(position);
    const expiresAt = move.now + spec.expiry;
    promotion.approval = { requestedAt: move.now, expiresAt, expiredAt: null, decisions: [] };
    const needed = rulesOf(spec)
      .map((each) => describeRule(each, each.count))
      .join(' and ');
    const until = new Date(expiresAt).toISOString();
    move.emit({ type: 'ApprovalRequested', ...move.atPromotion(position, promotion.status), needed, expiresAt: until });
    return true;
  }
  if (approval.expiredAt !== null || approvalStatus(spec, approval, move.now) !== 'EXPIRED') return false;
  const promotion = move.promotion(position);
  promotion.approval = { ...approval, expiredAt: move.now };
  const { reason } = askApproval(planned, promotion, move.now) as GateAnswer;
  move.emit({ type: 'ApprovalExpired', ...move.atPromotion(position, promotion.status), reason });
  return true;
}

/** A refused decision changes nothing and is explained; the same one of the same person again changes nothing either. */
export function takeDecision(move: Move, stimulus: DecisionStimulus): void {
  const seen = move.state.promotions[stimulus.promotion];
  const spec = seen && move.planned(stimulus.promotion).approval;
  if (seen && isKnown(seen, stimulus)) return;
  const why = seen ? whyNot(move, seen, stimulus) : refusal('NOT_FOUND', 'the release has no such promotion');
  if (why !== null) return void move.refused.set(stimulus, why);
  if (!spec || move.needsFacts) return;
  const { promotion: position, via, comment } = stimulus;
  const by = stimulus.by?.name ?? null;
  const promotion = move.promotion(position);
  const before = promotion.approval as ApprovalState;
  const kind = stimulus.kind === 'approve' ? 'APPROVED' : 'REJECTED';
  const decision: ApprovalDecision = { kind, by, at: move.now, comment, via, rules: rulesFor(spec, stimulus.by) };
  promotion.approval = { ...before, decisions: [...before.decisions, decision] };
  const at = move.atPromotion(position, promotion.status);
  const who = { by: by ?? undefined, comment: comment ?? undefined, via };
  if (kind === 'REJECTED') return move.emit({ type: 'ApprovalRejected', ...at, ...who });
  const missing = missingOf(spec, promotion.approval);
  move.emit({ type: 'ApprovalGiven', ...at, ...who, missing });
  if (missing > 0) return;
  const approvedBy = promotion.approval.decisions.map((each) => nameOf(each.by)).join(', ');
  move.emit({ type: 'ApprovalGranted', ...at, approvedBy });
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

function whyNot(move: Move, seen: PromotionState, stimulus: DecisionStimulus): Refusal | null {
  const planned = move.planned(stimulus.promotion);
  return (
    whyNotNow(move, planned, seen, stimulus) ??
    whyNotThey(move, planned, seen, stimulus) ??
    (stimulus.kind === 'approve' ? whyClosed(move, planned) : null)
  );
}

function whyNotNow(
  move: Move,
  planned: PlannedPromotion,
  seen: PromotionState,
  { attempt, kind }: DecisionStimulus,
): Refusal | null {
  const { name, approval: spec } = planned;
  const wrong = (why: string): Refusal => refusal('WRONG_STATE', `${name} ${why}`, ['environment']);
  if (!spec) return wrong('needs no approval');
  if (seen.attempt !== attempt)
    return wrong(`is in attempt ${seen.attempt}, this decision is about attempt ${attempt}`);
  if (seen.approval?.decisions.some((each) => each.kind === 'REJECTED')) {
    return wrong(`was ${(askApproval(planned, seen, move.now) as GateAnswer).reason}; retry the release to ask again`);
  }
  const over = ENDED_PROMOTION.has(seen.status) || ENDED_RELEASE.has(move.state.status);
  if (over) return wrong(`is ${seen.status} already, there is nothing to decide`);
  if (seen.startedAt !== null) return wrong('has started already, there is nothing to decide');
  if (move.state.terminating !== null || move.state.halted) return wrong('will not start, because the release stops');
  if (seen.approval === null) {
    const { reason } = askDependencies(move.plan, move.state, planned);
    return wrong(`is not asked for yet: it ${move.state.startedAt === null ? 'is not its turn' : reason}`);
  }
  const status = approvalStatus(spec, seen.approval, move.now);
  if (status === 'EXPIRED' && spec.onExpiry === 'FAIL') {
    return wrong((askApproval(planned, seen, move.now) as GateAnswer).reason);
  }
  if (status === 'GRANTED' && kind === 'approve') {
    return wrong(`has all its approvals already: ${(askApproval(planned, seen, move.now) as GateAnswer).reason}`);
  }
  return null;
}

/** Whoever may approve may reject. The initiator may only reject. */
function whyNotThey(
  move: Move,
  { name, approval: spec }: PlannedPromotion,
  { approval }: PromotionState,
  { kind, by }: DecisionStimulus,
): Refusal | null {
  if (!spec) return null;
  const no = (why: string): Refusal => refusal('NOT_AN_APPROVER', why, ['environment']);
  const who = by === null ? 'somebody who is not signed in' : by.name;
  const rules = rulesFor(spec, by);
  if (rules.length === 0) {
    const all = rulesOf(spec)
      .map((each) => describeRule(each, each.count))
      .join(' and ');
    return no(`${who} is not among those who decide on ${name}: it needs the approval of ${all}`);
  }
  if (kind === 'reject') return null;
  const { initiator } = move.state;
  if (spec.forbidInitiator && initiator !== null && (by === null || by.name === initiator)) {
    return no(
      by === null
        ? `${initiator} triggered the release and may not approve ${name}; sign in, to show that you are somebody else`
        : `${initiator} triggered the release and may not approve ${name} too: somebody else has to`,
    );
  }
  const decision: ApprovalDecision = { kind: 'APPROVED', by: who, at: move.now, comment: null, via: 'API', rules };
  const before = approval as ApprovalState;
  if (missingOf(spec, { ...before, decisions: [...before.decisions, decision] }) < missingOf(spec, before)) return null;
  const open = progressOf(spec, approval).filter((each) => each.missing > 0);
  const missing = open.map((each) => describeRule(each.rule, each.missing)).join(' and ');
  return no(`${who} cannot give what is missing for ${name}: the approval of ${missing}`);
}

/** SEMANTICS §6: a window can hold approvals, too. The promotion's own windows are another question. */
function whyClosed(move: Move, { name, environment }: PlannedPromotion): Refusal | null {
  if (environment === null) return null;
  if (move.facts === null) {
    move.needsFacts = true;
    return null;
  }
  const { closed, reason, nextOpen } = windowState(move.facts.windows[environment] ?? [], move.now, 'APPROVE');
  if (!closed) return null;
  const opens = nextOpen === null ? 'it does not open within five years' : `opens ${new Date(nextOpen).toISOString()}`;
  return refusal('WINDOW_CLOSED', `${name} takes no approvals now: ${reason}; ${opens}`, ['environment']);
}

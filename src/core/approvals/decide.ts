import type { Maker } from '../caller.ts';
import type { ApprovalSpec } from '../definitions.ts';
import type { Draft } from '../draft.ts';
import type { PlannedPromotion } from '../plan.ts';
import { refusal } from '../problems.ts';
import type { Refusal } from '../problems.ts';
import type { GateAnswer } from '../gates/answer.ts';
import type { AskedOfStep, DecisionStimulus, OtherRelease, PromotionState } from '../release.ts';
import { wait } from '../step.ts';
import { cutOff } from '../steps.ts';
import { windowState } from '../windows/index.ts';
import { approvalStatus, describeRule, missingOf, nameOf, rulesFor, rulesOf } from './approval.ts';
import type { ApprovalDecision, ApprovalState } from './approval.ts';
import { answerOf, askApproval, deedOf } from './gate.ts';
import { askedFor, whyNot } from './may-decide.ts';
import type { Asked } from './may-decide.ts';

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

/** Facts cost a reading: only what waits for its turn has to look at them. */
const behindOf = (draft: Draft): OtherRelease | null => (draft.state.startedAt === null ? draft.facts.behind : null);

/** A refused decision changes nothing and is explained; the same one of the same person again changes nothing either. */
export function applyDecision(draft: Draft, stimulus: DecisionStimulus): void {
  const seen = draft.state.promotions[stimulus.promotion];
  const asked = seen && askedFor(draft.planned(stimulus.promotion), seen, stimulus.step);
  if (seen?.attempt === stimulus.attempt && asked && isKnown(asked, stimulus)) return;
  const why =
    whyNot(draft.plan, draft.state, stimulus, draft.now, behindOf(draft)) ??
    (stimulus.kind === 'approve' ? whyClosed(draft, draft.planned(stimulus.promotion)) : null);
  if (why !== null) return void draft.refused.set(stimulus, why);
  if (!asked?.approval) return;
  const { spec, approval: before } = asked;
  const { promotion: position, step, via, comment } = stimulus;
  const by = stimulus.by?.name ?? null;
  const promotion = draft.promotion(position);
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
  const approval = { ...before, decisions: [...before.decisions, decision] };
  if (step === undefined) promotion.approval = approval;
  else answerStep(draft, position, step, approval);
  const at = {
    ...draft.atPromotion(position, promotion.status),
    ...(step !== undefined && { step: draft.plannedStep(position, step).id }),
  };
  const broughtBy = [...new Set(makers.map((each) => nameOf(each.name)))];
  const brought = broughtBy.length > 0 && { broughtBy };
  const who = { by: by ?? undefined, comment: comment ?? undefined, via, ...brought };
  if (kind === 'REJECTED') {
    draft.emit({ type: 'ApprovalRejected', ...at, ...who });
    if (step === undefined) return;
    const { reason } = answerOf(spec, approval, deedOf(draft.planned(position)), draft.now);
    if (draft.state.promotions[position]?.steps[step]?.status === 'RUNNING')
      draft.work.push({ kind: 'abort', promotions: [position] });
    return cutOff(draft, position, step, reason);
  }
  const missing = missingOf(spec, approval);
  draft.emit({ type: 'ApprovalGiven', ...at, ...who, missing });
  if (missing > 0) return;
  const approvedBy = approval.decisions.map((each) => nameOf(each.by)).join(', ');
  draft.emit({ type: 'ApprovalGranted', ...at, approvedBy });
}

/** The makers of a credential other than the caller; makers without a name stay. */
function othersThan(name: string | null, makers: readonly Maker[]): readonly Maker[] {
  return makers.filter((each) => each.name === null || each.name !== name);
}

/** A step that has its approvals is looked at once more, at once. */
function answerStep(draft: Draft, position: number, index: number, approval: ApprovalState): void {
  const step = draft.step(position, index);
  const asked = { ...(step.asked as AskedOfStep), approval };
  step.asked = asked;
  if (step.status === 'WAITING' && missingOf(asked.spec, approval) === 0)
    wait(draft, step, draft.now, 'has all its approvals');
}

function isKnown({ approval }: Asked, stimulus: DecisionStimulus): boolean {
  const kind = stimulus.kind === 'approve' ? 'APPROVED' : 'REJECTED';
  const by = stimulus.by?.name ?? null;
  return approval !== null && approval.decisions.some((each) => each.kind === kind && each.by === by);
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

import type { Draft } from '../draft.ts';
import type { Outcome, StepState } from '../release.ts';
import { failStep, wait } from '../step.ts';
import { approvalStatus, describeRule, missingOf, nameOf, rulesOf } from './approval.ts';
import { answerOf, deedOf } from './gate.ts';

/** A step that asks people while it is under way: an `approval` action of a workflow, or one that does not dare to decide by itself. */

/** The names of the people who agreed to what the step asks; null: it asks nothing, or not enough of them have. */
export function agreedBy({ asked }: StepState): string[] | null {
  if (!asked || missingOf(asked.spec, asked.approval) > 0) return null;
  return asked.approval.decisions.map((each) => nameOf(each.by));
}

/** The step waits for people, without a look in between: what they say is told to the release. Asked once more, nothing begins anew. */
export function askPeople(
  draft: Draft,
  position: number,
  index: number,
  { approval: spec, question, progress }: Extract<Outcome, { kind: 'asked' }>,
): void {
  const step = draft.step(position, index);
  step.progress = progress ?? step.progress ?? null;
  if (!step.asked) {
    const expiresAt = draft.now + spec.expiry;
    step.asked = { question, spec, approval: { requestedAt: draft.now, expiresAt, expiredAt: null, decisions: [] } };
    const deed = deedOf(draft.planned(position));
    const needed = rulesOf(spec)
      .map((each) => describeRule(each, each.count, deed))
      .join(' and ');
    const at = draft.atPromotion(position, draft.promotion(position).status);
    const until = new Date(expiresAt).toISOString();
    draft.emit({
      type: 'ApprovalRequested',
      ...at,
      step: draft.plannedStep(position, index).id,
      needed,
      expiresAt: until,
    });
  }
  if (agreedBy(step) !== null) return wait(draft, step, draft.now, 'has all its approvals');
  const { reason } = answerOf(step.asked.spec, step.asked.approval, deedOf(draft.planned(position)), draft.now);
  const said = step.asked.question === null ? reason : `${step.asked.question}: ${reason}`;
  const before = step.reason;
  wait(draft, step, null, said, 'PERSON');
  step.recheckAt = null;
  if (before !== said) draft.emit({ type: 'StepWaiting', ...draft.atStep(position, index), reason: said });
}

/** When the time of the people who are asked is over; null: it is over already, and the step waits on. */
export function askedUntil({ asked }: StepState): number | null {
  return asked && asked.approval.expiredAt === null ? asked.approval.expiresAt : null;
}

/** Not answered in time: as the request says, the step fails, or waits on, which is told once. */
export function expireAsked(draft: Draft, position: number, index: number): void {
  const asked = draft.state.promotions[position]?.steps[index]?.asked;
  if (
    !asked ||
    asked.approval.expiredAt !== null ||
    approvalStatus(asked.spec, asked.approval, draft.now) !== 'EXPIRED'
  )
    return;
  const late = { ...asked.approval, expiredAt: draft.now };
  draft.step(position, index).asked = { ...asked, approval: late };
  const { reason } = answerOf(asked.spec, late, deedOf(draft.planned(position)), draft.now);
  const { status } = draft.promotion(position);
  const step = draft.plannedStep(position, index).id;
  draft.emit({ type: 'ApprovalExpired', ...draft.atPromotion(position, status), step, reason });
  if (asked.spec.onExpiry === 'FAIL') return failStep(draft, position, index, reason);
  draft.step(position, index).reason = reason;
}

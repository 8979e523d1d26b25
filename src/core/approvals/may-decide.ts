import type { Permission } from '../access/index.ts';
import type { Caller } from '../caller.ts';
import { isAskedBeforeMerge } from '../gates/merge.ts';
import { askDependencies } from '../gates/dependencies.ts';
import type { ApprovalSpec } from '../definitions.ts';
import type { PlannedPromotion, ReleasePlan } from '../plan.ts';
import { refusal } from '../problems.ts';
import type { Refusal } from '../problems.ts';
import { ENDED_PROMOTION, ENDED_RELEASE } from '../release.ts';
import type { DecisionStimulus, OtherRelease, PromotionState, ReleaseState, StepState } from '../release.ts';
import { mustStop } from '../steps.ts';
import { actOf, approvalStatus, describeRule, missingOf, nameOf, progressOf, rulesFor, rulesOf } from './approval.ts';
import type { ApprovalDecision, ApprovalState } from './approval.ts';
import { mayBeOne, sameName } from './person.ts';
import type { Act } from './person.ts';
import { answerOf, deedOf } from './gate.ts';

/**
 * What it takes to decide on promotions of a release. It follows from what the release is, whatever command, link or message
 * brings the decision: agreeing that a version goes back is rolling back.
 */
export function permissionToDecide({ rollback }: Pick<ReleasePlan, 'rollback'>): Permission {
  return rollback ? 'ROLLBACK' : 'APPROVE';
}

/** A decision that a caller makes, or would make: a screen asks the same question before it shows a button. */
export type Wish = Pick<DecisionStimulus, 'kind' | 'promotion' | 'step' | 'attempt' | 'by'>;

/** What people decide on: that a promotion starts, or that a step of it goes on. `approval` null: nobody was asked yet. */
export interface Asked {
  /** How refusals call it. */
  called: string;
  spec: ApprovalSpec;
  approval: ApprovalState | null;
}

/** What a decision on a promotion, or on this step of it, is about; null: it needs no approval. */
export function askedFor(planned: PlannedPromotion, seen: PromotionState, step?: number): Asked | null {
  const { name: called, approval: spec } = planned;
  if (step === undefined) return spec && { called, spec, approval: seen.approval };
  const asked = seen.steps[step]?.asked;
  return asked ? { called: `${called}, step ${planned.steps[step]?.id},`, ...asked } : null;
}

/** What of a promotion waits for people now: undefined is its start, a number the position of a step. */
export function askedNow(planned: PlannedPromotion, seen: PromotionState): (number | undefined)[] {
  if (seen.endedAt !== null) return [];
  const starts = seen.startedAt === null || seen.merge ? [undefined] : [];
  const steps = [...seen.steps.keys()].filter((each) => seen.steps[each]?.outside);
  return [...starts, ...steps].filter((step) => {
    const asked = askedFor(planned, seen, step);
    return asked?.approval && missingOf(asked.spec, asked.approval) > 0;
  });
}

/**
 * Why this person may not decide so on this promotion now, or null. Release windows are another question.
 * @param behind the release that goes before this one; asked only of one that waits for its turn
 */
export function whyNot(
  plan: ReleasePlan,
  state: ReleaseState,
  wish: Wish,
  now: number,
  behind: OtherRelease | null,
): Refusal | null {
  const planned = plan.promotions[wish.promotion];
  const promotion = state.promotions[wish.promotion];
  if (!planned || !promotion) return refusal('NOT_FOUND', 'the release has no such promotion', ['environment']);
  const asked = askedFor(planned, promotion, wish.step);
  const called = asked?.called ?? planned.name;
  if (!asked) return refusal('WRONG_STATE', `${called} ${whyNotAsked(planned, promotion, wish.step)}`, ['environment']);
  const why = whyNotNow(plan, state, planned, promotion, asked, wish, now, behind);
  if (why !== null) return refusal('WRONG_STATE', `${called} ${why}`, ['environment']);
  const who = whyNotThey(plan, state, planned, asked, wish);
  return who === null ? null : refusal('NOT_AN_APPROVER', who, ['environment']);
}

function whyNotAsked({ steps }: PlannedPromotion, seen: PromotionState, step: number | undefined): string {
  if (step !== undefined) return `does not ask in its step ${steps[step]?.id}`;
  const asking = steps.filter((_, index) => seen.steps[index]?.asked && seen.steps[index].status === 'WAITING');
  if (asking.length === 0) return 'needs no approval';
  return `needs no approval to start, and asks in ${asking.map(({ id }) => id).join(', ')}: name that in \`step\` (\`--step\`)`;
}

/** Whether what this person could say now would bring the promotion nearer to its start. */
export function mayApprove(
  plan: ReleasePlan,
  state: ReleaseState,
  { promotion, step }: Pick<Wish, 'promotion' | 'step'>,
  by: Caller | null,
  now: number,
): boolean {
  const seen = state.promotions[promotion] as PromotionState;
  const { attempt } = seen;
  const approval = askedFor(plan.promotions[promotion] as PlannedPromotion, seen, step)?.approval;
  const said = approval?.decisions.some((each) => each.by === (by?.name ?? null)) ?? false;
  return !said && whyNot(plan, state, { kind: 'approve', promotion, step, attempt, by }, now, null) === null;
}

/** Why the caller can be the person who triggered the release; null: nothing says so. */
function whySame(started: Act, by: Caller): string | null {
  const makers = by.makers ?? [];
  if (!mayBeOne(started, by)) {
    // A maker without a name used a server that asks for none: it can have been any person.
    const unknown = makers.some((each) => each.name === null);
    return unknown
      ? `the maker of the link of ${by.name} is unknown: make another one where callers say who they are`
      : null;
  }
  if (sameName(started.name, by.name)) return 'another person has to';
  if (makers.some((each) => each.name === started.name)) return `${started.name} made the token or link of ${by.name}`;
  if (started.makers?.some((each) => each.name === by.name)) return `${by.name} made the token of ${started.name}`;
  return `one person made the tokens of ${started.name} and of ${by.name}`;
}

function whyNotNow(
  plan: ReleasePlan,
  state: ReleaseState,
  planned: PlannedPromotion,
  seen: PromotionState,
  { spec, approval }: Asked,
  { attempt, kind, step, promotion }: Wish,
  now: number,
  behind: OtherRelease | null,
): string | null {
  if (seen.attempt !== attempt) return `is in attempt ${seen.attempt}, this decision is about attempt ${attempt}`;
  const so = (): string => answerOf(spec, approval, deedOf(planned), now).reason;
  if (approval?.decisions.some((each) => each.kind === 'REJECTED')) {
    return `was ${so()}; retry the release to ask again`;
  }
  const over = ENDED_PROMOTION.has(seen.status) || ENDED_RELEASE.has(state.status);
  if (over) return `is ${seen.status} already, there is nothing to decide`;
  if (step !== undefined) {
    const { status } = seen.steps[step] as StepState;
    if (status !== 'WAITING' && status !== 'RUNNING') return `is ${status} already, there is nothing to decide`;
    if (mustStop(plan, state, promotion)) return 'will not go on, because the release stops';
  } else if (seen.startedAt !== null && !isAskedBeforeMerge(planned, seen))
    return 'has started already, there is nothing to decide';
  if (step === undefined && (state.terminating !== null || state.halted))
    return 'will not start, because the release stops';
  if (approval === null) {
    if (state.startedAt !== null) return `is not asked for yet: it ${askDependencies(plan, state, planned).reason}`;
    return `is not asked for yet: its release waits for its turn${behind ? `, and release ${behind.called} goes first` : ''}`;
  }
  const status = approvalStatus(spec, approval, now);
  if (status === 'EXPIRED' && spec.onExpiry === 'FAIL') return `was ${so()}`;
  return status === 'GRANTED' && kind === 'approve' ? `has all its approvals already: ${so()}` : null;
}

/** A person who may approve may reject. The initiator may only reject. */
function whyNotThey(
  { rollback }: Pick<ReleasePlan, 'rollback'>,
  { initiator, initiatorMakers }: Pick<ReleaseState, 'initiator' | 'initiatorMakers'>,
  planned: PlannedPromotion,
  { called: name, spec, approval }: Asked,
  { kind, by, step }: Wish,
): string | null {
  const deed = deedOf(planned);
  const who = by === null ? 'a caller who is not signed in' : by.name;
  const rules = rulesFor(spec, by);
  if (rules.length === 0) {
    const all = rulesOf(spec)
      .map((each) => describeRule(each, each.count, deed))
      .join(' and ');
    return `${who} is not among those who decide on ${name}: it needs the approval of ${all}`;
  }
  if (kind === 'reject') return null;
  if (spec.forbidInitiator && initiator !== null) {
    const started = { name: initiator, makers: initiatorMakers };
    const why = by === null ? 'sign in, to show that you are another person' : whySame(started, by);
    if (why !== null) {
      const [did, where] = rollback
        ? ['started the rollback', "policy's approval"]
        : ['is the initiator of the release', step === undefined ? "step's approval" : 'action'];
      return `${initiator} ${did} and may not approve ${name} too, unless the ${where} says \`forbidInitiator: false\`: ${why}`;
    }
  }
  const makers = by?.makers ?? [];
  const decision: ApprovalDecision = {
    kind: 'APPROVED',
    by: by?.name ?? null,
    at: 0,
    comment: null,
    via: 'API',
    rules,
    makers,
  };
  const before = approval as ApprovalState;
  const rest = missingOf(spec, { ...before, decisions: [...before.decisions, decision] }) - missingOf(spec, before);
  if (rest < 0) return null;
  const same = before.decisions.filter((each) => mayBeOne(actOf(each), actOf(decision)));
  const [first] = same;
  if (first) {
    // One person counts once: what a second decision can add is another rule that the person fits.
    if (rest === 0 && rules.some((rule) => !same.some((each) => each.rules.includes(rule)))) return null;
    return `${who} cannot approve ${name} beside ${nameOf(first.by)}: one made the token or link of the other, or one person made both, and one person counts once`;
  }
  const open = progressOf(spec, approval).filter((each) => each.missing > 0);
  const missing = open.map((each) => describeRule(each.rule, each.missing, deed)).join(' and ');
  return `${who} cannot give what is missing for ${name}: the approval of ${missing}`;
}

import { beginAnew, queueAgain } from './begin-anew.ts';
import type { Draft } from './draft.ts';
import { standingOf } from './gates/dependencies.ts';
import { countOf, isSkippedByPerson } from './required.ts';
import { freshGroup } from './group-gate.ts';
import { comesAtTheEnd } from './own-steps.ts';
import type { Dependency, PlannedGroup, PlannedPromotion, ReleasePlan } from './plan.ts';
import { BAD_PROMOTION, ENDED_PROMOTION, TAKEN_BACK } from './release.ts';
import type { GroupState, PromotionState, ReleaseState } from './release.ts';
import { overBy } from './rollback/take-back.ts';
import { failGroup } from './settle.ts';

/**
 * A person retries one promotion that did not succeed, or has just skipped it: the release goes on from there, also when it had ended.
 *
 * - What comes after it and never started begins again, where its other dependencies let it. If nothing else went wrong, so does everything
 *   that never started: it was left out because of this one.
 * - Other failures stay what they are. The person has seen them: they stop nothing that begins now, and the release has failed all the
 *   same when it ends.
 */
export function goOnAfter(draft: Draft, position: number, how: 'RETRY' | 'SKIP'): void {
  const { state, plan } = draft;
  const ended = state.endedAt !== null;
  const undone = TAKEN_BACK.has((state.promotions[position] as PromotionState).status);
  const begins = beginningWith(plan, state, position, how);
  const again = [...plan.promotions.keys()].filter((each) => {
    const { own, of } = plan.promotions[each] as PlannedPromotion;
    // What is done about a failure begins again with what failed, if it had come to its end.
    if (of !== undefined)
      return begins.has(of) && ENDED_PROMOTION.has((state.promotions[each] as PromotionState).status);
    return begins.has(each) || (ended && comesAtTheEnd(own));
  });
  for (const each of again) beginAnew(draft, each);
  state.rollbacks = overBy(state.rollbacks);
  state.limited = Object.fromEntries(Object.entries(state.limited).filter(([each]) => !again.includes(Number(each))));
  state.forgiven = [...plan.promotions.keys()].filter((each) =>
    BAD_PROMOTION.has((state.promotions[each] as PromotionState).status),
  );
  const isTouched = (group: number): boolean =>
    (plan.groups[group] as PlannedGroup).members.some((each) => each === position || begins.has(each));
  // A group that had failed and is asked anew is told of, too: whoever reads events alone would have it fail for good.
  const reopens = state.groups.some(({ status }, index) => status === 'FAILED' && isTouched(index));
  if (ended || again.length > 0 || reopens) {
    draft.emit({ type: 'ReleaseRetried', environments: again.map((each) => draft.planned(each).name) });
  }
  state.groups.forEach((group, index) => {
    const { members } = plan.groups[index] as PlannedGroup;
    const isOver = group.status === 'PASSED' || (group.status === 'FAILED' && !isTouched(index));
    if (isOver ? undone && members.includes(position) : ended || group.status === 'FAILED')
      Object.assign(draft.group(index), freshGroup(group.generation));
  });
  if (ended) {
    queueAgain(draft);
    state.groups.forEach((group, index) => giveUpGroup(draft, group, index));
  }
  state.halted = false;
}

/** One that a termination had cut short, and of which nothing goes on: it says so, and stops nothing that begins now. */
function giveUpGroup(draft: Draft, group: GroupState, position: number): void {
  const planned = draft.plan.groups[position] as PlannedGroup;
  const { counted, required } = countOf(planned, draft.state);
  const members = planned.members.map((each) => (draft.state.promotions[each] as PromotionState).status);
  const succeeded = members.filter((each) => each === 'SUCCEEDED').length;
  if (group.status !== 'OPEN' || succeeded >= required || members.some((each) => !ENDED_PROMOTION.has(each))) return;
  failGroup(draft, position, `${succeeded} of ${counted} in ${planned.name} succeeded, ${required} needed`);
}

/** The positions of what begins again. */
function beginningWith(plan: ReleasePlan, state: ReleaseState, position: number, how: 'RETRY' | 'SKIP'): Set<number> {
  const alone =
    state.promotions.some(
      ({ status }, each) =>
        each !== position &&
        plan.promotions[each]?.own !== 'ON_FAIL' &&
        (BAD_PROMOTION.has(status) || status === 'TERMINATED'),
    ) || state.groups.some((_, each) => failedByItself(plan, state, each));
  const after = dependentsOf(plan, position);
  const begins = new Set(
    [...plan.promotions.keys()].filter((each) => neverStarted(plan, state, each) && (!alone || after.has(each))),
  );
  if (how === 'RETRY') begins.add(position);
  const isDead = (on: Dependency): boolean => {
    if ('promotion' in on) return !begins.has(on.promotion) && standingOf(state, on) === 'dead';
    const { members } = plan.groups[on.group] as PlannedGroup;
    return standingOf(state, on) === 'dead' && !members.some((each) => each === position || begins.has(each));
  };
  for (let before = -1; before !== begins.size;) {
    before = begins.size;
    for (const each of begins) {
      const { dependsOn, required } = plan.promotions[each] as PlannedPromotion;
      if (each !== position && dependsOn.filter(isDead).length > dependsOn.length - required) begins.delete(each);
    }
  }
  return begins;
}

/** Its members are all through, and their health did not hold. Every other group that failed did so because members failed or were left out. */
function failedByItself(plan: ReleasePlan, state: ReleaseState, group: number): boolean {
  const { members } = plan.groups[group] as PlannedGroup;
  const isThrough = (each: number): boolean =>
    state.promotions[each]?.status === 'SUCCEEDED' || isSkippedByPerson(state, each);
  return state.groups[group]?.status === 'FAILED' && members.every(isThrough);
}

/** It ended before it had begun, and no person wanted that. */
function neverStarted(plan: ReleasePlan, state: ReleaseState, position: number): boolean {
  const { status, startedAt } = state.promotions[position] as PromotionState;
  if (startedAt !== null || isSkippedByPerson(state, position) || comesAtTheEnd(plan.promotions[position]?.own))
    return false;
  return status === 'SKIPPED' || status === 'TERMINATED';
}

/** Everything that comes after a promotion, through others and through groups. */
function dependentsOf({ promotions, groups }: ReleasePlan, position: number): Set<number> {
  const direct = promotions.map((): number[] => []);
  promotions.forEach(({ dependsOn }, each) => {
    for (const on of dependsOn) {
      const before = 'group' in on ? (groups[on.group] as PlannedGroup).members : [on.promotion];
      for (const one of before) direct[one]?.push(each);
    }
  });
  const found = new Set<number>();
  const open = [position];
  for (const each of open)
    for (const next of direct[each] as number[])
      if (!found.has(next)) {
        found.add(next);
        open.push(next);
      }
  return found;
}

import { followApproval } from './approvals/decide.ts';
import type { GateAnswer } from './gates/answer.ts';
import { askGates } from './gates/index.ts';
import { askStart } from './gates/merge.ts';
import type { Draft } from './draft.ts';
import { followMerge } from './follow-merge.ts';
import { comesAtTheEnd, judgeEnd } from './own-steps.ts';
import type { PlannedGroup, PlannedPromotion } from './plan.ts';
import { askToClose } from './pull-request.ts';
import { askToEnd } from './end-action.ts';
import { ENDED_PROMOTION, isStandingFailure, NO_FACTS } from './release.ts';
import { countOf } from './required.ts';
import type { Facts, GroupState, PromotionState } from './release.ts';
import { askForObservation, askForRollback } from './rollback/ask.ts';
import { isLook, isSoak, soakEnd } from './soak.ts';
import { freshStep } from './step.ts';
import { isAfterAll, recordVerified } from './sync.ts';
import { abortRunning, isFailing, mustStop, pausedBy, runReadySteps, stopReason, takenBackBy } from './steps.ts';

/** Ends a started promotion when its steps have, and says what it waits for otherwise. */
export function settlePromotion(draft: Draft, position: number): boolean {
  const seen = draft.state.promotions[position] as PromotionState;
  if (ENDED_PROMOTION.has(seen.status)) return false;
  const stop = mustStop(draft.plan, draft.state, position);
  if (seen.startedAt === null) {
    if (!stop) return false;
    const reason = stopReason(draft.state, position);
    draft.promotion(position).problem ??= draft.problem(reason, position);
    draft.end(position, draft.state.terminating ? 'TERMINATED' : 'SKIPPED', reason);
    return true;
  }
  const failed = seen.steps.some((step) => step.status === 'FAILED');
  if (failed || stop) {
    seen.steps.forEach((step, index) => {
      if (step.status !== 'WAITING') return;
      Object.assign(draft.step(position, index), { status: 'TERMINATED', endedAt: draft.now, recheckAt: null });
      draft.emit({ type: 'StepTerminated', ...draft.atStep(position, index) });
    });
  }
  const steps = (draft.state.promotions[position] as PromotionState).steps;
  const planned = draft.planned(position);
  const running = steps.some((step) => step.status === 'RUNNING');
  const works = steps.some((step, index) => step.status === 'RUNNING' && !isLook(planned, step, index));
  if (works || (running && (isFailing(seen) || stop))) return draft.restate(position, 'RUNNING');
  if (running) return restateWaiting(draft, position);
  const skip = draft.state.skips[position];
  if (skip !== undefined && steps.some((step) => step.status !== 'SUCCEEDED')) {
    leaveNothingBehind(draft, position, skip.reason);
    draft.skip(position, skip);
    return true;
  }
  if (failed) {
    leaveNothingBehind(draft, position, seen.problem?.message ?? 'failed');
    endFailed(draft, position, seen.problem?.message ?? 'failed');
    askForRollback(draft, position);
    return true;
  }
  if (steps.every((step) => step.status === 'SUCCEEDED')) {
    if (!planned.steps.some(isAfterAll)) recordVerified(draft, position);
    draft.end(position, 'SUCCEEDED');
    askForObservation(draft, position);
    return true;
  }
  if (stop) {
    const reason = stopReason(draft.state, position);
    draft.promotion(position).problem ??= draft.problem(reason, position);
    leaveNothingBehind(draft, position, reason);
    draft.end(position, 'TERMINATED', reason);
    return true;
  }
  return restateWaiting(draft, position);
}

/** It ends without success: what it began outside and does not need any more is ended by errands. */
function leaveNothingBehind(draft: Draft, position: number, reason: string): void {
  askToClose(draft, position, reason);
  askToEnd(draft, position, reason);
}

/** The first step that waits, or is looked at while it does, says what the promotion does. */
function restateWaiting(draft: Draft, position: number): boolean {
  const { steps } = draft.state.promotions[position] as PromotionState;
  const planned = draft.planned(position);
  const waiting = steps.findIndex((each) => each.status === 'WAITING' || each.status === 'RUNNING');
  const step = steps[waiting];
  if (step === undefined) return false;
  if (step.outside) return draft.restate(position, 'SUSPENDED', { reason: step.reason, recheckAt: null });
  // A retry or a second look is part of the work; a soak and a pause of a workflow are time that passes.
  if (isPause(planned, waiting)) return draft.restate(position, 'WAITING', step);
  if (!isSoak(planned, waiting)) return draft.restate(position, 'RUNNING', step);
  return draft.restate(position, 'WAITING', { reason: step.reason, recheckAt: soakEnd(planned, step, waiting) });
}

function isPause({ steps }: PlannedPromotion, index: number): boolean {
  const work = steps[index]?.work;
  return work?.kind === 'action' && work.action.type === 'wait';
}

/** What a failure means for the others is the flow's and the group's to say. What is done about a failure changes nothing for them. */
function endFailed(draft: Draft, position: number, reason: string): void {
  draft.end(position, 'FAILED', reason);
  const { group, own } = draft.planned(position);
  if (own === 'ON_FAIL') return;
  const tolerated = group !== null && failures(draft, group) <= (draft.plan.groups[group] as PlannedGroup).maxFailures;
  if (!tolerated && draft.plan.onFailure !== 'CONTINUE') halt(draft);
}

function failures(draft: Draft, group: number): number {
  return (draft.plan.groups[group] as PlannedGroup).members.filter((each) => isStandingFailure(draft.state, each))
    .length;
}

function halt(draft: Draft): void {
  if (draft.state.halted) return;
  draft.state.halted = true;
  if (draft.plan.onFailure === 'STOP') abortRunning(draft);
}

/**
 * Asks a group's gate once enough members have succeeded; fails it when that can no longer happen, but not before the
 * members that `maxFailures` lets go on are through.
 */
export function settleGroup(draft: Draft, position: number): boolean {
  const seen = draft.state.groups[position] as GroupState;
  const planned = draft.plan.groups[position] as PlannedGroup;
  if (mustStop(draft.plan, draft.state)) return false;
  const again = seen.status === 'WAITING' && (seen.recheckAt ?? draft.now) <= draft.now;
  if (seen.status !== 'OPEN' && !again) return false;
  const members = planned.members.map((each) => draft.state.promotions[each] as PromotionState);
  const succeeded = members.filter((each) => each.status === 'SUCCEEDED').length;
  const open = members.filter((each) => !ENDED_PROMOTION.has(each.status)).length;
  const { counted, required } = countOf(planned, draft.state);
  if (succeeded >= required) {
    const group = draft.group(position);
    group.status = 'ASKING';
    group.recheckAt = null;
    group.news = [];
    group.generation += 1;
    group.carrier = null;
    if (!again) draft.emit({ type: 'GroupGateAsked', group: planned.name });
    // The join parent of the members' flow asks when its last child is through; in every other case this decision asks, or the job
    // that reported the last member does (`Draft.decision`).
    if (open > 0 || again || !draft.reportedBy.has(position)) {
      draft.work.push({ kind: 'ask-group', group: position, generation: group.generation });
    }
    return true;
  }
  const reason = `${succeeded} of ${counted} in ${planned.name} succeeded, ${required} needed`;
  const mayStill = open > 0 && !draft.state.halted && failures(draft, position) <= planned.maxFailures;
  if (succeeded + open >= required || mayStill) {
    if (seen.recheckAt === null) return false;
    // Rolled-back members no longer count. The recheck stops; the gate is asked again when another member succeeds.
    Object.assign(draft.group(position), { recheckAt: null, unknownSince: null, reason });
    draft.emit({ type: 'GroupGateWaiting', group: planned.name, reason });
    return true;
  }
  failGroup(draft, position, reason);
  return true;
}

/** The gate fails for good: the release has a problem, and starts nothing new unless its flow says CONTINUE. */
export function failGroup(draft: Draft, position: number, reason: string): void {
  const planned = draft.plan.groups[position] as PlannedGroup;
  Object.assign(draft.group(position), { status: 'FAILED', reason, recheckAt: null });
  const problem = { message: reason, at: new Date(draft.now).toISOString() };
  draft.state.firstProblem ??= problem;
  draft.state.lastProblem = problem;
  if (draft.plan.onFailure !== 'CONTINUE') halt(draft);
  draft.emit({ type: 'GroupGateFailed', group: planned.name, reason });
}

/** What has ended asks nothing any more, although its last question may still stand. */
export function isOpenQuestion(draft: Draft, group: GroupState | undefined, generation: number): boolean {
  return group?.status === 'ASKING' && group.generation === generation && draft.state.endedAt === null;
}

/** In milliseconds. */
const LOOK_AGAIN = 1_000;

/** Starts a promotion when its gates let it, ends it when they never will, and follows one that awaits its merge or is paused. */
export function considerStart(draft: Draft, position: number): boolean {
  if (followMerge(draft, position)) return true;
  const seen = draft.state.promotions[position] as PromotionState;
  if (ENDED_PROMOTION.has(seen.status)) return false;
  if (seen.startedAt === null && comesAtTheEnd(draft.planned(position).own)) return considerEnd(draft, position);
  if (draft.state.startedAt === null) return false;
  if (seen.startedAt !== null) return goOnAfterPause(draft, position);
  const takenBack = takenBackBy(draft.state);
  if (draft.state.halted || takenBack !== null) {
    draft.end(position, 'SKIPPED', takenBack ?? 'another environment failed');
    return true;
  }
  const answers = answersFor(draft, position);
  const never = answers.find((each) => each.verdict === 'fail');
  if (never) {
    if (never.gate === 'APPROVAL') failUnapproved(draft, position, never.reason);
    else draft.end(position, 'SKIPPED', never.reason);
    return true;
  }
  const unmet = answers.filter((each) => each.verdict === 'wait');
  if (unmet.length > 0) {
    if (unmet[0]?.gate === 'DEPENDENCIES') {
      if (seen.status === 'PENDING') return false;
      // What it comes after was through and is retried: nothing but that keeps it waiting now.
      return draft.restate(position, 'PENDING', { reason: unmet[0].reason, recheckAt: null });
    }
    const onlyPeople = unmet.every((each) => each.gate === 'APPROVAL');
    // All gates are judged together: it cannot start before the last of them lets it.
    const times = unmet.flatMap((each) => (each.recheckAt === undefined ? [] : [each.recheckAt]));
    const recheckAt = times.length === 0 ? null : Math.max(...times);
    if (recheckAt !== null) draft.wakes.push(recheckAt);
    for (const each of unmet)
      if (each.gate === 'APPROVAL' && each.expiresAt !== undefined) draft.wakes.push(each.expiresAt);
    // The release at work there does not know that a rollback waits for it to stop: the rollback looks again by itself.
    if (draft.plan.rollback && unmet.some((each) => each.gate === 'ENVIRONMENT'))
      draft.wakes.push(draft.now + LOOK_AGAIN);
    return draft.restate(position, onlyPeople ? 'SUSPENDED' : 'WAITING', {
      reason: unmet.map((each) => each.reason).join('; '),
      recheckAt,
    });
  }
  return begin(draft, position, answers, beginAgain(draft, position, draft.facts));
}

/** Hooks that come at the end. Nothing but the end of what they are about is asked. */
function considerEnd(draft: Draft, position: number): boolean {
  const judged = judgeEnd(draft, position);
  if (judged === 'LATER') return false;
  if (judged === 'START') return begin(draft, position, [], false);
  draft.end(position, 'SKIPPED', judged.skip);
  return true;
}

function begin(draft: Draft, position: number, answers: GateAnswer[], afresh: boolean): boolean {
  const promotion = draft.promotion(position);
  promotion.startedAt = draft.now;
  promotion.evidence = answers;
  const passed = answers.find((each) => each.gate === 'HOLD');
  if (passed) draft.lift(position, passed.holds);
  const before = promotion.status;
  promotion.status = 'RUNNING';
  draft.emit({ type: 'PromotionStarted', ...draft.atPromotion(position, before), ...(afresh && { afresh }) });
  draft.tellTarget(position, 'RollbackTargetStarted');
  draft.begun.add(position);
  const dispatch = draft.dispatch(position);
  if (runReadySteps(draft, position, { dispatch }) === 0) draft.undispatch(position);
  return true;
}

/**
 * The answers of its gates, once the people whom they name are asked. Its dependencies and its group often answer enough, without
 * facts: then it does not start, whatever the others say. A rollback always looks at what is live.
 */
function answersFor(draft: Draft, position: number): GateAnswer[] {
  const { plan, state, now } = draft;
  const facts = plan.rollback || draft.knowsFacts ? draft.facts : NO_FACTS;
  const ask = (by: Facts): GateAnswer[] => askStart(plan, state, position, by, now);
  const { approval } = draft.planned(position);
  if (approval) followApproval(draft, position, approval, askGates(plan, state, position, facts, now));
  const answers = ask(facts);
  const mayStart = answers.every(
    ({ verdict, gate }) => verdict === 'pass' || (verdict === 'wait' && gate === 'APPROVAL'),
  );
  return mayStart && facts === NO_FACTS ? ask(draft.facts) : answers;
}

/**
 * A retry goes on where it failed. Where another version has become current meanwhile (a rollback, another release), what had
 * been done is undone: all of it is done again.
 */
function beginAgain(draft: Draft, position: number, { overtaken }: Facts): boolean {
  const { environment } = draft.planned(position);
  if (environment === null || !overtaken.includes(environment)) return false;
  draft.promotion(position).steps.forEach(({ dispatch }, index) => {
    Object.assign(draft.step(position, index), freshStep(), { dispatch });
  });
  return true;
}

/** Rejected, or not approved in time: nothing of it has run, and it has failed all the same. */
function failUnapproved(draft: Draft, position: number, reason: string): void {
  const problem = draft.problem(reason, position);
  draft.promotion(position).problem = problem;
  // Without an approval the rollback leaves the environment as it is, and that is no failure.
  if (draft.plan.rollback) return draft.end(position, 'SKIPPED', reason);
  draft.state.firstProblem ??= problem;
  draft.state.lastProblem = problem;
  endFailed(draft, position, reason);
}

/** What a closed window paused goes on under a new dispatch when it is open again. */
function goOnAfterPause(draft: Draft, position: number): boolean {
  const seen = draft.state.promotions[position] as PromotionState;
  const idle = seen.steps.every((step) => step.status === 'PENDING' || step.status === 'SUCCEEDED');
  if (!idle || mustStop(draft.plan, draft.state, position)) return false;
  const pause = pausedBy(draft, position);
  if (pause) {
    if (pause.recheckAt !== undefined) draft.wakes.push(pause.recheckAt);
    return draft.restate(position, 'WAITING', { reason: pause.reason, recheckAt: pause.recheckAt ?? null });
  }
  const dispatch = draft.dispatch(position);
  if (runReadySteps(draft, position, { dispatch }) > 0) return true;
  draft.undispatch(position);
  return false;
}

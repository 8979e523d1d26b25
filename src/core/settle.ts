import { followApproval } from './approvals/decide.ts';
import type { GateAnswer } from './gates/answer.ts';
import { askGates } from './gates/index.ts';
import type { Move } from './move.ts';
import { comesAtTheEnd, judgeEnd } from './own-steps.ts';
import type { PlannedGroup } from './plan.ts';
import { BAD_PROMOTION, ENDED_PROMOTION, NO_FACTS } from './release.ts';
import type { Facts, GroupState, PromotionState } from './release.ts';
import { askForObservation, askForRollback } from './rollback/ask.ts';
import { isLook, isSoak, soakEnd } from './soak.ts';
import { freshStep } from './step.ts';
import { wasSynced } from './sync.ts';
import { abortRunning, isFailing, mustStop, pausedBy, runReadySteps, stopReason, takenBackBy } from './steps.ts';

/** Ends a started promotion when its steps have, and says what it waits for otherwise. */
export function settlePromotion(move: Move, position: number): boolean {
  const seen = move.state.promotions[position] as PromotionState;
  if (ENDED_PROMOTION.has(seen.status)) return false;
  const stop = mustStop(move.plan, move.state, position);
  if (seen.startedAt === null) {
    if (!stop) return false;
    const reason = stopReason(move.state, position);
    move.promotion(position).problem ??= move.problem(reason, position);
    move.end(position, move.state.terminating ? 'TERMINATED' : 'SKIPPED', reason);
    return true;
  }
  const failed = seen.steps.some((step) => step.status === 'FAILED');
  if (failed || stop) {
    seen.steps.forEach((step, index) => {
      if (step.status !== 'WAITING') return;
      Object.assign(move.step(position, index), { status: 'TERMINATED', endedAt: move.now, recheckAt: null });
      move.emit({ type: 'StepTerminated', ...move.atStep(position, index) });
    });
  }
  const steps = (move.state.promotions[position] as PromotionState).steps;
  const planned = move.planned(position);
  const running = steps.some((step) => step.status === 'RUNNING');
  const works = steps.some((step, index) => step.status === 'RUNNING' && !isLook(planned, step, index));
  if (works || (running && (isFailing(seen) || stop))) return move.restate(position, 'RUNNING');
  if (running) return restateWaiting(move, position);
  if (failed) {
    endFailed(move, position, seen.problem?.message ?? 'failed');
    askForRollback(move, position);
    return true;
  }
  if (steps.every((step) => step.status === 'SUCCEEDED')) {
    const promotion = move.state.promotions[position] as PromotionState;
    planned.applications.forEach((_, application) => {
      const how = wasSynced(planned, promotion, application) ? 'SYNC_AND_HEALTH' : 'HEALTH_ONLY';
      move.deploy(position, application, null, how);
    });
    move.end(position, 'SUCCEEDED');
    askForObservation(move, position);
    return true;
  }
  if (stop) {
    const reason = stopReason(move.state, position);
    move.promotion(position).problem ??= move.problem(reason, position);
    move.end(position, 'TERMINATED', reason);
    return true;
  }
  return restateWaiting(move, position);
}

/** The first step that waits, or is looked at while it does, says what the promotion does. */
function restateWaiting(move: Move, position: number): boolean {
  const { steps } = move.state.promotions[position] as PromotionState;
  const planned = move.planned(position);
  const waiting = steps.findIndex((each) => each.status === 'WAITING' || each.status === 'RUNNING');
  const step = steps[waiting];
  if (step === undefined) return false;
  if (step.outside) return move.restate(position, 'SUSPENDED', { reason: step.reason, recheckAt: null });
  // A retry or a second look is part of the work; a soak is time that passes.
  if (!isSoak(planned, waiting)) return move.restate(position, 'RUNNING', step);
  return move.restate(position, 'WAITING', { reason: step.reason, recheckAt: soakEnd(planned, step, waiting) });
}

/** What a failure means for the others is the flow's and the group's to say. */
function endFailed(move: Move, position: number, reason: string): void {
  move.end(position, 'FAILED', reason);
  const { group } = move.planned(position);
  const tolerated = group !== null && failures(move, group) <= (move.plan.groups[group] as PlannedGroup).maxFailures;
  if (!tolerated && move.plan.onFailure !== 'CONTINUE') halt(move);
}

function failures(move: Move, group: number): number {
  const members = (move.plan.groups[group] as PlannedGroup).members;
  return members.filter((each) => BAD_PROMOTION.has((move.state.promotions[each] as PromotionState).status)).length;
}

function halt(move: Move): void {
  if (move.state.halted) return;
  move.state.halted = true;
  if (move.plan.onFailure === 'STOP') abortRunning(move);
}

/**
 * Asks a group's gate once enough members have succeeded; fails it when that can no longer happen, but not before the
 * members that `maxFailures` lets go on are through.
 */
export function settleGroup(move: Move, position: number): boolean {
  const seen = move.state.groups[position] as GroupState;
  const planned = move.plan.groups[position] as PlannedGroup;
  if (mustStop(move.plan, move.state)) return false;
  const again = seen.status === 'WAITING' && (seen.recheckAt ?? move.now) <= move.now;
  if (seen.status !== 'OPEN' && !again) return false;
  const members = planned.members.map((each) => move.state.promotions[each] as PromotionState);
  const succeeded = members.filter((each) => each.status === 'SUCCEEDED').length;
  const open = members.filter((each) => !ENDED_PROMOTION.has(each.status)).length;
  if (succeeded >= planned.required) {
    const group = move.group(position);
    group.status = 'ASKING';
    group.recheckAt = null;
    group.news = [];
    group.generation += 1;
    if (!again) move.emit({ type: 'GroupGateAsked', group: planned.name });
    // The join parent of the members' flow asks when its last child is through; anything else has nobody to ask for it.
    if (open > 0 || again || !move.reportedBy.has(position)) {
      move.work.push({ kind: 'ask-group', group: position, generation: group.generation });
    }
    return true;
  }
  const reason = `${succeeded} of ${members.length} in ${planned.name} succeeded, ${planned.required} needed`;
  const mayStill = open > 0 && !move.state.halted && failures(move, position) <= planned.maxFailures;
  if (succeeded + open >= planned.required || mayStill) {
    if (seen.recheckAt === null) return false;
    // Members were taken back while it waited for their health: there is nothing to look at before others are through.
    Object.assign(move.group(position), { recheckAt: null, unknownSince: null, reason });
    move.emit({ type: 'GroupGateWaiting', group: planned.name, reason });
    return true;
  }
  failGroup(move, position, reason);
  return true;
}

/** The gate fails for good: the release has a problem, and starts nothing new unless its flow says CONTINUE. */
export function failGroup(move: Move, position: number, reason: string): void {
  const planned = move.plan.groups[position] as PlannedGroup;
  Object.assign(move.group(position), { status: 'FAILED', reason, recheckAt: null });
  const problem = { message: reason, at: new Date(move.now).toISOString() };
  move.state.firstProblem ??= problem;
  move.state.lastProblem = problem;
  if (move.plan.onFailure !== 'CONTINUE') halt(move);
  move.emit({ type: 'GroupGateFailed', group: planned.name, reason });
}

/** What has ended asks nothing any more, although its last question may still stand. */
export function isOpenQuestion(move: Move, group: GroupState | undefined, generation: number): boolean {
  return group?.status === 'ASKING' && group.generation === generation && move.state.endedAt === null;
}

/** In milliseconds. */
const LOOK_AGAIN = 1_000;

export function considerStart(move: Move, position: number): boolean {
  const seen = move.state.promotions[position] as PromotionState;
  if (ENDED_PROMOTION.has(seen.status)) return false;
  if (seen.startedAt === null && comesAtTheEnd(move.planned(position).own)) return considerEnd(move, position);
  if (move.state.startedAt === null) return false;
  if (seen.startedAt !== null) return goOnAfterPause(move, position);
  const takenBack = takenBackBy(move.state);
  if (move.state.halted || takenBack !== null) {
    move.end(position, 'SKIPPED', takenBack ?? 'another environment failed');
    return true;
  }
  const answers = answersFor(move, position);
  const never = answers.find((each) => each.verdict === 'fail');
  if (never) {
    if (never.gate === 'APPROVAL') failUnapproved(move, position, never.reason);
    else move.end(position, 'SKIPPED', never.reason);
    return true;
  }
  const unmet = answers.filter((each) => each.verdict === 'wait');
  if (unmet.length > 0) {
    if (unmet[0]?.gate === 'DEPENDENCIES') return false;
    const onlyPeople = unmet.every((each) => each.gate === 'APPROVAL');
    // All gates are judged together: it cannot start before the last of them lets it.
    const times = unmet.flatMap((each) => (each.recheckAt === undefined ? [] : [each.recheckAt]));
    const recheckAt = times.length === 0 ? null : Math.max(...times);
    if (recheckAt !== null) move.wakes.push(recheckAt);
    for (const each of unmet)
      if (each.gate === 'APPROVAL' && each.expiresAt !== undefined) move.wakes.push(each.expiresAt);
    // Whoever is at work there is told to stop and does not know who waits: a rollback looks again by itself.
    if (move.plan.rollback && unmet.some((each) => each.gate === 'ENVIRONMENT')) move.wakes.push(move.now + LOOK_AGAIN);
    return move.restate(position, onlyPeople ? 'SUSPENDED' : 'WAITING', {
      reason: unmet.map((each) => each.reason).join('; '),
      recheckAt,
    });
  }
  return begin(move, position, answers, beginAgain(move, position, move.facts));
}

/** Of the release's own steps those that come at the end. Nothing but the end of everything else is asked. */
function considerEnd(move: Move, position: number): boolean {
  const judged = judgeEnd(move, position);
  if (judged === 'LATER') return false;
  if (judged === 'START') return begin(move, position, [], false);
  move.end(position, 'SKIPPED', judged.skip);
  return true;
}

function begin(move: Move, position: number, answers: GateAnswer[], afresh: boolean): boolean {
  const promotion = move.promotion(position);
  promotion.startedAt = move.now;
  promotion.evidence = answers;
  const passed = answers.find((each) => each.gate === 'HOLD');
  if (passed) move.lift(position, passed.holds);
  const before = promotion.status;
  promotion.status = 'RUNNING';
  move.emit({ type: 'PromotionStarted', ...move.atPromotion(position, before), ...(afresh && { afresh }) });
  move.tellTarget(position, 'RollbackTargetStarted');
  const dispatch = move.dispatch(position);
  if (runReadySteps(move, position, dispatch) === 0) move.undispatch(position);
  return true;
}

/**
 * The answers of its gates, once the people whom they name are asked. Its dependencies and its group often answer enough, without
 * facts: then it does not start, whatever the others say. A rollback always looks at what is live.
 */
function answersFor(move: Move, position: number): GateAnswer[] {
  const { plan, state, now } = move;
  const facts = plan.rollback || move.knowsFacts ? move.facts : NO_FACTS;
  const ask = (): GateAnswer[] => askGates(plan, state, position, facts, now);
  const { approval } = move.planned(position);
  if (approval) followApproval(move, position, approval, ask());
  const answers = ask();
  const mayStart = answers.every(
    ({ verdict, gate }) => verdict === 'pass' || (verdict === 'wait' && gate === 'APPROVAL'),
  );
  return mayStart && facts === NO_FACTS ? askGates(plan, state, position, move.facts, now) : answers;
}

/**
 * A retry goes on where it failed. Where another version has become current meanwhile (a rollback, another release), what had
 * been done is undone: all of it is done again.
 */
function beginAgain(move: Move, position: number, { overtaken }: Facts): boolean {
  const { environment } = move.planned(position);
  if (environment === null || !overtaken.includes(environment)) return false;
  move.promotion(position).steps.forEach(({ dispatch }, index) => {
    Object.assign(move.step(position, index), freshStep(), { dispatch });
  });
  return true;
}

/** Rejected, or nobody approved in time: nothing of it has run, and it has failed all the same. */
function failUnapproved(move: Move, position: number, reason: string): void {
  const problem = move.problem(reason, position);
  move.promotion(position).problem = problem;
  // Nobody agreed to take it back: the environment stays as it is, and that is no failure.
  if (move.plan.rollback) return move.end(position, 'SKIPPED', reason);
  move.state.firstProblem ??= problem;
  move.state.lastProblem = problem;
  endFailed(move, position, reason);
}

/** What a closed window paused goes on under a new dispatch when it is open again. */
function goOnAfterPause(move: Move, position: number): boolean {
  const seen = move.state.promotions[position] as PromotionState;
  const idle = seen.steps.every((step) => step.status === 'PENDING' || step.status === 'SUCCEEDED');
  if (!idle || mustStop(move.plan, move.state, position)) return false;
  const pause = pausedBy(move, position);
  if (pause) {
    if (pause.recheckAt !== undefined) move.wakes.push(pause.recheckAt);
    return move.restate(position, 'WAITING', { reason: pause.reason, recheckAt: pause.recheckAt ?? null });
  }
  const dispatch = move.dispatch(position);
  if (runReadySteps(move, position, dispatch) > 0) return true;
  move.undispatch(position);
  return false;
}

import type { NumberedEvent } from './events.ts';
import { askGates, askWindow, GATE_RECHECK, judgeGroup, verdictOf } from './gates.ts';
import { Move } from './move.ts';
import type { PlannedGroup, PlannedPromotion, PlannedStep, ReleasePlan } from './plan.ts';
import { ENDED_PROMOTION, ENDED_RELEASE, NO_FACTS } from './release.ts';
import type {
  DeploymentFact,
  Facts,
  GateAnswer,
  GroupState,
  Outcome,
  PromotionState,
  ReleaseState,
  ReleaseStatus,
  StepState,
  Stimulus,
  Work,
} from './release.ts';

/**
 * The release state machine, in prose.
 *
 * A release is QUEUED until it is its product's turn. Then it is RUNNING: every promotion whose dependencies are met is
 * put to its gates, all of them at once, and starts when all pass. A started promotion is a small DAG of steps. The steps
 * that are ready become RUNNING under a *dispatch*, a number that stands for one job; whoever carries that job reports an
 * *outcome* per step, and a success makes the next steps RUNNING under the same dispatch, so that one job carries an
 * environment from its first step to its last. What has to wait (a retry, a health that is not there yet, a soak) becomes
 * WAITING with a time, the job ends, and at that time a new dispatch begins.
 *
 * A promotion ends when its steps have: SUCCEEDED when all succeeded, FAILED as soon as one failed and nothing of it runs any
 * more. When enough members of a group succeeded, the group is ASKING: its members' health is looked at once more, and
 * the answer makes it PASSED, WAITING (asked again later) or FAILED. Dependents of a group start after PASSED only.
 *
 * A failure halts the release as its flow says (`onFailure`); what can no longer start is SKIPPED. Terminating stops new
 * things at once, aborts what runs, and ends when nothing runs any more. The release ends when every promotion has.
 *
 * Everything here can be asked twice: an outcome for a step that is already through, an answer to an old question, a
 * second termination change nothing. `null` for facts means "not read": the decision is refused with NEEDS_FACTS when it
 * would have to look at them, and the caller asks again with the facts, under the product's lock.
 */
export function advance(
  plan: ReleasePlan,
  state: ReleaseState,
  stimuli: readonly Stimulus[],
  facts: Facts | null,
  now: number,
  actor: string | null = null,
): Decision | 'NEEDS_FACTS' {
  const move = new Move(plan, state, facts, now);
  for (const stimulus of stimuli) take(move, stimulus);

  expire(move);
  if (move.state.status === 'QUEUED' && move.state.terminating === null) {
    if (facts === null) return 'NEEDS_FACTS';
    if (facts.behind === null) start(move);
  }
  if (move.state.startedAt !== null || move.state.terminating !== null) {
    dispatchDueSteps(move);
    for (let changed = true; changed;) {
      changed = false;
      for (const position of plan.promotions.keys()) changed = settlePromotion(move, position) || changed;
      for (const position of plan.groups.keys()) changed = settleGroup(move, position) || changed;
      for (const position of plan.promotions.keys()) changed = considerStart(move, position) || changed;
    }
    settleRelease(move);
  }
  if (move.needsFacts) return 'NEEDS_FACTS';
  return move.decision(nextWake(move), actor);
}

export interface Decision {
  state: ReleaseState;
  /** Positions of the promotions that are not as they were. */
  changed: number[];
  events: NumberedEvent[];
  work: Work[];
  deployments: DeploymentFact[];
}

/**
 * The steps that a lane goes on with after one of its own. Where two lanes meet, the step after them is the later one's alone,
 * also when both outcomes were taken in one decision.
 */
export function nextSteps(state: ReleaseState, promotion: number, step: number, dispatch: number): number[] {
  const steps = state.promotions[promotion]?.steps;
  return ownedSteps(state, promotion, dispatch).filter((each) => steps?.[each]?.after === step);
}

/** Every step that the job of this dispatch has to carry now: where it begins, or resumes after a crash. */
export function ownedSteps(state: ReleaseState, promotion: number, dispatch: number): number[] {
  const found: number[] = [];
  state.promotions[promotion]?.steps.forEach((step, index) => {
    if (step.status === 'RUNNING' && step.dispatch === dispatch) found.push(index);
  });
  return found;
}

/** True when what runs has to stop: terminating, or halted by a failure in a flow that says STOP. */
export function mustStop(plan: ReleasePlan, state: ReleaseState): boolean {
  return state.terminating !== null || (state.halted && plan.onFailure === 'STOP');
}

function take(move: Move, stimulus: Stimulus): void {
  switch (stimulus.kind) {
    case 'tick':
      return;
    case 'outcome':
      return takeOutcome(move, stimulus);
    case 'group-answer':
      return takeGroupAnswer(move, stimulus);
    case 'health-reported':
      return takeHealthReport(move, stimulus);
    case 'terminate':
      if (ENDED_RELEASE.has(move.state.status) || move.state.terminating !== null) return;
      move.state.terminating = { reason: stimulus.reason, by: stimulus.by };
      move.emit({ type: 'ReleaseTerminating', reason: stimulus.reason });
      return abortRunning(move);
    case 'retry':
      return takeRetry(move);
    case 'lost-dispatch':
      return redispatch(move, stimulus.promotion, (step) => step.dispatch === stimulus.dispatch);
    case 'lost-question': {
      const group = move.state.groups[stimulus.group];
      if (!isOpenQuestion(move, group, stimulus.generation)) return;
      const asked = move.group(stimulus.group);
      asked.generation += 1;
      move.work.push({ kind: 'ask-group', group: stimulus.group, generation: asked.generation });
      return;
    }
  }
}

function takeOutcome(move: Move, report: Extract<Stimulus, { kind: 'outcome' }>): void {
  const seen = move.state.promotions[report.promotion];
  const before = seen?.steps[report.step];
  if (!seen || !before || seen.attempt !== report.attempt || ENDED_PROMOTION.has(seen.status)) return;
  const late = before.status !== 'RUNNING' || before.dispatch !== report.dispatch;
  // A success is true whoever tells it: the effect is keyed by the attempt, not by the job. Anything else from an older
  // job says nothing about the job that took over.
  if (late && !(report.outcome.kind === 'succeeded' && (before.status === 'RUNNING' || before.status === 'WAITING')))
    return;
  const promotion = move.promotion(report.promotion);
  const step = move.step(report.promotion, report.step);
  const planned = move.plannedStep(report.promotion, report.step);
  const group = move.planned(report.promotion).group;
  if (group !== null) move.reportedBy.add(group);
  const at = move.atStep(report.promotion, report.step);
  const { outcome } = report;
  switch (outcome.kind) {
    case 'succeeded':
      succeed(move, report, step, planned, outcome);
      return;
    case 'failed':
      return failStep(move, report.promotion, report.step, outcome.message);
    case 'transient': {
      step.tries += 1;
      step.firstError ??= outcome.message;
      step.lastError = outcome.message;
      if (step.tries > planned.retry.limit) return failStep(move, report.promotion, report.step, outcome.message);
      const pause = Math.min(planned.retry.backoff * 2 ** (step.tries - 1), planned.retry.maxDelay);
      wait(step, move.now + Math.max(pause, outcome.retryAfter ?? 0), outcome.message);
      const retryAt = new Date(step.recheckAt as number).toISOString();
      return move.emit({ type: 'StepRetrying', ...at, message: outcome.message, tries: step.tries, retryAt });
    }
    case 'pending': {
      const news = step.reason !== outcome.reason;
      wait(step, outcome.recheckAfter === undefined ? null : move.now + outcome.recheckAfter, outcome.reason);
      const recheckAt = step.recheckAt === null ? undefined : new Date(step.recheckAt).toISOString();
      if (news) move.emit({ type: 'StepWaiting', ...at, reason: outcome.reason, recheckAt });
      return;
    }
    case 'aborted':
      if (!mustStop(move.plan, move.state)) return redispatch(move, report.promotion, (each) => each === step);
      step.status = 'TERMINATED';
      step.endedAt = move.now;
      promotion.problem ??= move.problem(move.state.terminating?.reason ?? 'stopped', report.promotion, planned.id);
      return move.emit({ type: 'StepTerminated', ...at });
  }
}

function wait(step: StepState, recheckAt: number | null, reason: string): void {
  step.status = 'WAITING';
  step.recheckAt = recheckAt;
  step.reason = reason;
}

function succeed(
  move: Move,
  report: Extract<Stimulus, { kind: 'outcome' }>,
  step: StepState,
  planned: PlannedStep,
  outcome: Extract<Outcome, { kind: 'succeeded' }>,
): void {
  const at = move.atStep(report.promotion, report.step);
  step.status = 'SUCCEEDED';
  step.endedAt = move.now;
  step.recheckAt = null;
  step.reason = null;
  step.outputs = outcome.outputs ?? null;
  if (outcome.commit !== undefined) {
    move.emit({ type: 'ActionCommitted', ...at, commit: outcome.commit, changed: outcome.changed ?? true });
  }
  if (planned.phase === 'ACTION') {
    move.deploy(report.promotion, planned.application as number, outcome.commit ?? null, false);
  }
  move.emit({ type: 'StepSucceeded', ...at, outputs: outcome.outputs });
  if (!mustStop(move.plan, move.state)) runReadySteps(move, report.promotion, report.dispatch, report.step);
}

/** Makes every PENDING step whose needs have succeeded RUNNING under `dispatch`; a soak waits for its time instead. */
function runReadySteps(move: Move, position: number, dispatch: number, after: number | null = null): number {
  const promotion = move.promotion(position);
  if (promotion.steps.some((each) => each.status === 'FAILED')) return 0;
  let running = 0;
  const { steps } = move.planned(position);
  steps.forEach((planned, index) => {
    if (promotion.steps[index]?.status !== 'PENDING') return;
    if (!planned.needs.every((need) => promotion.steps[need]?.status === 'SUCCEEDED')) return;
    const newPhase = planned.needs.length > 0 && planned.needs.every((need) => steps[need]?.phase !== planned.phase);
    if (newPhase && pausedBy(move, position) !== null) return;
    const step = move.step(position, index);
    step.startedAt ??= move.now;
    step.dispatch = dispatch;
    step.after = after;
    const at = move.atStep(position, index);
    move.emit({ type: 'StepStarted', ...at });
    if (planned.work.kind === 'soak') {
      const { duration } = planned.work;
      wait(step, move.now + duration, `soaks for ${Math.round(duration / 1000)} s`);
      move.emit({
        type: 'StepWaiting',
        ...at,
        reason: step.reason as string,
        recheckAt: new Date(move.now + duration).toISOString(),
      });
      return;
    }
    step.status = 'RUNNING';
    running += 1;
  });
  return running;
}

function failStep(move: Move, position: number, index: number, message: string): void {
  const step = move.step(position, index);
  step.status = 'FAILED';
  step.endedAt = move.now;
  step.recheckAt = null;
  step.firstError ??= message;
  step.lastError = message;
  const promotion = move.promotion(position);
  const problem = move.problem(message, position, move.plannedStep(position, index).id);
  promotion.problem ??= problem;
  move.state.firstProblem ??= problem;
  move.state.lastProblem = problem;
  move.emit({ type: 'StepFailed', ...move.atStep(position, index), message });
}

function takeGroupAnswer(move: Move, answer: Extract<Stimulus, { kind: 'group-answer' }>): void {
  const seen = move.state.groups[answer.group];
  if (!isOpenQuestion(move, seen, answer.generation)) return;
  const group = move.group(answer.group);
  const planned = move.plan.groups[answer.group] as PlannedGroup;
  const { verdict, reason, unknownSince } = judgeGroup(
    move.plan,
    planned,
    move.state,
    answer.health,
    group.unknownSince ?? move.now,
    move.now,
  );
  if (verdict === 'pass') {
    move.emit({ type: 'GroupGatePassed', group: planned.name });
    Object.assign(group, {
      status: 'PASSED',
      reason,
      recheckAt: null,
      unknownSince: null,
    } satisfies Partial<GroupState>);
  } else if (verdict === 'fail') {
    failGroup(move, answer.group, reason);
  } else {
    if (group.reason !== reason) move.emit({ type: 'GroupGateWaiting', group: planned.name, reason });
    Object.assign(group, { status: 'WAITING', reason, recheckAt: move.now + GATE_RECHECK, unknownSince });
  }
}

/** What has ended asks nothing any more, although its last question may still stand. */
function isOpenQuestion(move: Move, group: GroupState | undefined, generation: number): boolean {
  return group?.status === 'ASKING' && group.generation === generation && !ENDED_RELEASE.has(move.state.status);
}

function failGroup(move: Move, position: number, reason: string): void {
  const planned = move.plan.groups[position] as PlannedGroup;
  Object.assign(move.group(position), { status: 'FAILED', reason, recheckAt: null });
  const problem = { message: reason, at: new Date(move.now).toISOString() };
  move.state.firstProblem ??= problem;
  move.state.lastProblem = problem;
  if (move.plan.onFailure !== 'CONTINUE') halt(move);
  move.emit({ type: 'GroupGateFailed', group: planned.name, reason });
}

function takeHealthReport(move: Move, report: Extract<Stimulus, { kind: 'health-reported' }>): void {
  move.plan.promotions.forEach((planned, position) => {
    const promotion = move.state.promotions[position] as PromotionState;
    if (
      planned.environment !== report.environment ||
      promotion.startedAt === null ||
      ENDED_PROMOTION.has(promotion.status)
    )
      return;
    const application = planned.applications.findIndex((each) => each.name === report.application);
    if (application < 0) return;
    const before = promotion.status;
    const { application: name, status: health, message } = report;
    const at = { environment: planned.name, attempt: promotion.attempt, before, status: before };
    move.emit({ type: 'HealthChanged', ...at, application: name, health, message });
    planned.steps.forEach((step, index) => {
      if (step.application !== application || promotion.steps[index]?.status !== 'WAITING') return;
      // A soak is broken by bad news at once; good news does not shorten it, only end its wait for somebody's word.
      if (step.work.kind === 'soak' && health === 'DEGRADED') {
        failStep(move, position, index, `${name} became DEGRADED while soaking${message ? `: ${message}` : ''}`);
      } else if (
        step.work.kind === 'health' ||
        (step.work.kind === 'soak' && promotion.steps[index]?.recheckAt === null)
      ) {
        move.step(position, index).recheckAt = move.now;
      }
    });
  });
}

/** From the exact point of failure: steps that succeeded stay, everything else of what did not succeed begins again. */
function takeRetry(move: Move): void {
  const { state } = move;
  if (state.status !== 'FAILED' && state.status !== 'TERMINATED') return;
  const again: string[] = [];
  state.promotions.forEach((seen, position) => {
    if (seen.status === 'SUCCEEDED') return;
    const promotion = move.promotion(position);
    again.push(move.planned(position).name);
    if (promotion.startedAt !== null) promotion.attempt += 1;
    Object.assign(promotion, { status: 'PENDING', startedAt: null, endedAt: null, problem: null, evidence: null });
    promotion.steps.forEach((step, index) => {
      if (step.status !== 'SUCCEEDED')
        Object.assign(move.step(position, index), freshStep(), { dispatch: step.dispatch });
    });
  });
  state.groups.forEach((group, position) => {
    if (group.status !== 'PASSED')
      Object.assign(move.group(position), { status: 'OPEN', recheckAt: null, unknownSince: null, reason: null });
  });
  Object.assign(state, {
    status: 'QUEUED',
    startedAt: null,
    endedAt: null,
    deadline: null,
    terminating: null,
    halted: false,
  });
  move.emit({ type: 'ReleaseRetried', environments: again });
}

export function freshStep(): StepState {
  return {
    status: 'PENDING',
    dispatch: 0,
    after: null,
    tries: 0,
    startedAt: null,
    endedAt: null,
    recheckAt: null,
    reason: null,
    outputs: null,
    firstError: null,
    lastError: null,
  };
}

/** Gives the RUNNING steps that `which` names to a new job. */
function redispatch(move: Move, position: number, which: (step: StepState) => boolean): void {
  const seen = move.state.promotions[position];
  if (!seen || ENDED_PROMOTION.has(seen.status)) return;
  const lost = [...seen.steps.keys()].filter((index) => {
    const step = seen.steps[index] as StepState;
    return step.status === 'RUNNING' && which(step);
  });
  if (lost.length === 0) return;
  const dispatch = move.dispatch(position);
  for (const index of lost) move.step(position, index).dispatch = dispatch;
  move.emit({ type: 'PromotionResumed', ...move.atPromotion(position, seen.status), dispatch });
}

function start(move: Move): void {
  const { state } = move;
  state.status = 'RUNNING';
  state.startedAt = move.now;
  state.deadline = move.now + move.plan.timeout;
  move.emit({ type: 'ReleaseStarted' });
}

/** Limits that are over: the whole flow's ends the release, an environment's fails that promotion. */
function expire(move: Move): void {
  const { state, plan, now } = move;
  if (
    state.deadline !== null &&
    state.deadline <= now &&
    !ENDED_RELEASE.has(state.status) &&
    state.terminating === null
  ) {
    const reason = `the flow's limit of ${Math.round(plan.timeout / 60_000)} min is over`;
    take(move, { kind: 'terminate', reason, by: null });
  }
  plan.promotions.forEach(({ timeout }, position) => {
    const seen = state.promotions[position] as PromotionState;
    if (timeout === null || seen.startedAt === null || ENDED_PROMOTION.has(seen.status)) return;
    if (seen.startedAt + timeout > now) return;
    const running = seen.steps.some((step) => step.status === 'RUNNING');
    seen.steps.forEach((step, index) => {
      if (step.status !== 'RUNNING' && step.status !== 'WAITING') return;
      failStep(
        move,
        position,
        index,
        `the limit of ${Math.round(timeout / 1000)} s for ${move.planned(position).name} is over`,
      );
    });
    if (running) move.work.push({ kind: 'abort', promotions: [position] });
  });
}

function abortRunning(move: Move): void {
  const promotions = [...move.state.promotions.keys()].filter((position) =>
    move.state.promotions[position]?.steps.some((step) => step.status === 'RUNNING'),
  );
  if (promotions.length > 0) move.work.push({ kind: 'abort', promotions });
}

function dispatchDueSteps(move: Move): void {
  if (mustStop(move.plan, move.state)) return;
  move.state.promotions.forEach((seen, position) => {
    if (ENDED_PROMOTION.has(seen.status) || seen.steps.some((step) => step.status === 'FAILED')) return;
    const due = [...seen.steps.keys()].filter((index) => {
      const step = seen.steps[index] as StepState;
      return step.status === 'WAITING' && step.recheckAt !== null && step.recheckAt <= move.now;
    });
    if (due.length === 0) return;
    const dispatch = move.dispatch(position);
    for (const index of due) {
      Object.assign(move.step(position, index), { status: 'RUNNING', dispatch, recheckAt: null });
    }
  });
}

/** Ends a started promotion when its steps have, and says what it waits for otherwise. */
function settlePromotion(move: Move, position: number): boolean {
  const seen = move.state.promotions[position] as PromotionState;
  if (ENDED_PROMOTION.has(seen.status)) return false;
  const stop = mustStop(move.plan, move.state);
  if (seen.startedAt === null) {
    if (!stop) return false;
    const reason = move.state.terminating?.reason ?? 'another environment failed';
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
  const running = steps.some((step) => step.status === 'RUNNING');
  if (running) return move.restate(position, 'RUNNING');
  if (failed) {
    move.end(position, 'FAILED', seen.problem?.message ?? 'failed');
    const { group } = move.planned(position);
    const tolerated = group !== null && failures(move, group) <= (move.plan.groups[group] as PlannedGroup).maxFailures;
    if (!tolerated && move.plan.onFailure !== 'CONTINUE') halt(move);
    return true;
  }
  if (steps.every((step) => step.status === 'SUCCEEDED')) {
    move.planned(position).applications.forEach((_, application) => move.deploy(position, application, null, true));
    move.end(position, 'SUCCEEDED');
    return true;
  }
  if (stop) {
    move.promotion(position).problem ??= move.problem(move.state.terminating?.reason ?? 'stopped', position);
    move.end(position, 'TERMINATED');
    return true;
  }
  const waiting = steps.findIndex((step) => step.status === 'WAITING');
  const step = steps[waiting];
  if (step === undefined) return false;
  if (step.recheckAt === null) return move.restate(position, 'SUSPENDED', step);
  // A retry or a second look is part of the work; a soak is time that passes.
  const soaks = move.plannedStep(position, waiting).work.kind === 'soak';
  return move.restate(position, soaks ? 'WAITING' : 'RUNNING', step);
}

function failures(move: Move, group: number): number {
  const members = (move.plan.groups[group] as PlannedGroup).members;
  return members.filter((each) => move.state.promotions[each]?.status === 'FAILED').length;
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
function settleGroup(move: Move, position: number): boolean {
  const seen = move.state.groups[position] as GroupState;
  const planned = move.plan.groups[position] as PlannedGroup;
  if (mustStop(move.plan, move.state)) return false;
  const again = seen.status === 'WAITING' && seen.recheckAt !== null && seen.recheckAt <= move.now;
  if (seen.status !== 'OPEN' && !again) return false;
  const members = planned.members.map((each) => move.state.promotions[each] as PromotionState);
  const succeeded = members.filter((each) => each.status === 'SUCCEEDED').length;
  const open = members.filter((each) => !ENDED_PROMOTION.has(each.status)).length;
  if (succeeded >= planned.required) {
    const group = move.group(position);
    group.status = 'ASKING';
    group.recheckAt = null;
    group.generation += 1;
    if (!again) move.emit({ type: 'GroupGateAsked', group: planned.name });
    // The join parent of the members' flow asks when its last child is through; anything else has nobody to ask for it.
    if (open > 0 || again || !move.reportedBy.has(position)) {
      move.work.push({ kind: 'ask-group', group: position, generation: group.generation });
    }
    return true;
  }
  if (succeeded + open >= planned.required) return false;
  if (open > 0 && !move.state.halted && failures(move, position) <= planned.maxFailures) return false;
  failGroup(
    move,
    position,
    `${succeeded} of ${members.length} in ${planned.name} succeeded, ${planned.required} needed`,
  );
  return true;
}

function considerStart(move: Move, position: number): boolean {
  const seen = move.state.promotions[position] as PromotionState;
  if (ENDED_PROMOTION.has(seen.status) || move.state.startedAt === null) return false;
  if (seen.startedAt !== null) return goOnAfterPause(move, position);
  if (move.state.halted) {
    move.end(position, 'SKIPPED', 'another environment failed');
    return true;
  }
  const answers = askGates(move.plan, move.state, position, move.facts ?? NO_FACTS, move.now);
  const verdict = verdictOf(answers);
  if (verdict === 'fail') {
    move.end(position, 'SKIPPED', answers.find((each) => each.verdict === 'fail')?.reason ?? 'cannot start');
    return true;
  }
  if (verdict === 'wait') {
    const unmet = answers.filter((each) => each.verdict === 'wait');
    if (unmet[0]?.gate === 'DEPENDENCIES') return false;
    // All gates are judged together: it cannot start before the last of them lets it.
    const times = unmet.flatMap((each) => (each.recheckAt === undefined ? [] : [each.recheckAt]));
    const recheckAt = times.length === 0 ? null : Math.max(...times);
    if (recheckAt !== null) move.wakes.push(recheckAt);
    return move.restate(position, 'WAITING', { reason: unmet.map((each) => each.reason).join('; '), recheckAt });
  }
  if (move.facts === null) {
    move.needsFacts = true;
    return false;
  }
  const promotion = move.promotion(position);
  promotion.startedAt = move.now;
  promotion.evidence = answers;
  const before = promotion.status;
  promotion.status = 'RUNNING';
  move.emit({ type: 'PromotionStarted', ...move.atPromotion(position, before) });
  const dispatch = move.dispatch(position);
  if (runReadySteps(move, position, dispatch) === 0) move.undispatch(position);
  return true;
}

/** Why the next phase may not begin now: a window that pauses work on its way has closed. Null: nothing holds it. */
function pausedBy(move: Move, position: number): GateAnswer | null {
  const { environment } = move.planned(position);
  const started = move.state.promotions[position] as PromotionState;
  if (environment === null || !started.evidence?.some((each) => each.pauses)) return null;
  if (move.facts === null) {
    move.needsFacts = true;
    return null;
  }
  const answer = askWindow(environment, move.state.id, move.facts, move.now);
  return answer?.verdict === 'wait' && answer.pauses ? answer : null;
}

/** What a closed window paused goes on under a new dispatch when it is open again. */
function goOnAfterPause(move: Move, position: number): boolean {
  const seen = move.state.promotions[position] as PromotionState;
  const idle = seen.steps.every((step) => step.status === 'PENDING' || step.status === 'SUCCEEDED');
  if (!idle || mustStop(move.plan, move.state)) return false;
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

/** SEMANTICS: TERMINATING; RUNNING; SUSPENDED; then TERMINATED, FAILED, SUCCEEDED when nothing is left to do. */
function settleRelease(move: Move): void {
  const { state } = move;
  if (ENDED_RELEASE.has(state.status)) return;
  const { promotions, groups } = state;
  const open = promotions.filter((each) => !ENDED_PROMOTION.has(each.status));
  const asking =
    !mustStop(move.plan, state) && groups.some((each) => each.status === 'ASKING' || each.status === 'WAITING');
  if (open.length > 0 || asking) {
    // A question that is only put again (it has a reason already) goes on waiting: nothing is told, nothing must show.
    const asked = groups.some((each) => each.status === 'ASKING' && each.reason === null);
    const running = asked || open.some((each) => each.status === 'RUNNING');
    state.status = state.terminating ? 'TERMINATING' : running ? 'RUNNING' : 'SUSPENDED';
    return;
  }
  const bad = promotions.some((each) => each.status === 'FAILED') || groups.some((each) => each.status === 'FAILED');
  const cut =
    state.terminating !== null &&
    (promotions.some((each) => each.status === 'TERMINATED') || groups.some((each) => each.status !== 'PASSED'));
  const status: ReleaseStatus = cut ? 'TERMINATED' : bad ? 'FAILED' : 'SUCCEEDED';
  state.status = status;
  state.endedAt = move.now;
  const reason = cut ? state.terminating?.reason : bad ? state.firstProblem?.message : undefined;
  const type = ({ TERMINATED: 'ReleaseTerminated', FAILED: 'ReleaseFailed', SUCCEEDED: 'ReleaseSucceeded' } as const)[
    status
  ];
  move.emit({ type, reason });
}

function nextWake(move: Move): number | null {
  const { state, plan } = move;
  if (ENDED_RELEASE.has(state.status)) return null;
  let earliest = state.terminating === null ? state.deadline : null;
  const consider = (at: number | null): void => {
    if (at !== null && (earliest === null || at < earliest)) earliest = at;
  };
  state.promotions.forEach((promotion, position) => {
    if (promotion.startedAt === null || ENDED_PROMOTION.has(promotion.status)) return;
    const { timeout } = plan.promotions[position] as PlannedPromotion;
    if (timeout !== null) consider(promotion.startedAt + timeout);
    for (const step of promotion.steps) if (step.status === 'WAITING') consider(step.recheckAt);
  });
  if (mustStop(plan, state)) return earliest;
  for (const at of move.wakes) consider(at);
  for (const group of state.groups) if (group.status === 'WAITING') consider(group.recheckAt);
  return earliest;
}

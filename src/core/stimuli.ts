import { remember } from './actor.ts';
import { takeDecision } from './approvals/decide.ts';
import { freshGroup, judgeGroup } from './group-gate.ts';
import { withBoundedProgress } from './progress.ts';
import { FRESH_METER } from './limits.ts';
import { changedAt, countLook, looksAtHealth, toleranceOf } from './health-tolerance.ts';
import type { Move } from './move.ts';
import type { PlannedApplication, PlannedGroup, PlannedStep } from './plan.ts';
import { ENDED_PROMOTION, holdsEnvironment, TAKEN_BACK } from './release.ts';
import { comesAtTheEnd } from './own-steps.ts';
import { refusal } from './problems.ts';
import type { GroupState, Outcome, OverrideStimulus, PromotionState, StepState, Stimulus } from './release.ts';
import { failGroup, isOpenQuestion } from './settle.ts';
import type { WindowOverride } from './windows/override.ts';
import { fractionOf } from './windows/spread.ts';
import { isSoak, lookAtSoak } from './soak.ts';
import { overBy, takeRollback } from './rollback/take-back.ts';
import { failStep, freshStep, wait } from './step.ts';
import { abortRunning, cutOff, mustStop, redispatch, runReadySteps, stopReason } from './steps.ts';

/** What it says, once: a key that was heard before is not heard again. */
export function take(move: Move, stimulus: Stimulus): void {
  const { key } = stimulus;
  if (key === undefined) return hear(move, stimulus);
  if (move.state.heard.some((each) => each.key === key)) return;
  const { touched } = move;
  hear(move, stimulus);
  if (move.touched > touched) rememberKey(move, stimulus);
}

export function rememberKey(move: Move, { key }: Stimulus): void {
  if (key === undefined || move.state.heard.some((each) => each.key === key)) return;
  move.state.heard = remember(move.state.heard, key, move.now);
}

function hear(move: Move, stimulus: Stimulus): void {
  switch (stimulus.kind) {
    case 'tick':
      return;
    case 'outcome':
      return takeOutcome(move, stimulus);
    case 'group-answer':
      return takeGroupAnswer(move, stimulus);
    case 'health-reported':
      return takeHealthReport(move, stimulus);
    case 'deployment-reported':
      return takeDeploymentReport(move, stimulus);
    case 'terminate':
      if (move.state.endedAt !== null || move.state.terminating !== null) return;
      if (stimulus.onlyIf !== undefined && !isStill(move, stimulus.onlyIf)) return;
      move.state.terminating = { reason: stimulus.reason, by: stimulus.by };
      move.emit({ type: 'ReleaseTerminating', reason: stimulus.reason });
      return abortRunning(move);
    case 'approve':
    case 'reject':
      return takeDecision(move, stimulus);
    case 'override-windows':
      return takeOverride(move, stimulus);
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
    case 'rollout-reported':
      return takeRolloutReport(move, stimulus);
    case 'rollback-told':
      return takeRollback(move, stimulus);
    case 'rollback-joined': {
      const { environment, cause, reason, release } = stimulus;
      return move.emit({ type: 'RollbackJoined', causedIn: environment, cause, reason, origin: release ?? undefined });
    }
  }
}

/** Who asked for the end had read what the release does before, without its lock: it may do something else by now. */
function isStill({ plan, state }: Move, what: 'QUEUED' | { atWorkIn: string }): boolean {
  if (what === 'QUEUED') return state.status === 'QUEUED';
  return state.promotions.some(
    (each, position) => plan.promotions[position]?.environment === what.atWorkIn && holdsEnvironment(each),
  );
}

/** Recorded where the promotion has not ended; whether the named windows hold it now does not matter. */
function takeOverride(move: Move, stimulus: OverrideStimulus): void {
  const { promotion: position, windows, reason, by, expiresAt } = stimulus;
  const seen = move.state.promotions[position];
  if (!seen || ENDED_PROMOTION.has(seen.status)) {
    const name = move.plan.promotions[position]?.name;
    const message = `the promotion into "${name}" has ended: ${seen?.status}`;
    return void move.refused.set(stimulus, refusal('WRONG_STATE', message, ['environment']));
  }
  const isSame = (each: WindowOverride): boolean =>
    each.expiresAt === expiresAt && each.reason === reason && each.by === by && each.windows.join() === windows.join();
  if (seen.overrides.some(isSame)) return;
  const override = { windows, reason, by, at: move.now, expiresAt };
  move.promotion(position).overrides = [...seen.overrides, override];
  const at = move.atPromotion(position, seen.status);
  move.emit({ type: 'WindowOverridden', ...at, windows, reason, expiresAt: new Date(expiresAt).toISOString() });
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
  const outcome = withBoundedProgress(report.outcome, planned.id);
  const { news } = step;
  step.news = null;
  if (step.stop !== null) return endStopped(move, report, step.stop.message, planned);
  if (looksAtHealth(planned) && outcome.kind !== 'aborted') step.seen = couldTell(outcome);
  switch (outcome.kind) {
    case 'succeeded':
      succeed(move, report, step, planned, outcome);
      return;
    case 'failed':
      return failStep(move, report.promotion, report.step, outcome.message, outcome.unclear);
    case 'transient': {
      step.tries += 1;
      step.firstError ??= outcome.message;
      step.lastError = outcome.message;
      if (step.tries > planned.retry.limit) return failStep(move, report.promotion, report.step, outcome.message, true);
      const pause = pauseBefore(planned.retry, step.tries, `${report.promotion} ${report.step} ${move.state.id}`);
      wait(move, step, move.now + Math.max(pause, outcome.retryAfter ?? 0), outcome.message);
      const retryAt = new Date(step.recheckAt as number).toISOString();
      return move.emit({ type: 'StepRetrying', ...at, message: outcome.message, tries: step.tries, retryAt });
    }
    case 'pending':
      step.progress = outcome.progress ?? step.progress ?? {};
      return keepWaiting(move, report, outcome, news);
    case 'observed':
      if (planned.work.kind === 'health') return takeLook(move, report, step, planned, outcome, news);
      if (!isSoak(move.planned(report.promotion), report.step)) return;
      // Told while this look was under way, and not what it found: it looks again at once.
      if (news !== null && news !== outcome.health.status) return wait(move, step, move.now, step.reason ?? '');
      if (lookAtSoak(move, report.promotion, report.step, outcome.health))
        succeed(move, report, step, planned, { kind: 'succeeded' });
      return;
    case 'aborted':
      if (!mustStop(move.plan, move.state, report.promotion))
        return redispatch(move, report.promotion, (each) => each === step);
      step.status = 'TERMINATED';
      step.endedAt = move.now;
      step.unclear = true;
      promotion.problem ??= move.problem(stopReason(move.state, report.promotion), report.promotion, planned.id);
      return move.emit({ type: 'StepTerminated', ...at });
  }
}

/** Of a look: whether it could tell how it is. */
function couldTell(outcome: Outcome): boolean {
  if (outcome.kind === 'observed') return outcome.health.status !== 'UNKNOWN';
  return outcome.kind === 'succeeded' || (outcome.kind === 'failed' && outcome.unclear !== true);
}

/** Not there yet, in words. */
function keepWaiting(
  move: Move,
  report: Extract<Stimulus, { kind: 'outcome' }>,
  {
    reason,
    recheckAfter,
    waitsFor,
  }: Pick<Extract<Outcome, { kind: 'pending' }>, 'reason' | 'recheckAfter' | 'waitsFor'>,
  news: StepState['news'],
): void {
  const step = move.step(report.promotion, report.step);
  const other = step.reason !== reason;
  wait(move, step, recheckAfter === undefined ? null : move.now + recheckAfter, reason, waitsFor);
  // Somebody told while this look was under way what it waits for: it looks again at once.
  if (news === 'HEALTHY' || news === 'DEGRADED') Object.assign(step, { recheckAt: move.now, outside: false });
  if (news === 'TOLD') step.recheckAt = move.now;
  const recheckAt = step.outside ? undefined : new Date(step.recheckAt as number).toISOString();
  if (other) move.emit({ type: 'StepWaiting', ...move.atStep(report.promotion, report.step), reason, recheckAt });
}

/** A look at an application after its change: HEALTHY goes on, DEGRADED fails once it counts, and anything else waits. */
function takeLook(
  move: Move,
  report: Extract<Stimulus, { kind: 'outcome' }>,
  step: StepState,
  planned: PlannedStep,
  { health, recheckAfter }: Extract<Outcome, { kind: 'observed' }>,
  news: StepState['news'],
): void {
  if (health.status === 'HEALTHY') return succeed(move, report, step, planned, { kind: 'succeeded' });
  const promoted = move.planned(report.promotion);
  const application = planned.application ?? 0;
  const { name, spec } = promoted.applications[application] as PlannedApplication;
  const at = { changedAt: changedAt(promoted, move.promotion(report.promotion), application), now: move.now };
  const { badLooks, final, so } = countLook(toleranceOf(spec.health), step.badLooks, health.status, at);
  step.badLooks = badLooks;
  const told = `${name} is ${health.status}${health.message === undefined ? '' : `: ${health.message}`}`;
  if (final) return failStep(move, report.promotion, report.step, told);
  const again = recheckAfter ?? (health.status === 'DEGRADED' ? BAD_LOOK_PAUSE : undefined);
  keepWaiting(move, report, { reason: `${told}${so}`, recheckAfter: again }, news);
}

/** Before the next look at what is DEGRADED and not judged yet, where its source does not say, in milliseconds. */
const BAD_LOOK_PAUSE = 5_000;

/**
 * Backoff before the next try: doubled each time, at most `maxDelay`, and up to a quarter shorter, so that a remote that comes back is
 * not asked by all that wait for it at once. By how much follows from the step and the try.
 */
function pauseBefore({ backoff, maxDelay }: PlannedStep['retry'], tries: number, key: string): number {
  const longest = Math.min(backoff * 2 ** (tries - 1), maxDelay);
  return Math.ceil(longest * (1 - fractionOf(`${tries} ${key}`) / 4));
}

/** What was told to stop has ended. That its effect came first is kept in the records, and makes it no success. */
function endStopped(
  move: Move,
  { promotion, step, outcome }: Extract<Stimulus, { kind: 'outcome' }>,
  message: string,
  planned: PlannedStep,
): void {
  const applied = outcome.kind === 'succeeded' && planned.phase === 'ACTION';
  if (outcome.kind === 'succeeded') tellEffect(move, promotion, step, planned, outcome);
  failStep(move, promotion, step, message, true, applied);
}

function tellEffect(
  move: Move,
  promotion: number,
  step: number,
  { phase, application }: PlannedStep,
  { commit, changed, drift, skipped }: Extract<Outcome, { kind: 'succeeded' }>,
): void {
  const at = move.atStep(promotion, step);
  const left = skipped?.length ? { skipped } : {};
  if (commit !== undefined) move.emit({ type: 'ActionCommitted', ...at, commit, changed: changed ?? true, ...left });
  if (drift)
    move.emit({ type: 'DriftOverwritten', ...at, files: drift.files, commit: drift.commit, author: drift.author });
  if (phase !== 'ACTION') return;
  if (changed === false) move.step(promotion, step).unchanged = true;
  move.deploy(promotion, application as number, commit ?? null, null);
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
  step.outside = false;
  step.reason = null;
  step.progress = null;
  step.outputs = outcome.outputs ?? null;
  tellEffect(move, report.promotion, report.step, planned, outcome);
  move.emit({ type: 'StepSucceeded', ...at, outputs: outcome.outputs });
  if (!mustStop(move.plan, move.state, report.promotion))
    runReadySteps(move, report.promotion, report.dispatch, report.step);
}

function takeGroupAnswer(move: Move, answer: Extract<Stimulus, { kind: 'group-answer' }>): void {
  const seen = move.state.groups[answer.group];
  if (!seen || !isOpenQuestion(move, seen, answer.generation)) return;
  const group = move.group(answer.group);
  const planned = move.plan.groups[answer.group] as PlannedGroup;
  const { verdict, reason, ...rest } = judgeGroup(move.plan, planned, move.state, seen, answer.health, move.now);
  Object.assign(group, rest);
  // Told while it was asked, and not in the answer: it is asked again at once, and nothing is told of that.
  const missed = seen.news.some(
    ({ member, status }) => !answer.health.some((each) => each.promotion === member && each.status === status),
  );
  group.news = [];
  if (missed && verdict !== 'wait') {
    Object.assign(group, { status: 'WAITING', recheckAt: move.now } satisfies Partial<GroupState>);
    return;
  }
  if (verdict === 'pass') {
    move.emit({ type: 'GroupGatePassed', group: planned.name });
    Object.assign(group, { status: 'PASSED', reason } satisfies Partial<GroupState>);
  } else if (verdict === 'fail') {
    failGroup(move, answer.group, reason);
  } else {
    if (seen.reason !== reason) move.emit({ type: 'GroupGateWaiting', group: planned.name, reason });
    Object.assign(group, { status: 'WAITING', reason } satisfies Partial<GroupState>);
  }
}

/** News of a member's health: a gate that waits looks at once, and what came and went before its next look is not overlooked. */
function tellGroups(move: Move, report: Extract<Stimulus, { kind: 'health-reported' }>): void {
  move.plan.groups.forEach(({ members }, position) => {
    const { status, clocks, news } = move.state.groups[position] as GroupState;
    const concerned = members.filter((member) => {
      const { environment, applications } = move.planned(member);
      return environment === report.environment && applications.some((each) => each.name === report.application);
    });
    const isNews = (member: number): boolean => {
      const clock = clocks[members.indexOf(member)];
      return clock ? clock.status !== report.status : false;
    };
    if (status === 'WAITING' && concerned.some(isNews)) move.group(position).recheckAt = move.now;
    if (status !== 'ASKING') return;
    const others = news.filter(({ member }) => !concerned.includes(member));
    if (concerned.length > 0)
      move.group(position).news = [...others, ...concerned.map((member) => ({ member, status: report.status }))];
  });
}

function takeHealthReport(move: Move, report: Extract<Stimulus, { kind: 'health-reported' }>): void {
  tellGroups(move, report);
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
      const seen = promotion.steps[index];
      const looks = seen?.status === 'RUNNING';
      if (step.application !== application || (!looks && seen?.status !== 'WAITING')) return;
      // A soak is broken by bad news at once, and goes on with good news; it ends after a look of its own.
      if (step.work.kind === 'soak') {
        const { unhealthyAt } = report;
        const { clock, recheckAt, outside } = seen;
        const known = unhealthyAt === undefined || unhealthyAt === clock?.unhealthyAt[0];
        // No news: the next look, where there is one, counts the time; the one that is under way may not know it.
        if (clock?.status === health && known && looks) move.step(position, index).news = health;
        if (clock?.status === health && known && (looks || health !== 'HEALTHY' || (recheckAt !== null && !outside)))
          return;
        const through = lookAtSoak(move, position, index, { status: health, message, unhealthyAt }, true);
        if (through && !looks) Object.assign(move.step(position, index), { recheckAt: move.now, outside: false });
      } else if (step.work.kind === 'health') {
        if (looks) move.step(position, index).news = health;
        else Object.assign(move.step(position, index), { recheckAt: move.now, outside: false });
      }
    });
  });
}

/** Which commit or version runs there: what waits for that looks at once, and reads it where it was written down. */
function takeDeploymentReport(move: Move, report: Extract<Stimulus, { kind: 'deployment-reported' }>): void {
  const { environment, application: name, running } = report;
  move.plan.promotions.forEach((planned, position) => {
    const seen = move.state.promotions[position] as PromotionState;
    if (planned.environment !== environment || seen.startedAt === null || ENDED_PROMOTION.has(seen.status)) return;
    const application = planned.applications.findIndex((each) => each.name === name);
    if (application < 0) return;
    const { commit, version } = running;
    move.emit({
      type: 'DeploymentReported',
      ...move.atPromotion(position, seen.status),
      application: name,
      commit,
      version,
    });
    planned.steps.forEach(({ work, application: of }, index) => {
      const status = seen.steps[index]?.status;
      if (work.kind !== 'sync' || of !== application) return;
      if (status === 'RUNNING') move.step(position, index).news = 'TOLD';
      if (status === 'WAITING') move.step(position, index).recheckAt = move.now;
    });
  });
}

/** The last word on what still waits there for its health; history where the promotion has ended. */
function takeRolloutReport(move: Move, report: Extract<Stimulus, { kind: 'rollout-reported' }>): void {
  move.plan.promotions.forEach((planned, position) => {
    const seen = move.state.promotions[position] as PromotionState;
    const { environment, attempt, status: rollout, message } = report;
    if (planned.environment !== environment || seen.startedAt === null || seen.attempt !== attempt) return;
    move.emit({ type: 'RolloutReported', ...move.atPromotion(position, seen.status), rollout, message });
    if (ENDED_PROMOTION.has(seen.status) || (rollout !== 'FAILED' && rollout !== 'ROLLED_BACK')) return;
    const running = seen.steps.some((step) => step.status === 'RUNNING');
    seen.steps.forEach((step, index) => {
      if (step.status !== 'RUNNING' && step.status !== 'WAITING') return;
      move.step(position, index).seen = true;
      cutOff(move, position, index, `reported from outside: ${message}`);
    });
    if (running) move.work.push({ kind: 'abort', promotions: [position] });
  });
}

/**
 * From the exact point of failure: steps that succeeded stay, everything else of what did not succeed begins again. What was
 * taken back begins from its start, and the gate of its group is asked anew: what succeeded there is undone.
 */
function takeRetry(move: Move): void {
  const { state } = move;
  if (state.status !== 'FAILED' && state.status !== 'TERMINATED') return;
  state.rollbacks = overBy(state.rollbacks);
  const again: string[] = [];
  const undone = new Set<number | null>();
  state.promotions.forEach((seen, position) => {
    const atTheEnd = comesAtTheEnd(move.planned(position).own);
    if (seen.status === 'SUCCEEDED' && !atTheEnd) return;
    const takenBack = TAKEN_BACK.has(seen.status);
    if (takenBack) undone.add(move.planned(position).group);
    const promotion = move.promotion(position);
    again.push(move.planned(position).name);
    // An approval belongs to the attempt that it was asked for: whoever approved is asked again.
    if (promotion.startedAt !== null || promotion.approval !== null) promotion.attempt += 1;
    const fresh = { startedAt: null, endedAt: null, problem: null, evidence: null, approval: null };
    Object.assign(promotion, { status: 'PENDING', ...fresh });
    promotion.steps.forEach((step, index) => {
      if (step.status !== 'SUCCEEDED' || takenBack || atTheEnd)
        Object.assign(move.step(position, index), freshStep(), { dispatch: step.dispatch });
    });
  });
  state.groups.forEach((group, position) => {
    if (group.status !== 'PASSED' || undone.has(position))
      Object.assign(move.group(position), freshGroup(group.generation));
  });
  Object.assign(state, {
    status: 'QUEUED',
    startedAt: null,
    endedAt: null,
    deadline: null,
    countsFrom: move.now,
    moving: FRESH_METER,
    limited: {},
    terminating: null,
    halted: false,
  });
  move.emit({ type: 'ReleaseRetried', environments: again });
}

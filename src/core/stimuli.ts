import { remember } from './actor.ts';
import { applyDecision } from './approvals/decide.ts';
import { freshGroup, judgeGroup } from './group-gate.ts';
import { judgeMerged } from './follow-merge.ts';
import { withBoundedProgress } from './progress.ts';
import { FRESH_METER } from './limits.ts';
import { changedAt, countLook, looksAtHealth, toleranceOf } from './health-tolerance.ts';
import type { Draft } from './draft.ts';
import { isChange } from './plan.ts';
import type { PlannedApplication, PlannedGroup, PlannedStep } from './plan.ts';
import { ENDED_PROMOTION, occupiesEnvironment, TAKEN_BACK } from './release.ts';
import { comesAtTheEnd } from './own-steps.ts';
import { refusal } from './problems.ts';
import type {
  GroupState,
  Outcome,
  OverrideStimulus,
  PromotionState,
  ReleaseState,
  StepState,
  Stimulus,
} from './release.ts';
import { failGroup, isOpenQuestion } from './settle.ts';
import type { WindowOverride } from './windows/override.ts';
import { fractionOf } from './windows/spread.ts';
import { isSoak, lookAtSoak } from './soak.ts';
import { overBy, applyRollbackNews } from './rollback/take-back.ts';
import {
  applyPullRequestClosed,
  applyPullRequestTold,
  closeUnmerged,
  deleteBranchLater,
  isReplaceable,
  isUnmerged,
  leaveClosed,
  tellPullRequest,
} from './pull-request.ts';
import { failStep, freshStep, wait } from './step.ts';
import { abortRunning, cutOff, mustStop, redispatch, runReadySteps, stopReason } from './steps.ts';

/** What it says, once: a key that was heard before is not heard again. */
export function apply(draft: Draft, stimulus: Stimulus): void {
  const { key } = stimulus;
  if (key === undefined) return hear(draft, stimulus);
  if (draft.state.heard.some((each) => each.key === key)) return;
  const { touched } = draft;
  hear(draft, stimulus);
  if (draft.touched > touched) rememberKey(draft, stimulus);
}

/** The same key again changes nothing from now on. */
export function rememberKey(draft: Draft, { key }: Stimulus): void {
  if (key === undefined || draft.state.heard.some((each) => each.key === key)) return;
  draft.state.heard = remember(draft.state.heard, key, draft.now);
}

function hear(draft: Draft, stimulus: Stimulus): void {
  switch (stimulus.kind) {
    case 'tick':
      return;
    case 'outcome':
      return applyOutcome(draft, stimulus);
    case 'group-answer':
      return applyGroupAnswer(draft, stimulus);
    case 'health-reported':
      return applyHealthReport(draft, stimulus);
    case 'deployment-reported':
      return applyDeploymentReport(draft, stimulus);
    case 'application-told':
      return lookAgain(draft, stimulus);
    case 'terminate':
      if (draft.state.endedAt !== null || draft.state.terminating !== null) return;
      if (stimulus.onlyIf !== undefined && !isStill(draft, stimulus.onlyIf)) return;
      draft.state.terminating = { reason: stimulus.reason, by: stimulus.by };
      draft.emit({ type: 'ReleaseTerminating', reason: stimulus.reason });
      return abortRunning(draft);
    case 'approve':
    case 'reject':
      return applyDecision(draft, stimulus);
    case 'override-windows':
      return applyOverride(draft, stimulus);
    case 'retry':
      return applyRetry(draft, stimulus);
    case 'lost-dispatch':
      return redispatch(draft, stimulus.promotion, (step) => step.dispatch === stimulus.dispatch);
    case 'lost-question': {
      const group = draft.state.groups[stimulus.group];
      if (!isOpenQuestion(draft, group, stimulus.generation)) return;
      const asked = draft.group(stimulus.group);
      asked.generation += 1;
      draft.work.push({ kind: 'ask-group', group: stimulus.group, generation: asked.generation });
      return;
    }
    case 'rollout-reported':
      return applyRolloutReport(draft, stimulus);
    case 'pull-request-told':
      return applyPullRequestTold(draft, stimulus);
    case 'pull-request-closed':
      return applyPullRequestClosed(draft, stimulus);
    case 'rollback-told':
      return applyRollbackNews(draft, stimulus);
    case 'rollback-joined': {
      const { environment, cause, reason, release } = stimulus;
      return draft.emit({ type: 'RollbackJoined', causedIn: environment, cause, reason, origin: release ?? undefined });
    }
  }
}

/** Who asked for the end had read what the release does before, without its lock: it may do something else by now. */
function isStill(
  { plan, state }: Draft,
  what: NonNullable<Extract<Stimulus, { kind: 'terminate' }>['onlyIf']>,
): boolean {
  if (what === 'QUEUED') return state.status === 'QUEUED';
  if ('inReviewIn' in what) return state.status === 'SUSPENDED' && isReplaceable(plan, state, what.inReviewIn);
  return state.promotions.some(
    (each, position) => plan.promotions[position]?.environment === what.atWorkIn && occupiesEnvironment(each),
  );
}

/** Recorded where the promotion has not ended; whether the named windows hold it now does not matter. */
function applyOverride(draft: Draft, stimulus: OverrideStimulus): void {
  const { promotion: position, windows, reason, by, expiresAt } = stimulus;
  const seen = draft.state.promotions[position];
  if (!seen || ENDED_PROMOTION.has(seen.status)) {
    const name = draft.plan.promotions[position]?.name;
    const message = `the promotion into "${name}" has ended: ${seen?.status}`;
    return void draft.refused.set(stimulus, refusal('WRONG_STATE', message, ['environment']));
  }
  const isSame = (each: WindowOverride): boolean =>
    each.expiresAt === expiresAt && each.reason === reason && each.by === by && each.windows.join() === windows.join();
  if (seen.overrides.some(isSame)) return;
  const override = { windows, reason, by, at: draft.now, expiresAt };
  draft.promotion(position).overrides = [...seen.overrides, override];
  const at = draft.atPromotion(position, seen.status);
  draft.emit({ type: 'WindowOverridden', ...at, windows, reason, expiresAt: new Date(expiresAt).toISOString() });
}

function applyOutcome(draft: Draft, report: Extract<Stimulus, { kind: 'outcome' }>): void {
  const seen = draft.state.promotions[report.promotion];
  const before = seen?.steps[report.step];
  if (!seen || !before || seen.attempt !== report.attempt || ENDED_PROMOTION.has(seen.status)) return;
  const late = before.status !== 'RUNNING' || before.dispatch !== report.dispatch;
  // A success is true whichever job reports it: the effect is keyed by the attempt, not by the job. Anything else from an older
  // job says nothing about the job that took over.
  if (late && !(report.outcome.kind === 'succeeded' && (before.status === 'RUNNING' || before.status === 'WAITING')))
    return;
  const promotion = draft.promotion(report.promotion);
  const step = draft.step(report.promotion, report.step);
  const planned = draft.plannedStep(report.promotion, report.step);
  const group = draft.planned(report.promotion).group;
  if (group !== null) draft.reportedBy.add(group);
  const at = draft.atStep(report.promotion, report.step);
  const outcome = withBoundedProgress(report.outcome, planned.id);
  const { news } = step;
  step.news = null;
  if (step.stop !== null) return endStopped(draft, report, step.stop.message, planned);
  if (looksAtHealth(planned) && outcome.kind !== 'aborted') step.seen = couldTell(outcome);
  switch (outcome.kind) {
    case 'succeeded':
      succeed(draft, report, step, planned, outcome);
      return;
    case 'failed':
      if (outcome.pullRequest) leaveClosed(draft, report.promotion, report.step, outcome.pullRequest);
      return failStep(draft, report.promotion, report.step, outcome.message, outcome.unclear);
    case 'transient': {
      const key = `${report.promotion} ${report.step} ${draft.state.id}`;
      if (outcome.throttled) {
        // Not all that wait for room ask at the same moment.
        const pause = pauseBefore(planned.retry, 1, `${key} ${draft.now}`) + (outcome.retryAfter ?? 0);
        return keepWaiting(draft, report, { reason: outcome.message, recheckAfter: pause }, news);
      }
      step.tries += 1;
      step.firstError ??= outcome.message;
      step.lastError = outcome.message;
      if (step.tries > planned.retry.limit)
        return failStep(draft, report.promotion, report.step, outcome.message, true);
      const pause = pauseBefore(planned.retry, step.tries, key);
      wait(draft, step, draft.now + Math.max(pause, outcome.retryAfter ?? 0), outcome.message);
      const retryAt = new Date(step.recheckAt as number).toISOString();
      return draft.emit({ type: 'StepRetrying', ...at, message: outcome.message, tries: step.tries, retryAt });
    }
    case 'pending':
      step.progress = outcome.progress ?? step.progress ?? {};
      if (outcome.held) step.heldUntil = draft.now;
      return keepWaiting(draft, report, outcome, news);
    case 'observed':
      if (planned.work.kind === 'health') return applyLook(draft, report, step, planned, outcome, news);
      if (!isSoak(draft.planned(report.promotion), report.step)) return;
      // Told while this look was under way, and not what it found: it looks again at once.
      if (news !== null && news !== outcome.health.status) return wait(draft, step, draft.now, step.reason ?? '');
      if (lookAtSoak(draft, report.promotion, report.step, outcome.health))
        succeed(draft, report, step, planned, { kind: 'succeeded' });
      return;
    case 'aborted':
      if (!mustStop(draft.plan, draft.state, report.promotion))
        return redispatch(draft, report.promotion, (each) => each === step);
      step.status = 'TERMINATED';
      step.endedAt = draft.now;
      step.unclear = true;
      promotion.problem ??= draft.problem(stopReason(draft.state, report.promotion), report.promotion, planned.id);
      return draft.emit({ type: 'StepTerminated', ...at });
  }
}

/** Of a look: whether it could tell how it is. */
function couldTell(outcome: Outcome): boolean {
  if (outcome.kind === 'observed') return outcome.health.status !== 'UNKNOWN';
  return outcome.kind === 'succeeded' || (outcome.kind === 'failed' && outcome.unclear !== true);
}

/** Not there yet, in words. */
function keepWaiting(
  draft: Draft,
  report: Extract<Stimulus, { kind: 'outcome' }>,
  {
    reason,
    recheckAfter,
    waitsFor,
  }: Pick<Extract<Outcome, { kind: 'pending' }>, 'reason' | 'recheckAfter' | 'waitsFor'>,
  news: StepState['news'],
): void {
  const step = draft.step(report.promotion, report.step);
  const other = step.reason !== reason;
  if (news !== 'TOLD') step.toldBy = null;
  wait(draft, step, recheckAfter === undefined ? null : draft.now + recheckAfter, reason, waitsFor);
  // What this step waits for was reported during this look: it looks again at once.
  if (news === 'HEALTHY' || news === 'DEGRADED') Object.assign(step, { recheckAt: draft.now, outside: false });
  if (news === 'TOLD') step.recheckAt = draft.now;
  const recheckAt = step.outside ? undefined : new Date(step.recheckAt as number).toISOString();
  if (other) draft.emit({ type: 'StepWaiting', ...draft.atStep(report.promotion, report.step), reason, recheckAt });
}

/** A look at an application after its change: HEALTHY goes on, DEGRADED fails once it counts, and anything else waits. */
function applyLook(
  draft: Draft,
  report: Extract<Stimulus, { kind: 'outcome' }>,
  step: StepState,
  planned: PlannedStep,
  { health, recheckAfter, waitsFor }: Extract<Outcome, { kind: 'observed' }>,
  news: StepState['news'],
): void {
  if (health.status === 'HEALTHY') return succeed(draft, report, step, planned, { kind: 'succeeded' });
  const promoted = draft.planned(report.promotion);
  const application = planned.application ?? 0;
  const { name, spec } = promoted.applications[application] as PlannedApplication;
  const at = { changedAt: changedAt(promoted, draft.promotion(report.promotion), application), now: draft.now };
  const { badLooks, final, so } = countLook(toleranceOf(spec.health), step.badLooks, health.status, at);
  step.badLooks = badLooks;
  const told = `${name} is ${health.status}${health.message === undefined ? '' : `: ${health.message}`}`;
  if (final) return failStep(draft, report.promotion, report.step, told);
  const again = recheckAfter ?? (health.status === 'DEGRADED' ? BAD_LOOK_PAUSE : undefined);
  keepWaiting(draft, report, { reason: `${told}${so}`, recheckAfter: again, waitsFor }, news);
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
  draft: Draft,
  { promotion, step, outcome }: Extract<Stimulus, { kind: 'outcome' }>,
  message: string,
  planned: PlannedStep,
): void {
  const applied = outcome.kind === 'succeeded' && isChange(planned.work);
  if (outcome.kind === 'succeeded') tellEffect(draft, promotion, step, planned, outcome);
  failStep(draft, promotion, step, message, true, applied);
}

function tellEffect(
  draft: Draft,
  promotion: number,
  step: number,
  { work, application }: PlannedStep,
  { commit, changed, drift, skipped, pullRequest }: Extract<Outcome, { kind: 'succeeded' }>,
): void {
  const at = draft.atStep(promotion, step);
  const isOpen = pullRequest?.state === 'OPEN';
  if (pullRequest && isOpen === (work.kind === 'propose')) tellPullRequest(draft, promotion, step, pullRequest, commit);
  if (isOpen && work.kind === 'merge') closeUnmerged(draft, promotion, step);
  if (pullRequest?.branchLeft) deleteBranchLater(draft, promotion, step);
  const left = skipped?.length ? { skipped } : {};
  if (commit !== undefined) draft.emit({ type: 'ActionCommitted', ...at, commit, changed: changed ?? true, ...left });
  if (drift)
    draft.emit({ type: 'DriftOverwritten', ...at, files: drift.files, commit: drift.commit, author: drift.author });
  if (!isChange(work)) return;
  if (work.kind === 'merge' && pullRequest) judgeMerged(draft, promotion, step, pullRequest);
  if (changed === false) draft.step(promotion, step).unchanged = true;
  draft.deploy(promotion, application as number, commit ?? null, null);
}

function succeed(
  draft: Draft,
  report: Extract<Stimulus, { kind: 'outcome' }>,
  step: StepState,
  planned: PlannedStep,
  outcome: Extract<Outcome, { kind: 'succeeded' }>,
): void {
  const at = draft.atStep(report.promotion, report.step);
  step.status = 'SUCCEEDED';
  step.endedAt = draft.now;
  step.recheckAt = null;
  step.outside = false;
  step.reason = null;
  step.progress = null;
  step.outputs = outcome.outputs ?? null;
  tellEffect(draft, report.promotion, report.step, planned, outcome);
  draft.emit({ type: 'StepSucceeded', ...at, outputs: outcome.outputs });
  if (!mustStop(draft.plan, draft.state, report.promotion))
    runReadySteps(draft, report.promotion, report.dispatch, report.step);
}

function applyGroupAnswer(draft: Draft, answer: Extract<Stimulus, { kind: 'group-answer' }>): void {
  const seen = draft.state.groups[answer.group];
  if (!seen || !isOpenQuestion(draft, seen, answer.generation)) return;
  const group = draft.group(answer.group);
  const planned = draft.plan.groups[answer.group] as PlannedGroup;
  const { verdict, reason, ...rest } = judgeGroup(draft.plan, planned, draft.state, seen, answer.health, draft.now);
  Object.assign(group, rest);
  // Told while it was asked, and not in the answer: it is asked again at once, and nothing is told of that.
  const missed = seen.news.some(
    ({ member, status }) => !answer.health.some((each) => each.promotion === member && each.status === status),
  );
  group.news = [];
  if (missed && verdict !== 'wait') {
    Object.assign(group, { status: 'WAITING', recheckAt: draft.now } satisfies Partial<GroupState>);
    return;
  }
  if (verdict === 'pass') {
    draft.emit({ type: 'GroupGatePassed', group: planned.name });
    Object.assign(group, { status: 'PASSED', reason } satisfies Partial<GroupState>);
  } else if (verdict === 'fail') {
    failGroup(draft, answer.group, reason);
  } else {
    if (seen.reason !== reason) draft.emit({ type: 'GroupGateWaiting', group: planned.name, reason });
    Object.assign(group, { status: 'WAITING', reason } satisfies Partial<GroupState>);
  }
}

/** News of a member's health: a gate that waits looks at once, and what came and went before its next look is not overlooked. */
function tellGroups(draft: Draft, report: Extract<Stimulus, { kind: 'health-reported' }>): void {
  draft.plan.groups.forEach(({ members }, position) => {
    const { status, clocks, news } = draft.state.groups[position] as GroupState;
    const concerned = members.filter((member) => {
      const { environment, applications } = draft.planned(member);
      return environment === report.environment && applications.some((each) => each.name === report.application);
    });
    const isNews = (member: number): boolean => {
      const clock = clocks[members.indexOf(member)];
      return clock ? clock.status !== report.status : false;
    };
    if (status === 'WAITING' && concerned.some(isNews)) draft.group(position).recheckAt = draft.now;
    if (status !== 'ASKING') return;
    const others = news.filter(({ member }) => !concerned.includes(member));
    if (concerned.length > 0)
      draft.group(position).news = [...others, ...concerned.map((member) => ({ member, status: report.status }))];
  });
}

function applyHealthReport(draft: Draft, report: Extract<Stimulus, { kind: 'health-reported' }>): void {
  tellGroups(draft, report);
  draft.plan.promotions.forEach((planned, position) => {
    const promotion = draft.state.promotions[position] as PromotionState;
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
    draft.emit({ type: 'HealthChanged', ...at, application: name, health, message });
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
        if (clock?.status === health && known && looks) draft.step(position, index).news = health;
        if (clock?.status === health && known && (looks || health !== 'HEALTHY' || (recheckAt !== null && !outside)))
          return;
        const through = lookAtSoak(draft, position, index, { status: health, message, unhealthyAt }, true);
        if (through && !looks) Object.assign(draft.step(position, index), { recheckAt: draft.now, outside: false });
      } else if (step.work.kind === 'health') {
        if (looks) draft.step(position, index).news = health;
        else Object.assign(draft.step(position, index), { recheckAt: draft.now, outside: false });
      }
    });
  });
}

/** What waits for the sync or the health of an application asks at once; a look that is under way is followed by another one. */
function lookAgain(
  draft: Draft,
  { environment, application: name }: Extract<Stimulus, { kind: 'application-told' }>,
): void {
  draft.plan.promotions.forEach((planned, position) => {
    const seen = draft.state.promotions[position] as PromotionState;
    if (planned.environment !== environment || seen.startedAt === null || ENDED_PROMOTION.has(seen.status)) return;
    const application = planned.applications.findIndex((each) => each.name === name);
    planned.steps.forEach(({ work, application: of }, index) => {
      if ((work.kind !== 'sync' && work.kind !== 'health') || of !== application) return;
      const status = seen.steps[index]?.status;
      if (status === 'RUNNING') draft.step(position, index).news = 'TOLD';
      if (status === 'WAITING') draft.step(position, index).recheckAt = draft.now;
    });
  });
}

/** Which commit or version runs there: what waits for that looks at once, and reads it where it was written down. */
function applyDeploymentReport(draft: Draft, report: Extract<Stimulus, { kind: 'deployment-reported' }>): void {
  const { environment, application: name, running } = report;
  draft.plan.promotions.forEach((planned, position) => {
    const seen = draft.state.promotions[position] as PromotionState;
    if (planned.environment !== environment || seen.startedAt === null || ENDED_PROMOTION.has(seen.status)) return;
    const application = planned.applications.findIndex((each) => each.name === name);
    if (application < 0) return;
    const { commit, version } = running;
    draft.emit({
      type: 'DeploymentReported',
      ...draft.atPromotion(position, seen.status),
      application: name,
      commit,
      version,
    });
    planned.steps.forEach(({ work, application: of }, index) => {
      const status = seen.steps[index]?.status;
      if (work.kind !== 'sync' || of !== application) return;
      if (status === 'RUNNING') draft.step(position, index).news = 'TOLD';
      if (status === 'WAITING') draft.step(position, index).recheckAt = draft.now;
    });
  });
}

/** The last word on what still waits there for its health; history where the promotion has ended. */
function applyRolloutReport(draft: Draft, report: Extract<Stimulus, { kind: 'rollout-reported' }>): void {
  draft.plan.promotions.forEach((planned, position) => {
    const seen = draft.state.promotions[position] as PromotionState;
    const { environment, attempt, status: rollout, message } = report;
    if (planned.environment !== environment || seen.startedAt === null || seen.attempt !== attempt) return;
    draft.emit({ type: 'RolloutReported', ...draft.atPromotion(position, seen.status), rollout, message });
    if (ENDED_PROMOTION.has(seen.status) || (rollout !== 'FAILED' && rollout !== 'ROLLED_BACK')) return;
    const running = seen.steps.some((step) => step.status === 'RUNNING');
    seen.steps.forEach((step, index) => {
      if (step.status !== 'RUNNING' && step.status !== 'WAITING') return;
      draft.step(position, index).seen = true;
      cutOff(draft, position, index, `reported from outside: ${message}`);
    });
    if (running) draft.work.push({ kind: 'abort', promotions: [position] });
  });
}

/** Of two that come at once the second finds it retried. Null: it can be. */
export function whyNoRetry(status: ReleaseState['status']): string | null {
  return status === 'FAILED' || status === 'TERMINATED'
    ? null
    : `only a release that FAILED or was TERMINATED can be retried, it is ${status}`;
}

/**
 * From the exact point of failure: steps that succeeded stay, everything else of what did not succeed begins again. What was
 * taken back begins from its start, and the gate of its group is asked anew: what succeeded there is undone.
 */
function applyRetry(draft: Draft, stimulus: Stimulus): void {
  const { state } = draft;
  const unfit = whyNoRetry(state.status);
  if (unfit !== null) return void draft.refused.set(stimulus, refusal('WRONG_STATE', unfit, ['releaseId']));
  state.rollbacks = overBy(state.rollbacks);
  const again: string[] = [];
  const undone = new Set<number | null>();
  state.promotions.forEach((seen, position) => {
    const atTheEnd = comesAtTheEnd(draft.planned(position).own);
    if (seen.status === 'SUCCEEDED' && !atTheEnd) return;
    const takenBack = TAKEN_BACK.has(seen.status);
    if (takenBack) undone.add(draft.planned(position).group);
    const promotion = draft.promotion(position);
    again.push(draft.planned(position).name);
    // An approval belongs to the attempt that it was asked for: its approvers are asked again.
    if (promotion.startedAt !== null || promotion.approval !== null) promotion.attempt += 1;
    const fresh = { startedAt: null, endedAt: null, problem: null, evidence: null, approval: null, merge: null };
    Object.assign(promotion, { status: 'PENDING', ...fresh });
    promotion.steps.forEach((step, index) => {
      const again = isUnmerged(draft.planned(position), seen, index);
      if (step.status !== 'SUCCEEDED' || takenBack || atTheEnd || again)
        Object.assign(draft.step(position, index), freshStep(), { dispatch: step.dispatch });
    });
  });
  state.groups.forEach((group, position) => {
    if (group.status !== 'PASSED' || undone.has(position))
      Object.assign(draft.group(position), freshGroup(group.generation));
  });
  Object.assign(state, {
    status: 'QUEUED',
    startedAt: null,
    endedAt: null,
    deadline: null,
    countsFrom: draft.now,
    moving: FRESH_METER,
    limited: {},
    terminating: null,
    halted: false,
  });
  draft.emit({ type: 'ReleaseRetried', environments: again });
}

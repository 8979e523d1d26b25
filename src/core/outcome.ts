import type { Draft } from './draft.ts';
import { judgeMerged } from './follow-merge.ts';
import { changedAt, countLook, looksAtHealth, toleranceOf } from './health-tolerance.ts';
import { CONTEXT_OUTPUT, handOn } from './context.ts';
import { isChange, isHook } from './plan.ts';
import type { PlannedApplication, PlannedStep } from './plan.ts';
import { withBoundedProgress } from './progress.ts';
import { leaveClosed, leaveLanded, tellPullRequest } from './pull-request.ts';
import { ENDED_PROMOTION } from './release.ts';
import type { Outcome, StepState, Stimulus } from './release.ts';
import { isSoak, lookAtSoak } from './soak.ts';
import { failStep, wait } from './step.ts';
import { mustStop, redispatch, runReadySteps, stopReason } from './steps.ts';
import { agreedBy, askPeople } from './approvals/asking-step.ts';
import { fractionOf } from './windows/spread.ts';

/** What the job of a dispatch reports of a step; of a step that is through, nothing changes. */
export function applyOutcome(draft: Draft, report: Extract<Stimulus, { kind: 'outcome' }>): void {
  const seen = draft.state.promotions[report.promotion];
  const before = seen?.steps[report.step];
  if (!seen || !before || seen.attempt !== report.attempt || ENDED_PROMOTION.has(seen.status)) return;
  const late = before.status !== 'RUNNING' || before.dispatch !== report.dispatch;
  // A success is true whichever job reports it: the effect is keyed by the attempt, not by the job. Anything else from an older
  // job says nothing about the job that took over.
  if (late && !(report.outcome.kind === 'succeeded' && (before.status === 'RUNNING' || before.status === 'WAITING')))
    return;
  // A second worker that comes to another end does not answer for the people who were asked.
  if (before.status === 'WAITING' && before.asked && agreedBy(before) === null) return;
  const promotion = draft.promotion(report.promotion);
  const step = draft.step(report.promotion, report.step);
  const planned = draft.plannedStep(report.promotion, report.step);
  const group = draft.planned(report.promotion).group;
  // A carried member has no job of its own, and so no join above it.
  if (group !== null && !before.carrier) draft.reportedBy.add(group);
  if (!late) draft.reportedFrom(report.job, report.promotion);
  const at = draft.atStep(report.promotion, report.step);
  const outcome = withBoundedProgress(report.outcome, planned.id);
  const { news } = step;
  step.news = null;
  if (step.stop !== null) return endStopped(draft, report, step.stop.message, planned);
  if (looksAtHealth(planned) && outcome.kind !== 'aborted') step.seen = couldTell(outcome);
  // Nor does the one that looks again.
  if (outcome.kind === 'succeeded' && step.asked && agreedBy(step) === null) {
    const { question, spec } = step.asked;
    return askPeople(draft, report.promotion, report.step, { kind: 'asked', question, approval: spec });
  }
  switch (outcome.kind) {
    case 'succeeded': {
      const handed = isHook(planned) ? outcome.outputs?.[CONTEXT_OUTPUT] : undefined;
      const told = handed === undefined ? null : handOn(draft.state.context, handed);
      if (told !== null && 'wrong' in told) return failStep(draft, report.promotion, report.step, told.wrong);
      if (told !== null) draft.state.context = told.context;
      succeed(draft, report, step, planned, outcome);
      return;
    }
    case 'failed':
      if (outcome.pullRequest) leaveClosed(draft, report.promotion, report.step, outcome.pullRequest);
      if (outcome.over) step.closed = true;
      return failStep(draft, report.promotion, report.step, outcome.message, outcome.unclear);
    case 'transient': {
      const key = `${report.promotion} ${report.step} ${draft.state.id}`;
      if (outcome.throttled) {
        // Not all that wait for room ask at the same moment.
        const pause = pauseBefore(planned.retry, 1, `${key} ${draft.now}`) + (outcome.retryAfter ?? 0);
        return keepWaiting(draft, report, { reason: outcome.message, recheckAfter: pause }, news);
      }
      step.tries += 1;
      step.progress = outcome.progress ?? step.progress ?? null;
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
    case 'asked':
      return askPeople(draft, report.promotion, report.step, outcome);
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
      if (draft.state.skips[report.promotion] === undefined)
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
  if (pullRequest && work.kind === 'propose') tellPullRequest(draft, promotion, step, pullRequest);
  if (pullRequest && work.kind === 'merge') leaveLanded(draft, promotion, step, pullRequest, { commit, changed });
  const left = skipped?.length ? { skipped } : {};
  if (commit !== undefined) draft.emit({ type: 'ActionCommitted', ...at, commit, changed: changed ?? true, ...left });
  if (drift)
    draft.emit({ type: 'DriftOverwritten', ...at, files: drift.files, commit: drift.commit, author: drift.author });
  if (!isChange(work)) return;
  if (work.kind === 'merge' && pullRequest && (changed !== false || pullRequest.state === 'MERGED'))
    judgeMerged(draft, promotion, step, pullRequest);
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
  step.runsSince = outcome.runsSince === undefined ? null : Math.min(outcome.runsSince, draft.now);
  tellEffect(draft, report.promotion, report.step, planned, outcome);
  draft.emit({ type: 'StepSucceeded', ...at, outputs: outcome.outputs });
  if (!mustStop(draft.plan, draft.state, report.promotion))
    // The job of an older dispatch goes on under that one. Its carrier is not known any more, and its own job is asked for.
    runReadySteps(draft, report.promotion, {
      dispatch: report.dispatch,
      carrier: step.dispatch === report.dispatch ? (step.carrier ?? null) : null,
      after: report.step,
    });
}

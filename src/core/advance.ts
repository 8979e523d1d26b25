import { byActor } from './actor.ts';
import { bringBack } from './bring-back.ts';
import type { Decision } from './decision.ts';
import type { Dispatched } from './effects.ts';
import { expirePromotion, keepTime, limitsAt, whyOver } from './limits.ts';
import { Draft, NEEDS_FACTS } from './draft.ts';
import type { ReleasePlan } from './plan.ts';
import { ENDED_PROMOTION } from './release.ts';
import { resultOf, whyFailed } from './result.ts';
import type { Facts, GroupState, ReleaseState, Stimulus } from './release.ts';
import { considerStart, settleGroup, settlePromotion } from './settle.ts';
import { failStep } from './step.ts';
import { dispatchDueSteps, mustStop } from './steps.ts';
import { apply, rememberKey } from './stimuli.ts';
import { askToTellCommit } from './tell-commit.ts';

/**
 * The release state machine, in prose.
 *
 * A release is QUEUED until it is its product's turn. Then it is RUNNING: every promotion whose dependencies are met is
 * put to its gates, all of them at once, and starts when all pass. A started promotion is a small DAG of steps. The steps
 * that are ready become RUNNING under a *dispatch*, a number that stands for one job; the worker of that job reports an
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
 * `stimuli.ts` says what each stimulus does (outcomes of steps in `outcome.ts`, reports from outside in `reports.ts`), `steps.ts`
 * what happens to the steps of a promotion, `settle.ts` what follows: promotions end, gates are asked, what may start starts.
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
): Decision | 'NEEDS_FACTS' {
  try {
    return decide(new Draft(plan, state, facts, now), stimuli);
  } catch (error) {
    if (error === NEEDS_FACTS) return 'NEEDS_FACTS';
    throw error;
  }
}

function decide(draft: Draft, stimuli: readonly Stimulus[]): Decision {
  bringBack(draft);
  for (const { actor, said } of byActor(stimuli)) {
    // What earlier stimuli led to belongs to their actor, not to the next actor in the same decision.
    if (draft.touched > 0) settle(draft);
    draft.actor = actor;
    for (const stimulus of said) apply(draft, stimulus);
  }
  if (draft.actor !== null) settle(draft);
  draft.actor = null;
  expire(draft);
  settle(draft);
  // What changed nothing could change something after this decision, when it is told once more: it is remembered with it.
  if (draft.touched > 0) for (const each of stimuli) rememberKey(draft, each);
  keepTime(draft);
  return draft.decision(nextWake(draft));
}

/** Everything that follows from what was taken in, until nothing more does. */
function settle(draft: Draft): void {
  const { plan } = draft;
  if (draft.state.status === 'QUEUED' && draft.state.terminating === null && draft.facts.behind === null) start(draft);
  if (draft.state.endedAt !== null) settleRelease(draft);
  else if (draft.state.startedAt !== null || draft.state.terminating !== null) {
    dispatchDueSteps(draft);
    for (let changed = true; changed;) {
      changed = false;
      for (const position of plan.promotions.keys()) changed = settlePromotion(draft, position) || changed;
      for (const position of plan.groups.keys()) changed = settleGroup(draft, position) || changed;
      for (const position of plan.promotions.keys()) changed = considerStart(draft, position) || changed;
    }
    settleRelease(draft);
  }
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

/** The same of a sibling that began with this step: that step, or what it has gone on with since. */
export function siblingSteps(state: ReleaseState, promotion: number, dispatch: number, began: number): number[] {
  const steps = state.promotions[promotion]?.steps;
  return ownedSteps(state, promotion, dispatch).filter((each) => {
    let step: number | null | undefined = each;
    while (typeof step === 'number' && step !== began) step = steps?.[step]?.after;
    return step === began;
  });
}

/** What this job has to go on with besides the work that it began with: nothing else of it is written down anywhere. */
export function carriedBy(state: ReleaseState, job: string): { dispatches: Dispatched[]; groups: number[] } {
  const dispatches: Dispatched[] = [];
  state.promotions.forEach(({ attempt, steps }, promotion) => {
    for (const { status, dispatch, carrier } of steps) {
      if (status !== 'RUNNING' || carrier !== job) continue;
      if (!dispatches.some((each) => each.promotion === promotion && each.dispatch === dispatch))
        dispatches.push({ promotion, attempt, dispatch });
    }
  });
  const groups = [...state.groups.keys()].filter((position) => {
    const { status, carrier } = state.groups[position] as GroupState;
    return status === 'ASKING' && carrier === job;
  });
  return { dispatches, groups };
}

function start(draft: Draft): void {
  const { state } = draft;
  state.status = 'RUNNING';
  state.startedAt = draft.now;
  draft.emit({ type: 'ReleaseStarted' });
  // One that goes on after its end has asked for it then. It counts from earlier where it was created by a clock that was ahead.
  if (state.countsFrom <= state.createdAt) askToTellCommit(draft);
}

/** Limits that are over: the whole flow's ends the release, an environment's fails that promotion. */
function expire(draft: Draft): void {
  const reason = whyOver(draft);
  if (reason !== null) apply(draft, { kind: 'terminate', reason, by: null });
  giveUpStopping(draft);
  for (const position of draft.plan.promotions.keys()) expirePromotion(draft, position);
}

/** What was told to stop and has not said that it ended: whatever hangs there, it has failed. */
function giveUpStopping(draft: Draft): void {
  draft.state.promotions.forEach(({ steps }, position) => {
    steps.forEach(({ status, stop }, index) => {
      if (status === 'RUNNING' && stop !== null && stop.by <= draft.now)
        failStep(draft, position, index, stop.message, true);
    });
  });
}

/**
 * In this order: TERMINATING; RUNNING; SUSPENDED; then TERMINATED, FAILED, SUCCEEDED when nothing is left to do. A release that has
 * ended is RUNNING once more while a rollback takes it back: it holds up no other release, and its end stays when it was.
 */
function settleRelease(draft: Draft): void {
  const { state } = draft;
  const { promotions, groups } = state;
  const open = promotions.filter((each) => !ENDED_PROMOTION.has(each.status));
  const asking =
    !mustStop(draft.plan, state) && groups.some((each) => each.status === 'ASKING' || each.status === 'WAITING');
  if (state.endedAt === null && (open.length > 0 || asking)) {
    // When a question is repeated, it has a reason already: the release goes on waiting, and its status does not change.
    const asked = groups.some((each) => each.status === 'ASKING' && each.reason === null);
    const running = asked || open.some((each) => each.status === 'RUNNING');
    state.status = state.terminating ? 'TERMINATING' : running ? 'RUNNING' : 'SUSPENDED';
    return;
  }
  state.endedAt ??= draft.now;
  if (promotions.some((each) => each.status === 'ROLLING_BACK')) {
    state.status = 'RUNNING';
    return;
  }
  const status = resultOf(draft.plan, state);
  if (state.status === status) return;
  state.status = status;
  const reason = {
    TERMINATED: state.terminating?.reason,
    FAILED: whyFailed(draft.plan, state),
    SUCCEEDED: undefined,
  }[status];
  const type = ({ TERMINATED: 'ReleaseTerminated', FAILED: 'ReleaseFailed', SUCCEEDED: 'ReleaseSucceeded' } as const)[
    status
  ];
  draft.emit({ type, reason });
}

function nextWake(draft: Draft): number | null {
  const { state, plan } = draft;
  if (state.endedAt !== null) return null;
  let earliest: number | null = null;
  const consider = (at: number | null): void => {
    if (at !== null && (earliest === null || at < earliest)) earliest = at;
  };
  for (const at of limitsAt(draft)) consider(at);
  for (const promotion of state.promotions) {
    if (promotion.startedAt === null || ENDED_PROMOTION.has(promotion.status)) continue;
    for (const step of promotion.steps) {
      if (step.status === 'WAITING') consider(step.recheckAt);
      if (step.status === 'RUNNING') consider(step.stop?.by ?? null);
    }
  }
  if (mustStop(plan, state)) return earliest;
  for (const at of draft.wakes) consider(at);
  for (const group of state.groups) if (group.status === 'WAITING') consider(group.recheckAt);
  return earliest;
}

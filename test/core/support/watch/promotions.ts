import type { Decision } from '../../../../src/core/decision.ts';
import { CONTEXT_OUTPUT, handOn } from '../../../../src/core/context.ts';
import { pauses } from '../../../../src/core/gates/answer.ts';
import type { PlannedGroup, PlannedStep } from '../../../../src/core/plan.ts';
import { ENDED_PROMOTION } from '../../../../src/core/release.ts';
import type {
  Facts,
  GroupState,
  PromotionState,
  PromotionStatus,
  ReleaseState,
  StepState,
  Stimulus,
} from '../../../../src/core/release.ts';
import { claim, same } from '../claim.ts';
import { isApproved } from '../oracle.ts';
import { isUnmerged } from './merges.ts';
import { countSoak } from './soaks.ts';
import { isSoak, nameOf, plannedAt } from './watched.ts';
import type { Watched } from './watched.ts';
import { advance } from '../advance.ts';

/** Promotions that a person or a rollback made other than they had ended. */
export const UNDONE: ReadonlySet<PromotionStatus> = new Set(['ROLLING_BACK', 'ROLLED_BACK', 'ROLLBACK_FAILED']);

/** What one decision may make of one promotion. `begunAgain`: something else was live there, and it starts from its beginning. */
export function claimPromotion(
  of: Watched,
  old: ReleaseState,
  state: ReleaseState,
  position: number,
  stimulus: Stimulus,
  decision: Decision,
  begunAgain: boolean,
): void {
  const before = old.promotions[position] as PromotionState;
  const now = state.promotions[position] as PromotionState;
  const name = nameOf(of, position);
  claim(now.attempt >= before.attempt && now.dispatch >= before.dispatch, `${name} counts backwards`);
  const retried = decision.events.some(
    ({ event }) => event.type === 'ReleaseRetried' && event.environments.includes(name),
  );
  claim(!retried || stimulus.kind === 'retry' || stimulus.kind === 'skip', `${name} begins again unasked`);
  const skipped = stimulus.kind === 'skip' && stimulus.promotion === position && now.status === 'SKIPPED';
  claim(now.attempt === before.attempt || retried, `${name} has a new attempt without a retry`);
  if (retried && before.startedAt !== null && before.status !== 'SUCCEEDED') {
    claim(now.attempt === before.attempt + 1, `${name} is tried again as the same attempt`);
  }
  if (ENDED_PROMOTION.has(before.status) && !retried && !skipped && stimulus.kind !== 'rollback-told')
    claim(now.status === before.status, `${name} ended and changed`);
  const listed = decision.work.flatMap((each) => (each.kind === 'dispatch' ? each.promotions : []));
  const mine = listed.filter((each) => each.promotion === position);
  claim(mine.length < 2, `${name} is dispatched twice at once`);
  for (const each of mine) {
    claim(each.attempt === now.attempt, `${name} is dispatched for attempt ${each.attempt}`);
    const owned = now.steps.some((step) => step.status === 'RUNNING' && step.dispatch === each.dispatch);
    claim(owned, `${name} has a job without a step`);
  }
  // Something else has become live there: what had been done begins again.
  const begins = decision.events.some(
    ({ event }) => event.type === 'PromotionStarted' && event.environment === plannedAt(of, position).name,
  );
  const { own } = plannedAt(of, position);
  const undone = UNDONE.has(before.status) || own === 'ON_SUCCESS' || own === 'ON_FAIL';
  const again = (begins && begunAgain) || (retried && undone);
  now.steps.forEach((step, index) => {
    const was = before.steps[index] as StepState;
    claimEnded(of, position, index, was, step, stimulus, state.lastEventAt);
    // A pull request that was not merged belongs to its attempt: the next one opens its own.
    const unmerged = retried && isUnmerged(plannedAt(of, position), before, index);
    if (was.status === 'SUCCEEDED' && !again && !unmerged)
      claim(step.status === 'SUCCEEDED', `a step of ${name} had succeeded and is ${step.status}`);
    if (step.clock) countSoak(of, 'step', was.clock?.healthyFor ?? 0, step.clock);
    const timed = step.recheckAt !== null || Boolean(step.asked);
    claim(step.status !== 'WAITING' || timed, `a step of ${name} waits for no time at all`);
    if (step.status !== 'RUNNING') return;
    claim(step.dispatch > 0 && step.recheckAt === null, `a running step of ${name} without a job`);
    if (was.status === 'RUNNING' && was.dispatch === step.dispatch) return;
    claimOneJob(of, position, before, step, stimulus, mine);
  });
  claimStatus(of, now, position, state);
}

/** The lane that reported goes on, or a job was asked for, or the job that reported carries it: one of these. */
function claimOneJob(
  of: Watched,
  position: number,
  before: PromotionState,
  step: StepState,
  stimulus: Stimulus,
  mine: readonly { dispatch: number }[],
): void {
  const name = nameOf(of, position);
  const reported = stimulus.kind === 'outcome' && stimulus.promotion === position ? stimulus : null;
  const goesOn = reported?.dispatch === step.dispatch;
  const given = mine.some((each) => each.dispatch === step.dispatch);
  const reports = stimulus.kind === 'outcome' || stimulus.kind === 'group-answer' ? stimulus.job : undefined;
  const carried = !goesOn && reports !== undefined && step.carrier === reports;
  claim(goesOn || given || carried, `a step of ${name} runs, and no job was asked for`);
  claim(!given || !step.carrier, `a step of ${name} has a job, and is carried by ${step.carrier}`);
  if (carried) of.reached.count(`carried after ${stimulus.kind}`);
  if (!reported || !goesOn) return;
  const was = before.steps[reported.step];
  const carrier = was?.dispatch === reported.dispatch ? (was.carrier ?? null) : null;
  claim(
    (step.carrier ?? null) === carrier,
    `a lane of ${name} is carried by ${carrier}, and goes on as ${step.carrier}`,
  );
}

/**
 * What has an effect that is under way ends when somebody says that it has ended, or half a minute after it was told to: until
 * then its environment is nobody else's.
 */
function claimEnded(
  of: Watched,
  position: number,
  index: number,
  was: StepState,
  step: StepState,
  stimulus: Stimulus,
  now: number,
): void {
  const planned = plannedAt(of, position).steps[index] as PlannedStep;
  const { kind } = planned.work;
  if (was.status !== 'RUNNING' || (step.status !== 'FAILED' && step.status !== 'TERMINATED')) return;
  if (kind === 'health' || kind === 'soak') return;
  const told = stimulus.kind === 'outcome' && stimulus.promotion === position && stimulus.step === index;
  if (told) return of.reached.count(was.stop ? 'ended after it was told to stop' : 'ended by its outcome');
  claim(was.stop !== null && was.stop.by <= now, `${planned.id} is ${step.status}, and its effect is on its way`);
  of.reached.count('given up after it was told to stop');
}

/** What a promotion is must follow from what its steps are, whatever led there. */
function claimStatus(
  of: Watched,
  promotion: PromotionState,
  position: number,
  { initiator, skips }: ReleaseState,
): void {
  const { status, steps, startedAt } = promotion;
  const some = (each: StepState['status']): boolean => steps.some((step) => step.status === each);
  const name = `${nameOf(of, position)} (${steps.map((step) => step.status).join(' ')})`;
  if (ENDED_PROMOTION.has(status)) claim(!some('RUNNING') && !some('WAITING'), `${name} is ${status} and not through`);
  for (const step of steps)
    if (step.asked && step.status === 'SUCCEEDED') {
      of.reached.count('a step went on with the approval of people');
      claim(isApproved(step.asked.spec, step.asked.approval, initiator), `a step of ${name} went on without approval`);
    }
  if (status === 'SUCCEEDED')
    claim(
      steps.every((step) => step.status === 'SUCCEEDED'),
      `${name} SUCCEEDED`,
    );
  if (status === 'FAILED') {
    const unapproved = plannedAt(of, position).approval !== null && startedAt === null;
    claim(some('FAILED') || unapproved, `${name} FAILED without a failed step`);
  }
  if (status === 'PENDING' || (status === 'SKIPPED' && !skips[position]))
    claim(startedAt === null, `${name} is ${status} and started`);
  if (startedAt === null || ENDED_PROMOTION.has(status)) return;
  // A look at what soaks or waits for somebody is no work, unless all of it has to end.
  const isLook = (step: StepState, index: number): boolean => step.outside || isSoak(of, position, index);
  const works = steps.some((step, index) => step.status === 'RUNNING' && !isLook(step, index));
  if (works || (some('RUNNING') && status === 'RUNNING'))
    return claim(status === 'RUNNING', `${name} runs and is ${status}`);
  const waiting = steps.findIndex((step) => step.status === 'WAITING' || step.status === 'RUNNING');
  const paused = promotion.evidence?.some(pauses) && waiting < 0 && status === 'WAITING';
  if (paused) return of.reached.count('paused by a window');
  claim(waiting >= 0, `${name} is ${status} and neither runs nor waits`);
  const expected = steps[waiting]?.outside ? 'SUSPENDED' : isSoak(of, position, waiting) ? 'WAITING' : 'RUNNING';
  claim(status === expected, `${name} waits and is ${status}, not ${expected}`);
}

export function claimGroup(
  of: Watched,
  old: ReleaseState,
  group: GroupState,
  position: number,
  stimulus: Stimulus,
  decision: Decision,
): void {
  const before = old.groups[position] as GroupState;
  claim(group.generation >= before.generation, `group ${position} counts backwards`);
  if (before.status !== group.status) of.reached.count(`group ${before.status} > ${group.status}`);
  if (group.status === 'WAITING' && group.reason?.includes('soaks until')) of.reached.count('group soaks');
  if (group.reason?.includes('last told')) of.reached.count('group lacks a fresh health');
  group.clocks.forEach((clock, index) => {
    if (clock) countSoak(of, 'member', before.clocks[index]?.healthyFor ?? 0, clock);
  });
  const asks = decision.work.filter((each) => each.kind === 'ask-group' && each.group === position);
  for (const each of asks)
    claim(group.status === 'ASKING' && 'generation' in each && each.generation === group.generation, 'asks in vain');
  if (group.status !== 'ASKING' || group.generation === before.generation) return;
  const members = (of.plan.groups[position] as PlannedGroup).members;
  const ended = members.every((each) =>
    ENDED_PROMOTION.has(decision.state.promotions[each]?.status as PromotionStatus),
  );
  const reported = stimulus.kind === 'outcome' && members.includes(stimulus.promotion) ? stimulus : null;
  const joined = reported !== null && ended && !old.promotions[reported.promotion]?.steps[reported.step]?.carrier;
  const reports = stimulus.kind === 'outcome' || stimulus.kind === 'group-answer' ? stimulus.job : undefined;
  if (group.carrier) {
    of.reached.count('group asked by a carrier');
    return claim(asks.length === 0 && group.carrier === reports, `group ${position} is asked by ${group.carrier}`);
  }
  if (joined && asks.length === 0) of.reached.count('group asked by its join');
  claim(asks.length === 1 || (joined && asks.length === 0), `nobody asks group ${position}`);
}

/** An outcome from somebody who does not own the step says nothing, unless it is a success. */
export function claimStale(
  of: Watched,
  old: ReleaseState,
  stimulus: Stimulus,
  facts: Facts | null,
  now: number,
  state: ReleaseState,
): void {
  if (stimulus.kind !== 'outcome') return;
  const promotion = old.promotions[stimulus.promotion];
  const step = promotion?.steps[stimulus.step];
  const owner =
    promotion?.attempt === stimulus.attempt && step?.status === 'RUNNING' && step.dispatch === stimulus.dispatch;
  of.reached.count(`outcome ${stimulus.outcome.kind} ${owner ? 'of the owner' : 'of another'}`);
  if (owner) return;
  const open = promotion?.attempt === stimulus.attempt && !ENDED_PROMOTION.has(promotion.status);
  const counts =
    open && stimulus.outcome.kind === 'succeeded' && (step?.status === 'RUNNING' || step?.status === 'WAITING');
  const asks =
    step?.status === 'WAITING' && step.asked && !isApproved(step.asked.spec, step.asked.approval, old.initiator);
  if (counts && !asks) {
    of.reached.count('success of another accepted');
    // It is through; what was told to stop has failed all the same.
    const after = state.promotions[stimulus.promotion]?.steps[stimulus.step]?.status;
    if (step.stop) of.reached.count('success of another after it was told to stop');
    // People were asked about it, and another worker's success does not answer for them.
    const asks = step.asked && !isApproved(step.asked.spec, step.asked.approval, old.initiator);
    // A hook that hands on what cannot be kept has failed, whoever tells it.
    const handed = stimulus.outcome.kind === 'succeeded' ? stimulus.outcome.outputs?.[CONTEXT_OUTPUT] : undefined;
    const refused = handed !== undefined && after === 'FAILED' && 'wrong' in handOn(old.context, handed);
    return claim(
      refused || after === (step.stop ? 'FAILED' : asks ? 'WAITING' : 'SUCCEEDED'),
      `a success was told, the step is ${after}`,
    );
  }
  const ignored = advance(of.plan, old, [{ kind: 'tick' }], facts, now);
  claim(ignored !== 'NEEDS_FACTS' && same(ignored.state, state), `a stale ${stimulus.outcome.kind} changed something`);
}

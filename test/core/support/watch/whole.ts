import type { ReleaseState } from '../../../../src/core/release.ts';
import { BAD_PROMOTION, ENDED_PROMOTION, ENDED_RELEASE } from '../../../../src/core/release.ts';
import type { Facts, PromotionState } from '../../../../src/core/release.ts';
import { claim } from '../claim.ts';
import { actionOf, holding, marked, opensBy } from '../oracle.ts';
import { plannedAt } from './watched.ts';
import type { Watched } from './watched.ts';

/** What a release is must follow from what its promotions and groups are, and while it goes on it has something to wait for. */
export function claimWhole(of: Watched, state: ReleaseState, facts: Facts | null, now: number): void {
  const { promotions, groups, status, wakeAt } = state;
  const open = promotions.filter((each) => !ENDED_PROMOTION.has(each.status));
  if (ENDED_RELEASE.has(status)) {
    claim(open.length === 0, `${status} with open promotions`);
    claim(wakeAt === null, 'ended, and wakes');
    const failed =
      promotions.some((each) => BAD_PROMOTION.has(each.status)) ||
      groups.some((each) => each.status === 'FAILED') ||
      (state.terminating === null && promotions.some((each) => each.status === 'TERMINATED')) ||
      (of.plan.rollback?.targets.some((each) => each.decision === 'IMPOSSIBLE') ?? false);
    if (status === 'SUCCEEDED') {
      claim(
        promotions.every((each) => each.status === 'SUCCEEDED' || each.status === 'SKIPPED'),
        'SUCCEEDED, not all did',
      );
      claim(
        groups.every((each) => each.status === 'PASSED'),
        'SUCCEEDED without its groups',
      );
      claim(!failed, 'SUCCEEDED with a failure');
      // Whatever could go on went on: only a person, or a rollback that took the rest back, leaves something out of a success.
      const leftOut = promotions.findIndex(
        (each, position) =>
          each.status === 'SKIPPED' && !state.skips[position] && plannedAt(of, position).own === undefined,
      );
      claim(
        leftOut < 0 || of.plan.rollback !== undefined || Object.keys(state.rollbacks).length > 0,
        `SUCCEEDED, and ${plannedAt(of, leftOut)?.name} was left out by nobody`,
      );
    }
    if (status === 'FAILED') claim(failed, 'FAILED without a failure');
    if (status === 'TERMINATED') claim(state.terminating !== null, 'TERMINATED by nobody');
    return;
  }
  if (state.endedAt !== null) {
    claim(status === 'RUNNING' && wakeAt === null, `ended, ${status}, and wakes at ${wakeAt}`);
    const back = promotions.some((each) => each.status === 'ROLLING_BACK');
    return claim(back && open.length === 0, 'ended, and RUNNING although nothing goes back');
  }
  if (status === 'QUEUED')
    return claim(state.startedAt === null && facts?.behind != null, 'QUEUED although it is its turn');
  const running = open.some((each) => each.status === 'RUNNING');
  const asking = groups.some((each) => each.status === 'ASKING');
  if (state.terminating) claim(status === 'TERMINATING', `terminating and ${status}`);
  else if (running) claim(status === 'RUNNING', `something runs, and the release is ${status}`);
  else if (!asking) claim(status === 'SUSPENDED', `nothing runs, and the release is ${status}`);
  const stopping = promotions.filter(
    ({ status: each }, position) => !ENDED_PROMOTION.has(each) && plannedAt(of, position).own !== 'ON_FAIL',
  );
  claim(!state.terminating || stopping.every((each) => each.status === 'RUNNING'), 'terminating, and something waits');

  const stops = state.terminating !== null || (state.halted && of.plan.onFailure === 'STOP');
  const times = groups.flatMap((each) => (each.status === 'WAITING' && !stops ? [each.recheckAt] : []));
  let outside = false;
  promotions.forEach((each, position) => {
    if (ENDED_PROMOTION.has(each.status)) return;
    outside ||= each.status === 'SUSPENDED';
    if (each.startedAt === null) {
      if (each.status === 'WAITING' && facts) {
        const end = waitsUntil(of, state, position, facts, now);
        if (end === null) outside = true;
        else if (!stops) times.push(end);
      }
      return;
    }
    // Paused by a window, which may have no opening of its own.
    outside ||= each.status === 'WAITING' && !each.steps.some((step) => step.status === 'WAITING');
    for (const step of each.steps) {
      if (step.status === 'WAITING') times.push(step.recheckAt);
      if (step.stop) times.push(step.stop.by);
    }
  });
  const due = times.filter((each) => each !== null);
  const moves = promotions.some((each) => each.steps.some((step) => step.status === 'RUNNING')) || asking;
  claim(
    moves || due.length > 0 || outside || facts === null,
    'stuck: no job, no question, no time, nobody to wait for',
  );
  if (state.terminating === null) due.push(state.deadline as number);
  for (const time of due) {
    claim(wakeAt !== null && wakeAt <= time, `something is due at ${time}, and it wakes at ${wakeAt}`);
    claim(time > now, `something was due at ${time}, and it is ${now}`);
  }
}

/**
 * When whatever keeps it waiting is over by itself, all of it; null: it waits for somebody, or for its turn in its group. That
 * it waits in vain is what the end of every run shows.
 */
function waitsUntil(of: Watched, state: ReleaseState, position: number, facts: Facts, now: number): number | null {
  const { environment, approval, group } = plannedAt(of, position);
  const promotion = state.promotions[position] as PromotionState;
  if (environment === null || group !== null || approval !== null || of.plan.rollback) return null;
  if (facts.heldBy[environment] !== undefined) return null;
  const ends = [
    ...holding(facts, environment, state, now),
    ...marked(facts, environment, now),
    opensBy(facts, environment, actionOf(of.plan), promotion, now),
  ];
  const known = ends.filter((each) => each !== null);
  return known.length < ends.length || Math.max(...known) <= now ? null : Math.max(...known);
}

/** When a release has ended, its hooks, and those of its promotions, have done what its end asks for. */
export function claimOwnEnded(
  of: Watched,
  old: ReleaseState,
  { promotions, status, startedAt, endedAt, skips }: ReleaseState,
): void {
  if (old.endedAt !== null || endedAt === null || startedAt === null) return;
  of.plan.promotions.forEach(({ own, of: about }, position) => {
    if (own === undefined) return;
    // Of what a person skipped, an earlier failure may have been told.
    if (about !== undefined) return skips[about] ? undefined : claimHookEnded(of, promotions, position, about);
    const ran = promotions[position]?.startedAt !== null;
    if (own === 'ON_START') claim(ran || status !== 'SUCCEEDED', 'SUCCEEDED without its own start');
    if (own === 'ON_SUCCESS') claim(ran || status !== 'SUCCEEDED', 'SUCCEEDED, and ON_SUCCESS did not run');
    if (own === 'ON_FAIL')
      claim(ran === (status !== 'SUCCEEDED'), `${status}, and ON_FAIL ${ran ? 'ran' : 'did not run'}`);
    of.reached.count(`own ${own} ${promotions[position]?.status}`);
  });
}

/** What has failed, or was stopped in the middle, was told of once; nothing else was. A rollback may have come over it since. */
function claimHookEnded(of: Watched, promotions: readonly PromotionState[], position: number, about: number): void {
  const { status, startedAt } = promotions[about] as PromotionState;
  const hook = promotions[position] as PromotionState;
  const ran = hook.startedAt !== null;
  const name = plannedAt(of, about).name;
  if (status === 'FAILED' || (status === 'TERMINATED' && startedAt !== null))
    claim(ran, `${name} is ${status}, and its ON_FAIL did not run`);
  if (status === 'SUCCEEDED' || status === 'SKIPPED' || startedAt === null)
    claim(!ran || status === 'FAILED', `${name} is ${status}, and its ON_FAIL ran`);
  of.reached.count(`hook ON_FAIL ${hook.status}`);
}

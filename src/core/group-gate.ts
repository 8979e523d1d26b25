import { lookAt, lookPause, soakedAt, statusOf } from './health-clock.ts';
import type { HealthClock } from './health-clock.ts';
import type { PlannedGroup, PlannedPromotion, ReleasePlan } from './plan.ts';
import { ENDED_PROMOTION } from './release.ts';
import type { GroupState, MemberHealth, PromotionState, ReleaseState } from './release.ts';

/** How often a gate that waits for health is asked again, in milliseconds. */
export const GATE_RECHECK = 5_000;

/** A group of which nothing is known yet; `generation` goes on counting over retries. */
export function freshGroup(generation = 0): GroupState {
  return { status: 'OPEN', generation, recheckAt: null, unknownSince: null, reason: null, news: [], clocks: [] };
}

export interface GroupJudgement extends Pick<GroupState, 'unknownSince' | 'recheckAt' | 'clocks'> {
  verdict: 'pass' | 'wait' | 'fail';
  reason: string;
}

/**
 * A group's gate, judged on what its members say now: one that was healthy an hour ago does not count if it is degraded
 * now, and none counts before it has been healthy for the gate's `soak`. UNKNOWN neither passes nor fails, until
 * `unknownTimeout` is over; that time counts only while the gate waits for nothing else, so not while a member that could
 * still make the number is on its way or soaks.
 */
export function judgeGroup(
  plan: ReleasePlan,
  group: PlannedGroup,
  state: ReleaseState,
  before: GroupState,
  health: readonly MemberHealth[],
  now: number,
): GroupJudgement {
  const { required, soak = 0, freshness } = group;
  let healthy = 0;
  let open = 0;
  let unclear = 0;
  const soaks: number[] = [];
  const unhealthy: string[] = [];
  const clocks = group.members.map((member, index): HealthClock | null => {
    const { status } = state.promotions[member] as PromotionState;
    if (status !== 'SUCCEEDED') {
      if (!ENDED_PROMOTION.has(status)) open += 1;
      return null;
    }
    const said = health.filter((each) => each.promotion === member);
    const seen = said.length > 0 ? said : [{ promotion: member, status: 'UNKNOWN' as const }];
    const clock = lookAt(before.clocks[index] ?? null, seen, { freshness, now });
    if (clock.status === 'HEALTHY') {
      healthy += 1;
      soaks.push(now + Math.max(0, soak - clock.healthyFor));
      return clock;
    }
    const { name } = plan.promotions[member] as PlannedPromotion;
    const old = seen.find((each) => each.status !== 'UNKNOWN' && statusOf(each, freshness, now) === 'UNKNOWN');
    const since = old?.at === undefined || clock.status !== 'UNKNOWN' ? '' : ` (last told ${inWords(old.at)})`;
    unhealthy.push(`${name} is ${clock.status}${since}`);
    if (clock.status !== 'DEGRADED') unclear += 1;
    return clock;
  });
  const told = `${healthy} of ${group.members.length} in ${group.name} are healthy, ${required} needed`;
  const reason = unhealthy.length > 0 ? `${told}: ${unhealthy.join(', ')}` : told;
  // Each counts when it has been healthy for long enough; the gate opens with the last one that it needs.
  const soaked = soaks.sort((a, b) => a - b)[required - 1];
  if (required === 0 || (soaked !== undefined && soaked <= now))
    return { verdict: 'pass', reason, unknownSince: null, recheckAt: null, clocks };
  if (healthy + open + unclear < required)
    return { verdict: 'fail', reason, unknownSince: null, recheckAt: null, clocks };
  if (soaked !== undefined) {
    const recheckAt = Math.min(soaked, now + lookPause(soak, freshness));
    return {
      verdict: 'wait',
      reason: `${reason}; soaks until ${inWords(soaked)}`,
      unknownSince: null,
      recheckAt,
      clocks,
    };
  }
  const recheckAt = now + GATE_RECHECK;
  if (healthy + open >= required) return { verdict: 'wait', reason, unknownSince: null, recheckAt, clocks };
  const unknownSince = before.unknownSince ?? now;
  const givesUp = unknownSince + group.unknownTimeout;
  if (now < givesUp) return { verdict: 'wait', reason, unknownSince, recheckAt: Math.min(recheckAt, givesUp), clocks };
  return { verdict: 'fail', reason: `${reason}; gave up waiting`, unknownSince, recheckAt: null, clocks };
}

const inWords = (instant: number): string => new Date(instant).toISOString();

/**
 * When each member can count at the earliest: it has been healthy for the gate's `soak` by then. `endOf` says when one that is
 * on its way can be there; null: never, or nobody knows.
 */
export function memberTimes(
  group: PlannedGroup,
  { clocks, recheckAt }: GroupState,
  endOf: (member: number) => number | null,
  now: number,
): (number | null)[] {
  const { soak = 0 } = group;
  const again = recheckAt ?? now;
  return group.members.map((member, index) => {
    const clock = clocks[index];
    if (clock) return Math.max(now, soakedAt(clock, soak, again));
    const end = endOf(member);
    return end === null ? null : Math.max(end, now) + soak;
  });
}

import { lookAt, lookPause, soakedAt, statusOf } from './health-clock.ts';
import type { HealthStatus } from './definitions.ts';
import type { HealthClock } from './health-clock.ts';
import { changedAt, countLook, toleranceOf } from './health-tolerance.ts';
import type { BadLooks } from './health-tolerance.ts';
import type { PlannedGroup, PlannedPromotion, ReleasePlan } from './plan.ts';
import { ENDED_PROMOTION } from './release.ts';
import { countOf } from './required.ts';
import type { GroupState, MemberHealth, PromotionState, ReleaseState } from './release.ts';

/** How often a gate that waits for health is asked again, in milliseconds. */
const GATE_RECHECK = 5_000;

/** A group of which nothing is known yet; `generation` goes on counting over retries. */
export function freshGroup(generation = 0): GroupState {
  return {
    status: 'OPEN',
    generation,
    carrier: null,
    recheckAt: null,
    unknownSince: null,
    reason: null,
    news: [],
    clocks: [],
    badLooks: [],
  };
}

/** What a gate comes to, with what it has to remember until it is asked again. */
export interface GroupJudgement extends Pick<GroupState, 'unknownSince' | 'recheckAt' | 'clocks' | 'badLooks'> {
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
  const { soak = 0, freshness } = group;
  const { counted, required } = countOf(group, state);
  let healthy = 0;
  let open = 0;
  let unclear = 0;
  const soaks: number[] = [];
  const unhealthy: string[] = [];
  const badLooks = group.members.map(() => 0);
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
    const bad = countMember(plan, state, member, before.badLooks?.[index] ?? 0, clock.status, now);
    badLooks[index] = bad.badLooks;
    unhealthy.push(`${name} is ${clock.status}${since}${bad.so}`);
    if (!bad.final) unclear += 1;
    return clock;
  });
  const told = `${healthy} of ${counted} in ${group.name} are healthy, ${required} needed`;
  const reason = unhealthy.length > 0 ? `${told}: ${unhealthy.join(', ')}` : told;
  // Each counts when it has been healthy for long enough; the gate opens with the last one that it needs.
  const soaked = soaks.sort((a, b) => a - b)[required - 1];
  if (required === 0 || (soaked !== undefined && soaked <= now))
    return { verdict: 'pass', reason, unknownSince: null, recheckAt: null, clocks, badLooks };
  if (healthy + open + unclear < required)
    return { verdict: 'fail', reason, unknownSince: null, recheckAt: null, clocks, badLooks };
  if (soaked !== undefined) {
    const recheckAt = Math.min(soaked, now + lookPause(soak, freshness));
    return {
      verdict: 'wait',
      reason: `${reason}; soaks until ${inWords(soaked)}`,
      unknownSince: null,
      recheckAt,
      clocks,
      badLooks,
    };
  }
  const recheckAt = now + GATE_RECHECK;
  if (healthy + open >= required) return { verdict: 'wait', reason, unknownSince: null, recheckAt, clocks, badLooks };
  const unknownSince = before.unknownSince ?? now;
  const givesUp = unknownSince + group.unknownTimeout;
  if (now < givesUp)
    return { verdict: 'wait', reason, unknownSince, recheckAt: Math.min(recheckAt, givesUp), clocks, badLooks };
  return { verdict: 'fail', reason: `${reason}; gave up waiting`, unknownSince, recheckAt: null, clocks, badLooks };
}

/** A member is as tolerant as the most tolerant of its applications, and its grace ends with the last. */
function countMember(
  plan: ReleasePlan,
  state: ReleaseState,
  member: number,
  before: number,
  status: HealthStatus,
  now: number,
): BadLooks {
  const planned = plan.promotions[member] as PlannedPromotion;
  const promotion = state.promotions[member] as PromotionState;
  const all = planned.applications.map(({ spec }, index) => {
    const { failureThreshold, grace } = toleranceOf(spec.health);
    return { failureThreshold, until: changedAt(planned, promotion, index) + grace };
  });
  const failureThreshold = Math.max(1, ...all.map((each) => each.failureThreshold));
  const until = Math.max(0, ...all.map((each) => each.until));
  return countLook({ failureThreshold, grace: 0 }, before, status, { changedAt: until, now });
}

const inWords = (instant: number): string => new Date(instant).toISOString();

/**
 * When each member can count at the earliest: it has been healthy for the gate's `soak` by then. `endOf` says when one that is
 * on its way can be there; null: never, or not known.
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

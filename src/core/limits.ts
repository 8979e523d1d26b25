import { askedUntil, expireAsked } from './approvals/asking-step.ts';
import { DEFAULT_MAX_AGE, DEFAULT_REPORT_TIMEOUT } from './definitions.ts';
import { spell } from './duration.ts';
import { MANNERS } from './kinds/actions.ts';
import type { Draft } from './draft.ts';
import type { PlannedPromotion, PlannedStep, ReleasePlan } from './plan.ts';
import { ENDED_PROMOTION } from './release.ts';
import type { Meter, PromotionState, ReleaseState, StepState } from './release.ts';
import { isSoak } from './soak.ts';
import { failStep } from './step.ts';
import { cutOff, isFailing } from './steps.ts';

/**
 * What ends what takes too long.
 *
 * - `timeout`, of the flow and of an environment, counts the time in which something could move: what runs, what is tried
 *   again, what soaks. It does not count a release's turn, a closed window, a hold, a mark, an environment where others are at
 *   work, people, and reports from outside.
 * - Whatever does not count has an end of its own: approvals expire, a report may be awaited for a day, a target may take 15 minutes
 *   to run a change (`sync.limit`), an UNKNOWN health is waited for as long (a group's for its `unknownTimeout`).
 * - `maxAge` ends whatever is left. It counts from the moment at which the release was created, or retried.
 */

/** Nothing has been used, and nothing runs. */
export const FRESH_METER: Meter = { used: 0, since: null };

/** Milliseconds that were used until `now`. */
export function spent({ used, since }: Meter, now: number): number {
  return used + (since === null ? 0 : Math.max(0, now - since));
}

/** The same meter where nothing changes. */
function turned(meter: Meter, moves: boolean, now: number): Meter {
  if (moves === (meter.since !== null)) return meter;
  return moves ? { ...meter, since: now } : { used: spent(meter, now), since: null };
}

/** When the meter reaches `limit` if it goes on; null: it stands still. */
function reachesAt({ used, since }: Meter, limit: number): number | null {
  return since === null ? null : since + Math.max(0, limit - used);
}

/** Milliseconds since the epoch: nothing of the release goes on after this. */
export function diesAt(plan: ReleasePlan, state: ReleaseState): number {
  return state.countsFrom + (plan.maxAge ?? DEFAULT_MAX_AGE);
}

function promotionMoves(planned: PlannedPromotion, { startedAt, status, steps }: PromotionState): boolean {
  if (startedAt === null || ENDED_PROMOTION.has(status)) return false;
  return steps.some((step, index) => {
    if (step.status !== 'RUNNING' && step.status !== 'WAITING') return false;
    // A step that waits for the outside, or for a health that is unknown, stands still: it has a limit of its own.
    return !step.outside && !(isSoak(planned, index) && step.clock?.status === 'UNKNOWN');
  });
}

function releaseMoves({ promotions }: ReleasePlan, state: ReleaseState): boolean {
  return (
    state.groups.some(
      ({ status, unknownSince }) => (status === 'ASKING' || status === 'WAITING') && unknownSince === null,
    ) || promotions.some((planned, position) => promotionMoves(planned, state.promotions[position] as PromotionState))
  );
}

/** At the end of every decision: what moves from now on, and when that reaches its limit. */
export function keepTime({ plan, state, now }: Draft): void {
  state.moving = turned(state.moving, state.endedAt === null && releaseMoves(plan, state), now);
  plan.promotions.forEach((planned, position) => {
    if (planned.timeout === null) return;
    const meter = state.limited[position] ?? FRESH_METER;
    const moves = promotionMoves(planned, state.promotions[position] as PromotionState);
    const next = turned(meter, moves, now);
    if (next !== meter) state.limited = { ...state.limited, [position]: next };
  });
  if (state.endedAt !== null || state.terminating !== null) return;
  state.deadline = Math.min(diesAt(plan, state), reachesAt(state.moving, plan.timeout) ?? Infinity);
}

/** When a limit of something that is open is reached, as it stands; nothing of what is ending has one. */
export function limitsAt({ plan, state }: Draft): number[] {
  const times: (number | null)[] = [state.terminating === null ? state.deadline : null];
  plan.promotions.forEach((planned, position) => {
    const { timeout } = planned;
    const { startedAt, status, steps } = state.promotions[position] as PromotionState;
    if (startedAt === null || ENDED_PROMOTION.has(status)) return;
    // What was told to stop already has reached it.
    if (timeout !== null && steps.some(isBegun)) times.push(reachesAt(state.limited[position] ?? FRESH_METER, timeout));
    steps.forEach((step, index) => {
      if (step.status !== 'WAITING') return;
      times.push(actionUntil(planned, index, step));
      if (step.outside) times.push(step.asked ? askedUntil(step) : awaitedUntil(planned, index, step));
    });
  });
  return times.filter((each) => each !== null);
}

/** Why the whole release is over; null: it is not. */
export function whyOver({ plan, state, now }: Draft): string | null {
  if (state.endedAt !== null || state.terminating !== null) return null;
  if (diesAt(plan, state) <= now) return `it is older than ${spell(plan.maxAge ?? DEFAULT_MAX_AGE)}, its maxAge`;
  if (spent(state.moving, now) < plan.timeout) return null;
  return `the flow's limit of ${spell(plan.timeout)} is over`;
}

/** An environment's limit fails its promotion; so does a report that never comes. */
export function expirePromotion(draft: Draft, position: number): void {
  const { state, now } = draft;
  const planned = draft.planned(position);
  const { timeout, name } = planned;
  const seen = state.promotions[position] as PromotionState;
  if (seen.startedAt === null || ENDED_PROMOTION.has(seen.status)) return;
  seen.steps.forEach((step, index) => {
    if (step.status !== 'WAITING') return;
    const over = actionUntil(planned, index, step);
    if (over !== null && over <= now)
      return failStep(draft, position, index, `not done within ${spell(planned.steps[index]?.timeout ?? 0)}`);
    if (step.asked) return expireAsked(draft, position, index);
    if (!step.outside || awaitedUntil(planned, index, step) > now) return;
    const { application, id, work } = draft.plannedStep(position, index);
    const what = application === null ? id : (planned.applications[application]?.name ?? id);
    draft.step(position, index).seen = false;
    const late = spell(patienceOf(planned, index));
    const why = work.kind === 'sync' ? `not seen to run the change within ${late}` : `no report came within ${late}`;
    const unmerged = `its pull request was not merged within ${late}`;
    failStep(draft, position, index, `${what}: ${work.kind === 'merge' ? unmerged : why}: ${step.reason ?? ''}`);
  });
  if (timeout === null || spent(state.limited[position] ?? FRESH_METER, now) < timeout) return;
  const { steps } = state.promotions[position] as PromotionState;
  const begun = [...steps.keys()].filter((index) => isBegun(steps[index] as StepState));
  // A window that pauses may hold it between two phases: then it is the phase that could not begin in time.
  const held = isFailing(seen) ? -1 : steps.findIndex((step) => step.status === 'PENDING');
  const late = begun.length > 0 ? begun : held >= 0 ? [held] : [];
  const running = begun.some((index) => steps[index]?.status === 'RUNNING');
  for (const index of late) cutOff(draft, position, index, `the limit of ${spell(timeout)} for ${name} is over`);
  if (running) draft.work.push({ kind: 'abort', promotions: [position] });
}

/** When what it waits for outside comes too late. */
function awaitedUntil(planned: PlannedPromotion, index: number, { startedAt, heldUntil }: StepState): number {
  return (heldUntil ?? startedAt ?? 0) + patienceOf(planned, index);
}

/** When the time of an action that waits between its looks is over; null: it has no such limit. */
function actionUntil({ steps }: PlannedPromotion, index: number, { startedAt }: StepState): number | null {
  const { work, timeout } = steps[index] as PlannedStep;
  return work.kind === 'action' && MANNERS[work.action.type].waits && timeout !== null
    ? (startedAt ?? 0) + timeout
    : null;
}

function patienceOf({ steps }: PlannedPromotion, index: number): number {
  return steps[index]?.patience ?? DEFAULT_REPORT_TIMEOUT;
}

function isBegun({ status, stop }: StepState): boolean {
  return (status === 'RUNNING' && stop === null) || status === 'WAITING';
}

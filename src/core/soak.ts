import { DEFAULT_UNKNOWN_TIMEOUT } from './definitions.ts';
import type { HealthSourceSpec } from './definitions.ts';
import { beginClock, lookAt, LOOK_STANDS, lookPause, soakedAt } from './health-clock.ts';
import type { Observation } from './health-clock.ts';
import { changedAt, countLook, toleranceOf } from './health-tolerance.ts';
import type { Draft } from './draft.ts';
import type { PlannedApplication, PlannedPromotion } from './plan.ts';
import type { PromotionState, StepState } from './release.ts';
import { failStep, wait } from './step.ts';

/**
 * The soak of a step: its application stays healthy for a while before the promotion counts. The step WAITS, and is looked at
 * now and then, and at the very end; no job carries it meanwhile. DEGRADED fails it once it counts
 * (health-tolerance.ts), PROGRESSING begins it anew, UNKNOWN stops
 * its clock, and fails it when it stays so for 15 minutes. A source that is told (`report`) says its news by itself, and
 * one that says nothing (`none`) has none: those two are looked at when the soak is over, not before.
 */
export function beginSoak(draft: Draft, position: number, index: number): void {
  const { duration, pause } = soakOf(draft.planned(position), index);
  const step = draft.step(position, index);
  step.clock = beginClock(draft.now, standsFor(duration, pause));
  step.seen = true;
  wait(draft, step, draft.now + Math.min(duration, pause), `soaks for ${Math.round(duration / 1000)} s`);
  tell(draft, position, index, draft.now + duration);
}

/** What a look found. True: healthy for long enough; otherwise it goes on, begins anew or has failed. */
export function lookAtSoak(draft: Draft, position: number, index: number, seen: Observation, heard = false): boolean {
  const { name, duration, pause, health, changedAt: changed } = soakOf(draft.planned(position), index);
  const step = draft.step(position, index);
  const stands = standsFor(duration, pause);
  const before = step.clock ?? beginClock(step.startedAt ?? draft.now, stands);
  const clock = lookAt(before, [seen], { freshness: undefined, now: draft.now, stands });
  // What was only heard of says nothing about the time before it.
  if (heard && seen.unhealthyAt === undefined) clock.unhealthyAt = before.unhealthyAt;
  step.clock = clock;
  step.seen = clock.status !== 'UNKNOWN';
  const because = seen.message === undefined ? '' : `: ${seen.message}`;
  // A reported health counts at once; a look may meet a moment's weakness.
  const at = { changedAt: changed(draft.promotion(position)), now: draft.now };
  const tolerance = toleranceOf(heard ? { type: 'report' } : health);
  const look = countLook(tolerance, step.badLooks, clock.status, at);
  step.badLooks = look.badLooks;
  if (look.final) {
    failStep(draft, position, index, `${name} became DEGRADED while soaking${because}`);
    return false;
  }
  const missing = duration - clock.healthyFor;
  if (clock.status === 'HEALTHY' && missing <= 0) return true;
  const givesUp = clock.since + DEFAULT_UNKNOWN_TIMEOUT;
  if (clock.status === 'UNKNOWN' && givesUp <= draft.now) {
    failStep(draft, position, index, `${name} was UNKNOWN for 15 min while soaking${because}`);
    return false;
  }
  const news = step.reason;
  const again = Number.isFinite(pause) ? draft.now + Math.min(pause, UNHEALTHY_PAUSE) : null;
  if (clock.status === 'HEALTHY')
    wait(draft, step, draft.now + Math.min(missing, pause), `soaks for ${Math.round(duration / 1000)} s`);
  else if (clock.status === 'UNKNOWN')
    wait(draft, step, Math.min(givesUp, again ?? givesUp), `${name} is UNKNOWN${because}`);
  else wait(draft, step, again, `${name} is ${clock.status}${because}${look.so}`);
  if (step.reason !== news) tell(draft, position, index, soakEnd(draft.planned(position), step, index));
  return false;
}

/** When it can be over at the earliest; null: a report has to say first that it is healthy. */
export function soakEnd(
  planned: PlannedPromotion,
  { clock, recheckAt, outside }: StepState,
  index: number,
): number | null {
  if (!clock) return recheckAt;
  const { duration } = soakOf(planned, index);
  if (clock.status === 'HEALTHY') return soakedAt(clock, duration, clock.lookedAt);
  return recheckAt === null || outside ? null : soakedAt(clock, duration, recheckAt);
}

/** Since when it has been healthy, as far as that counts. */
export function soaksSince({ clock, startedAt }: StepState): number | null {
  return clock ? clock.lookedAt - clock.healthyFor : startedAt;
}

/** A RUNNING step that only looks: it soaks, or the report that it waits for may have been lost. It goes on waiting. */
export function isLook(planned: PlannedPromotion, step: StepState, index: number): boolean {
  return step.status === 'RUNNING' && (step.outside || isSoak(planned, index));
}

/** Whether the step of this index is the soak of its promotion. */
export function isSoak(planned: PlannedPromotion, index: number): boolean {
  return planned.steps[index]?.work.kind === 'soak';
}

/** How often is looked while it is not healthy, in milliseconds. */
const UNHEALTHY_PAUSE = 5_000;

interface Soak {
  name: string;
  duration: number;
  pause: number;
  health: HealthSourceSpec;
  changedAt: (state: PromotionState) => number;
}

function soakOf(planned: PlannedPromotion, index: number): Soak {
  const step = planned.steps[index];
  const { name, spec } = planned.applications[step?.application ?? 0] as PlannedApplication;
  const duration = step?.work.kind === 'soak' ? step.work.duration : 0;
  const asked = spec.health.type !== 'report' && spec.health.type !== 'none';
  const pause = asked ? lookPause(duration, undefined) : Infinity;
  const changed = (state: PromotionState): number => changedAt(planned, state, step?.application ?? 0);
  return { name, duration, pause, health: spec.health, changedAt: changed };
}

/** Without looks in between, the last word stands for all of it. */
function standsFor(duration: number, pause: number): number {
  return Number.isFinite(pause) ? LOOK_STANDS : Math.max(duration, LOOK_STANDS);
}

function tell(draft: Draft, position: number, index: number, until: number | null): void {
  const { reason } = draft.step(position, index);
  const recheckAt = until === null ? undefined : new Date(until).toISOString();
  draft.emit({ type: 'StepWaiting', ...draft.atStep(position, index), reason: reason as string, recheckAt });
}

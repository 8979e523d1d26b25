import type { HealthSourceSpec, HealthStatus } from './definitions.ts';
import { changeOf } from './plan.ts';
import type { PlannedPromotion, PlannedStep, StepWork } from './plan.ts';
import type { PromotionState } from './release.ts';

/**
 * When a look that finds an application DEGRADED decides something. A pod that restarts answers 502 once: so a source that is asked
 * must be bad `failureThreshold` times in a row, and what is seen within `grace` after the change decides nothing. A source that
 * is told (`report`) says what it means: its word counts at once.
 */
export interface Tolerance {
  failureThreshold: number;
  /** After the change, in milliseconds. */
  grace: number;
}

/** As often as a probe of Kubernetes must fail. */
export const DEFAULT_FAILURE_THRESHOLD = 3;

export function toleranceOf(health: HealthSourceSpec): Tolerance {
  if (health.type === 'none' || health.type === 'report') return { failureThreshold: 1, grace: 0 };
  const usual = health.type === 'simulate' ? 1 : DEFAULT_FAILURE_THRESHOLD;
  return { failureThreshold: health.failureThreshold ?? usual, grace: health.grace ?? 0 };
}

export interface BadLooks {
  /** How many looks in a row were bad, up to this one. */
  badLooks: number;
  /** It is bad: no further look is needed. */
  final: boolean;
  /** Why it is not final yet, in words; empty where there is nothing to say. */
  so: string;
}

/**
 * What a look at `now` adds to the bad ones before it. HEALTHY and PROGRESSING begin anew; UNKNOWN is no answer, and changes nothing.
 * @param changedAt when the change was made, in milliseconds
 */
export function countLook(
  { failureThreshold, grace }: Tolerance,
  before: number,
  status: HealthStatus,
  { changedAt, now }: { changedAt: number; now: number },
): BadLooks {
  if (status === 'UNKNOWN') return { badLooks: before, final: false, so: '' };
  if (status !== 'DEGRADED') return { badLooks: 0, final: false, so: '' };
  if (now < changedAt + grace) return { badLooks: 0, final: false, so: ' (within its grace)' };
  const badLooks = before + 1;
  if (badLooks >= failureThreshold) return { badLooks, final: true, so: '' };
  return { badLooks, final: false, so: ` (${badLooks} of ${failureThreshold} times in a row)` };
}

/** Whether a step's job asks for the health of applications. */
export function looksAtHealth({ work }: PlannedStep): boolean {
  return work.kind === 'health' || work.kind === 'soak';
}

/** Work that only looks, and has no effect of its own. */
export function onlyLooks({ kind }: StepWork): boolean {
  return kind === 'health' || kind === 'soak' || kind === 'sync';
}

/**
 * From when the health of an application is the health of its change, in milliseconds: when its target was told or seen to run it, or,
 * where no target is asked, when the change was made or merged; where there was no change, when the promotion began, or when it came by itself.
 */
export function changedAt(
  planned: PlannedPromotion,
  { steps, startedAt }: PromotionState,
  application: number,
): number {
  const sync = steps[planned.steps.findIndex((each) => each.application === application && each.phase === 'SYNC')];
  const change = steps[changeOf(planned, application)];
  return planned.since ?? sync?.runsSince ?? sync?.endedAt ?? change?.runsSince ?? change?.endedAt ?? startedAt ?? 0;
}

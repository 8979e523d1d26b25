import type { Observation } from '../../core/health-clock.ts';
import { changedAt } from '../../core/health-tolerance.ts';
import type { PlannedApplication, PlannedPromotion, StepWork } from '../../core/plan.ts';
import type { Outcome, PromotionState } from '../../core/release.ts';
import type { HealthAnswer } from '../../drivers/health/source.ts';
import type { FrozenRelease } from '../../store/load-releases.ts';
import { asking } from './runner.ts';
import type { Hands, StepAt } from './runner.ts';

/** Is the application healthy after its change? */
export const healthRunner = asking<Extract<StepWork, { kind: 'health' }>>(async (at) => {
  if (at.application === undefined) return { kind: 'failed', message: `${at.planned.id} has no application` };
  const answer = await askOf(at, at.application);
  return {
    kind: 'observed',
    health: toObservation(answer),
    recheckAfter: answer.recheckAfter,
    waitsFor: answer.waitsFor,
  };
});

/** Is it still? A look that could not be made is UNKNOWN: the soak's clock stands still, and its own limit ends that. */
export const soakRunner = asking<Extract<StepWork, { kind: 'soak' }>>(async (at): Promise<Outcome> => {
  if (at.application === undefined) return { kind: 'failed', message: `${at.planned.id} has no application` };
  const { signal } = at.context;
  const answer = await askOf(at, at.application).catch((error: unknown): HealthAnswer => {
    if (signal.reason !== 'overdue') signal.throwIfAborted();
    return { status: 'UNKNOWN', message: error instanceof Error ? error.message : String(error) };
  });
  return { kind: 'observed', health: toObservation(answer) };
});

function askOf(at: StepAt, application: PlannedApplication): Promise<HealthAnswer> {
  return checkHealth(at.hands, at.release, at.promoted, at.promotionState, application, at.context.signal);
}

/** How an application is now, since its change was made in this promotion. */
export async function checkHealth(
  hands: Hands,
  release: FrozenRelease,
  promoted: PlannedPromotion,
  promotionState: PromotionState,
  application: PlannedApplication,
  signal: AbortSignal,
): Promise<HealthAnswer> {
  const since = changedAt(promoted, promotionState, promoted.applications.indexOf(application));
  const { health, sync } = application.spec;
  return hands.drivers.checkHealth(health, {
    application: application.name,
    environment: promoted.name,
    product: release.product,
    version: release.contents[application.content]?.label,
    since: new Date(since),
    now: hands.clock.now(),
    argoCd: sync?.type === 'argocd' ? sync : undefined,
    report: health.type === 'report' ? await freshReport(hands, application.name, since) : undefined,
    signal,
  });
}

/** An answer of a health source as the core takes it: times in milliseconds (UTC). */
export function toObservation({ status, message, at, unhealthyAt }: HealthAnswer): Observation {
  const times = { at: at?.getTime(), unhealthyAt: unhealthyAt?.getTime() };
  return { status, message, ...times };
}

/** A report from before the change says nothing about it. */
async function freshReport(hands: Hands, application: string, since: number): ReturnType<Hands['healthReport']> {
  const report = await hands.healthReport(application);
  return report !== undefined && report.at.getTime() >= since ? report : undefined;
}

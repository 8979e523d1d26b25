import type { PlannedApplication, StepWork } from '../../core/plan.ts';
import type { Outcome } from '../../core/release.ts';
import type { Effect, EffectContext, KnownLive } from '../../drivers/driver.ts';
import type { Runner, StepAt } from './runner.ts';

type Apply = Extract<StepWork, { kind: 'apply' }>;

/**
 * The change itself, by the application's driver, which finds by the key what it has done already. A worker that may come second asks for
 * that first: nothing has to be put together for an effect that is there.
 */
export const applyRunner: Runner<Apply> = {
  start: apply,
  async look(at) {
    const { hands, application, context } = at;
    if (application === undefined) return apply(at);
    const { driver } = application.spec;
    const there = await hands.drivers.driver(driver).observe(driver, context.key, context.signal);
    return there ? toOutcome(there) : apply(at);
  },
  abort: () => Promise.resolve(),
};

async function apply(at: StepAt<Apply>): Promise<Outcome> {
  const { hands, release, planned, application, context } = at;
  if (application === undefined) return { kind: 'failed', message: `${planned.id} has no application` };
  const version = release.contents[application.content];
  if (!version) return { kind: 'failed', message: `the pinned content of ${application.content} is missing` };
  const content = await hands.content({ release: release.id, content: application.content, version });
  const { driver } = application.spec;
  const more = { rollback: rollbackOf(at, application), live: liveOf(at, application) };
  return toOutcome(await hands.drivers.driver(driver).apply(driver, content, { ...context, ...more }));
}

/** What a driver did, or found done, as an outcome. */
export function toOutcome(effect: Effect): Extract<Outcome, { kind: 'succeeded' }> {
  const { commit, changed, drift, skipped } = effect;
  if (commit === undefined) return { kind: 'succeeded', changed, drift, skipped };
  const outputs = {
    COMMIT_SHA: commit,
    COMMIT_AUTHOR: effect.author ?? '',
    COMMIT_MESSAGE: effect.message ?? '',
    COMMIT_DATE: effect.date ?? '',
  };
  return { kind: 'succeeded', outputs, commit, changed, drift, skipped };
}

/** Of a rollback: what is taken back, and what of it may still be on its way. */
export function rollbackOf(
  { hands, release, promoted, context }: Pick<StepAt, 'hands' | 'release' | 'promoted' | 'context'>,
  { name, undo }: PlannedApplication,
): EffectContext['rollback'] {
  if (undo === undefined) return undefined;
  const { restores } = promoted;
  const cause = release.plan.rollback?.cause;
  const { product, environment } = context;
  return {
    takesBack: restores?.from.label ?? release.version,
    reason: cause ? `${cause.environment}: ${cause.reason}` : '',
    undo,
    mayStillArrive: async () =>
      restores !== undefined && hands.mayStillArrive({ product, environment, application: name }, restores.origin),
  };
}

/**
 * What may be there before the change: a promotion overwrites a change by hand, and tells; a rollback overwrites one only
 * when a person has agreed to that.
 */
export function liveOf(
  { hands, release, promoted }: Pick<StepAt, 'hands' | 'release' | 'promoted'>,
  { name }: PlannedApplication,
): KnownLive {
  const { name: environment, restores } = promoted;
  const origin = restores ? [restores.origin] : [];
  return {
    contents: () => hands.knownContents({ product: release.product, environment, application: name }, origin),
    otherwise: restores && !restores.overChange ? 'REFUSE' : 'TELL',
  };
}

import { releaseUrl } from '../commands/release-url.ts';
import type { EndingData } from '../core/end-action.ts';
import { aboutOf } from '../core/own-steps.ts';
import type { PromotionState } from '../core/release.ts';
import type { Parts } from '../parts.ts';
import { stepParameters } from './parameters.ts';
import { keyOf } from './step-key.ts';

/** Ends what an action of a release began, also when the release has gone on or is over: it is found by the key of that attempt. */
export async function endAction(
  { releaseEngine, drivers, clock, config }: Parts,
  releaseId: string,
  { promotion: position, attempt, step, reason, since, progress }: EndingData,
  signal: AbortSignal,
): Promise<void> {
  const { release, state } = (await releaseEngine.look(releaseId, { fresh: true })) ?? {};
  const promoted = release?.plan.promotions[position];
  const planned = promoted?.steps[step];
  if (!release || !state || !promoted || planned?.work.kind !== 'action') return;
  const promotionState = state.promotions[position] as PromotionState;
  const application = planned.application === null ? undefined : promoted.applications[planned.application];
  const link = releaseUrl(config, releaseId);
  const parameters = stepParameters({ release, state, promoted, position, promotionState, planned, application, link });
  const context = {
    key: keyOf(releaseId, promoted, attempt, step),
    releaseId,
    product: release.product,
    environment: aboutOf(release.plan, promoted) ?? '',
    application: application?.name ?? '',
    attempt,
    tries: 0,
    signal,
  };
  await drivers.endAction(planned.work.action, parameters, context, {
    reason,
    since,
    now: clock.now().getTime(),
    progress,
  });
}

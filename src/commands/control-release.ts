import type { Parts } from '../parts.ts';
import { refusal } from '../core/problems.ts';
import type { ReleasePlan } from '../core/plan.ts';
import type { ReleaseState, Stimulus } from '../core/release.ts';
import { shortIdOf } from '../core/short-id.ts';
import { whyNoRetry, whyNoRetryOf } from '../core/retry.ts';
import { whyNoSkip } from '../core/skip.ts';
import { followAgain } from '../store/commit-statuses.ts';
import { unsettleRollback } from '../store/rollbacks.ts';
import { checkReason } from './hold-environment.ts';
import type { Result } from './result.ts';

/** Nothing new starts, what runs is aborted; again changes nothing. */
export function terminateRelease(
  app: Parts,
  input: { releaseId: string; reason?: string },
  actor: string | null,
): Promise<Result<{ releaseId: string }>> {
  const reason = input.reason ?? 'terminated by a person';
  return control(app, input.releaseId, { kind: 'terminate', reason, by: actor }, ({ status, endedAt, terminating }) => {
    if (endedAt === null || terminating !== null) return null;
    return status === 'RUNNING'
      ? 'it has ended, and a rollback takes it back: terminate the rollback'
      : `it has already ended: ${status}`;
  });
}

/** From the exact point of failure: what succeeded is not run again. With `environment`: that one alone, and what comes after it. */
export function retryRelease(
  app: Parts,
  { releaseId, environment }: { releaseId: string; environment?: string },
  actor: string | null,
): Promise<Result<{ releaseId: string }>> {
  if (environment === undefined)
    return control(app, releaseId, { kind: 'retry', by: actor }, ({ status }) => whyNoRetry(status));
  return controlOne(app, { releaseId, environment }, whyNoRetryOf, (promotion) => ({
    kind: 'retry',
    by: actor,
    promotion,
  }));
}

/** Leaves an environment out of a release: what depends on it goes on as if it had succeeded. */
export async function skipPromotion(
  app: Parts,
  { reason, ...place }: { releaseId: string; environment: string; reason: string },
  actor: string | null,
): Promise<Result<{ releaseId: string }>> {
  const wrong = checkReason(reason);
  if (wrong.length > 0) return { refusals: wrong };
  return controlOne(app, place, whyNoSkip, (promotion) => ({ kind: 'skip', promotion, reason, by: actor }));
}

/** What is wanted of one environment, or of one workflow step, by its name. */
async function controlOne(
  app: Parts,
  { releaseId, environment }: { releaseId: string; environment: string },
  whyNot: (plan: ReleasePlan, state: ReleaseState, position: number) => string | null,
  stimulusOf: (position: number) => Stimulus,
): Promise<Result<{ releaseId: string }>> {
  const release = UUID.test(releaseId) ? (await app.releaseEngine.look(releaseId, { fresh: false }))?.release : null;
  if (!release) return { refusals: [refusal('NOT_FOUND', `there is no release "${releaseId}"`, ['releaseId'])] };
  const { plan, product, number } = release;
  const position = plan.promotions.findIndex(({ name }) => name === environment);
  if (position < 0) {
    const message = `release ${shortIdOf(product, number)} does not promote into "${environment}"`;
    return { refusals: [refusal('NOT_FOUND', message, ['environment'])] };
  }
  return control(app, releaseId, stimulusOf(position), (state) => whyNot(plan, state, position), 'environment');
}

async function control(
  app: Parts,
  releaseId: string,
  stimulus: Stimulus,
  whyNot: (state: ReleaseState) => string | null,
  field = 'releaseId',
): Promise<Result<{ releaseId: string }>> {
  const seen = UUID.test(releaseId) ? await app.releaseEngine.look(releaseId, { fresh: true }) : null;
  if (!seen) return { refusals: [refusal('NOT_FOUND', `there is no release "${releaseId}"`, ['releaseId'])] };
  const called = shortIdOf(seen.release.product, seen.release.number);
  const refused = (why: string): Result<never> => ({
    refusals: [refusal('WRONG_STATE', `release ${called} cannot be changed like this: ${why}`, [field])],
  });
  const reason = whyNot(seen.state);
  if (reason !== null) return refused(reason);
  const moved = await app.releaseEngine.tellKnown(releaseId, stimulus);
  if (moved.refused) return refused(moved.refused.message);
  // A rollback that goes on has to tell how it ends once more.
  if (seen.release.kind === 'ROLLBACK' && stimulus.kind === 'retry') await unsettleRollback(app.pool, releaseId);
  if (stimulus.kind === 'retry' || stimulus.kind === 'skip') await followAgain(app.pool, [releaseId]);
  return { value: { releaseId } };
}

/** The id of a release as the database holds it; other texts are the id of nothing. */
export const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

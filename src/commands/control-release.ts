import type { Parts } from '../parts.ts';
import { refusal } from '../core/problems.ts';
import type { ReleaseState, Stimulus } from '../core/release.ts';
import { shortIdOf } from '../core/short-id.ts';
import { whyNoRetry } from '../core/retry.ts';
import { followAgain } from '../store/commit-statuses.ts';
import { unsettleRollback } from '../store/rollbacks.ts';
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

/** From the exact point of failure: what succeeded is not run again. */
export function retryRelease(
  app: Parts,
  input: { releaseId: string },
  actor: string | null,
): Promise<Result<{ releaseId: string }>> {
  return control(app, input.releaseId, { kind: 'retry', by: actor }, ({ status }) => whyNoRetry(status));
}

async function control(
  app: Parts,
  releaseId: string,
  stimulus: Stimulus,
  whyNot: (state: ReleaseState) => string | null,
): Promise<Result<{ releaseId: string }>> {
  const seen = UUID.test(releaseId) ? await app.releaseEngine.look(releaseId, { fresh: true }) : null;
  if (!seen) return { refusals: [refusal('NOT_FOUND', `there is no release "${releaseId}"`, ['releaseId'])] };
  const called = shortIdOf(seen.release.product, seen.release.number);
  const refused = (why: string): Result<never> => ({
    refusals: [refusal('WRONG_STATE', `release ${called} cannot be changed like this: ${why}`, ['releaseId'])],
  });
  const reason = whyNot(seen.state);
  if (reason !== null) return refused(reason);
  const moved = await app.releaseEngine.tellKnown(releaseId, stimulus);
  if (moved.refused) return refused(moved.refused.message);
  // A rollback that goes on has to tell how it ends once more.
  if (seen.release.kind === 'ROLLBACK' && stimulus.kind === 'retry') await unsettleRollback(app.pool, releaseId);
  if (stimulus.kind === 'retry') await followAgain(app.pool, [releaseId]);
  return { value: { releaseId } };
}

/** The id of a release as the database holds it; other texts are the id of nothing. */
export const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

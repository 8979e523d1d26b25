import type { Parts } from '../parts.ts';
import { endObservation } from '../store/observations.ts';
import type { Observation } from '../store/observations.ts';
import { rollbackId, startRollback } from './start-rollback.ts';

/**
 * An environment turned DEGRADED while it was looked at after its promotion: what the policy says goes back. Told twice it is
 * done once.
 */
export async function rollBackDegraded(app: Parts, observation: Observation, message: string): Promise<void> {
  const { releaseId, position, attempt, product, environment } = observation;
  const to = await app.releaseEngine.look(releaseId, { fresh: false });
  if (!to) return;
  await startRollback(app, {
    id: rollbackId('DEGRADED', releaseId, position, attempt),
    product,
    cause: {
      kind: 'DEGRADED',
      environment,
      reason: message,
      at: app.clock.now().getTime(),
      by: null,
      release: releaseId,
    },
    definite: true,
    version: { digest: to.release.digest, label: to.release.version },
    asked: null,
  });
  await endObservation(app.pool, observation);
}

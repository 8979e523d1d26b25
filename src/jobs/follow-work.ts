import { rollbackId, startRollback } from '../commands/start-rollback.ts';
import type { PlannedPromotion } from '../core/plan.ts';
import type { Parts } from '../parts.ts';
import { beginObservation } from '../store/observations.ts';
import type { OutboxItem } from '../store/save-decisions.ts';

/** Work of a decision that is no job of the queue: done at once, by whoever decided or by the sweep; twice is once. */
export async function followWork(app: Parts, { key, releaseId, work }: OutboxItem): Promise<void> {
  if (work.kind !== 'roll-back' && work.kind !== 'observe') return;
  const to = await app.mover.look(releaseId, { fresh: false });
  if (!to) return;
  const { product, plan, version, digest } = to.release;
  const { name } = plan.promotions[work.promotion] as PlannedPromotion;
  if (work.kind === 'observe') {
    const { promotion: position, attempt, until } = work;
    return beginObservation(app.pool, { releaseId, position, attempt, product, environment: name, until }, key);
  }
  await startRollback(app, {
    id: rollbackId('FAILED', releaseId, work.promotion, work.attempt),
    product,
    cause: { kind: 'FAILED', environment: name, reason: work.reason, at: work.at, by: null, release: releaseId },
    definite: true,
    version: { digest, label: version },
    asked: null,
    outboxKey: key,
  });
}

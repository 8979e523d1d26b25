import type { App } from '../app.ts';
import type { PlannedPromotion } from '../core/plan.ts';
import type { OutboxItem } from '../store/save-decisions.ts';
import { rollbackId, startRollback } from './start-rollback.ts';
import type { Started } from './start-rollback.ts';

/** Starts the rollback that a decision asked for; its row in the outbox goes in the same transaction. */
export async function rollBackFailed(
  app: Pick<App, 'dataSource' | 'definitions' | 'mover' | 'clock'>,
  { key, releaseId, work }: OutboxItem,
): Promise<Started | null> {
  const to = work.kind === 'roll-back' ? await app.mover.look(releaseId, { fresh: false }) : null;
  if (work.kind !== 'roll-back' || !to) return null;
  const { product, plan, version, digest } = to.release;
  const { name } = plan.promotions[work.promotion] as PlannedPromotion;
  return startRollback(app, {
    id: rollbackId('FAILED', releaseId, work.promotion, work.attempt),
    product,
    cause: { kind: 'FAILED', environment: name, reason: work.reason, at: work.at, by: null, release: releaseId },
    definite: true,
    version: { digest, label: version },
    asked: null,
    outboxKey: key,
  });
}

import { refusal, RefusedError } from '../core/problems.ts';
import type { Delivery } from '../core/receiver/delivery.ts';
import { lockDelivery, readDelivery, replayDelivery as startAgain } from '../store/deliveries.ts';
import { auditChange } from './audit.ts';
import { clientOf } from '../entities/data-source.ts';
import { processDelivery } from './process-delivery.ts';
import { refusable } from './result.ts';
import type { Result } from './result.ts';

type Parts = Parameters<typeof processDelivery>[0];

/** Processes a stored delivery once more, as if it had just come; what it says is judged by how things are now. */
export async function replayDelivery(app: Parts, id: string): Promise<Result<Delivery>> {
  const started = await refusable(() =>
    app.dataSource.transaction(async (tx) => {
      const client = await clientOf(tx);
      const before = await lockDelivery(client, id);
      if (!before) throw new RefusedError([refusal('NOT_FOUND', `there is no delivery "${id}"`, ['id'])]);
      if (before.status === 'PENDING') {
        const message = `delivery "${id}" is being processed: wait for its end`;
        throw new RefusedError([refusal('WRONG_STATE', message, ['id'])]);
      }
      const after = await startAgain(client, id, app.clock.now());
      const objects = [{ kind: 'WebhookDelivery', name: id }];
      await auditChange(tx, { before: standing(before), after: standing(after), objects });
    }),
  );
  if (started.refusals) return started;
  await processDelivery(app, id);
  return { value: (await readDelivery(app.pool, id)) as Delivery };
}

const standing = ({ source, status, outcome, replays }: Delivery): object => ({ source, status, outcome, replays });

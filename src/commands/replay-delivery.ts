import { refusal } from '../core/problems.ts';
import type { Delivery } from '../core/receiver/delivery.ts';
import { readDelivery, replayDelivery as startAgain } from '../store/deliveries.ts';
import { processDelivery } from './process-delivery.ts';
import type { Result } from './result.ts';

type Parts = Parameters<typeof processDelivery>[0];

/** Processes a stored delivery once more, as if it had just come; what it says is judged by how things are now. */
export async function replayDelivery(app: Parts, id: string): Promise<Result<Delivery>> {
  const started = await startAgain(app.pool, id, app.clock.now());
  if (!started) {
    const known = await readDelivery(app.pool, id);
    const message = known ? `delivery "${id}" is being processed: wait for its end` : `there is no delivery "${id}"`;
    return { refusals: [refusal(known ? 'WRONG_STATE' : 'NOT_FOUND', message, ['id'])] };
  }
  await processDelivery(app, id);
  return { value: (await readDelivery(app.pool, id)) as Delivery };
}

import type { Parts } from '../parts.ts';
import type { Delivery } from '../core/receiver/delivery.ts';
import { MAX_ATTEMPTS, pauseAfter } from '../core/receiver/delivery.ts';
import { readDecision } from '../core/receiver/decision.ts';
import { readRollout } from '../core/receiver/rollout.ts';
import type { WebhookUse } from '../core/secrets.ts';
import { dueDeliveries, recordDelivery, claimDelivery } from '../store/deliveries.ts';
import { webhookUse } from '../store/secrets.ts';
import { isNews, processNews } from './process-news.ts';
import { decideByDelivery, reportByDelivery } from './obey-delivery.ts';
import type { Result } from './result.ts';

/** How long an attempt keeps its delivery, in milliseconds; after that any process may take it again. */
const LEASE = 30_000;
const AT_ONCE = 20;

/** Processes pending deliveries that are due: left over by a crash, or due for another try. @returns how many were found. */
export async function processDue(app: Parts): Promise<number> {
  const due = await dueDeliveries(app.pool, app.clock.now(), AT_ONCE);
  for (const id of due) await processDelivery(app, id);
  return due.length;
}

/**
 * Does what a stored delivery says: once, however often it is asked. The key of its command is that of the delivery, so an
 * attempt that was cut off after its effect finds it done. Never throws for a delivery: what went wrong is kept with it.
 */
export async function processDelivery(app: Parts, id: string): Promise<void> {
  const now = app.clock.now();
  const delivery = await claimDelivery(app.pool, id, now, new Date(now.getTime() + LEASE));
  if (!delivery) return;
  const record = (status: Delivery['status'], outcome: string, dueAt = now): Promise<void> =>
    recordDelivery(app.pool, delivery, { status, outcome, dueAt, now: app.clock.now() });
  try {
    const use = await webhookUse(app.pool, delivery.verifiedBy);
    if (!use) return await record('REFUSED', `secret "${delivery.verifiedBy}", which signed it, is there no more`);
    if (isNews(delivery)) return await processNews(app, delivery, use);
    const { value, refusals } = await obey(app, delivery, use);
    await (refusals ? record('REFUSED', refusals.map(({ message }) => message).join('; ')) : record('DONE', value));
  } catch (error) {
    app.log.warn({ error, delivery: id }, 'a delivery could not be processed');
    const outcome = `could not be processed, attempt ${delivery.attempts}; the log of the server says why`;
    if (delivery.attempts >= MAX_ATTEMPTS) await record('FAILED', outcome);
    else await record('PENDING', outcome, new Date(app.clock.now().getTime() + pauseAfter(delivery.attempts)));
  }
}

/** What a source may do is what the secret that it signs with is for now. */
async function obey(app: Parts, delivery: Delivery, use: WebhookUse): Promise<Result<string>> {
  if (use.decidesAs === undefined) {
    const report = readRollout(delivery.body);
    return 'wrong' in report ? unreadable(report) : reportByDelivery(app, delivery, use, report);
  }
  const decision = readDecision(delivery.body);
  if ('wrong' in decision) return unreadable(decision);
  return decideByDelivery(app, delivery, { ...use, decidesAs: use.decidesAs }, decision);
}

const unreadable = ({ wrong }: { wrong: string }): Result<string> => ({
  refusals: [{ code: 'INVALID', message: wrong, path: [] }],
});

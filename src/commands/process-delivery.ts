import type { App } from '../app.ts';
import type { Delivery } from '../core/receiver/delivery.ts';
import { MAX_ATTEMPTS, pauseAfter } from '../core/receiver/delivery.ts';
import { readRollout } from '../core/receiver/rollout.ts';
import { matchesGlob } from '../core/selectors.ts';
import { dueDeliveries, recordDelivery, takeDelivery } from '../store/deliveries.ts';
import { webhookProducts } from '../store/secrets.ts';
import { audited } from './audit.ts';
import { reportRollout } from './report-rollout.ts';

type Parts = Pick<App, 'dataSource' | 'pool' | 'definitions' | 'drivers' | 'mover' | 'clock' | 'log'>;

/** For whoever took it, in milliseconds; then it is lost, and somebody else's. */
const LEASE = 30_000;
const AT_ONCE = 20;

/** Deliveries that nobody has processed yet: after a crash, or when their time has come again. */
export async function processDue(app: Parts): Promise<void> {
  for (const id of await dueDeliveries(app.pool, app.clock.now(), AT_ONCE)) await processDelivery(app, id);
}

/**
 * Does what a stored delivery says: once, however often it is asked. The key of the report is that of the delivery, so an
 * attempt that was cut off after its effect finds it done. Never throws for a delivery: what went wrong is kept with it.
 */
export async function processDelivery(app: Parts, id: string): Promise<void> {
  const now = app.clock.now();
  const delivery = await takeDelivery(app.pool, id, now, new Date(now.getTime() + LEASE));
  if (!delivery) return;
  const record = (status: Delivery['status'], outcome: string, dueAt = now): Promise<void> =>
    recordDelivery(app.pool, delivery, { status, outcome, dueAt, now: app.clock.now() });
  const told = readRollout(delivery.body);
  if ('wrong' in told) return record('REFUSED', told.wrong);
  const products = await webhookProducts(app.pool, delivery.verifiedBy);
  if (!products) return record('REFUSED', `secret "${delivery.verifiedBy}", which signed it, is there no more`);
  if (products.length > 0 && !products.some((each) => matchesGlob(each, told.product)))
    return record(
      'REFUSED',
      `what "${delivery.verifiedBy}" signs may tell of ${products.join(', ')}, not of ${told.product}`,
    );
  try {
    const key = `webhook/${delivery.source}/${delivery.webhookId}/${delivery.replays}`;
    const { value, refusals } = await report(app, delivery, { ...told, idempotencyKey: key });
    await (refusals
      ? record('REFUSED', refusals.map(({ message }) => message).join('; '))
      : record('DONE', value.outcome));
  } catch (error) {
    app.log.warn({ error, delivery: id }, 'a delivery could not be processed');
    const outcome = `could not be processed, attempt ${delivery.attempts}; the log of the server says why`;
    if (delivery.attempts >= MAX_ATTEMPTS) await record('FAILED', outcome);
    else await record('PENDING', outcome, new Date(app.clock.now().getTime() + pauseAfter(delivery.attempts)));
  }
}

/** In the audit log it is a command like others: of the source, from where its message came. */
function report(
  app: Parts,
  { source, headers }: Delivery,
  input: Parameters<typeof reportRollout>[1],
): ReturnType<typeof reportRollout> {
  const actor = `webhook/${source}`;
  const origin = {
    actor,
    actorKind: 'SERVICE_ACCOUNT' as const,
    credential: 'webhook',
    action: 'rolloutReport',
    transport: 'WEBHOOK',
    address: null,
    userAgent: headers['user-agent']?.slice(0, 300) ?? null,
    input,
  };
  return audited(
    app.pool,
    origin,
    () => reportRollout(app, input, actor),
    ({ refusals }) => (refusals ?? []).map(({ message }) => message),
  );
}

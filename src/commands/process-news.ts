import type { Delivery } from '../core/receiver/delivery.ts';
import type { Projection } from '../core/receiver/news.ts';
import type { WebhookUse } from '../core/secrets.ts';
import { reach } from '../faults.ts';
import type { Parts } from '../parts.ts';
import { wakeCandidates } from '../store/candidates.ts';
import { recordDelivery } from '../store/deliveries.ts';
import { addHints } from '../store/news.ts';
import { pages } from '../store/pages.ts';
import { releasesIn } from '../store/unfinished.ts';
import type { Numbered } from '../store/unfinished.ts';
import { checkMergeGroup } from './check-merge-group.ts';
import { judgeNews, whatIsKnown } from './judge-news.ts';
import type { Order } from './judge-news.ts';

/** How long a message waits for the look at its repository before its hints are written once more, in milliseconds. */
export const UNSEEN = 10 * 60_000;

type News = Delivery & { purpose: 'git' | 'argocd' | 'generic' };

/** Whether a stored message is news; all others report rollouts, or decide. */
export const isNews = (delivery: Delivery): delivery is News =>
  delivery.purpose === 'git' || delivery.purpose === 'argocd' || delivery.purpose === 'generic';

/**
 * News that is more than a hint, that is replayed, or whose look never came. It is judged by how things are now; done again it is one
 * more look.
 */
export async function processNews(app: Parts, delivery: News, use: WebhookUse): Promise<void> {
  const { purpose, source, verifiedBy: secret } = delivery;
  const projection = JSON.parse(delivery.body) as Projection;
  const told = { purpose, source, secret, use, projection };
  const { status, outcome, hints, orders } = await judgeNews(app, await whatIsKnown(app), told);
  const done: string[] = [];
  reach('before-effect', 'news');
  for (const order of orders) done.push(await obey(app, order));
  reach('after-effect', 'news');
  const now = app.clock.now();
  // Written down before the hints: the look that follows has the last word.
  const waits = hints.length > 0;
  await recordDelivery(app.pool, delivery, {
    status: waits ? 'PENDING' : status === 'PENDING' ? 'DONE' : status,
    outcome: [...new Set([outcome, ...done])].join('; '),
    dueAt: waits ? new Date(now.getTime() + UNSEEN) : now,
    now,
  });
  await addHints(
    app.pool,
    hints.map((each) => ({ ...each, deliveryId: delivery.id })),
  );
  reach('after-record', 'news');
}

/** @returns what came of it, in words */
async function obey(app: Parts, order: Order): Promise<string> {
  if (order.kind === 'CHECK_MERGE_GROUP') return checkMergeGroup(app, order);
  const { product, environment, application } = order;
  const size = app.limits.releasesTold;
  const read = (after?: Numbered): Promise<Numbered[]> =>
    releasesIn(app.pool, product, environment, size, after?.number);
  const told = { kind: 'application-told' as const, environment, application };
  await wakeCandidates(app.pool, app.clock.now(), { product, environment });
  let releases = 0;
  for await (const page of pages(size, read)) {
    await Promise.all(page.map(({ id }) => app.releaseEngine.tellKnown(id, told)));
    releases += page.length;
  }
  return `${application}: ${releases} open ${releases === 1 ? 'release looks' : 'releases look'}`;
}

import { createHash } from 'node:crypto';
import type { Purpose } from '../core/receiver/delivery.ts';
import { readNews } from '../core/receiver/read-news.ts';
import { idIn, SCHEMES } from '../core/receiver/scheme.ts';
import type { Headers } from '../core/receiver/scheme.ts';
import type { Parts } from '../parts.ts';
import { keepNews, keyOfNews } from '../store/deliveries.ts';
import type { KeptNews, NewNews } from '../store/deliveries.ts';
import { SharedWrites } from '../store/shared-writes.ts';
import { UNSEEN } from './process-news.ts';
import { judgeNews } from './judge-news.ts';
import type { Known } from './judge-news.ts';
import { decoded } from './receive-delivery.ts';
import type { Received } from './receive-delivery.ts';
import { verifiedBy } from './verify-message.ts';

/** Receivers of news: a git host tells of pushes, Argo CD of its applications, another program of a change. */
export const NEWS_PURPOSES = ['git', 'argocd', 'generic'] as const satisfies readonly Purpose[];
export type NewsPurpose = (typeof NEWS_PURPOSES)[number];

/** A message at a receiver of news as it came, before anybody has looked whether its sender is known. */
export interface NewsArrived {
  purpose: NewsPurpose;
  source: string;
  /** From where it came; null: not known. */
  address: string | null;
  headers: Headers;
  /** As it came: the signature is over these bytes. */
  body: Buffer;
}

/**
 * Verifies news and keeps what can be read of it, with the hints that come of it: the looks that they make due say later what came
 * of each message. Whatever is verified is taken, whatever it is: hosts switch a webhook off when its answers are not good.
 */
export async function receiveNews(
  app: Parts,
  { purpose, source, address, headers, body }: NewsArrived,
  { keys, broken }: Awaited<ReturnType<Parts['secrets']['webhookSecrets']>>,
  known: () => Promise<Known>,
  kept = newsKeeper(app),
): Promise<Extract<Received, { kind: 'STORED' | 'UNVERIFIED' }>> {
  const now = app.clock.now();
  const key = verifiedBy(keys, headers, body, now.getTime());
  // It may be good by a key that cannot be opened now: the sender is not told that it is none.
  if (key === undefined && broken) throw broken;
  // The same words as for a source that does not exist: a sender that tries out names learns nothing.
  if (key === undefined)
    return { kind: 'UNVERIFIED', reason: `no secret of source "${source}" for ${purpose} verifies the message` };
  const { name: secret, use } = key;
  const scheme = use.scheme!;
  const projection = readNews(purpose, scheme, headers, decoded(body));
  const judged = await judgeNews(app, await known(), { purpose, source, secret, use, projection });
  const webhookId = idIn(scheme, headers) ?? `sha256:${createHash('sha256').update(body).digest('hex')}`;
  const names = [...SCHEMES[scheme].ids, ...SCHEMES[scheme].events, 'content-type', 'user-agent'];
  const { isNew, ...delivery } = await kept.write({
    delivery: {
      id: idOf(`${purpose}/${source}/${webhookId}`),
      source,
      webhookId,
      purpose,
      headers: Object.fromEntries(
        names.flatMap((name) => (headers[name] ? [[name, String(headers[name]).slice(0, 300)]] : [])),
      ),
      body: JSON.stringify(projection),
      address,
      receivedAt: now,
      verifiedBy: secret,
      status: judged.status,
      outcome: judged.outcome.slice(0, 2_000),
      dueAt: judged.orders.length > 0 ? now : new Date(now.getTime() + UNSEEN),
    },
    // What is more than a hint is done first, by whoever processes deliveries.
    hints: judged.orders.length > 0 ? [] : judged.hints,
  });
  return { kind: 'STORED', delivery, isNew, ...(judged.orders.length === 0 && { isDone: true }) };
}

/** Keeps what many senders tell at the same time in few statements; each is answered when its own is committed. */
export function newsKeeper({ pool, clock }: Pick<Parts, 'pool' | 'clock'>): SharedWrites<NewNews, KeptNews> {
  const pace = { clock, apart: APART };
  return new SharedWrites({ write: (news) => keepNews(pool, news), keyOf: keyOfNews, isOwnFault, pace });
}

/** In milliseconds, when many come at once: small beside the time in which a host wants its answer. */
export const APART = 20;

/** Data that one of several had, or a lock that two of them waited for. */
const isOwnFault = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && /^(?:22|23|40)/.test(String(error.code));

/** The same for the same message, so that its hints are its own when it comes again. A UUID of version 8. */
function idOf(name: string): string {
  const bytes = createHash('sha256').update(name).digest().subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x80;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

import { KEPT_BY_HOST, missedOf } from '../core/receiver/missed.ts';
import { isWithin } from '../core/receiver/repository.ts';
import type { WebhookUse } from '../core/secrets.ts';
import { PermanentError, TransientError } from '../drivers/driver.ts';
import type { Parts } from '../parts.ts';
import { keptIds, lastNewsAt } from '../store/deliveries.ts';
import { recordMissed } from '../store/news.ts';
import type { MissedClaimed } from '../store/news.ts';

/** Milliseconds between two questions about one repository. */
export const ASK_EVERY = 5 * 60_000;
/** After an answer that only a person can change. */
const ASK_AFTER_REFUSAL = 60 * 60_000;
/** The clocks of a host and of Sluice may differ by so much, in milliseconds. */
const SKEW = 60_000;

/** What several questions have in common. */
export interface Asking {
  /** What secrets of GitHub's scheme are for. */
  uses: readonly WebhookUse[];
  /** How the addresses of the receivers of git hosts begin. */
  receiver: string;
  /** What was asked for already: repositories may share a list. */
  asked: Set<string>;
  signal: AbortSignal;
}

/**
 * Asks the host of a repository that was claimed which deliveries it made since the last one arrived, and to make those again that did not.
 * What is delivered again is a hint like any other. Network; what the host refuses is recorded, not thrown.
 */
export async function askForMissed(app: Parts, claimed: MissedClaimed, asking: Asking): Promise<void> {
  const { pool, log } = app;
  const { repository } = claimed;
  try {
    const sources = asking.uses
      .filter(({ repositories }) => isWithin(repositories ?? [], repository))
      .map(({ source }) => source);
    const last = await lastNewsAt(pool, sources);
    if (last === null) return;
    const again = await ask(app, claimed, asking, { sources, last });
    if (again > 0) log.info({ repository, deliveries: again }, 'deliveries that did not arrive are asked for again');
  } catch (error) {
    if (asking.signal.aborted) return;
    const wait = error instanceof TransientError ? (error.retryAfter ?? 0) : 0;
    const after = error instanceof PermanentError ? ASK_AFTER_REFUSAL : Math.max(ASK_EVERY, wait);
    await recordMissed(pool, repository, { error: error instanceof Error ? error.message : String(error), after });
    if (claimed.error === null)
      log.warn(
        { error, repository },
        'deliveries that did not arrive could not be asked for; looks at the repository find what they were about',
      );
  }
}

/** @returns how many were asked for */
async function ask(
  { pool, clock, drivers }: Parts,
  { repository, since }: MissedClaimed,
  { receiver, asked, signal }: Asking,
  { sources, last }: { sources: string[]; last: Date },
): Promise<number> {
  // Without a secret for its forge, or with one that cannot be used, there is nobody to ask: it says so where it is needed.
  const forge = await drivers.forge(repository).catch(() => undefined);
  if (!forge?.deliveries) return 0;
  const now = clock.now();
  const from = Math.min(last.getTime() - SKEW, since?.getTime() ?? Infinity);
  const at = new Date(Math.max(from, now.getTime() - KEPT_BY_HOST));
  const tries = await forge.deliveries.since(repository, at, receiver, { signal });
  const kept = await keptIds(
    pool,
    sources,
    tries.map(({ deliveryId }) => deliveryId),
  );
  // The one webhook of an App may be that of another program; it is ours when one of its deliveries arrived.
  const ours = tries.filter(({ hook }) => hook !== null || kept.size > 0);
  const missed = missedOf(ours, kept, now);
  const wanted = missed.again.filter(({ deliveryId }) => !asked.has(deliveryId));
  for (const each of wanted) {
    asked.add(each.deliveryId);
    await forge.deliveries.redeliver(repository, each, { signal });
  }
  await recordMissed(pool, repository, { since: missed.since });
  return wanted.length;
}

import { judgeMerges } from '../commands/judge-merge.ts';
import { followReleases } from '../commands/tell-commit.ts';
import { whereItIs } from '../commands/where-it-is.ts';
import { PermanentError, TransientError } from '../drivers/driver.ts';
import { reach } from '../faults.ts';
import type { PromotionState } from '../core/release.ts';
import type { Parts } from '../parts.ts';
import { claimDueStatuses, statusApplied, statusFailed } from '../store/commit-statuses.ts';
import type { DueStatus } from '../store/commit-statuses.ts';
import { Watch } from './watch.ts';

/**
 * Brings commit statuses to their hosts. The life of a row: what is wanted is written down, which makes the row due. A sender claims
 * it, so that no second call about it is under way, and sets the status that the row had at that moment. Afterwards it compares: where
 * the row wants the same still, there is nothing to send any more; where it wants another one by now, the row is due already, and
 * a red one is sent by the same sender at once. A sender that dies leaves a row that is due when its lease is over; the status is
 * set again, which hosts take as done. What a host has refused for half an hour is given up: it is sent again when it is to say
 * something else, or when a secret of a forge is set.
 *
 * Red goes first and waits for nothing: neither for the pause between two calls about one release's commit nor, for long, after a
 * failed call, and some lanes are kept for it. A round begins what is due and does not wait for it: one host that is slow holds up
 * its own statuses alone.
 */
export class StatusSender extends Watch {
  readonly #underWay = new Set<Promise<void>>();
  /** Pull requests that a round has begun with, and does not wait for: a repository may have to be asked. */
  #judging: Promise<unknown> | null = null;

  constructor(app: Parts) {
    super(app, 'statuses', app.limits.statusesEvery, 'commit statuses could not be looked at this time');
  }

  async round(): Promise<void> {
    const { pool, limits } = this.app;
    this.#judge();
    await followReleases(this.app);
    const free = limits.statuses - this.#underWay.size;
    if (free <= 0) return;
    // Where lanes are few, green can wait.
    const onlyUrgent = free <= limits.statuses / 4;
    const due = await claimDueStatuses(pool, { limit: free, lease: LEASE, pause: PAUSE, onlyUrgent });
    for (const each of due) this.#begin(each);
  }

  override async close(): Promise<void> {
    await super.close();
    await this.settled();
  }

  /** Resolves when no call is under way any more. */
  async settled(): Promise<void> {
    await this.#judging;
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  #judge(): void {
    this.#judging ??= judgeMerges(this.app, this.app.limits.statuses)
      .catch((error: unknown) => this.app.log.warn({ error }, 'pull requests are judged again a little later'))
      .finally(() => (this.#judging = null));
  }

  #begin(due: DueStatus): void {
    const sending = this.#send(due)
      .catch((error: unknown) =>
        this.app.log.warn({ error }, 'a commit status is looked at again when its lease is over'),
      )
      .finally(() => this.#underWay.delete(sending));
    this.#underWay.add(sending);
  }

  async #send(due: DueStatus): Promise<void> {
    const { pool, clock } = this.app;
    const { repository, sha, context, state, description, url, about } = due;
    const red = about === 'MERGE' ? state !== 'SUCCESS' : state === 'FAILURE' || state === 'ERROR';
    try {
      const status = { context, state, description, ...(url !== null && { url }) };
      const call = { signal: clock.limit('statuses', LIMIT), urgent: red };
      await whereItIs(this.app, repository, (forge, at) => forge.setStatus(at, sha, status, call));
    } catch (error) {
      const failed = { error: messageOf(error), refused: error instanceof PermanentError };
      const givenUp = await statusFailed(pool, due, { ...failed, pause: pauseAfter(due.attempts, red, error) });
      if (givenUp)
        this.app.log.warn({ error, repository, sha, context }, 'a commit status is given up: its host refuses it');
      return;
    }
    const next = await statusApplied(pool, due, LEASE);
    reach('after-record', 'status');
    if (next) return this.#send(next);
    if (about === 'MERGE' && state === 'SUCCESS') await this.#tellMerger(due);
  }

  /** A promotion whose pull request Sluice merges itself has waited for its status, which the branch may require. */
  async #tellMerger({ releaseId, position }: DueStatus): Promise<void> {
    const { releaseEngine } = this.app;
    const to = position === null ? null : await releaseEngine.look(releaseId, { fresh: false });
    if (position === null || to?.release.plan.promotions[position]?.pullRequest?.merge !== 'AUTO') return;
    const { attempt } = to.state.promotions[position] as PromotionState;
    await releaseEngine.tell(releaseId, { kind: 'pull-request-told', promotion: position, attempt, via: 'POLL' });
  }
}

/** In milliseconds: one call; for how long a row is one sender's, which is more. */
const LIMIT = 10_000;
const LEASE = 20_000;
/** Between two calls about one release's commit. */
const PAUSE = 10_000;

/** In milliseconds. A host's `Retry-After` counts for red, too; else red is tried soon, and what a person has to mend less often. */
function pauseAfter(attempts: number, red: boolean, error: unknown): number {
  const cap = red ? 10_000 : error instanceof PermanentError ? 15 * 60_000 : 5 * 60_000;
  const asked = error instanceof TransientError ? (error.retryAfter ?? 0) : 0;
  return Math.max(asked, Math.min(1_000 * 2 ** Math.min(attempts, 20), cap));
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 2_000);
}

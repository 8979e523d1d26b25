import { listPullRequests } from '../commands/list-pull-requests.ts';
import type { Parts } from '../parts.ts';
import { repositoryKey } from '../core/trigger/repository.ts';
import { claimPullRequests, watchedNames } from '../store/news.ts';
import type { PullRequestsClaimed } from '../store/news.ts';
import { awaitedPlaces } from '../store/pull-requests.ts';
import { Watch } from './watch.ts';

/**
 * Lists the pull requests of repositories in which some of Sluice are open, one call for all of them, and tells the promotions that
 * wait for one that changed. Webhooks are faster; this is what guarantees that none is forgotten. When each repository was listed
 * stands in the database: many workers ask no more often than one.
 */
export class PullRequestWatch extends Watch {
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<void>>();

  constructor(app: Parts) {
    super(app, 'pull-requests', PAUSE, 'pull requests could not be listed this time');
  }

  /** Resolves when what is due was begun: a host that does not answer holds up its own repositories alone. */
  async round(): Promise<void> {
    const { pool } = this.app;
    if (this.#running.size >= MOST) return;
    const awaited = new Map<string, Set<string>>();
    for (const { repository } of await awaitedPlaces(pool)) {
      const key = repositoryKey(repository);
      awaited.set(key, (awaited.get(key) ?? new Set()).add(repository));
    }
    if (awaited.size === 0) return;
    const names = (await watchedNames(pool)).map(({ repository }) => repository);
    const due = names.filter((each) => awaited.has(repositoryKey(each)));
    for (const claimed of await claimPullRequests(pool, due, LEASE, MOST - this.#running.size))
      this.#begin(claimed, [...awaited.get(repositoryKey(claimed.repository))!]);
  }

  /** Resolves when all that was begun has ended. */
  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }

  override async close(): Promise<void> {
    const closed = super.close();
    this.#closing.abort(new Error('this process ends'));
    await closed;
    await this.settled();
  }

  #begin(claimed: PullRequestsClaimed, spellings: readonly string[]): void {
    const signal = AbortSignal.any([this.#closing.signal, this.app.clock.limit('pull-requests', LIMIT)]);
    const work = listPullRequests(this.app, claimed, spellings, signal)
      .catch((error: unknown) => {
        if (!this.#closing.signal.aborted)
          this.app.log.warn({ error, repository: claimed.repository }, 'a list of pull requests broke off');
      })
      .finally(() => this.#running.delete(work));
    this.#running.add(work);
  }
}

/** In milliseconds. */
const PAUSE = 1_000;
const LIMIT = 30_000;
/** More than the limit: a claim that is over is of a process that is gone. */
const LEASE = 35_000;
/** Lists at once in one process; the budget of each credential is kept by the forge. */
const MOST = 8;

import type { Parts } from '../parts.ts';
import { isReplaceable } from '../core/pull-request.ts';
import { shortIdOf } from '../core/short-id.ts';
import { pages } from '../store/pages.ts';
import { abandonedPullRequests, outdatedPullRequests } from '../store/pull-requests.ts';
import type { PullRequestRecord } from '../store/pull-requests.ts';
import { closePullRequest } from './close-pull-request.ts';

/**
 * A newer release of a product ends the one whose pull request waits where its flow says REPLACE; the end closes that pull request.
 * Looks at a page of those that a newer release waits behind.
 *
 * @param from what the round before answered
 * @returns where the next round goes on; undefined: with the first one
 */
export async function replacePullRequests(app: Parts, from?: string): Promise<string | undefined> {
  const page = await outdatedPullRequests(app.pool, MOST, from);
  for (const { releaseId, environment, product, newer } of page) {
    try {
      const to = await app.releaseEngine.look(releaseId, { fresh: false });
      if (!to || !isReplaceable(to.release.plan, to.state, environment)) continue;
      const reason = `a newer release, ${shortIdOf(product, Number(newer))}, replaces its pull request for ${environment}`;
      await app.releaseEngine.tell(releaseId, {
        kind: 'terminate',
        reason,
        by: null,
        onlyIf: { inReviewIn: environment },
      });
    } catch (error) {
      app.log.warn({ error, releaseId }, 'a release could not make way for a newer one yet');
    }
  }
  return page.length < MOST ? undefined : page.at(-1)?.key;
}

/**
 * Closes what is open although its promotion is over: a worker that was held up between its question and its effect may have opened
 * it after the errand had looked. Repositories side by side; one whose host does not answer in time is left for the next round.
 */
export async function closeAbandoned(app: Parts): Promise<void> {
  const read = (after?: PullRequestRecord) => abandonedPullRequests(app.pool, QUIET, MOST, after?.key);
  for await (const page of pages<PullRequestRecord>(MOST, read)) {
    const repositories = new Map<string, PullRequestRecord[]>();
    for (const each of page) repositories.set(each.repository, [...(repositories.get(each.repository) ?? []), each]);
    await Promise.all([...repositories.values()].map((all) => closeAll(app, all)));
  }
}

async function closeAll(app: Parts, abandoned: readonly PullRequestRecord[]): Promise<void> {
  for (const each of abandoned) {
    const signal = app.clock.limit('errand', LIMIT);
    try {
      await closePullRequest(app, each, 'its promotion is over', signal);
    } catch (error) {
      app.log.warn(
        { error, releaseId: each.releaseId },
        'a pull request that nothing waits for could not be closed yet',
      );
      if (signal.aborted) return;
    }
  }
}

/** At once. */
const MOST = 100;
/** The errand has its turn first, in seconds. */
const QUIET = 60;
/** In milliseconds. */
const LIMIT = 30_000;

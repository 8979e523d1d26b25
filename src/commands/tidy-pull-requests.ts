import type { Parts } from '../parts.ts';
import { isReplaceable } from '../core/pull-request.ts';
import { abandonedPullRequests, outdatedPullRequests } from '../store/pull-requests.ts';
import { closePullRequest } from './close-pull-request.ts';

/** A newer release of a product ends the one whose pull request waits where its flow says REPLACE; the end closes that pull request. */
export async function replacePullRequests(app: Parts): Promise<void> {
  for (const { releaseId, environment, newer } of await outdatedPullRequests(app.pool, MOST)) {
    const to = await app.releaseEngine.look(releaseId, { fresh: false });
    if (!to || !isReplaceable(to.release.plan, to.state, environment)) continue;
    const reason = `a newer release, ${newer}, replaces its pull request for ${environment}`;
    await app.releaseEngine.tell(releaseId, {
      kind: 'terminate',
      reason,
      by: null,
      onlyIf: { inReviewIn: environment },
    });
  }
}

/**
 * Closes what is open although its promotion is over: a worker that was held up between its question and its effect may have opened
 * it after the errand had looked.
 */
export async function closeAbandoned(app: Parts): Promise<void> {
  for (const each of await abandonedPullRequests(app.pool, QUIET, MOST)) {
    try {
      await closePullRequest(app, each, 'its promotion is over', app.clock.limit('errand', LIMIT));
    } catch (error) {
      app.log.warn(
        { error, releaseId: each.releaseId },
        'a pull request that nothing waits for could not be closed yet',
      );
    }
  }
}

/** In one round. */
const MOST = 100;
/** The errand has its turn first, in seconds. */
const QUIET = 60;
/** In milliseconds. */
const LIMIT = 30_000;

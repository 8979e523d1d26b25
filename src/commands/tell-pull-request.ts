import type { Parts } from '../parts.ts';
import type { NoticedBy } from '../core/release.ts';
import { openPullRequests } from '../store/pull-requests.ts';

/** What was heard about: a pull request by its number or by its branch, or the branch that pull requests are for. */
export interface PullRequestHint {
  number?: number;
  branch?: string;
  base?: string;
}

/** Of how many promotions the wait was ended for a look, and how many could not be told. */
export interface Told {
  told: number;
  untold: number;
}

/**
 * Something happened to these pull requests of a repository, or to a branch that they are for: the promotions that wait for their merge
 * look at once. Hints say what to look at, and nothing else of them is believed; one that is told twice makes one more look. A release that
 * cannot be told holds up no other one, nor who tells: the next list of the repository tells it again.
 * @param repository as definitions have it
 */
export async function tellPullRequests(
  app: Pick<Parts, 'pool' | 'releaseEngine' | 'log'>,
  repository: string,
  seen: readonly PullRequestHint[],
  via: Exclude<NoticedBy, 'LOOK' | 'MERGE'> = 'POLL',
): Promise<Told> {
  if (seen.length === 0) return { told: 0, untold: 0 };
  const concerned = (await openPullRequests(app.pool, repository)).filter((row) =>
    seen.some(
      ({ number, branch, base }) =>
        (number !== undefined && number === row.number) ||
        (branch !== undefined && branch === row.branch) ||
        (base !== undefined && base === row.base),
    ),
  );
  const promotions = new Map(
    concerned.map(({ releaseId, position, attempt }) => [`${releaseId}/${position}`, { releaseId, position, attempt }]),
  );
  let untold = 0;
  await Promise.all(
    [...promotions.values()].map(({ releaseId, position: promotion, attempt }) =>
      app.releaseEngine
        .tell(releaseId, { kind: 'pull-request-told', promotion, attempt, via })
        .catch((error: unknown) => {
          untold += 1;
          app.log.warn({ error, releaseId }, 'a release was not told of its pull request');
        }),
    ),
  );
  return { told: promotions.size - untold, untold };
}

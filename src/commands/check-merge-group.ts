import type { Parts } from '../parts.ts';
import { wantStatuses } from '../store/commit-statuses.ts';
import { keepMergeGroup, requestsFor } from '../store/merge-groups.ts';
import type { PromotionPlace, RequestedPlace } from '../store/merge-groups.ts';
import { holdsProposal } from './holds-proposal.ts';
import { mergeContext, tellMerge } from './judge-merge.ts';
import { releaseUrl } from './release-url.ts';

/** A commit on which a merge queue wants its required checks, and the branch that it is for. */
export interface AskedGroup {
  /** As definitions have it. */
  repository: string;
  commit: string;
  base: string;
}

/**
 * A merge queue waits for the required statuses on a commit of its own, for ever. The group has a pull request of Sluice in it where the
 * application's folder holds the promoted content there: a squash or a rebase leaves no other trace. Its statuses are those of the
 * promotions in it; where a product and an environment have none, it is let through.
 *
 * Network: the commit is fetched. Asked twice it is answered twice alike.
 * @returns what is in it, in words
 */
export async function checkMergeGroup(app: Parts, { repository, commit, base }: AskedGroup): Promise<string> {
  const known = await requestsFor(app.pool, repository, base);
  const members: (PromotionPlace & { product: string; environment: string })[] = [];
  const earlier = new Set<string>();
  for (const each of known.filter(({ state }) => state === 'OPEN')) {
    const place = await placeIn(app, each, commit);
    if (place === 'CURRENT') members.push(each);
    if (place === 'EARLIER') earlier.add(mergeContext(each.product, each.environment));
  }
  const places = members.map(({ releaseId, position }) => ({ releaseId, position }));
  await keepMergeGroup(app.pool, { repository, commit, base, members: places });
  const newest = new Map(known.toReversed().map((each) => [mergeContext(each.product, each.environment), each]));
  const within = new Set(members.map((each) => mergeContext(each.product, each.environment)));
  await wantStatuses(
    app.pool,
    [...newest].flatMap(([context, { releaseId, position, environment }]) =>
      within.has(context)
        ? []
        : [
            {
              repository,
              sha: commit,
              context,
              about: 'MERGE' as const,
              releaseId,
              position,
              ...(earlier.has(context)
                ? {
                    state: 'FAILURE' as const,
                    description: `the change of an earlier attempt for ${environment} is in it`,
                  }
                : { state: 'SUCCESS' as const, description: `nothing in this group is promoted to ${environment}` }),
              url: releaseUrl(app.config, releaseId),
              version: 0,
            },
          ],
    ),
  );
  for (const { releaseId, position } of places) await tellMerge(app, releaseId, position);
  const over = [...earlier].filter((context) => !within.has(context));
  const also = over.length === 0 ? '' : `, but the change of an earlier attempt: ${over.join(', ')}`;
  return `${within.size === 0 ? 'no promotion is in that merge group' : `in that merge group: ${[...within].join(', ')}`}${also}`;
}

/** EARLIER: of an attempt that is over, whose pull request its host may still have in the queue. */
async function placeIn(
  app: Parts,
  { releaseId, position, step, attempt, proposed }: RequestedPlace,
  group: string,
): Promise<'CURRENT' | 'EARLIER' | undefined> {
  const to = await app.releaseEngine.look(releaseId, { fresh: true });
  if (!to) return undefined;
  const isCurrent = to.state.promotions[position]?.attempt === attempt;
  if (!isCurrent && proposed === null) return undefined;
  // What is there of it is all that is known: the base on which it was opened went with its attempt.
  const since = isCurrent ? undefined : group;
  if (!(await holdsProposal(app, to, { position, step, since }, group))) return undefined;
  return isCurrent ? 'CURRENT' : 'EARLIER';
}

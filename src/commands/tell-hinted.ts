import { repositoryKey } from '../core/trigger/repository.ts';
import type { Parts } from '../parts.ts';
import { noteOutcome } from '../store/deliveries.ts';
import { forgetHints, pullRequestHints } from '../store/news.ts';
import type { Hint } from '../store/news.ts';
import { awaitedPlaces } from '../store/pull-requests.ts';
import { tellPullRequests } from './tell-pull-request.ts';

/** Hints about pull requests that are told in one round. */
const MOST = 500;

/**
 * Tells the promotions that wait for pull requests what webhooks said of them. A hint goes when it was told: a process that ends in
 * between leaves it to the next one, and what is told twice is one more look.
 */
export async function tellHintedPullRequests(
  app: Pick<Parts, 'pool' | 'releaseEngine' | 'clock' | 'log'>,
): Promise<void> {
  const hints = await pullRequestHints(app.pool, MOST);
  const of = new Map<string, Hint[]>();
  for (const hint of hints) of.set(hint.repository, [...(of.get(hint.repository) ?? []), hint]);
  for (const [repository, about] of of) {
    const seen = about.map(({ number, ref }) => ({
      ...(number !== null && { number }),
      ...(ref !== null && { branch: ref }),
    }));
    const { told, untold } = await tellPullRequests(app, repository, seen, 'WEBHOOK');
    await forgetHints(
      app.pool,
      about.map(({ id }) => id),
    );
    const deliveries = [...new Set(about.flatMap(({ deliveryId }) => deliveryId ?? []))];
    const names = [...new Set(about.map(({ number, ref }) => (number === null ? `of ${ref}` : String(number))))].join(
      ', ',
    );
    const came = told > 0 ? 'its promotion looks' : 'no promotion waits for it';
    const missed = 'a promotion could not be told, the next list of pull requests tells it';
    const outcome = `looked at pull request ${names} in ${repository}: ${untold > 0 ? missed : came}`;
    await noteOutcome(app.pool, deliveries, 'DONE', outcome, app.clock.now());
  }
}

/** A branch moved that pull requests are for: one of them may have been merged. */
export async function tellMovedBases(
  app: Pick<Parts, 'pool' | 'releaseEngine' | 'log'>,
  looked: string,
  before: Readonly<Record<string, string>>,
  heads: ReadonlyMap<string, string>,
): Promise<void> {
  const key = repositoryKey(looked);
  const moved = (base: string): boolean => before[base] !== heads.get(base);
  const concerned = (await awaitedPlaces(app.pool)).filter(
    ({ repository, base }) => repositoryKey(repository) === key && moved(base),
  );
  for (const repository of new Set(concerned.map((each) => each.repository))) {
    const bases = new Set(concerned.flatMap((each) => (each.repository === repository ? [each.base] : [])));
    await tellPullRequests(
      app,
      repository,
      [...bases].map((base) => ({ base })),
      'PUSH',
    );
  }
}

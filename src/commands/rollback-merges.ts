import type { Parts } from '../parts.ts';
import type { PlannedPromotion } from '../core/plan.ts';
import { recordedIn } from '../store/known-contents.ts';

/** Whether Sluice can merge the pull requests by which an environment would go back. */
export interface RollbackMerge {
  /** Null: it could not be asked. */
  may: boolean | null;
  /** What stands against it, or could not be seen; null: nothing. */
  why: string | null;
}

/**
 * By environment: where a version came by pull request, it goes back by one, and only who may merge that can bring it back. Asks each
 * host once for each branch, for at most ten seconds; environments whose changes are commits are left out. Network.
 */
export async function rollbackMerges(
  app: Parts,
  product: string,
  environments: string[],
): Promise<Map<string, RollbackMerge>> {
  const found = new Map<string, RollbackMerge>();
  if (environments.length === 0) return found;
  const signal = app.clock.limit('look', LIMIT);
  const asked = new Map<string, Promise<RollbackMerge>>();
  for (const { release, environment, application } of await recordedIn(app.pool, product, environments)) {
    const to = await app.releaseEngine.look(release, { fresh: false });
    const promotion = to?.release.plan.promotions.find((each) => each.environment === environment);
    const place = promotion && placeOf(promotion, application);
    if (!place) continue;
    const key = JSON.stringify(place);
    const answer = asked.get(key) ?? ask(app, place, signal);
    asked.set(key, answer);
    const before = found.get(environment);
    const now = await answer;
    // All of them are needed: the first that stands against it says why.
    if (before === undefined || (before.may !== false && now.may !== true)) found.set(environment, now);
  }
  return found;
}

function placeOf(
  { pullRequest, applications }: PlannedPromotion,
  application: string,
): { repository: string; base: string } | undefined {
  const driver = applications.find(({ name }) => name === application)?.spec.driver;
  if (pullRequest === undefined || driver?.type !== 'git') return undefined;
  return { repository: driver.repoURL, base: driver.branch };
}

async function ask(
  app: Parts,
  { repository, base }: { repository: string; base: string },
  signal: AbortSignal,
): Promise<RollbackMerge> {
  try {
    const forge = await app.drivers.forge(repository);
    if (!forge) return { may: false, why: `no secret opens pull requests in ${repository}` };
    const { may, why = null } = await forge.mayMerge(repository, base, { signal });
    return { may, why };
  } catch (error) {
    return { may: null, why: error instanceof Error ? error.message : String(error) };
  }
}

/** In milliseconds. */
const LIMIT = 10_000;

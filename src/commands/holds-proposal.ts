import { OPENED } from '../core/pull-request.ts';
import { TransientError } from '../drivers/driver.ts';
import type { Parts } from '../parts.ts';
import type { ReleaseNow } from './release-engine.ts';

/**
 * Whether the folders that a step proposed to change hold, at a commit, what it proposed: on any branch, and made by whatever squash,
 * rebase or "update branch". Network, where the commit is not known yet.
 * @param revision the commit; `since`: one of its ancestors, where the step does not say on which one it was proposed
 * @throws TransientError when the commit cannot be fetched: what it holds is not known then
 */
export async function holdsProposal(
  app: Parts,
  { release, state }: ReleaseNow,
  { position, step, since: known }: { position: number; step: number; since?: string | undefined },
  revision: string,
): Promise<boolean> {
  const planned = release.plan.promotions[position];
  const work = planned?.steps[step]?.work;
  const since = known ?? state.promotions[position]?.steps[step]?.outputs?.[OPENED.base];
  if (work?.kind !== 'propose' || since === undefined) return false;
  const signal = app.clock.limit('proposal', LIMIT);
  for (const index of work.applications) {
    const application = planned?.applications[index];
    const version = application && release.contents[application.content];
    if (!application || !version) return false;
    const { driver } = application.spec;
    const reference = { release: release.id, content: application.content, version };
    const content = await app.releaseEngine.frozen.content(reference);
    const found = await app.drivers.driver(driver).contains(driver, { commit: since, content }, revision, signal);
    if (found?.kind === 'UNKNOWN')
      throw new TransientError(`commit ${revision} of "${release.product}" cannot be fetched yet`);
    if (found?.kind !== 'HOLDS') return false;
  }
  return true;
}

/** In milliseconds. */
const LIMIT = 20_000;

import type { Pool } from 'pg';
import { tellingOf } from '../core/rollback/standing.ts';
import { shortIdOf } from '../core/short-id.ts';
import { reach } from '../faults.ts';
import { followAgain } from '../store/commit-statuses.ts';
import { settleRollback, unsettleRollback } from '../store/rollbacks.ts';
import type { ReleaseNow, ReleaseEngine } from './release-engine.ts';

/**
 * Tells every release that a rollback takes back where the rollback stands. Each call tells all of it: a release that knows it
 * already does not change. Once the rollback has ended and all were told, that is kept, and the sweep asks no more.
 */
export async function tellOrigins(
  parts: { pool: Pool; releaseEngine: ReleaseEngine },
  { release, state }: ReleaseNow,
): Promise<void> {
  const telling = tellingOf(release.plan, state, shortIdOf(release.product, release.number));
  if (telling === null) return;
  // A rollback that left everything alone takes no release back: it is a record, and no reason to stop anything.
  const takes = release.plan.rollback?.targets.some((each) => each.decision !== 'LEFT_ALONE') ?? false;
  const origins = takes ? (release.plan.origins ?? []) : [];
  await Promise.all(origins.map((origin) => parts.releaseEngine.tell(origin, telling)));
  if (origins.length > 0) await followAgain(parts.pool, origins);
  reach('after-told');
  if (state.endedAt !== null) await settleRollback(parts.pool, release.id, state.sequence);
  // It has ended before and was retried: the end that comes has to be told as well.
  else if (state.countsFrom !== state.createdAt) await unsettleRollback(parts.pool, release.id);
}

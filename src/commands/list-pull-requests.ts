import { TransientError } from '../drivers/driver.ts';
import { RepositoryMoved } from '../drivers/forge/forge.ts';
import type { PullRequestSeen } from '../drivers/forge/forge.ts';
import type { Parts } from '../parts.ts';
import { recordPullRequests } from '../store/news.ts';
import type { PullRequestsClaimed } from '../store/news.ts';
import { openPullRequests } from '../store/pull-requests.ts';
import { tellPullRequests } from './tell-pull-request.ts';

/** Between two lists of a repository, in milliseconds; and after failures, up to the second number. */
const EVERY = 30_000;
const LONGEST = 15 * 60_000;
/** The clocks of a host and of Sluice may differ by so much, in milliseconds: what changed then is told once more. */
const OVERLAP = 60_000;

/**
 * One list of the pull requests of a repository that was claimed. Those that are no longer as they are written down are told: merged,
 * closed, another head, another base. `spellings`: its addresses in those that are open. Network; what the host refuses is recorded, not thrown.
 */
export async function listPullRequests(
  app: Parts,
  { repository, etag, seenAt, failures }: PullRequestsClaimed,
  spellings: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const { pool, clock, drivers } = app;
  const at = clock.now();
  try {
    const forge = await drivers.forge(repository);
    if (!forge) throw new Error('no secret for a forge is for this repository');
    const updatedAfter = seenAt === null ? undefined : new Date(seenAt.getTime() - OVERLAP).toISOString();
    const list = await forge.list(repository, { etag: etag ?? undefined, updatedAfter }, { signal });
    let untold = 0;
    if (!list.unchanged) for (const each of spellings) untold += await tellChanged(app, each, list.seen);
    // What could not be told is in the next list again: the host is asked for it as if this list had not been.
    const read = untold > 0 ? { at: seenAt } : { etag: list.etag ?? etag ?? undefined, at };
    await recordPullRequests(pool, repository, EVERY, read);
  } catch (error) {
    const wait = error instanceof TransientError ? (error.retryAfter ?? 0) : 0;
    const after = Math.max(Math.min(EVERY * 2 ** Math.min(failures, 10), LONGEST), wait);
    await recordPullRequests(pool, repository, after, {
      error: error instanceof Error ? error.message : String(error),
    });
    // Each of them ends by its own look, which learns the same.
    if (error instanceof RepositoryMoved) for (const each of spellings) await tellAll(app, each);
    if (!signal.aborted && failures === 0)
      app.log.warn({ error, repository }, 'pull requests could not be listed: they are tried again');
  }
}

async function tellAll(app: Parts, repository: string): Promise<void> {
  const open = await openPullRequests(app.pool, repository);
  await tellPullRequests(
    app,
    repository,
    open.map(({ branch }) => ({ branch })),
  );
}

/** @returns how many promotions could not be told */
async function tellChanged(app: Parts, repository: string, seen: readonly PullRequestSeen[]): Promise<number> {
  const open = await openPullRequests(app.pool, repository);
  const news = seen.filter(({ number, head, state, base, queue }) =>
    open.some(
      (row) =>
        (row.number === number || row.branch === head.branch) &&
        (row.number === null ||
          state !== 'OPEN' ||
          queue !== undefined ||
          row.headSha !== head.sha ||
          row.base !== base),
    ),
  );
  const told = news.map(({ number, head }) => ({ number, branch: head.branch }));
  return (await tellPullRequests(app, repository, told, 'POLL')).untold;
}

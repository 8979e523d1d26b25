import type { Parts } from '../parts.ts';
import type { PlannedApplication } from '../core/plan.ts';
import { isUnmerged } from '../core/pull-request.ts';
import type { PromotionState, PullRequestNews } from '../core/release.ts';
import { plainly } from '../core/pull-request-text.ts';
import type { Forge, PullRequestSeen } from '../drivers/forge/forge.ts';
import type { GitDriverSpec } from '../core/definitions.ts';
import { PermanentError, TransientError } from '../drivers/driver.ts';
import { whereItIs } from './where-it-is.ts';
import { pullRequestsOf, sawPullRequest } from '../store/pull-requests.ts';
import type { PullRequestRecord } from '../store/pull-requests.ts';

/**
 * Closes a pull request that its promotion needs no more: says there why, closes it, deletes its branch, and tells the release what
 * became of it. It is looked for by its branch where no number is known: on a branch of somebody else it is somebody else's. Merged
 * meanwhile it is left as it is, and where its change is on the branch the release records it. Done twice is done once.
 *
 * Where its repository has another name by now, it is closed there.
 */
export async function closePullRequest(
  app: Pick<Parts, 'pool' | 'drivers' | 'releaseEngine'>,
  record: PullRequestRecord,
  reason: string,
  signal: AbortSignal,
): Promise<void> {
  const { key } = record;
  const seen = await whereItIs(app, record.repository, async (forge, repository) => {
    const there = { ...record, repository };
    // The forge is asked first: git does not say where a repository is that has moved.
    const found = await find(forge, there, signal);
    const standing = await standingOf(app, record, repository, signal);
    const ours = record.number === null && standing === 'FOREIGN' ? undefined : found;
    const closed = ours && (await close(forge, there, ours, reason, signal));
    if (standing === 'OURS') await forge.deleteBranch(repository, record.branch, { signal });
    if (closed) await tell(app, there, closed, signal);
    return closed;
  });
  await sawPullRequest(app.pool, key, seen ? sightingOf(seen) : { state: 'GONE' });
}

/** Deletes the branch of a pull request; one of its name that others have made stays. */
export async function deleteOwnBranch(
  app: Pick<Parts, 'pool' | 'drivers'>,
  record: PullRequestRecord,
  signal: AbortSignal,
): Promise<void> {
  const { repository, branch } = record;
  const forge = await app.drivers.forge(repository);
  if (forge && (await standingOf(app, record, repository, signal)) === 'OURS')
    await forge.deleteBranch(repository, branch, { signal });
}

/**
 * Whether the branch has a commit that a promotion of this release signed for it: its name alone proves nothing. Others may have
 * pushed on top.
 * @param repository where it is now
 */
async function standingOf(
  { pool, drivers }: Pick<Parts, 'pool' | 'drivers'>,
  record: PullRequestRecord,
  repository: string,
  signal: AbortSignal,
): Promise<'OURS' | 'FOREIGN' | 'GONE'> {
  const { branch, releaseId } = record;
  const at: GitDriverSpec = { type: 'git', repoURL: repository, branch, path: '.' };
  const git = drivers.driver(at);
  const answer = await git.heads(at, [branch], signal);
  if (answer?.kind === 'FAILED') throw new TransientError(answer.message, { retryAfter: answer.retryAfter });
  if (!answer?.heads.has(branch)) return 'GONE';
  const all = await pullRequestsOf(pool, [releaseId]);
  // A pull request that was taken over has its commit from the attempt that opened it.
  for (const { key, ...each } of all)
    if (each.repository === record.repository && each.branch === branch && (await git.observe(at, key, signal)))
      return 'OURS';
  return 'FOREIGN';
}

/** What is kept of a pull request, as it was seen. */
export function sightingOf(seen: PullRequestSeen): Parameters<typeof sawPullRequest>[2] {
  const { state, number, url, head, mergedAt, by, mergeCommit } = seen;
  return {
    state,
    number,
    url,
    headSha: head.sha,
    ...(mergedAt !== undefined && { mergedAt: new Date(mergedAt) }),
    ...(state === 'MERGED' && by !== undefined && { mergedBy: by }),
    ...(mergeCommit !== undefined && { mergeCommit }),
  };
}

/** The same as it is told to its release. */
export function newsOf({ state, number, url, head, by, mergedAt }: PullRequestSeen): PullRequestNews {
  return {
    state,
    number,
    url,
    branch: head.branch,
    ...(by !== undefined && { by }),
    ...(mergedAt !== undefined && { at: Date.parse(mergedAt) }),
  };
}

/** Nothing where a pull request of that number has another branch: a new repository took the name of the old one. */
async function find(
  forge: Forge,
  { repository, number, branch, base }: PullRequestRecord,
  signal: AbortSignal,
): Promise<PullRequestSeen | undefined> {
  if (number === null) return forge.find(repository, { head: branch, base }, { signal });
  const found = await forge.get(repository, number, { signal });
  return found.head.branch === branch ? found : undefined;
}

async function close(
  forge: Forge,
  { repository, key }: PullRequestRecord,
  found: PullRequestSeen,
  reason: string,
  signal: AbortSignal,
): Promise<PullRequestSeen> {
  if (found.state !== 'OPEN') return found;
  const body = `Sluice closes this pull request: ${plainly(reason, 1_000)}.`;
  // A conversation that is locked takes no comment for good: closing is what counts.
  await forge.comment(repository, found.number, { key: `${key}/closed`, body }, { signal }).catch((error: unknown) => {
    if (!(error instanceof PermanentError)) throw error;
  });
  return forge.close(repository, found.number, { signal });
}

async function tell(
  { releaseEngine, drivers }: Pick<Parts, 'drivers' | 'releaseEngine'>,
  { releaseId, position, step, attempt, key, repository, state: known }: PullRequestRecord,
  seen: PullRequestSeen,
  signal: AbortSignal,
): Promise<void> {
  const to = await releaseEngine.look(releaseId, { fresh: true });
  const planned = to?.release.plan.promotions[position];
  const work = planned?.steps[step]?.work;
  if (!to || !planned || work?.kind !== 'propose') return;
  const promotion = to.state.promotions[position] as PromotionState;
  // Its promotion has recorded the merge already, and not only that its change had come by another way.
  const isRecorded = promotion.attempt === attempt && !isUnmerged(planned, promotion, step);
  if (seen.state === 'MERGED' && known === 'MERGED' && isRecorded) return;
  const landed: { application: number; commit: string | null }[] = [];
  for (const application of seen.state === 'MERGED' ? work.applications : []) {
    const { content, spec } = planned.applications[application] as PlannedApplication;
    const version = to.release.contents[content];
    if (!version) continue;
    const pinned = await releaseEngine.frozen.content({ release: releaseId, content, version });
    const contains = seen.mergeCommit === undefined ? {} : { contains: seen.mergeCommit };
    const target = spec.driver.type === 'git' ? { ...spec.driver, repoURL: repository } : spec.driver;
    const { effect } = await drivers.driver(target).landed(target, pinned, contains, signal);
    if (effect) landed.push({ application, commit: effect.commit ?? null });
  }
  await releaseEngine.tell(releaseId, {
    kind: 'pull-request-closed',
    key: `closed ${key}`,
    promotion: position,
    attempt,
    step,
    pullRequest: newsOf(seen),
    landed,
  });
}

import type { PoolClient } from 'pg';
import type { StatusLevel } from '../core/gates/merge-state.ts';
import type { PlannedPromotion } from '../core/plan.ts';
import { clientOf } from '../entities/data-source.ts';
import type { Parts } from '../parts.ts';
import { short } from '../core/gates/merge.ts';
import { endStatuses, wantStatuses } from '../store/commit-statuses.ts';
import type { WantedCommitStatus } from '../store/commit-statuses.ts';
import { mergeGroupsOf } from '../store/merge-groups.ts';
import { dueForJudgement, judged, judgeLater, lockRequests, requestsOf } from '../store/merge-requests.ts';
import type { JudgedRequest } from '../store/merge-requests.ts';
import { holdsProposal } from './holds-proposal.ts';
import { releaseUrl } from './release-url.ts';
import type { ReleaseNow } from './release-engine.ts';

/**
 * Whether Sluice may merge this promotion's pull requests now: the same question as for their status, asked anew, under the product's
 * lock. Never true for long: the caller merges at once.
 */
export async function mayMergeNow(
  app: Pick<Parts, 'releaseEngine'>,
  { releaseId, promotion }: { releaseId: string; promotion: number },
): Promise<{ may: true } | { may: false; why: string }> {
  const { state } = await app.releaseEngine.tellKnown(releaseId, { kind: 'tick' });
  const level = state.promotions[promotion]?.merge?.level;
  if (level?.state === 'SUCCESS') return { may: true };
  return { may: false, why: level?.description ?? 'it awaits no merge' };
}

/**
 * Writes down what the hosts are to say of this promotion's pull requests, as its state has it; who sends it is another matter.
 * @param outboxKey the row that asked for it: gone once it is written down
 * @returns false where it is not known yet whether a branch still holds what was proposed; it counts as changed, and is looked at again
 */
export async function tellMerge(app: Parts, releaseId: string, position: number, outboxKey?: string): Promise<boolean> {
  const to = await app.releaseEngine.look(releaseId, { fresh: true });
  const { same, isSure } = to ? await sameProposals(app, to, position) : NOTHING;
  await app.dataSource.transaction(async (tx) => {
    const client = await clientOf(tx);
    if (to) await writeDown(app, client, to, position, same);
    if (outboxKey !== undefined) await client.query('DELETE FROM outbox WHERE key = $1', [outboxKey]);
  });
  if (!isSure) await judgeLater(app.pool, releaseId, position, LATER);
  return isSure;
}

/** Pull requests that were opened, or whose branch has another commit: their statuses are written down. Answers how many were due. */
export async function judgeMerges(app: Parts, limit: number): Promise<number> {
  const due = await dueForJudgement(app.pool, limit, 3 * LATER);
  for (const each of due) {
    if (await tellMerge(app, each.releaseId, each.position)) await judged(app.pool, each);
  }
  return due.length;
}

async function writeDown(
  app: Parts,
  client: PoolClient,
  { release, state }: ReleaseNow,
  position: number,
  same: ReadonlySet<string>,
): Promise<void> {
  const planned = release.plan.promotions[position];
  const promotion = state.promotions[position];
  const merge = promotion?.merge;
  if (!planned || !promotion || !merge) return;
  const requests = await lockRequests(client, release.id, position, promotion.attempt);
  const context = mergeContext(release.product, planned.name);
  const common = {
    context,
    about: 'MERGE' as const,
    releaseId: release.id,
    position,
    url: releaseUrl(app.config, release.id),
  };
  // A later attempt begins anew.
  const version = promotion.attempt * ATTEMPT + merge.generation;
  const wanted = requests.flatMap((each): WantedCommitStatus[] => {
    const level = levelOfRequest(planned, each, merge.level, same);
    return level === null || each.headSha === null
      ? []
      : [{ ...common, ...level, repository: each.repository, sha: each.headSha, version }];
  });
  // A merge queue asks about commits of its own; each of them has the level of what is in it.
  const { level } = merge;
  const groups = level === null ? [] : await mergeGroupsOf(client, { releaseId: release.id, position });
  for (const { repository, commit: sha } of groups)
    if (level !== null) wanted.push({ ...common, ...level, repository, sha, version });
  await wantStatuses(client, wanted);
  const over = requests.filter((each) => !wanted.some(({ sha }) => sha === each.headSha));
  await endStatuses(
    client,
    { releaseId: release.id, position },
    over.flatMap(({ headSha }) => headSha ?? []),
  );
}

/** The name of the status of a pull request, which the protection of a branch can require. */
export const mergeContext = (product: string, environment: string): string => `sluice/${product}/${environment}`;

/** More tellings than one attempt has. */
const ATTEMPT = 1_000_000;

/** In milliseconds. */
const LATER = 10_000;

const NOTHING: { same: ReadonlySet<string>; isSure: boolean } = { same: new Set(), isSure: true };

/** Null: nothing is told of it any more. */
function levelOfRequest(
  { name }: PlannedPromotion,
  { state, headSha, proposedSha }: JudgedRequest,
  level: StatusLevel | null,
  same: ReadonlySet<string>,
): StatusLevel | null {
  if (state === 'MERGED' || level === null) return null;
  if (headSha === null || headSha === proposedSha || same.has(headSha)) return level;
  const description = short(`the branch was changed: it does not hold any more what is promoted to ${name}`);
  return { state: 'ERROR', description };
}

/** Heads that are not the commit that was proposed, and hold its content all the same, as after "update branch". */
async function sameProposals(app: Parts, to: ReleaseNow, position: number): Promise<typeof NOTHING> {
  const same = new Set<string>();
  let isSure = true;
  const promotion = to.state.promotions[position];
  if (!promotion?.merge?.level) return NOTHING;
  for (const { step, headSha, proposedSha, state } of await requestsOf(
    app.pool,
    to.release.id,
    position,
    promotion.attempt,
  )) {
    if (state !== 'OPEN' || headSha === null || headSha === proposedSha) continue;
    try {
      if (await holdsProposal(app, to, { position, step }, headSha)) same.add(headSha);
    } catch (error) {
      // Red must not wait for a repository that does not answer: until it is known to be the same it counts as changed.
      app.log.debug({ error, headSha }, 'the head of a pull request could not be compared with what was proposed');
      isSure = false;
    }
  }
  return { same, isSure };
}

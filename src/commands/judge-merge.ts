import type { PoolClient } from 'pg';
import { proposalHead } from '../core/follow-merge.ts';
import type { StatusLevel } from '../core/gates/merge-state.ts';
import type { PlannedPromotion } from '../core/plan.ts';
import type { PromotionState } from '../core/release.ts';
import { clientOf } from '../entities/data-source.ts';
import type { Parts } from '../parts.ts';
import { endStatuses, wantStatuses } from '../store/commit-statuses.ts';
import type { WantedCommitStatus } from '../store/commit-statuses.ts';
import { dueForJudgement, lockRequests } from '../store/merge-requests.ts';
import type { JudgedRequest } from '../store/merge-requests.ts';
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
 */
export async function tellMerge(app: Parts, releaseId: string, position: number, outboxKey?: string): Promise<void> {
  const to = await app.releaseEngine.look(releaseId, { fresh: true });
  await app.dataSource.transaction(async (tx) => {
    const client = await clientOf(tx);
    if (to) await writeDown(app, client, to, position);
    if (outboxKey !== undefined) await client.query('DELETE FROM outbox WHERE key = $1', [outboxKey]);
  });
}

/** Pull requests that were opened, or whose branch has another commit: their statuses are written down. Answers how many were due. */
export async function judgeMerges(app: Parts, limit: number): Promise<number> {
  const due = await dueForJudgement(app.pool, limit);
  for (const { releaseId, position } of due) await tellMerge(app, releaseId, position);
  return due.length;
}

async function writeDown(
  app: Parts,
  client: PoolClient,
  { release, state }: ReleaseNow,
  position: number,
): Promise<void> {
  const planned = release.plan.promotions[position];
  const promotion = state.promotions[position];
  const merge = promotion?.merge;
  if (!planned || !promotion || !merge) return;
  const requests = await lockRequests(client, release.id, position, promotion.attempt);
  const context = `sluice/${release.product}/${planned.name}`;
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
    const level = levelOfRequest(planned, promotion, each, merge.level);
    return level === null || each.headSha === null
      ? []
      : [{ ...common, ...level, repository: each.repository, sha: each.headSha, version }];
  });
  await wantStatuses(client, wanted);
  const over = requests.filter((each) => !wanted.some(({ sha }) => sha === each.headSha));
  await endStatuses(
    client,
    { releaseId: release.id, position },
    over.flatMap(({ headSha }) => headSha ?? []),
  );
}

/** More tellings than one attempt has. */
const ATTEMPT = 1_000_000;

/** Null: nothing is told of it any more. */
function levelOfRequest(
  planned: PlannedPromotion,
  promotion: PromotionState,
  { step, state, headSha }: JudgedRequest,
  level: StatusLevel | null,
): StatusLevel | null {
  if (state === 'MERGED' || level === null) return null;
  const proposed = proposalHead(planned, promotion, step);
  // What stands on the branch was judged by no plan: its content decides once it is merged, and until then it is no promotion.
  if (proposed !== undefined && headSha !== proposed)
    return { state: 'ERROR', description: `the branch has a commit that is not of ${planned.name}'s promotion` };
  return level;
}

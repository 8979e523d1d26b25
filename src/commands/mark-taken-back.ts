import type { PoolClient } from 'pg';
import type { RollbackQuestion } from '../core/rollback/plan-rollback.ts';
import type { RollbackPlan, RollbackTarget } from '../core/rollback/rollback.ts';
import { markVersionBad } from '../store/bad-versions.ts';
import { holdEnvironment } from '../store/environment-holds.ts';

/**
 * What a rollback leaves behind, from the moment that it starts: its version is marked bad as the policy says, so that nothing
 * brings it back in meanwhile; an environment that a person takes back is on hold until a person promotes there again.
 */
export async function followUp(
  client: PoolClient,
  {
    id,
    product,
    question,
    plan,
    going,
  }: { id: string; product: string; question: RollbackQuestion; plan: RollbackPlan; going: RollbackTarget[] },
): Promise<void> {
  const { cause, version, markBad } = plan;
  const { now } = question;
  const { scope, expiresAfter } = markBad;
  // Also what should go back and cannot: the version is no better for it.
  const affected = plan.targets.filter((each) => each.decision !== 'LEFT_ALONE');
  if (scope !== 'NONE' && affected.length > 0) {
    const group = scope === 'GROUP' ? groupOf(question) : null;
    await markVersionBad(client, {
      product,
      ...version,
      // Where the environment is in no group there is none to mark: the environments concerned are.
      scope: scope === 'GROUP' && group === null ? 'ENVIRONMENT' : scope,
      group: group?.name ?? null,
      environments: scope === 'PRODUCT' ? [] : (group?.members ?? affected.map((each) => each.environment)),
      reason: `${cause.environment}: ${cause.reason}`,
      by: cause.by,
      since: now,
      expiresAt: expiresAfter === undefined ? null : now + expiresAfter,
      rollback: id,
    });
  }
  if (cause.kind !== 'MANUAL') return;
  for (const { environment, decision } of going) {
    if (decision !== 'INCLUDED') continue;
    const reason = `taken back from ${version.label}: ${cause.reason}`;
    const hold = { product, environment, reason, by: cause.by, since: now, until: null, rollback: id };
    await holdEnvironment(client, hold);
  }
}

/** The group of the environment in which it happened, as the release froze it. */
function groupOf({ plan, cause }: RollbackQuestion): { name: string; members: string[] } | null {
  const position = plan?.promotions.find((each) => each.environment === cause.environment)?.group ?? null;
  const group = position === null ? undefined : plan?.groups[position];
  return group ? { name: group.name, members: group.members.map((each) => plan?.promotions[each]?.name ?? '') } : null;
}

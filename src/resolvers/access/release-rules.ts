import { planRelease } from '../../commands/trigger-release.ts';
import type { TriggerInput } from '../../commands/trigger-release.ts';
import type { Result } from '../../commands/result.ts';
import type { Target } from '../../core/access/index.ts';
import { EVERYTHING } from '../../core/access/index.ts';
import type { ReleasePlan } from '../../core/plan.ts';
import { refusal } from '../../core/problems.ts';
import type { ApiContext } from '../../schema/context.ts';
import { fromNodeId } from '../../schema/node-id.ts';
import { readReleaseId, UUID } from '../../schema/node.ts';
import { frozen } from '../batches.ts';
import { planRollback } from '../../commands/rollback-order.ts';
import type { RollbackInput } from '../../commands/rollback-order.ts';
import { environmentsOf } from './lookup.ts';
import type { Lookup } from './lookup.ts';

/** Where a new release would promote to, by the flow that it would get. */
export async function releasing({ input }: { input: TriggerInput }, lookup: Lookup): Promise<Target[]> {
  const { product, commit, version, flow } = input;
  const given = { product, commit: commit ?? undefined, version: version ?? undefined, flow: flow ?? undefined };
  const planned = await planRelease(lookup.context.app, given);
  return lookup.places(product, planned.refusals ? [] : environmentsOf(planned.value.plan));
}

/** A promotion's environment; a workflow step has none, and concerns them all. */
export function placesOf(lookup: Lookup, plan: ReleasePlan, position: number): Target[] {
  const environment = plan.promotions[position]?.environment ?? null;
  return lookup.places(plan.product, environment === null ? [] : [environment]);
}

interface DecisionPlace {
  promotionId?: string | null;
  releaseId?: string | null;
  environment?: string | null;
}

/** A promotion by its own id, or by its release and its environment's name. */
export async function decisionPlace(
  context: ApiContext,
  { promotionId, releaseId, environment }: DecisionPlace,
): Promise<Result<{ releaseId: string; environment: string }>> {
  const given = [releaseId, environment].filter((each) => each !== undefined && each !== null).length;
  if (promotionId === undefined || promotionId === null) {
    if (typeof releaseId === 'string' && typeof environment === 'string') {
      return { value: { releaseId: readReleaseId(releaseId), environment } };
    }
    return { refusals: [refusal('INVALID', 'name the promotion by promotionId, or by releaseId and environment')] };
  }
  if (given > 0) {
    const message = 'give either promotionId, or releaseId and environment, not both';
    return { refusals: [refusal('INVALID', message, ['promotionId'])] };
  }
  const node = fromNodeId(promotionId);
  const [release = '', position = ''] = node?.type === 'EnvironmentPromotion' ? node.what.split('/') : [];
  const planned = UUID.test(release) ? (await frozen(context).load(release))?.plan.promotions[Number(position)] : null;
  if (planned) return { value: { releaseId: release, environment: planned.name } };
  return { refusals: [refusal('NOT_FOUND', `there is no promotion "${promotionId}"`, ['promotionId'])] };
}

/** Where somebody decides. */
export async function deciding({ input }: { input: DecisionPlace }, lookup: Lookup): Promise<Target[]> {
  const place = await decisionPlace(lookup.context, input);
  if (place.refusals || !UUID.test(place.value.releaseId)) return [EVERYTHING];
  const plan = (await frozen(lookup.context).load(place.value.releaseId))?.plan;
  const position = plan?.promotions.findIndex(({ name }) => name === place.value.environment) ?? -1;
  return plan && position >= 0 ? placesOf(lookup, plan, position) : [EVERYTHING];
}

/** What a rollback would take along or look at: what is named, and what the policy of the flow says besides. */
export async function rollingBack({ input }: { input: RollbackInput }, lookup: Lookup): Promise<Target[]> {
  const { product, environments } = input;
  const planned = await planRollback(lookup.context.app, input, null);
  const found = planned.refusals ? [] : planned.value.targets.map((each) => each.environment);
  return lookup.places(product, [...new Set([...(environments ?? []), ...found])]);
}

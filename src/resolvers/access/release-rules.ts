import { rollbackOfKey } from '../../commands/start-manual-rollback.ts';
import type { KeyedRollbackInput } from '../../commands/start-manual-rollback.ts';
import { possibleReleases, releaseOfKey } from '../../commands/trigger-release.ts';
import type { TriggerInput } from '../../commands/trigger-release.ts';
import type { Result } from '../../commands/result.ts';
import { EVERYTHING, mayDo } from '../../core/access/index.ts';
import type { Permission, Target } from '../../core/access/index.ts';
import { permissionToDecide } from '../../core/approvals/may-decide.ts';
import { environmentAt } from '../../core/own-steps.ts';
import type { ReleasePlan } from '../../core/plan.ts';
import { refusal } from '../../core/problems.ts';
import type { Refusal } from '../../core/problems.ts';
import { shortIdOf } from '../../core/short-id.ts';
import type { ApiContext } from '../../schema/context.ts';
import { fromNodeId } from '../../schema/node-id.ts';
import { readReleaseId, UUID } from '../../schema/node.ts';
import { frozen } from '../batches.ts';
import { planRollback } from '../../commands/rollback-order.ts';
import type { RollbackInput } from '../../commands/rollback-order.ts';
import { readRollbacks } from '../../store/rollback-reads.ts';
import { rollbackOf, triggerOf } from '../orders.ts';
import { releaseIdOf, rollbackIdOf } from '../release-id.ts';
import { environmentsOf } from './lookup.ts';
import type { Lookup } from './lookup.ts';
import { absent } from './named.ts';
import type { Named } from './named.ts';
import { seesPlace } from './visible.ts';

/** Where a new release would promote to, by the flow that it would get, or by any that it may get. */
export async function releasing({ input }: { input: TriggerInput }, lookup: Lookup): Promise<Named> {
  const { product, from, to } = input;
  const between = [...(from ? [{ name: from, path: ['from'] }] : []), ...(to ? [{ name: to, path: ['to'] }] : [])];
  const missing = await lookup.unseen(product, between);
  if (missing) return { targets: lookup.places(product, []), seen: false, absent: missing };
  const planned = await possibleReleases(lookup.context.app, triggerOf(input));
  const each = (planned.refusals ? [] : planned.value).map(({ plan }) => environmentsOf(plan));
  // One without an environment of its own concerns them all.
  const environments = each.some(({ length }) => length === 0) ? [] : [...new Set(each.flat())];
  const targets = lookup.places(product, environments);
  return { targets, seen: true, absent: NO_RELEASE };
}

/** The same of a call that may have made its release already. */
export async function triggering(args: { input: TriggerInput }, lookup: Lookup): Promise<Named> {
  const { app, actor } = lookup.context;
  const made = (): Promise<string | null> => releaseOfKey(app, triggerOf(args.input), actor);
  return orMade(lookup, 'PROMOTE', await releasing(args, lookup), made);
}

/**
 * A call that comes again with its key does nothing but answer what it has made: that is judged where the caller may not do today what the
 * call would do by the definitions and versions of today.
 */
async function orMade(
  lookup: Lookup,
  permission: Permission,
  today: Named,
  made: () => Promise<string | null>,
): Promise<Named> {
  const { identity } = lookup.context;
  if (identity === null || today.targets.every((each) => mayDo(identity.grants, permission, each))) return today;
  const id = await made();
  return id === null ? today : { ...(await lookup.release(id)), absent: today.absent };
}

/** Of something that is seen: never shown. */
const NO_RELEASE = refusal('NOT_FOUND', 'there is no such release');

/** A promotion's environment; a workflow step has none, and concerns them all. */
export function placesOf(lookup: Lookup, plan: ReleasePlan, position: number): Target[] {
  const environment = environmentAt(plan, position);
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
      return { value: { releaseId: await releaseIdOf(context, releaseId), environment } };
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
  return { refusals: [noPromotion(promotionId)] };
}

/** Where the caller decides; for a rollback's release this takes the permission to roll back. */
export async function deciding({ input }: { input: DecisionPlace }, lookup: Lookup): Promise<Named> {
  const { context } = lookup;
  const place = await decisionPlace(context, input);
  if (place.refusals) return absent(place.refusals[0] as Refusal);
  const { releaseId, environment } = place.value;
  const byId = typeof input.promotionId === 'string' ? noPromotion(input.promotionId) : null;
  const named = readReleaseId(input.releaseId ?? releaseId);
  const noRelease = byId ?? refusal('NOT_FOUND', `there is no release "${named}"`, ['releaseId']);
  const found = UUID.test(releaseId) ? await frozen(context).load(releaseId) : undefined;
  if (!found) return absent(noRelease);
  return promotionOf(lookup, found.plan, environment, {
    release: noRelease,
    promotion: byId ?? notThere(found, environment),
  });
}

/** Where the caller makes a link; a link for another person takes a permission of its own. */
export async function linking(
  args: { input: DecisionPlace & { approver?: string | null } },
  lookup: Lookup,
): Promise<Named> {
  const named = await deciding(args, lookup);
  const { approver = null } = args.input;
  const forSelf = approver === null || approver === lookup.context.caller?.name;
  return forSelf ? named : { ...named, permission: 'BRING_APPROVALS' };
}

/** What a rollback's proposal takes. A release that travels its flow is no rollback. */
export async function decidingOnTarget(
  { input }: { input: { rollbackId: string; environment: string } },
  lookup: Lookup,
): Promise<Named> {
  const { context } = lookup;
  const id = await rollbackIdOf(context, input.rollbackId);
  const missing = noRollback(bareRollbackId(input.rollbackId));
  const found = UUID.test(id) ? (await readRollbacks(context.app.pool, [id])).get(id) : undefined;
  const rollback = found && (await frozen(context).load(id));
  if (!rollback) return absent(missing);
  return promotionOf(lookup, rollback.plan, input.environment, {
    release: missing,
    promotion: notThere(rollback, input.environment),
  });
}

async function promotionOf(
  lookup: Lookup,
  plan: ReleasePlan,
  environment: string,
  missing: Record<'release' | 'promotion', Refusal>,
): Promise<Named> {
  const { context } = lookup;
  const position = plan.promotions.findIndex(({ name }) => name === environment);
  const permission = permissionToDecide(plan);
  const targets = position < 0 ? [EVERYTHING] : placesOf(lookup, plan, position);
  const seesRelease = await seesPlace(context, plan.product, null);
  const place = environmentAt(plan, position);
  const seen = seesRelease && position >= 0 && (await seesPlace(context, plan.product, place));
  return { targets, seen, absent: seesRelease ? missing.promotion : missing.release, permission };
}

const noPromotion = (id: string): Refusal => refusal('NOT_FOUND', `there is no promotion "${id}"`, ['promotionId']);

export const noRollback = (id: string): Refusal => refusal('NOT_FOUND', `there is no rollback "${id}"`, ['rollbackId']);

function notThere({ product, number }: { product: string; number: number }, environment: string): Refusal {
  return refusal('NOT_FOUND', `release ${shortIdOf(product, number)} does not promote "${environment}"`, [
    'environment',
  ]);
}

/** In words: the bare id where a global one was given, otherwise what was given. */
export function bareRollbackId(id: string): string {
  const node = fromNodeId(id);
  return node?.type === 'Rollback' || node?.type === 'Release' ? node.what : id;
}

/** What a rollback would take along or look at: what is named, and what the policy of the flow says besides. */
export async function rollingBack({ input }: { input: RollbackInput }, lookup: Lookup): Promise<Named> {
  const { product, environments } = input;
  const named = (environments ?? []).map((name, index) => ({ name, path: ['environments', index] }));
  const place = await lookup.place(product, named);
  if (!place.seen) return place;
  const planned = await planRollback(lookup.context.app, input, null);
  const found = planned.refusals ? [] : planned.value.targets.map((each) => each.environment);
  return { ...place, targets: lookup.places(product, [...new Set([...(environments ?? []), ...found])]) };
}

/** The same of a call that may have started its rollback already. */
export async function takingBack(args: { input: KeyedRollbackInput }, lookup: Lookup): Promise<Named> {
  const { app, actor } = lookup.context;
  const made = (): Promise<string | null> => rollbackOfKey(app, rollbackOf(args.input), actor);
  return orMade(lookup, 'ROLLBACK', await rollingBack(args, lookup), made);
}

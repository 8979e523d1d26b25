import { sees } from '../core/access/index.ts';
import { environmentAt } from '../core/own-steps.ts';
import type { ReleasePlan } from '../core/plan.ts';
import { ENDED_RELEASE, NO_FACTS } from '../core/release.ts';
import type { Facts } from '../core/release.ts';
import { earliestStarts, waitingFor } from '../core/waiting.ts';
import type { WaitingReason } from '../core/waiting.ts';
import { loaderOf } from '../schema/context.ts';
import type { ApiContext } from '../schema/context.ts';
import { UUID } from '../schema/node.ts';
import { EnvironmentPromotion, withHooks } from '../schema/promotion.ts';
import type { ReleaseParts, WholeRelease } from '../schema/promotion.ts';
import { ReleaseSkeleton } from '../schema/release-plan.ts';
import { Release } from '../schema/release.ts';
import { seesPlace, visibilityOf } from './access/visible.ts';
import { gone } from './answers.ts';
import { facts, frozen, promotionsAt, states, summaries } from './batches.ts';

/** @returns null when there is none, or when it is no id at all. */
export async function readRelease(context: ApiContext, releaseId: string): Promise<Release | null> {
  const found = UUID.test(releaseId) ? await summaries(context).load(releaseId) : null;
  return found && (await seesPlace(context, found.product, null)) ? new Release(found) : null;
}

/** What it froze and where it is, once per request. */
export function partsOf(context: ApiContext, releaseId: string): Promise<WholeRelease> {
  return loaderOf(context, wholeKey(releaseId), async () => {
    const [plan, state] = await Promise.all([planOf(context, releaseId), states(context).load(releaseId)]);
    if (!state) throw gone(`release ${releaseId} no longer exists`);
    const whole: WholeRelease = {
      id: releaseId,
      plan,
      state,
      sees: await seesAt(context, plan),
      including: () => Promise.resolve(whole),
    };
    return whole;
  });
}

/** The same with these promotions alone, which are read alone where the request has not read all of them. */
export async function partsAt(
  context: ApiContext,
  releaseId: string,
  positions: readonly number[],
): Promise<ReleaseParts> {
  const plan = await planOf(context, releaseId);
  if (context.loaders.has(wholeKey(releaseId))) return partsOf(context, releaseId);
  const [state, seen] = await Promise.all([
    promotionsAt(context).load({ release: releaseId, positions: withHooks(plan, positions) }),
    seesAt(context, plan),
  ]);
  if (!state) throw gone(`release ${releaseId} no longer exists`);
  const part: ReleaseParts = {
    id: releaseId,
    plan,
    state,
    sees: seen,
    including: async (others) =>
      others.every((each) => state.promotions[each] !== undefined) ? part : partsAt(context, releaseId, others),
  };
  return part;
}

const wholeKey = (releaseId: string): string => `parts/${releaseId}`;

async function planOf(context: ApiContext, releaseId: string): Promise<ReleasePlan> {
  const found = await frozen(context).load(releaseId);
  if (!found) throw gone(`release ${releaseId} no longer exists`);
  return found.plan;
}

/** What it froze, and what the caller sees of that. */
export async function planFor(context: ApiContext, releaseId: string): Promise<Pick<ReleaseParts, 'plan' | 'sees'>> {
  const plan = await planOf(context, releaseId);
  return { plan, sees: await seesAt(context, plan) };
}

async function seesAt(context: ApiContext, plan: ReleasePlan): Promise<(position: number) => boolean> {
  const visibility = await visibilityOf(context);
  return (position) => sees(visibility, plan.product, environmentAt(plan, position));
}

/** What it froze; null when there is none, or when the caller does not see it. */
export async function readSkeleton(context: ApiContext, releaseId: string): Promise<ReleaseSkeleton | null> {
  const plan = UUID.test(releaseId) ? (await frozen(context).load(releaseId))?.plan : undefined;
  if (!plan || !(await seesPlace(context, plan.product, null))) return null;
  return ReleaseSkeleton.of(releaseId, plan, await seesAt(context, plan));
}

/** One promotion, read alone; null when the release has none there, or when the caller does not see it. */
export async function readPromotion(
  context: ApiContext,
  releaseId: string,
  which: (plan: ReleasePlan) => number,
): Promise<EnvironmentPromotion | null> {
  const plan = UUID.test(releaseId) ? (await frozen(context).load(releaseId))?.plan : undefined;
  const position = plan ? which(plan) : -1;
  if (!plan?.promotions[position] || !(await seesAt(context, plan))(position)) return null;
  return new EnvironmentPromotion(await partsAt(context, releaseId, [position]), position);
}

/** What other releases do, for one that has not ended. */
export async function factsOf(context: ApiContext, releaseId: string): Promise<Facts> {
  const summary = await summaries(context).load(releaseId);
  return summary && !ENDED_RELEASE.has(summary.status) ? facts(context).load(summary) : NO_FACTS;
}

/** What the release waits for and until when, computed once however many of its promotions ask. */
export function reasonsOf(
  context: ApiContext,
  releaseId: string,
): Promise<{ parts: WholeRelease; reasons: WaitingReason[]; starts: (number | null)[] }> {
  return loaderOf(context, `waiting/${releaseId}`, async ({ clock }) => {
    const [parts, known] = await Promise.all([partsOf(context, releaseId), factsOf(context, releaseId)]);
    const asked = [parts.plan, parts.state, known, clock.now().getTime()] as const;
    const reasons = waitingFor(...asked).filter(({ promotion }) => promotion === null || parts.sees(promotion));
    return { parts, reasons, starts: earliestStarts(...asked) };
  });
}

import { sees } from '../core/access/index.ts';
import { environmentAt } from '../core/own-steps.ts';
import { ENDED_RELEASE, NO_FACTS } from '../core/release.ts';
import type { Facts } from '../core/release.ts';
import { earliestStarts, waitingFor } from '../core/waiting.ts';
import type { WaitingReason } from '../core/waiting.ts';
import { loaderOf } from '../schema/context.ts';
import type { ApiContext } from '../schema/context.ts';
import { UUID } from '../schema/node.ts';
import type { ReleaseParts } from '../schema/promotion.ts';
import { Release } from '../schema/release.ts';
import { seesPlace, visibilityOf } from './access/visible.ts';
import { gone } from './answers.ts';
import { facts, frozen, states, summaries } from './batches.ts';

/** @returns null when there is none, or when it is no id at all. */
export async function readRelease(context: ApiContext, releaseId: string): Promise<Release | null> {
  const found = UUID.test(releaseId) ? await summaries(context).load(releaseId) : null;
  return found && (await seesPlace(context, found.product, null)) ? new Release(found) : null;
}

/** What it froze and where it is, once per request. */
export function partsOf(context: ApiContext, releaseId: string): Promise<ReleaseParts> {
  return loaderOf(context, `parts/${releaseId}`, async () => {
    const [frozenPart, state] = await Promise.all([frozen(context).load(releaseId), states(context).load(releaseId)]);
    if (!frozenPart || !state) throw gone(`release ${releaseId} no longer exists`);
    const { plan } = frozenPart;
    const visibility = await visibilityOf(context);
    const seesAt = (position: number): boolean => sees(visibility, plan.product, environmentAt(plan, position));
    return { id: releaseId, plan, state, sees: seesAt };
  });
}

async function factsOf(context: ApiContext, releaseId: string): Promise<Facts> {
  const summary = await summaries(context).load(releaseId);
  return summary && !ENDED_RELEASE.has(summary.status) ? facts(context).load(summary) : NO_FACTS;
}

/** What the release waits for and until when, computed once however many of its promotions ask. */
export function reasonsOf(
  context: ApiContext,
  releaseId: string,
): Promise<{ parts: ReleaseParts; reasons: WaitingReason[]; starts: (number | null)[] }> {
  return loaderOf(context, `waiting/${releaseId}`, async ({ clock }) => {
    const [parts, known] = await Promise.all([partsOf(context, releaseId), factsOf(context, releaseId)]);
    const asked = [parts.plan, parts.state, known, clock.now().getTime()] as const;
    const reasons = waitingFor(...asked).filter(({ promotion }) => promotion === null || parts.sees(promotion));
    return { parts, reasons, starts: earliestStarts(...asked) };
  });
}

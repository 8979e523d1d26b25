import type { ReleaseNow } from '../commands/release-engine.ts';
import type { PlannedGroup, PlannedPromotion } from '../core/plan.ts';
import type { MemberHealth, PromotionState } from '../core/release.ts';
import { checkHealth, toObservation } from './runners/health.ts';
import type { Hands } from './runners/runner.ts';

const LIMIT = 30_000;

/** Groups whose gate is being asked, by their place in the plan. */
export function askingGroups(to: ReleaseNow | null): number[] {
  return [...(to?.state.groups.keys() ?? [])].filter((group) => to?.state.groups[group]?.status === 'ASKING');
}

/** Are they all still healthy, now? Every member that succeeded is looked at again, at once. */
export async function askGroup(hands: Hands, { release, state }: ReleaseNow, group: number): Promise<MemberHealth[]> {
  const planned = release.plan.groups[group] as PlannedGroup;
  const members = planned.members.filter((each) => state.promotions[each]?.status === 'SUCCEEDED');
  const health = await Promise.all(
    members.map(async (promotion): Promise<MemberHealth[]> => {
      const promoted = release.plan.promotions[promotion] as PlannedPromotion;
      const promotionState = state.promotions[promotion] as PromotionState;
      const needed = promoted.applications.filter((each) => each.spec.health.type !== 'none');
      // Nothing to ask: the change itself is all there is to go by.
      if (needed.length === 0) return [{ promotion, status: 'HEALTHY' }];
      return Promise.all(
        needed.map(async (application) => {
          const limit = hands.clock.limit('ask-group', LIMIT);
          try {
            const answer = await checkHealth(hands, release, promoted, promotionState, application, limit);
            return { promotion, ...toObservation(answer) };
          } catch (error) {
            return { promotion, status: 'UNKNOWN' as const, message: String(error) };
          }
        }),
      );
    }),
  );
  return health.flat();
}

import type { ReleaseEngine } from '../commands/release-engine.ts';
import type { ReleaseNow } from '../commands/release-engine.ts';
import type { PlannedGroup, PlannedPromotion } from '../core/plan.ts';
import type { MemberHealth, PromotionState } from '../core/release.ts';
import type { AskData, JoinData } from './job-data.ts';
import { checkHealth, toObservation } from './runners/health.ts';
import type { Hands } from './runners/runner.ts';

const LIMIT = 30_000;

/** The end of a flow of environments: every group that now has enough members is asked. */
export async function runJoin(releaseEngine: ReleaseEngine, hands: Hands, { releaseId }: JoinData): Promise<void> {
  const known = await releaseEngine.look(releaseId, { fresh: false });
  const asking = (to: ReleaseNow | null): number[] =>
    [...(to?.state.groups.keys() ?? [])].filter((group) => to?.state.groups[group]?.status === 'ASKING');
  const to = asking(known).length > 0 ? known : await releaseEngine.look(releaseId, { fresh: true });
  for (const group of asking(to)) await ask(releaseEngine, hands, to as ReleaseNow, group);
}

/** Asks a gate once more, if this question is still the newest one. */
export async function runAsk(
  releaseEngine: ReleaseEngine,
  hands: Hands,
  { releaseId, group, generation }: AskData,
): Promise<void> {
  const to = await releaseEngine.look(releaseId, { fresh: true });
  const seen = to?.state.groups[group];
  if (to && seen?.status === 'ASKING' && seen.generation === generation) await ask(releaseEngine, hands, to, group);
}

/** Are they all still healthy, now? Every member that succeeded is looked at again, at once. */
async function ask(
  releaseEngine: ReleaseEngine,
  hands: Hands,
  { release, state }: ReleaseNow,
  group: number,
): Promise<void> {
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
  const generation = state.groups[group]?.generation as number;
  await releaseEngine.tellKnown(release.id, { kind: 'group-answer', group, generation, health: health.flat() });
}

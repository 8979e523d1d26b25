import { isOfRelease } from './own-steps.ts';
import type { PlannedPromotion, ReleasePlan } from './plan.ts';
import type { PromotionState, ReleaseState } from './release.ts';

/**
 * What steps without an environment have left for a promotion: those that it depends on, through others too. A hook of an environment has
 * the same as its environment, and one of the release what all have left. The step that ended last wins.
 */
export function outputsBefore(plan: ReleasePlan, state: ReleaseState, position: number): Record<string, string> {
  const planned = plan.promotions[position] as PlannedPromotion;
  const before = isOfRelease(planned) ? [...plan.promotions.keys()] : ancestorsOf(plan, planned.of ?? position);
  const steps = before
    .filter((each) => plan.promotions[each]?.environment === null && plan.promotions[each].own === undefined)
    .map((each) => state.promotions[each] as PromotionState)
    .filter(({ status }) => status === 'SUCCEEDED')
    .flatMap((each) => each.steps)
    .sort((one, other) => (one.endedAt ?? 0) - (other.endedAt ?? 0));
  return Object.assign({}, ...steps.map(({ outputs }) => outputs)) as Record<string, string>;
}

/** All that it depends on, in the order of the plan. */
function ancestorsOf({ promotions, groups }: ReleasePlan, position: number): number[] {
  const found = new Set<number>();
  const open = [position];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const on = promotions[next]?.dependsOn ?? [];
    for (const each of on.flatMap((one) => ('group' in one ? (groups[one.group]?.members ?? []) : [one.promotion]))) {
      if (found.has(each)) continue;
      found.add(each);
      open.push(each);
    }
  }
  return [...found].sort((one, other) => one - other);
}

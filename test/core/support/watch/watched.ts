import type { PlannedPromotion, ReleasePlan } from '../../../../src/core/plan.ts';
import type { Reached } from '../reached.ts';

/** The release that is watched, and where it is counted what its runs reached. */
export interface Watched {
  readonly plan: ReleasePlan;
  readonly reached: Reached;
}

export function plannedAt({ plan }: Watched, position: number): PlannedPromotion {
  return plan.promotions[position] as PlannedPromotion;
}

export function nameOf(of: Watched, position: number): string {
  return plannedAt(of, position).name;
}

export function positionOf({ plan }: Watched, name: string): number {
  return plan.promotions.findIndex((each) => each.name === name);
}

export function isSoak(of: Watched, position: number, step: number): boolean {
  return plannedAt(of, position).steps[step]?.work.kind === 'soak';
}

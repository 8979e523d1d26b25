import type { Gate } from './definitions.ts';
import type { PlannedGroup } from './plan.ts';
import type { PromotionState, ReleaseState } from './release.ts';

/** How many of `total` a gate asks for; a percentage is rounded up, so 50 % of three is two. */
export function requiredBy(gate: Pick<Gate, 'policy' | 'count' | 'percent'>, total: number): number {
  if (gate.policy === 'ANY') return Math.min(1, total);
  if (gate.policy === 'ALL') return total;
  const wanted = gate.count ?? Math.ceil(((gate.percent ?? 100) * total) / 100);
  return Math.min(Math.max(1, wanted), total);
}

/** Of a release's state what says who was left out: `promotions` by position. */
type LeftOut = Pick<ReleaseState, 'skips'> & { promotions: Readonly<Record<number, Pick<PromotionState, 'status'>>> };

/** A person left it out: its dependents go on as if it had succeeded, and it leaves the count of its group. */
export function isSkippedByPerson({ promotions, skips }: LeftOut, position: number): boolean {
  return promotions[position]?.status === 'SKIPPED' && skips[position] !== undefined;
}

/** How many members of a group count, and how many of those its gate asks for: fewer than were planned once a person has skipped some. */
export function countOf(group: PlannedGroup, state: LeftOut): { counted: number; required: number } {
  const counted = group.members.filter((each) => !isSkippedByPerson(state, each)).length;
  const { percent, required } = group;
  if (counted === group.members.length || percent === undefined)
    return { counted, required: Math.min(required, counted) };
  return { counted, required: requiredBy({ policy: 'AT_LEAST', percent }, counted) };
}

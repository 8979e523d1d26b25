import type { PlannedPromotion, ReleasePlan } from '../plan.ts';
import type { Facts, ReleaseKind, ReleaseState } from '../release.ts';
import type { AnswerOf, GateName } from './answer.ts';

/** What a gate is asked: may the promotion at `position` start, as things stand at `now` (milliseconds since the epoch, UTC)? */
export interface GateQuestion {
  plan: ReleasePlan;
  state: ReleaseState;
  position: number;
  facts: Facts;
  now: number;
}

/** One thing that must hold before a promotion starts; docs/how-to-add.md says how a new one comes. */
export interface Gate<N extends GateName = GateName> {
  readonly name: N;
  /** Which kinds of releases it is asked of: a version that goes back is not kept from it by what keeps versions out. */
  readonly of: readonly ReleaseKind[];
  /** It is asked again before the merge of a pull request: see merge.ts. */
  readonly again?: true;
  /** Which promotions of those it is asked of. */
  appliesTo(promotion: PlannedPromotion): boolean;
  /** Null where nothing is there that could hold the promotion: then there is no evidence to keep. */
  ask(question: GateQuestion): AnswerOf<N> | null;
}

export const EVERY_RELEASE: readonly ReleaseKind[] = ['FORWARD', 'ROLLBACK'];

/** The promotion that the question is about, as the plan has it. */
export function promotionOf({ plan, position }: GateQuestion): PlannedPromotion {
  return plan.promotions[position] as PlannedPromotion;
}

/** When all of them are over; not known when one has no end of its own. */
export function lastOf(ends: (number | null)[]): number | undefined {
  const known = ends.filter((each) => each !== null);
  return known.length < ends.length ? undefined : Math.max(...known);
}

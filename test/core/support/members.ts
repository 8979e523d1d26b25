import type { ReleasePlan } from '../../../src/core/plan.ts';
import type { PromotionState } from '../../../src/core/release.ts';
import type { RollbackCause, VersionRef } from '../../../src/core/rollback/rollback.ts';
import type { History } from './history.ts';
import type { Shell, Surroundings } from './shell.ts';

/** A release or a rollback of the product. */
export interface Member {
  id: string;
  number: number;
  kind: 'FORWARD' | 'ROLLBACK';
  version: VersionRef;
  byPerson: boolean;
  shell: Shell;
  /** Of a rollback. */
  included: string[];
  cause: RollbackCause | null;
}

/** What the parts of a world share. */
export interface Around extends Surroundings {
  readonly plan: ReleasePlan;
  readonly members: Member[];
  /** Those of the plan. */
  readonly environments: string[];
  readonly history: History;
  /** Of things that have a number for a name. */
  count: number;
}

export function promotionsIn({ state, at }: Shell, environment: string): PromotionState[] {
  return (at.get(environment) ?? []).map((position) => state.promotions[position] as PromotionState);
}

import { approvalGate } from '../approvals/gate.ts';
import type { PlannedPromotion, ReleasePlan } from '../plan.ts';
import { limitGate, liveGate } from '../rollback/gates.ts';
import type { Facts, ReleaseState } from '../release.ts';
import { dependenciesGate } from './dependencies.ts';
import { environmentGate } from './environment.ts';
import type { GateAnswer, GateName } from './answer.ts';
import type { Gate } from './gate.ts';
import { groupGate } from './group.ts';
import { holdGate } from './hold.ts';
import { versionGate } from './version.ts';
import { windowGate } from './window.ts';

/** All of them, in the order in which their answers are shown. */
const GATES: readonly Gate[] = Object.values({
  DEPENDENCIES: dependenciesGate,
  LIVE: liveGate,
  LIMIT: limitGate,
  GROUP: groupGate,
  ENVIRONMENT: environmentGate,
  HOLD: holdGate,
  VERSION: versionGate,
  WINDOW: windowGate,
  APPROVAL: approvalGate,
} satisfies { readonly [N in GateName]: Gate<N> });
export const GATES_OF_MERGES: readonly Gate[] = GATES.filter((each) => each.again);
const GATES_OF_PROMOTIONS = GATES.filter((each) => each.of.includes('FORWARD'));
const GATES_OF_ROLLBACKS = GATES.filter((each) => each.of.includes('ROLLBACK'));

/**
 * May this promotion start? One function answers for the executor, the API and every screen, so that explanation and
 * behaviour cannot drift apart. All gates are asked, together, against one state and one set of facts; the answers are
 * kept as the evidence of the start.
 */
export function askGates(
  plan: ReleasePlan,
  state: ReleaseState,
  position: number,
  facts: Facts,
  now: number,
  gates: readonly Gate[] = plan.rollback ? GATES_OF_ROLLBACKS : GATES_OF_PROMOTIONS,
): GateAnswer[] {
  const question = { plan, state, position, facts, now };
  const promotion = plan.promotions[position] as PlannedPromotion;
  return gates.flatMap((each) => (each.appliesTo(promotion) && each.ask(question)) || []);
}

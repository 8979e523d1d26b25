import type { GateAnswer } from '../../../../src/core/gates/answer.ts';
import type { Facts, PromotionState, ReleaseState } from '../../../../src/core/release.ts';
import { claim } from '../claim.ts';
import { actionOf, closing, holding, isApproved, marked, opensBy, wasClosed } from '../oracle.ts';
import { plannedAt } from './watched.ts';
import type { Watched } from './watched.ts';

/** What the gates of what has not started say is what the oracle says, also where nothing starts. */
export function claimGates(
  of: Watched,
  state: ReleaseState,
  position: number,
  facts: Facts,
  now: number,
  answers: readonly GateAnswer[],
): void {
  const { environment, approval, name } = plannedAt(of, position);
  const promotion = state.promotions[position] as PromotionState;
  const said = (gate: GateAnswer['gate']): GateAnswer | undefined => answers.find((each) => each.gate === gate);
  const agree = (gate: GateAnswer['gate'], waits: boolean): void =>
    claim(
      (said(gate)?.verdict === 'wait') === waits,
      `${gate} of ${name}: ${waits ? 'it should wait' : 'why does it wait'}`,
    );
  if (approval) {
    const granted = isApproved(approval, promotion.approval, state.initiator);
    claim((said('APPROVAL')?.verdict === 'pass') === granted, `${name} is ${granted ? '' : 'not '}approved`);
  }
  for (const { reason } of answers) {
    if (reason.includes('would not finish before')) of.reached.count('held by a runway');
    if (reason.includes('has just opened')) of.reached.count('just opened, and not its moment yet');
  }
  if (environment === null) return;
  agree('ENVIRONMENT', facts.heldBy[environment] !== undefined);
  const action = actionOf(of.plan);
  if (closing(facts, environment, action, promotion, now).length > 0) {
    agree('WINDOW', true);
    const opens = opensBy(facts, environment, action, promotion, now);
    const earliest = said('WINDOW')?.recheckAt ?? null;
    claim((earliest === null) === (opens === null), `${name} opens at ${opens}, the gate says ${earliest}`);
    claim(earliest === null || earliest <= (opens as number), `${name} opens at ${opens}, and waits until ${earliest}`);
  } else if (said('WINDOW')?.verdict === 'wait')
    claim(wasClosed(facts, environment, action, promotion, now), `${name} is open, and its window waits`);
  const ends = {
    HOLD: of.plan.rollback ? [] : holding(facts, environment, state, now),
    VERSION: of.plan.rollback ? [] : marked(facts, environment, now),
  };
  for (const gate of ['HOLD', 'VERSION'] as const) {
    agree(gate, ends[gate].length > 0);
    if (ends[gate].length === 0) continue;
    const known = ends[gate].filter((each) => each !== null);
    const all = known.length < ends[gate].length ? undefined : Math.max(...known);
    claim(said(gate)?.recheckAt === all, `${gate} of ${name} ends at ${all}, the gate says ${said(gate)?.recheckAt}`);
  }
}

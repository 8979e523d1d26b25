import { letsPass } from '../holds.ts';
import { lastOf, promotionOf } from './gate.ts';
import type { AnswerOf } from './answer.ts';
import type { Gate, GateQuestion } from './gate.ts';

/** Does a person or a rollback hold the environment? */
export const holdGate: Gate<'HOLD'> = {
  name: 'HOLD',
  of: ['FORWARD'],
  again: true,
  appliesTo: ({ environment }) => environment !== null,
  ask: askHold,
};

function askHold(question: GateQuestion): AnswerOf<'HOLD'> | null {
  const { state, facts, now } = question;
  const environment = promotionOf(question).environment as string;
  const gate = 'HOLD' as const;
  const active = (facts.holds[environment] ?? []).filter(({ until }) => until === null || until > now);
  if (active.length === 0) return null;
  const unmet = active.filter((each) => !letsPass(each, { createdAt: state.createdAt, byPerson: facts.byPerson }));
  const [first] = unmet;
  if (first === undefined) {
    const reason = `${environment} is on hold until a person promotes there again, as this release does`;
    return { gate, verdict: 'pass', reason, holds: active.map(({ id }) => id) };
  }
  const told = unmet.map(({ reason, by }) => (by === null ? reason : `${reason} (${by})`)).join('; ');
  return {
    gate,
    verdict: 'wait',
    reason: `${environment} is on hold: ${told}`,
    who: 'a person who may lift a hold',
    recheckAt: lastOf(unmet.map(({ until }) => until)),
    holds: unmet.map(({ id }) => id),
  };
}

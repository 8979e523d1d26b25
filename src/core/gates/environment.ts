import type { PromotionStatus } from '../release.ts';
import { EVERY_RELEASE, promotionOf } from './gate.ts';
import type { AnswerOf } from './answer.ts';
import type { Gate, GateQuestion } from './gate.ts';

/** Is no other release at work in the environment, and none that goes first? */
export const environmentGate: Gate<'ENVIRONMENT'> = {
  name: 'ENVIRONMENT',
  of: EVERY_RELEASE,
  appliesTo: ({ environment }) => environment !== null,
  ask: askEnvironment,
};

/** In a pipeline each environment takes the releases in order, also one that still waits in front of it. */
const GOES_FIRST: Partial<Record<PromotionStatus, string>> = {
  SUSPENDED: 'goes first, and waits for an approval in',
  WAITING: 'goes first, and waits in front of',
};

function askEnvironment(question: GateQuestion): AnswerOf<'ENVIRONMENT'> {
  const environment = promotionOf(question).environment as string;
  const { facts } = question;
  const other = facts.heldBy[environment];
  if (other === undefined) return { gate: 'ENVIRONMENT', verdict: 'pass', reason: `${environment} is free` };
  const ahead = facts.ahead?.[environment];
  const does = ahead === undefined ? 'is at work in' : (GOES_FIRST[ahead] ?? 'goes first, and has not come to');
  return {
    gate: 'ENVIRONMENT',
    verdict: 'wait',
    reason: `release ${other.called} ${does} ${environment}`,
    who: `release ${other.called}`,
    release: other.id,
  };
}

import { lastOf, promotionOf } from './gate.ts';
import type { AnswerOf } from './answer.ts';
import type { Gate, GateQuestion } from './gate.ts';

/** Was the version marked bad for the environment? */
export const versionGate: Gate<'VERSION'> = {
  name: 'VERSION',
  of: ['FORWARD'],
  again: true,
  appliesTo: ({ environment }) => environment !== null,
  ask: askVersion,
};

function askVersion(question: GateQuestion): AnswerOf<'VERSION'> | null {
  const { facts, now } = question;
  const environment = promotionOf(question).environment as string;
  const active = (facts.badVersions[environment] ?? []).filter(
    ({ expiresAt }) => expiresAt === null || expiresAt > now,
  );
  const [first] = active;
  if (first === undefined) return null;
  return {
    gate: 'VERSION',
    verdict: 'wait',
    reason: `${first.label} is marked bad for ${environment}: ${active.map(({ reason }) => reason).join('; ')}`,
    who: 'a person who may take the mark back',
    recheckAt: lastOf(active.map(({ expiresAt }) => expiresAt)),
    badVersions: active.map(({ id }) => id),
  };
}

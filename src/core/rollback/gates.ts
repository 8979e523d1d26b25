import { promotionOf } from '../gates/gate.ts';
import type { AnswerOf } from '../gates/answer.ts';
import type { Gate, GateQuestion } from '../gates/gate.ts';
import type { PlannedApplication } from '../plan.ts';
import { occupiesEnvironment } from '../release.ts';
import type { Facts } from '../release.ts';
import { named } from './words.ts';

// What only rollbacks are asked; `GATES` in gates/index.ts has all that they are.

/** Compare-and-set: nothing else may have become current since it was planned. */
export const liveGate: Gate<'LIVE'> = {
  name: 'LIVE',
  of: ['ROLLBACK'],
  appliesTo: () => true,
  ask: askLive,
};

/** May another environment go back now, beside those that do? */
export const limitGate: Gate<'LIMIT'> = {
  name: 'LIMIT',
  of: ['ROLLBACK'],
  appliesTo: () => true,
  ask: askLimit,
};

function askLive(question: GateQuestion): AnswerOf<'LIVE'> {
  const { applications, environment, restores } = promotionOf(question);
  const { live } = question.facts;
  const gate = 'LIVE' as const;
  const other = applications.find((each) => !isExpected(each, live[each.name]));
  if (other) {
    const now = live[other.name];
    const is = now ? `${named(now)} is live` : 'nothing is live';
    return { gate, verdict: 'fail', reason: `${is} in ${environment} by now, so there is nothing to take back` };
  }
  return { gate, verdict: 'pass', reason: `${restores ? named(restores.from) : 'it'} is still to be taken back` };
}

function isExpected({ expects }: PlannedApplication, live: Facts['live'][string] | undefined): boolean {
  if (!expects) return true;
  if (!live) return expects.deployment === null;
  return live.id === expects.deployment || expects.digests.includes(live.digest);
}

function askLimit({ plan: { rollback, promotions }, state, position }: GateQuestion): AnswerOf<'LIMIT'> {
  const gate = 'LIMIT' as const;
  const running = promotions.flatMap(({ name }, each) => {
    const other = state.promotions[each];
    return each !== position && other && occupiesEnvironment(other) ? [name] : [];
  });
  const limit = rollback?.maxParallel ?? null;
  if (limit === null || running.length < limit) {
    return { gate, verdict: 'pass', reason: `${running.length} go back now` };
  }
  const who = running.join(', ');
  return { gate, verdict: 'wait', reason: `${who} go back first, ${limit} may at once`, who };
}

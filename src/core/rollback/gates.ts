import type { PlannedApplication, PlannedPromotion, ReleasePlan } from '../plan.ts';
import { holdsEnvironment } from '../release.ts';
import type { Facts, GateAnswer, ReleaseState } from '../release.ts';
import { named } from './words.ts';

/** What a rollback's promotion is asked besides its environment and its windows. */
export function askRollback(plan: ReleasePlan, state: ReleaseState, position: number, facts: Facts): GateAnswer[] {
  return [askLive(plan.promotions[position] as PlannedPromotion, facts), askLimit(plan, state, position)];
}

/** Compare-and-set: nothing else may have become current since it was planned. */
function askLive({ applications, environment, restores }: PlannedPromotion, { live }: Facts): GateAnswer {
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

function askLimit({ rollback, promotions }: ReleasePlan, state: ReleaseState, position: number): GateAnswer {
  const gate = 'LIMIT' as const;
  const running = promotions.flatMap(({ name }, each) => {
    const other = state.promotions[each];
    return each !== position && other && holdsEnvironment(other) ? [name] : [];
  });
  const limit = rollback?.maxParallel ?? null;
  if (limit === null || running.length < limit) {
    return { gate, verdict: 'pass', reason: `${running.length} go back now` };
  }
  const who = running.join(', ');
  return { gate, verdict: 'wait', reason: `${who} go back first, ${limit} may at once`, who };
}

import { DEFAULT_APPROVAL_EXPIRY } from '../definitions.ts';
import type { ApprovalSpec, RollbackTargetSpec } from '../definitions.ts';
import { isCalled, lastGood } from './last-good.ts';
import type { EnvironmentFacts, RollbackQuestion } from './question.ts';
import type { RollbackDecision, RollbackTarget, VersionRef } from './rollback.ts';
import { distinct, named, sameVersion } from './words.ts';

/** Why an environment is looked at. NAMED: a person wrote its name. RUNS_IT: a person asked for all that run the version. */
export type Why =
  | { kind: 'CAUSE' }
  | { kind: 'NAMED' }
  | { kind: 'RUNS_IT' }
  | { kind: 'POLICY'; specs: readonly RollbackTargetSpec[] };

/** One approval, by anyone who is allowed to roll back. */
export const ANYONE: ApprovalSpec = {
  rules: [{ count: 1 }],
  forbidInitiator: true,
  expiry: DEFAULT_APPROVAL_EXPIRY,
  onExpiry: 'FAIL',
};

/**
 * What happens to one environment. The rules stand in the order in which they are asked, the first that applies decides:
 *
 * 1. A rollback that is already there goes on, and is never rolled back.
 * 2. An environment that has not started with the bad version never does.
 * 3. What is live now must be what is taken back (or the policy says ALWAYS, or a person named the environment).
 * 4. An environment where versions start goes back only when a person names it; one that is excluded never does.
 * 5. Nothing starts by itself without certainty, in time, and by a policy.
 * 6. Never a version that a rollback brought, unless a person says so.
 * 7. There must be a version to go back to.
 * 8. A person decides where the policy wants one, after a second failure, over a change by hand, and over the budget.
 */
export function judge(
  question: RollbackQuestion,
  facts: EnvironmentFacts,
  why: Why,
  budgetLeft: number,
): RollbackTarget {
  const { version: bad, asked } = question;
  const { name, inFlight, planned } = facts;
  const [live] = facts.history;
  const byPerson = why.kind === 'NAMED' || why.kind === 'RUNS_IT';
  const drifted = live?.state === 'DRIFTED';
  const wasDeployedHere = live !== undefined && sameVersion(live.version, bad);
  // When the target could not be checked, the record counts: nothing is written there before a check succeeds.
  const isLiveHere = wasDeployedHere && !drifted;
  // A person who names an environment means what is on its way there, whatever it is.
  const isOnItsWay =
    why.kind === 'NAMED' ? !sameVersion(inFlight?.version, live?.version) : sameVersion(inFlight?.version, bad);
  const arriving = inFlight !== null && isOnItsWay ? inFlight.version : null;
  const from = arriving && !wasDeployedHere ? arriving : (live?.version ?? null);
  const answer = (decision: RollbackDecision, reason: string): RollbackTarget => ({
    environment: name,
    decision,
    reason,
    from,
    to: null,
    approval: null,
  });

  const already = underWay(facts, bad);
  if (already) return answer(already.decision, already.reason);

  const waits = planned.some((each) => sameVersion(each.version, bad));
  if (waits && !wasDeployedHere && !arriving && why.kind !== 'NAMED')
    return answer('LEFT_ALONE', `${name} has not started with ${named(bad)} and never does`);

  if (!live && !arriving) return answer('LEFT_ALONE', otherVersion(facts, bad));

  // After a change by hand only the record is known: enough to ask a person, never enough to act alone.
  const isSuspected = why.kind === 'CAUSE' ? wasDeployedHere : isLiveHere;
  const spec =
    why.kind === 'POLICY'
      ? why.specs.find((each) => each.condition === 'ALWAYS' || isLiveHere || arriving !== null)
      : null;
  const wouldGo = why.kind === 'POLICY' ? spec !== undefined : why.kind === 'NAMED' || isSuspected || arriving !== null;
  if (!wouldGo) return answer('LEFT_ALONE', otherVersion(facts, bad));

  if (facts.source && why.kind !== 'NAMED')
    return answer('LEFT_ALONE', `versions start in ${name}: a rollback there would be undone by the next one`);
  if (facts.excluded !== null) return answer('LEFT_ALONE', `${name} is excluded from rollbacks: ${facts.excluded}`);

  const held = asked === null ? notByItself(question) : null;
  if (held !== null) return answer('LEFT_ALONE', held);

  const replacesLive = wasDeployedHere || !arriving;
  if (live?.rollback && replacesLive && !byPerson) {
    const reason = `${named(live.version)} was brought to ${name} by a rollback, and a rollback is never rolled back`;
    return wasDeployedHere ? answer('IMPOSSIBLE', `${reason}: a person has to look`) : answer('LEFT_ALONE', reason);
  }

  const taken = from as VersionRef;
  const wanted = byPerson ? (asked?.to ?? null) : null;
  if (wanted !== null && live && !drifted && replacesLive && isCalled(live.version, wanted))
    return answer('LEFT_ALONE', `${name} runs ${wanted} already`);
  const earlier = lastGood(facts, { taken, bad, live: replacesLive, wanted });
  if ('none' in earlier) return answer('IMPOSSIBLE', earlier.none);

  const reasons = [because(question, facts, why, taken, earlier.to)];
  if (inFlight) reasons.push(`the promotion to ${named(inFlight.version)} that is at work there is stopped first`);
  if (live?.state === 'UNKNOWN')
    reasons.push(
      `the check of ${name} failed: what is live there is not known, and nothing is written before a check succeeds`,
    );
  const person = byPerson ? null : needsPerson(question, facts, { bad, spec, drifted, budgetLeft });
  if (person !== null) reasons.push(person);
  if (drifted && byPerson) reasons.push(`${name} was changed by hand, and that change is lost`);
  return {
    ...answer(person === null ? 'INCLUDED' : 'PROPOSED', reasons.join('; ')),
    to: earlier.to,
    approval: person === null ? null : (spec?.approval ?? ANYONE),
    ...((why.kind === 'NAMED' || drifted) && { overChange: true }),
  };
}

function underWay(
  { name, rollback }: EnvironmentFacts,
  bad: VersionRef,
): { decision: RollbackDecision; reason: string } | null {
  if (!rollback) return null;
  const { from, to, called } = rollback;
  if (sameVersion(to, bad) && !sameVersion(from, bad)) {
    const reason = `rollback ${called} is bringing ${name} back to ${named(bad)}, and a rollback is never rolled back: a person has to look`;
    return { decision: 'IMPOSSIBLE', reason };
  }
  return { decision: 'LEFT_ALONE', reason: `${name} is already going back to ${named(to)} in rollback ${called}` };
}

function otherVersion({ name, history, inFlight }: EnvironmentFacts, bad: VersionRef): string {
  const [live] = history;
  if (!live) {
    if (!inFlight) return `nothing was ever promoted to ${name}`;
    return `${name} is being promoted to ${distinct(inFlight.version, bad).join(' and not to ')}`;
  }
  if (live.state === 'DRIFTED')
    return `${name} was changed by hand after ${named(live.version)}: what is live there is not known`;
  return `${name} runs ${distinct(live.version, bad).join(' and not ')}`;
}

/** Why a rollback does not start by itself; null: it may. */
function notByItself({ cause, definite, policy, now, version }: RollbackQuestion): string | null {
  if (!definite)
    return `it is not certain that ${named(version)} is bad in ${cause.environment}: only a certain failure starts a rollback`;
  if (!policy) return `no rollback policy fits what happened in ${cause.environment}: nothing goes back by itself`;
  if (now - cause.at > policy.maxFailureAge) {
    const minutes = (duration: number): string => `${Math.round(duration / 60_000)} min`;
    return `the failure in ${cause.environment} was ${minutes(now - cause.at)} ago, and none older than ${minutes(policy.maxFailureAge)} starts a rollback by itself`;
  }
  return null;
}

function because(
  { cause, version: bad }: RollbackQuestion,
  { name }: EnvironmentFacts,
  why: Why,
  taken: VersionRef,
  to: VersionRef,
): string {
  const [leaves, gets] = distinct(taken, to);
  const moves = `${name} goes back from ${leaves} to ${gets}`;
  if (why.kind === 'NAMED' || why.kind === 'RUNS_IT') return `${moves}: ${cause.by ?? 'a person'} asked for it`;
  if (why.kind === 'CAUSE') return `${moves}: ${cause.reason}`;
  const what = cause.kind === 'MANUAL' ? 'is taken back' : 'failed';
  return `${moves} because ${named(bad)} ${what} in ${cause.environment}`;
}

function needsPerson(
  { cause }: RollbackQuestion,
  { name, automatic }: EnvironmentFacts,
  {
    bad,
    spec,
    drifted,
    budgetLeft,
  }: { bad: VersionRef; spec: RollbackTargetSpec | null | undefined; drifted: boolean; budgetLeft: number },
): string | null {
  const earlier = automatic.find((each) => sameVersion(each.version, bad));
  if (drifted) return `a person has to agree: ${name} was changed by hand, and that change would be lost`;
  if (spec?.mode === 'APPROVAL') return `a person has to agree, as the policy for ${cause.environment} says`;
  if (earlier)
    return `a person has to agree: ${named(bad)} was already taken back by itself in ${name} once, by rollback ${earlier.called}`;
  if (budgetLeft <= 0)
    return `a person has to agree: the policy's budget of environments that go back by themselves is used up`;
  return null;
}

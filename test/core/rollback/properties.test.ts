import { afterAll, expect, test } from 'vitest';
import { planRollback } from '../../../src/core/rollback/plan-rollback.ts';
import type { EnvironmentFacts, PastDeployment, RollbackQuestion } from '../../../src/core/rollback/plan-rollback.ts';
import type { RollbackPlan, RollbackTarget, VersionRef } from '../../../src/core/rollback/rollback.ts';
import { fc } from '../property.ts';
import { question } from './arbitrary.ts';

/**
 * For any question. Each promise is said here in its own words and not with the code's: the histories are walked anew.
 * `FC_RUNS=20000` searches longer; what the runs reached is printed, and an idle generator fails.
 */
const RUNS = Number(process.env['FC_RUNS']) || 1000;
const reached: Record<string, number> = {};
const reach = (what: string): void => void (reached[what] = (reached[what] ?? 0) + 1);

const goes = (each: RollbackTarget): boolean => each.decision === 'INCLUDED' || each.decision === 'PROPOSED';
const same = (one: VersionRef | null | undefined, other: VersionRef): boolean => one?.digest === other.digest;
const factsOf = (asked: RollbackQuestion, name: string): EnvironmentFacts | undefined =>
  asked.environments.find((each) => each.name === name);
const isNamed = ({ asked }: RollbackQuestion, name: string): boolean =>
  Array.isArray(asked?.environments) && asked.environments.includes(name);
const byPerson = (asked: RollbackQuestion, name: string): boolean =>
  isNamed(asked, name) || asked.asked?.environments === 'EVERYTHING_THAT_RUNS_IT';

function always(claim: (asked: RollbackQuestion, plan: RollbackPlan) => void): void {
  fc.assert(
    fc.property(question, (asked) => claim(asked, planRollback(asked))),
    { numRuns: RUNS, seed: Number(process.env['FC_SEED']) || 42 },
  );
}

/** Every environment that goes back, with what is known of it. */
function alwaysFor(claim: (target: RollbackTarget, facts: EnvironmentFacts, asked: RollbackQuestion) => void): void {
  always((asked, { targets }) => {
    for (const target of targets) {
      const facts = factsOf(asked, target.environment);
      if (goes(target)) claim(target, facts as EnvironmentFacts, asked);
    }
  });
}

/** The deployments of a version there, the newest first. */
const runsOf = ({ history }: EnvironmentFacts, version: VersionRef): [PastDeployment, number][] =>
  history.flatMap((each, index) => (same(each.version, version) ? [[each, index]] : []));

test('it goes back to what was found healthy there, is not marked bad, and was not changed by hand', () => {
  alwaysFor(({ to, environment }, facts, asked) => {
    const good = runsOf(facts, to!).filter(
      ([each]) =>
        each.verifiedAt !== null && !each.markedBad && each.state !== 'DRIFTED' && each.release === to!.release,
    );
    expect([environment, good.length > 0]).toEqual([environment, true]);
    reach(`${asked.asked ? 'asked' : asked.cause.kind} goes`);
  });
});

test('it never goes back to the bad version, nor to the one that it leaves', () => {
  alwaysFor(({ from, to }, _facts, { version }) => {
    expect(same(to, version)).toBe(false);
    expect(same(to, from!)).toBe(false);
    if (to!.label === version.label) reach('to another content of the bad name');
  });
});

test('it never goes back to what a rollback took back there, unless it was healthy again since', () => {
  alwaysFor(({ to }, facts) => {
    const takenBackAt = facts.history.findIndex(
      (each, index) =>
        same(each.version, to!) && facts.history[index - 1]?.rollback && !same(facts.history[index - 1]?.version, to!),
    );
    if (takenBackAt < 0) return;
    const since = facts.history.slice(0, takenBackAt);
    expect(since.some((each) => same(each.version, to!) && each.verifiedAt !== null && !each.markedBad)).toBe(true);
    reach('healthy again since');
  });
});

test('nothing that is newer and good is passed over', () => {
  alwaysFor(({ environment, to, from }, facts, asked) => {
    if (asked.asked?.to && byPerson(asked, environment)) return;
    const chosen = facts.history.findIndex((each) => same(each.version, to!) && each.release === to!.release);
    for (const [index, each] of facts.history.slice(0, chosen).entries()) {
      const taken = [from!, asked.version].some((version) => same(each.version, version));
      const bad = each.markedBad || each.verifiedAt === null || each.state === 'DRIFTED';
      const before = facts.history.slice(0, index + 1);
      const takenBack = before.some((past, at) => same(past.version, each.version) && facts.history[at - 1]?.rollback);
      const floored = [...facts.history, facts.inFlight].some((one) => one?.floor);
      expect(taken || bad || takenBack || floored || index === 0).toBe(true);
    }
    if (chosen > 1) reach('past what is not good');
  });
});

test('a floor holds: nothing that came before it, in the order of first arrivals', () => {
  alwaysFor(({ to }, facts) => {
    const order = [...new Set([...facts.history].reverse().map((each) => each.version.digest))];
    for (const { floor, version } of [...facts.history, ...(facts.inFlight ? [facts.inFlight] : [])]) {
      if (floor === null) continue;
      const meant = facts.history.filter((each) => [each.version.label, each.version.digest].includes(floor));
      const lowest = meant.length > 0 ? Math.max(...meant.map((each) => order.indexOf(each.version.digest))) : null;
      const own = order.indexOf(version.digest);
      expect(order.indexOf(to!.digest)).toBeGreaterThanOrEqual(lowest ?? (own < 0 ? Infinity : own));
      reach(lowest === null ? 'above a floor that never came' : 'above a floor');
    }
  });
});

test('only where the bad version is live or on its way, unless the policy says ALWAYS or a person named it', () => {
  alwaysFor(({ environment }, facts, asked) => {
    if (isNamed(asked, environment)) return reach('named by a person');
    const [live] = facts.history;
    const runs = same(live?.version, asked.version) || same(facts.inFlight?.version, asked.version);
    if (runs) return reach('runs the bad version');
    expect(environment).not.toBe(asked.cause.environment);
    expect(asked.policy?.targets.some((each) => each.condition === 'ALWAYS')).toBe(true);
    reach('ALWAYS');
  });
});

test('nothing starts by itself without a policy, without certainty or too late', () => {
  alwaysFor((_target, _facts, { asked, definite, policy, now, cause }) => {
    if (asked) return;
    expect(definite && policy !== null && now - cause.at <= policy.maxFailureAge).toBe(true);
    reach('by itself');
  });
});

test('by itself never a rollback of a rollback, never twice, never over a change by hand', () => {
  alwaysFor(({ environment, decision, from, overChange }, facts, asked) => {
    const [live] = facts.history;
    if (overChange) expect(live?.state === 'DRIFTED' || isNamed(asked, environment)).toBe(true);
    if (byPerson(asked, environment)) return;
    if (same(live?.version, from!)) expect(live?.rollback).toBe(false);
    if (decision !== 'INCLUDED') return reach('proposed');
    expect(facts.automatic.filter((each) => same(each.version, asked.version))).toEqual([]);
    expect(live?.state).not.toBe('DRIFTED');
    reach('alone and for the first time');
  });
});

test('no more environments go by themselves than the budget has', () => {
  always((asked, { targets }) => {
    const alone = targets.filter((each) => each.decision === 'INCLUDED' && !byPerson(asked, each.environment));
    expect(alone.length).toBeLessThanOrEqual(asked.policy?.budget ?? Infinity);
    if (alone.length === asked.policy?.budget) reach('the budget is used up');
  });
});

test('what is excluded, under way in another rollback or where versions start is left', () => {
  alwaysFor(({ environment }, facts, asked) => {
    expect(facts.excluded).toBeNull();
    expect(facts.rollback).toBeNull();
    expect(facts.source && !isNamed(asked, environment)).toBe(false);
  });
});

test('every environment has one record, with a reason that names it or the cause, and a version only when it goes', () => {
  always((asked, { targets }) => {
    const names = targets.map((each) => each.environment);
    expect(new Set(names).size).toBe(names.length);
    if (!asked.asked) expect(names[0]).toBe(asked.cause.environment);
    for (const each of targets) {
      expect([each.environment, asked.cause.environment].some((name) => each.reason.includes(name))).toBe(true);
      expect([each.to !== null, each.approval !== null]).toEqual([goes(each), each.decision === 'PROPOSED']);
      reach(each.decision);
    }
  });
});

test('the same question has the same answer, is not touched, and does not depend on the order of the facts', () => {
  always((asked, plan) => {
    const before = JSON.stringify(asked);
    expect(planRollback(structuredClone(asked))).toEqual(plan);
    expect(JSON.stringify(asked)).toBe(before);
    if (asked.asked?.environments === 'EVERYTHING_THAT_RUNS_IT') return;
    expect(planRollback({ ...asked, environments: [...asked.environments].reverse() })).toEqual(plan);
  });
});

test('once a rollback is under way, whoever else of it fails starts no second one', () => {
  always((asked, plan) => {
    const at = (name: string) => plan.targets.find((each) => each.environment === name && goes(each));
    const environments = asked.environments.map((facts): EnvironmentFacts => {
      const target = at(facts.name);
      if (!target) return facts;
      return {
        ...facts,
        inFlight: null,
        rollback: { release: 'the-rollback', called: 'billing#9', from: target.from, to: target.to! },
      };
    });
    for (const { environment } of plan.targets.filter(goes)) {
      const cause = { ...asked.cause, environment };
      const again = planRollback({ ...asked, cause, asked: null, environments });
      const taken = again.targets.filter(goes).map((each) => each.environment);
      expect(taken.filter((name) => at(name))).toEqual([]);
      reach('asked once more');
    }
  });
});

afterAll(() => {
  console.log('reached:', JSON.stringify(reached));
  const wanted =
    'INCLUDED, PROPOSED, LEFT_ALONE, IMPOSSIBLE, FAILED goes, DEGRADED goes, REPORTED goes, asked goes, ALWAYS, by itself, ' +
    'to another content of the bad name, healthy again since, past what is not good, above a floor, proposed, ' +
    'above a floor that never came, named by a person, runs the bad version, alone and for the first time, ' +
    'the budget is used up, asked once more';
  if (RUNS >= 1000) expect(wanted.split(', ').filter((what) => (reached[what] ?? 0) < 5)).toEqual([]);
});

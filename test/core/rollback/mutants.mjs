// Breaks planRollback on purpose, one bug at a time, in a copy, and runs the properties alone against each:
//   node test/core/rollback/mutants.mjs [name …]
import { isMain, plant } from '../support/plant.mjs';

const MUTANTS = {
  'a version that was never healthy': [
    'rollback/last-good.ts',
    'if (past.verifiedAt === null)',
    'if (past.verifiedAt === undefined)',
  ],
  'a version that is marked bad': [
    'rollback/last-good.ts',
    'if (past.markedBad)',
    'if (past.markedBad && !past.rollback)',
  ],
  'a version that a rollback took back': [
    'rollback/last-good.ts',
    'takenBack.add(past.version.digest);',
    'takenBack.add(after.version.digest);',
  ],
  'a version that was changed by hand': [
    'rollback/last-good.ts',
    "if (past.state === 'DRIFTED')",
    "if (past.state === 'NEVER')",
  ],
  'the bad version itself': ['rollback/last-good.ts', 'if (digest === leaving.bad.digest)', 'if (false)'],
  'the same name is the same version': [
    'rollback/words.ts',
    "one.digest !== '' && one.digest === other.digest",
    "one.digest !== '' && one.label === other.label",
  ],
  'the oldest good version': [
    'rollback/last-good.ts',
    'for (const [index, past] of facts.history.entries())',
    'for (const [index, past] of [...facts.history.entries()].reverse())',
  ],
  'no floor': ['rollback/last-good.ts', 'floor.allows(digest) ? null', 'true ? null'],
  'the lowest floor counts': [
    'rollback/last-good.ts',
    'if (position >= lowest) return;',
    'if (position < lowest && lowest < Infinity) return;',
  ],
  'a floor that never came is none': [
    'rollback/last-good.ts',
    'positions.length > 0 ? Math.min(...positions) : own',
    'positions.length > 0 ? Math.min(...positions) : Infinity',
  ],
  'the floor of what is on its way is forgotten': [
    'rollback/last-good.ts',
    'if (inFlight?.floor)',
    'if (inFlight?.floor && history.length === 0)',
  ],
  'the last arrival counts for the floor': [
    'rollback/last-good.ts',
    'arrival.set(version.digest, index);',
    'if (!arrival.has(version.digest)) arrival.set(version.digest, index);',
  ],
  'another version is the same': [
    'rollback/judge.ts',
    "each.condition === 'ALWAYS' || isLiveHere",
    "each.condition === 'ALWAYS' || !drifted",
  ],
  'a rollback is rolled back': [
    'rollback/judge.ts',
    'if (live?.rollback && replacesLive && !byPerson)',
    'if (live?.rollback && ranIt && !replacesLive && !byPerson)',
  ],
  'a second one starts by itself': ['rollback/judge.ts', 'if (earlier)\n', 'if (earlier && name === bad.label)\n'],
  'a change by hand is overwritten': ['rollback/judge.ts', 'if (drifted) return', 'if (name === bad.label) return'],
  'no budget': ['rollback/plan-rollback.ts', 'budget -= 1;', 'budget -= 0;'],
  'the budget is one too many': ['rollback/judge.ts', 'if (budgetLeft <= 0)', 'if (budgetLeft < 0)'],
  'an old failure starts one': [
    'rollback/judge.ts',
    'if (now - cause.at > policy.maxFailureAge)',
    'if (now - cause.at > 2 * policy.maxFailureAge)',
  ],
  'what is uncertain starts one': ['rollback/judge.ts', 'if (!definite)', 'if (!definite && !policy)'],
  'nobody has a policy': ['rollback/judge.ts', 'if (!policy) return', 'if (!policy && !definite) return'],
  'a second cascade beside the first': [
    'rollback/judge.ts',
    'if (already) return',
    'if (already && name === bad.label) return',
  ],
  'what is excluded goes': ['rollback/judge.ts', 'if (facts.excluded !== null)', 'if (facts.excluded === bad.label)'],
  'where versions start goes': [
    'rollback/judge.ts',
    "if (facts.source && why.kind !== 'NAMED')",
    "if (facts.source && why.kind === 'NAMED')",
  ],
  'an environment twice': [
    'rollback/plan-rollback.ts',
    'targets.push(target);',
    'targets.push(target, ...(budget < 1 ? [target] : []));',
  ],
};

export const LIST = { mutants: MUTANTS, usual: 'test/core/rollback/properties' };

if (isMain(import.meta)) plant(LIST);

import type { RollbackPolicySpec, RollbackTargetSpec } from '../definitions.ts';
import { quote } from '../wording.ts';
import { checkApproval } from './check-approval.ts';
import { MAX_DURATION, type Checking } from './checking.ts';

type Path = (string | number)[];

const MAX_POLICIES = 50;
const MAX_TARGETS = 50;
const MAX_NAMES = 1000;
/** More environments than any product has. */
const MAX_COUNT = 10_000;
const CAUSES = ['FAILED', 'DEGRADED', 'REPORTED', 'MANUAL', 'NOT_SYNCED'];

/** What the flow promotes: a policy names nothing else. */
interface Named {
  environments: Set<string>;
  groups: Set<string>;
  /** Environments that are in a group of the flow. */
  grouped: Set<string>;
}

/** Whether the rollback policies say something that can be done: every name is in the flow, every number is one. */
export function checkRollbackPolicies(checking: Checking): void {
  const { spec, refusals } = checking;
  const policies = spec.rollbackPolicies ?? [];
  const path = ['spec', 'rollbackPolicies'];
  if (policies.length > MAX_POLICIES) {
    const message = `there are ${policies.length} rollback policies; at most ${MAX_POLICIES} are possible`;
    return refusals.add('INVALID', message, path);
  }
  const named = namedBy(checking);
  policies.forEach((policy, i) => checkPolicy(checking, named, policy, [...path, i]));
  const all = policies.findIndex((policy) => Object.values(policy.when).every((each) => each === undefined));
  if (all >= 0 && all < policies.length - 1) {
    checking.warnings.add(`rollback policy ${all + 1} fits everything, so the ones behind it are never taken`);
  }
}

function namedBy({ spec, known }: Checking): Named {
  const groups = spec.steps.flatMap(({ group }) => group ?? []);
  const grouped = groups.flatMap((group) => known.groups.get(group) ?? []);
  const single = spec.steps.flatMap(({ environment }) => environment ?? []);
  return { environments: new Set([...single, ...grouped]), groups: new Set(groups), grouped: new Set(grouped) };
}

function checkPolicy(checking: Checking, named: Named, policy: RollbackPolicySpec, path: Path): void {
  const { refusals } = checking;
  const { when, targets, observeFor, maxFailureAge, maxParallel, budget, markBad, onTargetFailure } = policy;
  checkNames(checking, named.environments, 'environment', when.environments, [...path, 'when', 'environments']);
  checkNames(checking, named.groups, 'group', when.groups, [...path, 'when', 'groups']);
  if (when.causes?.length === 0)
    refusals.add('INVALID', 'name a cause, or leave causes out', [...path, 'when', 'causes']);
  when.causes?.forEach((cause, i) => checkWord(checking, cause, CAUSES, [...path, 'when', 'causes', i]));
  checkDuration(checking, observeFor, 'observeFor', path);
  checkDuration(checking, maxFailureAge, 'maxFailureAge', path);
  checkDuration(checking, markBad.expiresAfter, 'expiresAfter', [...path, 'markBad']);
  if (markBad.scope === 'NONE' && markBad.expiresAfter !== undefined) {
    const message = 'nothing is marked bad with the scope NONE, so expiresAfter has no meaning; remove it';
    refusals.add('INVALID', message, [...path, 'markBad', 'expiresAfter']);
  }
  checkWord(checking, markBad.scope, ['NONE', 'ENVIRONMENT', 'GROUP', 'PRODUCT'], [...path, 'markBad', 'scope']);
  checkWord(checking, onTargetFailure, ['STOP', 'CONTINUE'], [...path, 'onTargetFailure']);
  for (const [name, value] of Object.entries({ maxParallel, budget })) {
    if (value === undefined || (Number.isSafeInteger(value) && value >= 1 && value <= MAX_COUNT)) continue;
    const message = `${name} is ${quote(value)}; it must be a whole number from 1 to ${MAX_COUNT}, or be left out`;
    refusals.add('INVALID', message, [...path, name]);
  }
  if (targets.length > MAX_TARGETS) {
    const message = `there are ${targets.length} targets; at most ${MAX_TARGETS} are possible`;
    return refusals.add('INVALID', message, [...path, 'targets']);
  }
  targets.forEach((target, i) => {
    checkTarget(checking, named, target, [...path, 'targets', i]);
    if (target.siblings) checkSiblings(checking, named, when, [...path, 'targets', i, 'siblings']);
  });
}

const KINDS = ['environments', 'group', 'siblings', 'downstream'] as const;

function checkTarget(checking: Checking, named: Named, target: RollbackTargetSpec, path: Path): void {
  const { refusals } = checking;
  const { environments, group, condition, mode, approval } = target;
  const given = KINDS.filter((key) => target[key] !== undefined && target[key] !== false);
  if (given.length !== 1) {
    const found = given.length === 0 ? 'none of them' : given.join(' and ');
    refusals.add('INVALID', `a target has exactly one of ${KINDS.join(', ')}; this one has ${found}`, path);
  }
  checkNames(checking, named.environments, 'environment', environments, [...path, 'environments']);
  checkNames(checking, named.groups, 'group', group === undefined ? undefined : [group], [...path, 'group'], false);
  checkWord(checking, condition, ['SAME_VERSION', 'ALWAYS'], [...path, 'condition']);
  checkWord(checking, mode, ['AUTOMATIC', 'APPROVAL'], [...path, 'mode']);
  if (approval === undefined) return;
  if (mode === 'APPROVAL') checkApproval(refusals, approval, 'a rollback', [...path, 'approval']);
  else {
    const message = 'nobody is asked in the mode AUTOMATIC; write mode APPROVAL, or remove the approval';
    refusals.add('INVALID', message, [...path, 'approval']);
  }
}

/** Of a policy that is for named environments or groups only, one must have a group; of one for everything, the flow. */
function checkSiblings(
  { refusals, when: at, warnings }: Checking,
  named: Named,
  when: RollbackPolicySpec['when'],
  path: Path,
): void {
  // What is not in the flow was refused by its name.
  if (when.environments?.some((name) => !named.environments.has(name))) return;
  const narrowed = when.environments !== undefined || when.groups !== undefined;
  const fits = narrowed
    ? (when.groups ?? []).length > 0 || (when.environments ?? []).some((name) => named.grouped.has(name))
    : named.groups.size > 0;
  if (fits) return;
  const whose = narrowed ? 'none of the environments that the policy is for is in a group' : 'the flow has no group';
  const message = `${whose}, so nothing has siblings; name environments or downstream instead`;
  if (at === 'RELEASED') warnings.add(`a rollback policy takes nobody along: ${message}`);
  else refusals.add('INVALID', message, path);
}

function checkNames(
  { refusals, known, when, warnings }: Checking,
  there: Set<string>,
  what: 'environment' | 'group',
  names: string[] | undefined,
  path: Path,
  listed = true,
): void {
  if (names === undefined) return;
  if (names.length === 0)
    refusals.add('INVALID', `name ${what === 'group' ? 'a group' : 'an environment'}, or leave it out`, path);
  if (names.length > MAX_NAMES) {
    return refusals.add('INVALID', `there are ${names.length} names; at most ${MAX_NAMES} are possible`, path);
  }
  names.forEach((name, i) => {
    if (there.has(name)) return;
    const other = what === 'environment' ? known.groups.has(name) : known.environments.has(name);
    const hint = other
      ? ` It is ${what === 'environment' ? 'a group' : 'an environment'}: write it there.`
      : refusals.hint(name, there);
    const message = `${what} ${quote(name)} is not in the flow, so it cannot go back with it.${hint}`;
    if (when === 'RELEASED') return void warnings.add(`a rollback policy names what is not there: ${message}`);
    refusals.add('UNKNOWN_REFERENCE', message, listed ? [...path, i] : path);
  });
}

function checkDuration({ refusals }: Checking, value: number | undefined, name: string, path: Path): void {
  if (value === undefined || (Number.isSafeInteger(value) && value > 0 && value <= MAX_DURATION)) return;
  const message = `${name} is ${quote(value)} ms; it must be more than 0 and at most 366 days, for example 20m`;
  refusals.add('INVALID', message, [...path, name]);
}

function checkWord({ refusals }: Checking, value: string, choices: string[], path: Path): void {
  if (choices.includes(value)) return;
  const hint = refusals.hint(value, choices);
  refusals.add('INVALID', `${quote(value)} must be one of ${choices.join(', ')}.${hint}`, path);
}

import type { RollbackPolicySpec, RollbackTargetSpec } from '../definitions.ts';
import { quote } from '../wording.ts';
import { checkEnoughPeople } from './check-approval.ts';
import type { Checking } from './checking.ts';

type Path = (string | number)[];

/** What the flow promotes: a policy names nothing else. */
interface Named {
  environments: Set<string>;
  groups: Set<string>;
  /** Environments that are in a group of the flow. */
  grouped: Set<string>;
}

/** Whether the rollback policies say something that can be done: every name is in the flow, every number is one. */
export function checkRollbackPolicies(checking: Checking): void {
  const { spec } = checking;
  const policies = spec.rollbackPolicies ?? [];
  const named = namedBy(checking);
  policies.forEach((policy, i) => checkPolicy(checking, named, policy, ['spec', 'rollbackPolicies', i]));
  const all = policies.findIndex((policy) => Object.values(policy.when).every((each) => each === undefined));
  if (all >= 0 && all < policies.length - 1) {
    checking.warnings.push({
      message: `rollback policy ${all + 1} fits everything, so the ones behind it are never taken`,
      path: ['spec', 'rollbackPolicies', all],
    });
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
  const { when, targets, markBad } = policy;
  checkNames(checking, named.environments, 'environment', when.environments, [...path, 'when', 'environments']);
  checkNames(checking, named.groups, 'group', when.groups, [...path, 'when', 'groups']);
  if (markBad.scope === 'NONE' && markBad.expiresAfter !== undefined) {
    const message = 'nothing is marked bad with the scope NONE, so expiresAfter has no meaning; remove it';
    refusals.add('INVALID', message, [...path, 'markBad', 'expiresAfter']);
  }
  targets.forEach((target, i) => {
    checkTarget(checking, named, target, [...path, 'targets', i]);
    if (target.siblings) checkSiblings(checking, named, when, [...path, 'targets', i, 'siblings']);
  });
}

const KINDS = ['environments', 'group', 'siblings', 'downstream'] as const;

function checkTarget(checking: Checking, named: Named, target: RollbackTargetSpec, path: Path): void {
  const { refusals } = checking;
  const { environments, group, mode, approval } = target;
  const given = KINDS.filter((key) => target[key] !== undefined && target[key] !== false);
  if (given.length !== 1) {
    const found = given.length === 0 ? 'none of them' : given.join(' and ');
    refusals.add('INVALID', `a target has exactly one of ${KINDS.join(', ')}; this one has ${found}`, path);
  }
  checkNames(checking, named.environments, 'environment', environments, [...path, 'environments']);
  checkNames(checking, named.groups, 'group', group === undefined ? undefined : [group], [...path, 'group'], false);
  if (approval === undefined) return;
  if (mode === 'APPROVAL') checkEnoughPeople(refusals, approval, 'a rollback', [...path, 'approval']);
  else {
    const message = 'the mode AUTOMATIC asks no person: write mode APPROVAL, or remove the approval';
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
  if (at === 'RELEASED') warnings.push({ message: `a rollback policy adds no environment: ${message}`, path });
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
  names.forEach((name, i) => {
    if (there.has(name)) return;
    const other = what === 'environment' ? known.groups.has(name) : known.environments.has(name);
    const hint = other
      ? ` It is ${what === 'environment' ? 'a group' : 'an environment'}: write it there.`
      : refusals.hint(name, there);
    const message = `${what} ${quote(name)} is not in the flow, so it cannot go back with it.${hint}`;
    const place = listed ? [...path, i] : path;
    if (when !== 'RELEASED') return refusals.add('UNKNOWN_REFERENCE', message, place);
    warnings.push({ message: `a rollback policy names what is not there: ${message}`, path: place });
  });
}

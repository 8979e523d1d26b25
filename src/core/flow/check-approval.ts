import { rulesOf } from '../approvals/approval.ts';
import { seat } from '../approvals/match.ts';
import type { ApprovalRule, ApprovalSpec } from '../definitions.ts';
import { quote, type Refusals } from '../wording.ts';
import { MAX_DURATION } from './checking.ts';

const MAX_RULES = 20;
const MAX_COUNT = 100;
const MAX_NAMES = 200;

/** Whether an approval can be given at all; `whose` is how messages call it, e.g. `step "eu"`. */
export function checkApproval(refusals: Refusals, spec: ApprovalSpec, whose: string, path: (string | number)[]): void {
  const { rules, expiry, onExpiry } = spec;
  const before = refusals.size;
  if (!(Number.isSafeInteger(expiry) && expiry > 0 && expiry <= MAX_DURATION)) {
    const message = `the approval of ${whose} expires after ${quote(expiry)} ms; it must be more than 0 and at most 366 days, for example 24h`;
    refusals.add('INVALID', message, [...path, 'expiry']);
  }
  if (onExpiry !== 'FAIL' && onExpiry !== 'WAIT') {
    refusals.add('INVALID', `onExpiry is ${quote(onExpiry)}; it must be FAIL or WAIT`, [...path, 'onExpiry']);
  }
  if (rules.length > MAX_RULES) {
    const message = `the approval of ${whose} has ${rules.length} rules; at most ${MAX_RULES} are possible`;
    return refusals.add('INVALID', message, [...path, 'rules']);
  }
  rules.forEach((rule, i) => checkRule(refusals, rule, [...path, 'rules', i]));
  if (refusals.size === before) checkEnoughPeople(refusals, spec, whose, path);
}

function checkRule(refusals: Refusals, rule: ApprovalRule, path: (string | number)[]): void {
  const { count, name } = rule;
  if (!(Number.isSafeInteger(count) && count >= 1 && count <= MAX_COUNT)) {
    const message = `a rule needs ${quote(count)} approvals; it must be a whole number from 1 to ${MAX_COUNT}`;
    refusals.add('INVALID', message, [...path, 'count']);
  }
  if (name !== undefined && (name.trim() === '' || name.length > 200)) {
    refusals.add('INVALID', `the rule's name ${quote(name)} must have 1 to 200 characters`, [...path, 'name']);
  }
  for (const key of ['users', 'groups', 'roles'] as const) {
    const names = rule[key] ?? [];
    if (names.length > MAX_NAMES) {
      const message = `a rule names ${names.length} ${key}; at most ${MAX_NAMES} are possible: use a group`;
      refusals.add('INVALID', message, [...path, key]);
      continue;
    }
    names.forEach((each, i) => {
      if (each.trim() !== '' && each.length <= 200) return;
      refusals.add('INVALID', `${quote(each)} names nobody; it must have 1 to 200 characters`, [...path, key, i]);
    });
  }
}

/** Where all rules name their people one by one, it can be seen now whether they can be met: one person counts for one rule. */
function checkEnoughPeople(refusals: Refusals, spec: ApprovalSpec, whose: string, path: (string | number)[]): void {
  const rules = rulesOf(spec);
  const named = rules.flatMap((rule, position) =>
    (rule.users ?? []).length > 0 && (rule.groups ?? []).length + (rule.roles ?? []).length === 0 ? [position] : [],
  );
  const people = [...new Set(named.flatMap((position) => rules[position]?.users ?? []))];
  const seats = named.map((position) => rules[position]?.count ?? 0);
  const found = seat(
    seats,
    people.map((person) => named.flatMap((rule, index) => (rules[rule]?.users?.includes(person) ? [index] : []))),
  ).filter((each) => each !== null).length;
  const needed = seats.reduce((sum, each) => sum + each, 0);
  if (found >= needed) return;
  const message =
    `the approval of ${whose} can never be given: its rules need ${needed} different people, and at most ${found} of those ` +
    `that they name can count, each for one rule; name more people, or lower a count`;
  refusals.add('INVALID', message, [...path, 'rules']);
}

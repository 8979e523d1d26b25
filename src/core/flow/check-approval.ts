import { rulesOf } from '../approvals/approval.ts';
import { seat } from '../approvals/match.ts';
import type { ApprovalSpec } from '../definitions.ts';
import { approval } from '../kinds/approval.ts';
import { Checks } from '../validate/rules.ts';
import { checkShape } from '../validate/shape.ts';
import type { Refusals } from '../wording.ts';

/** Where all rules name their people one by one, it can be seen now whether they can be met: one person counts for one rule. `whose` is how the message calls it, e.g. `step "eu"`. */
export function checkEnoughPeople(
  refusals: Refusals,
  spec: ApprovalSpec,
  whose: string,
  path: (string | number)[],
): void {
  const wrong = new Checks();
  checkShape(wrong, approval, spec, path);
  if (wrong.size > 0) return;
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

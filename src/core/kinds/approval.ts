import { DAY } from './common.ts';
import { boolean, defaulted, duration, integer, list, object, optional, required, text, words } from './shape.ts';

const people = (called: string) => list(text({ rule: 'person' }), called, { most: 200 });

export const approvalRule = object('ApprovalRule', 'How many of which people must approve.', {
  name: optional(text({ rule: 'person', called: "the rule's name" }), 'What it is called, for people.'),
  count: defaulted(
    integer(1, 100),
    1,
    'How many people it takes. One person counts for one rule; the best assignment is found.',
  ),
  users: optional(
    people('users'),
    'Names of people or service accounts. A rule without users, groups and roles takes anyone who may approve.',
  ),
  groups: optional(people('groups'), 'Names of groups whose members count.'),
  roles: optional(people('roles'), 'Names of roles whose holders count.'),
});

export const onExpiry = words('ApprovalOnExpiry', 'What happens when an approval was not given in time.', {
  FAIL: 'The promotion fails with that reason.',
  WAIT: 'It waits on, and can still be approved or rejected.',
});

/** Who must agree before a promotion into the environment starts; every rule must be met. */
export const approval = object('ApprovalPolicy', 'Who must agree before a promotion starts.', {
  rules: required(
    list(approvalRule, 'rules', { most: 20 }),
    'All of them must be met. An empty list asks for one approval, by anyone who may approve.',
    { apiFallback: [] },
  ),
  forbidInitiator: defaulted(
    boolean,
    true,
    'Whether the approval of the person who triggered the release, or started the rollback, does not count.',
  ),
  expiry: defaulted(
    duration(1),
    DAY,
    'How long it may take from the moment that it is asked for, which is when the dependencies are met.',
    { leftOut: '24 hours' },
  ),
  onExpiry: defaulted(onExpiry, 'FAIL', 'What happens when that is over.'),
});

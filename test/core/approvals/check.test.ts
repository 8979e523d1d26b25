import { describe, expect, test } from 'vitest';
import { checkEnoughPeople } from '../../../src/core/flow/check-approval.ts';
import { checkFlow } from '../../../src/core/flow.ts';
import type { ApprovalSpec } from '../../../src/core/definitions.ts';
import { DAY } from '../../../src/core/definitions.ts';
import { approval } from '../../../src/core/kinds/approval.ts';
import { Checks } from '../../../src/core/validate/rules.ts';
import { checkShape } from '../../../src/core/validate/shape.ts';
import { approvalOf } from '../support/builders.ts';

function refused(spec: ApprovalSpec): string[] {
  const checks = new Checks();
  checkShape(checks, approval, spec, ['approval']);
  checkEnoughPeople(checks, spec, 'step "eu"', ['approval']);
  return checks.all().map(({ path, message }) => `${path.join('.')}: ${message}`);
}

describe('an approval that can be given', () => {
  test.each([
    '1',
    '2 of @sre',
    '1 of ada, grace; 1 of ada, grace',
    '2 of ada, @sre',
    '1 of ada; 1',
    '1 of ada; 1 of %lead',
  ])('%s', (picture) => expect(refused(approvalOf(picture))).toEqual([]));

  test('without rules', () => expect(refused({ ...approvalOf('1'), rules: [] })).toEqual([]));
});

describe('an approval that nobody can give', () => {
  test.each<[string, number, number]>([
    ['2 of ada', 2, 1],
    ['2 of ada, ada', 2, 1],
    ['1 of ada; 1 of ada', 2, 1],
    ['2 of ada, grace; 1 of ada; 1 of @sre', 3, 2],
  ])('%s needs %i people and has %i', (picture, needed, has) => {
    expect(refused(approvalOf(picture))).toEqual([
      `approval.rules: the approval of step "eu" can never be given: its rules need ${needed} different people, and at most ` +
        `${has} of those that they name can count, each for one rule; name more people, or lower a count`,
    ]);
  });

  test.each<[string, Partial<ApprovalSpec>, string]>([
    [
      'no number',
      { rules: [{ count: 1.5 }] },
      'approval.rules.0.count: count is "1.5"; it must be a whole number from 1 to 100',
    ],
    [
      'nobody',
      { rules: [{ count: 0 }] },
      'approval.rules.0.count: count is "0"; it must be a whole number from 1 to 100',
    ],
    ['an empty name', { rules: [{ count: 1, groups: ['sre', ' '] }] }, 'approval.rules.0.groups.1: " " is no name'],
    ['a rule without a word', { rules: [{ count: 1, name: '' }] }, 'approval.rules.0.name: the rule'],
    ['no time', { expiry: 0 }, 'approval.expiry: expiry is "0" ms; it must be more than 0'],
    [
      'too long',
      { expiry: 400 * DAY },
      'approval.expiry: expiry is "34560000000" ms; it must be more than 0 and at most 366 days',
    ],
    ['another end', { onExpiry: 'PASS' as 'FAIL' }, 'approval.onExpiry: onExpiry "PASS" must be one of FAIL, WAIT'],
    ['too many rules', { rules: Array(21).fill({ count: 1 }) }, 'approval.rules: there are 21 rules; at most 20'],
    [
      'too many names',
      { rules: [{ count: 1, users: Array.from({ length: 201 }, (_, each) => `u${each}`) }] },
      'approval.rules.0.users: there are 201 users; at most 200',
    ],
  ])('%s', (_, more, beginning) => {
    const [first = '', ...rest] = refused({ ...approvalOf('1'), ...more });
    expect(first.slice(0, beginning.length)).toBe(beginning);
    expect(rest).toEqual([]);
  });
});

test('the flow says so at its place, and warns of an approval that outlasts the release', () => {
  const known = { environments: new Set(['dev', 'eu']), groups: new Map(), workflows: new Set<string>() };
  const flow = (approval: ApprovalSpec) => ({
    triggerEnvironment: 'dev',
    onFailure: 'CONTINUE' as const,
    steps: [{ environment: 'eu', dependsOn: ['dev'], approval }],
  });
  expect(checkFlow(flow(approvalOf('2 of ada')), known).refusals[0]?.path).toEqual([
    'spec',
    'steps',
    0,
    'approval',
    'rules',
  ]);
  expect(checkFlow(flow(approvalOf('1', { expiry: 2 * DAY })), known).warnings).toEqual([]);
  expect(checkFlow(flow(approvalOf('1', { expiry: 31 * DAY })), known)).toEqual({
    refusals: [],
    warnings: [
      {
        message: `step "eu" may wait 31d for its approval, and the flow's maxAge ends the release after 30d`,
        path: ['spec', 'steps', 0, 'approval', 'expiry'],
      },
    ],
  });
});

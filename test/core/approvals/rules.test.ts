import { describe, expect, test } from 'vitest';
import { approvalStatus, describeRule, missingOf, progressOf, rulesFor } from '../../../src/core/approvals/approval.ts';
import type { ApprovalDecision, ApprovalState } from '../../../src/core/approvals/approval.ts';
import type { ApprovalRule } from '../../../src/core/definitions.ts';
import { NO_FACTS } from '../../../src/core/release.ts';
import { goesBack, rollbackOf } from '../rollback/created.ts';
import { approvalOf, person } from '../support/builders.ts';
import { Play } from '../support/play.ts';

const NOW = 1_000_000;
const yes = (by: string, ...rules: number[]): ApprovalDecision => ({
  kind: 'APPROVED',
  by,
  at: NOW,
  comment: null,
  via: 'API',
  rules,
});
const no = (by: string): ApprovalDecision => ({ ...yes(by, 0), kind: 'REJECTED' });
const asked = (...decisions: ApprovalDecision[]): ApprovalState => ({
  requestedAt: NOW - 1,
  expiresAt: NOW,
  expiredAt: null,
  decisions,
});

describe('the rules that somebody counts for', () => {
  test.each<[string, string | null, number[]]>([
    ['1', 'ada', [0]],
    ['1', null, [0]],
    ['1 of ada', null, []],
    ['1 of ada', 'ada', [0]],
    ['1 of grace, ada', 'ada', [0]],
    ['1 of grace', 'ada @sre %lead', []],
    ['1 of @sre, @ops', 'ada @ops', [0]],
    ['1 of @sre', 'ada @dev @sre', [0]],
    ['1 of @sre', 'ada %sre', []],
    ['1 of %lead, %chief', 'ada %chief', [0]],
    ['1 of %Lead', 'ada %other %LEAD', [0]],
    ['1 of %lead', 'ada @lead', []],
    ['1 of grace; 1 of @sre; 1', 'ada @sre', [1, 2]],
  ])('%s, %s: %j', (rules, who, positions) => {
    expect(rulesFor(approvalOf(rules), who === null ? null : person(who))).toEqual(positions);
  });
});

describe('what is missing', () => {
  test.each<[string, ApprovalState | null, number[]]>([
    ['2; 1 of ada', null, [2, 1]],
    ['2; 1 of ada', asked(), [2, 1]],
    ['2; 1 of ada', asked(yes('bob', 0)), [1, 1]],
    ['2; 1 of ada', asked(yes('bob', 0), yes('ada', 0, 1)), [0, 1]],
    ['2; 1 of ada', asked(yes('bob', 0), yes('mary', 0), yes('ada', 0, 1)), [0, 0]],
    ['1', asked(no('bob')), [1]],
  ])('of %s', (rules, approval, missing) => {
    const spec = approvalOf(rules);
    expect(progressOf(spec, approval).map((each) => each.missing)).toEqual(missing);
    expect(missingOf(spec, approval)).toBe(missing.reduce((sum, each) => sum + each, 0));
  });

  test('the approvals of a rule are those that count for it', () => {
    const { approvals } = progressOf(approvalOf('1 of ada; 1'), asked(yes('ada', 0, 1), yes('bob', 1)))[1]!;
    expect(approvals.map(({ by }) => by)).toEqual(['bob']);
  });
});

test.each<[string, ApprovalState, number, string]>([
  ['in time', asked(), NOW - 1, 'OPEN'],
  ['at its end', asked(), NOW, 'EXPIRED'],
  ['after it was said to be over', { ...asked(), expiredAt: NOW - 5 }, NOW - 1, 'EXPIRED'],
  ['granted', asked(yes('bob', 0)), NOW - 1, 'GRANTED'],
  ['granted, long ago', asked(yes('bob', 0)), NOW + 1, 'GRANTED'],
  ['rejected after all', asked(yes('bob', 0), no('ada')), NOW - 1, 'REJECTED'],
])('an approval is %s', (_, approval, now, status) => {
  expect(approvalStatus(approvalOf('1'), approval, now)).toBe(status);
});

test.each<[ApprovalRule, string]>([
  [{ count: 1 }, '1 person who may approve'],
  [{ count: 2 }, '2 people who may approve'],
  [{ count: 1, users: ['ada'] }, '1 of ada'],
  [{ count: 1, users: ['ada'], groups: ['sre'] }, '1 of ada or group sre'],
  [{ count: 1, users: ['ada', 'bob'], roles: ['lead'], name: 'security' }, '1 of ada, bob or role lead (security)'],
])('%j in words', (rule, words) => {
  expect(describeRule(rule, rule.count)).toBe(words);
});

test('nobody is asked about what cannot go on', () => {
  const proposed = goesBack('us-east', { decision: 'PROPOSED', approval: approvalOf('1') });
  const { plan } = rollbackOf([proposed], { expects: { 'us-east': { deployment: 'gone', digests: [] } } });
  const play = new Play(plan, NOW);
  play.facts = NO_FACTS;
  play.tell({ kind: 'tick' });
  expect(play.eventTypes()).not.toContain('ApprovalRequested');
  expect(play.promotion('us-east')).toMatchObject({ status: 'SKIPPED', approval: null });
});

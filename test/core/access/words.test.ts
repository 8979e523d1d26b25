import { describe, expect, test } from 'vitest';
import {
  EVERYTHING,
  SOMEWHERE,
  contains,
  covers,
  grantsOfToken,
  isUnlimited,
  makersOf,
  mayDo,
  mayNot,
  rolesOf,
} from '../../../src/core/access/index.ts';
import type { Grant, HeldGrant, Permission, Role, ToldTarget } from '../../../src/core/access/index.ts';
import type { Caller } from '../../../src/core/caller.ts';
import type { EnvironmentSelector } from '../../../src/core/definitions.ts';

const billing = { name: 'billing', labels: {} };
const eu = { name: 'eu', labels: {} };
const granted = (role: Role, products: EnvironmentSelector = {}, environments: EnvironmentSelector = {}): Grant => ({
  role,
  products,
  environments,
});
const inside = (role: Role, ...within: Grant[]): HeldGrant => ({ ...granted(role), within });

describe('what is missing, in words', () => {
  test.each<[Permission, ToldTarget, Caller['kind'] | undefined, string]>([
    ['VIEW', SOMEWHERE, undefined, 'ada is not allowed to VIEW anywhere: that takes a grant of'],
    [
      'PROMOTE',
      EVERYTHING,
      undefined,
      'ada is not allowed to PROMOTE for all products in all environments: that takes a grant of',
    ],
    [
      'PROMOTE',
      { product: billing, environment: 'ANY' },
      undefined,
      'ada is not allowed to PROMOTE for product "billing": that',
    ],
    [
      'PROMOTE',
      { product: 'ANY', environment: eu },
      undefined,
      'ada is not allowed to PROMOTE in environment "eu": that',
    ],
    [
      'PROMOTE',
      { product: billing, environment: 'UNSEEN' },
      undefined,
      'ada is not allowed to PROMOTE for product "billing" in every environment that this concerns: that',
    ],
    [
      'PROMOTE',
      { product: billing, environment: eu },
      'PERSON',
      'ada is not allowed to PROMOTE for product "billing" in environment "eu": that takes a grant of RELEASER or OPERATOR or ADMIN there, and a token whose scope has it, too',
    ],
    [
      'PROMOTE',
      { product: billing, environment: eu },
      'SERVICE_ACCOUNT',
      'ada is not allowed to PROMOTE for product "billing" in environment "eu" with this token: that takes one whose scope has RELEASER',
    ],
  ])('%s', (permission, target, scoped, words) => {
    expect(mayNot('ada', permission, target, scoped)).toContain(words);
  });

  test.each<[ToldTarget, string]>([
    [SOMEWHERE, 'of APPROVER or ADMIN somewhere'],
    [{ product: 'ANY', environment: eu }, 'of APPROVER or ADMIN there'],
    [{ product: billing, environment: 'ANY' }, 'of APPROVER or ADMIN there'],
  ])('where the grant has to be: %#', (target, words) => {
    expect(mayNot('ada', 'APPROVE', target)).toContain(words);
  });

  test('an ADMIN without limits is named for what only such an ADMIN may', () => {
    expect(mayNot('ada', 'BRING_APPROVALS', SOMEWHERE)).toContain('of MESSENGER or ADMIN without limits somewhere');
    expect(mayNot('ada', 'MARK_BAD', SOMEWHERE)).toContain('of OPERATOR or ADMIN somewhere');
  });
});

describe('speaking for others', () => {
  test.each<[string, Grant, boolean]>([
    ['a messenger', granted('MESSENGER'), true],
    ['an ADMIN without limits', granted('ADMIN'), true],
    ['an ADMIN of one product', granted('ADMIN', { names: ['billing'] }), false],
    ['an ADMIN of one environment', granted('ADMIN', {}, { names: ['eu'] }), false],
    ['an operator', granted('OPERATOR'), false],
  ])('%s', (_who, grant, may) => {
    expect(mayDo([grant], 'BRING_APPROVALS', { product: billing, environment: eu })).toBe(may);
  });

  test('only ADMINs without limits are more than their role', () => {
    expect(mayDo([granted('APPROVER')], 'PROMOTE', SOMEWHERE)).toBe(false);
  });
});

describe('the grants of a token', () => {
  const scope = [granted('RELEASER')];
  const own = [granted('VIEWER')];

  test('without a scope they are those of its owner', () => {
    expect(grantsOfToken({ scope: null, subjectKind: 'USER' }, own)).toBe(own);
  });

  test("a person's scope counts within what the person may", () => {
    expect(grantsOfToken({ scope, subjectKind: 'USER' }, own)).toEqual([{ ...scope[0], within: own }]);
  });

  test("a service account's scope is what was given to it", () => {
    expect(grantsOfToken({ scope, subjectKind: 'SERVICE_ACCOUNT' }, own)).toBe(scope);
  });
});

describe('the roles that approvals may name', () => {
  test.each<[string, HeldGrant[], string[]]>([
    [
      'each once, in small letters',
      [granted('APPROVER'), granted('APPROVER'), granted('VIEWER')],
      ['approver', 'viewer'],
    ],
    ['of a token, what its owner has as well', [inside('APPROVER', granted('APPROVER'))], ['approver']],
    ['not what its owner has not', [inside('APPROVER', granted('RELEASER'))], []],
    ['from several grants of the owner', [inside('APPROVER', granted('VIEWER'), granted('ADMIN'))], ['approver']],
  ])('%s', (_what, grants, roles) => {
    expect(rolesOf(grants)).toEqual(roles);
  });
});

describe('a selector that contains another one', () => {
  const labelled = (value: string) => ({ matchLabels: { tier: value } });
  const tierIn = (...values: string[]) => ({ matchExpressions: [{ key: 'tier', operator: 'In' as const, values }] });
  test.each<[string, EnvironmentSelector, EnvironmentSelector, boolean]>([
    ['everything contains anything', {}, { names: ['eu'] }, true],
    ['names do not contain everything', { names: ['eu'] }, {}, false],
    ['a pattern contains a name', { names: ['eu-*'] }, { names: ['eu-1', 'eu-2'] }, true],
    ['each name counts', { names: ['eu-*'] }, { names: ['eu-1', 'us-1'] }, false],
    ['a star contains everything', { names: ['*'] }, {}, true],
    ['a kind does not contain both', { kinds: ['PRODUCTION'] }, {}, false],
    ['a kind contains itself', { kinds: ['PRODUCTION'] }, { kinds: ['PRODUCTION'] }, true],
    ['each kind counts', { kinds: ['PRODUCTION'] }, { kinds: ['PRODUCTION', 'NON_PRODUCTION'] }, false],
    ['a label contains itself', labelled('gold'), labelled('gold'), true],
    ['and more', labelled('gold'), { matchLabels: { tier: 'gold', team: 'a' } }, true],
    ['not another value', labelled('gold'), labelled('iron'), false],
    ['not its absence', labelled('gold'), { names: ['eu'] }, false],
    ['a label named as what every object has', { matchLabels: { constructor: 'x' } }, { matchLabels: {} }, false],
    ['an expression contains itself, in any order', tierIn('a', 'b'), tierIn('b', 'a'), true],
    ['not another one', tierIn('a', 'b'), tierIn('a'), false],
    ['not its absence', tierIn('a'), {}, false],
    [
      'each expression counts',
      { matchExpressions: [...tierIn('a').matchExpressions, { key: 'x', operator: 'Exists' }] },
      tierIn('a'),
      false,
    ],
    [
      'without values as well',
      { matchExpressions: [{ key: 'x', operator: 'Exists' }] },
      { matchExpressions: [{ key: 'x', operator: 'Exists' }] },
      true,
    ],
  ])('%s', (_what, outer, inner, expected) => {
    expect(contains(outer, inner)).toBe(expected);
  });
});

describe('a grant is handed on', () => {
  const onEu = { names: ['eu'] };
  test.each<[string, HeldGrant[], Grant, boolean]>([
    ['by who has it', [granted('RELEASER')], granted('RELEASER'), true],
    ['or a lesser one', [granted('RELEASER')], granted('VIEWER'), true],
    ['not a greater one', [granted('VIEWER')], granted('RELEASER'), false],
    ['narrower', [granted('RELEASER')], granted('RELEASER', {}, onEu), true],
    ['not wider, by product', [granted('RELEASER', { names: ['billing'] })], granted('RELEASER'), false],
    ['not wider, by environment', [granted('RELEASER', {}, onEu)], granted('RELEASER'), false],
    ['each permission by another grant', [granted('RELEASER'), granted('APPROVER')], granted('APPROVER'), true],
    ['within what the owner may', [inside('RELEASER', granted('OPERATOR'))], granted('RELEASER'), true],
    ['not beyond it', [inside('RELEASER', granted('VIEWER'))], granted('RELEASER'), false],
  ])('%s', (_what, own, handed, expected) => {
    expect(covers(own, handed)).toBe(expected);
  });
});

test.each<[string, EnvironmentSelector, boolean]>([
  ['nothing said', {}, true],
  ['a star', { names: ['*'] }, true],
  ['a star beside others', { names: ['eu', '*'] }, true],
  ['names', { names: ['eu'] }, false],
  ['kinds', { kinds: ['PRODUCTION', 'NON_PRODUCTION'] }, false],
  ['empty labels', { matchLabels: {} }, true],
  ['a label', { matchLabels: { a: 'b' } }, false],
  ['no expressions', { matchExpressions: [] }, true],
  ['an expression', { matchExpressions: [{ key: 'a', operator: 'Exists' }] }, false],
])('without limits: %s', (_what, selector, expected) => {
  expect(isUnlimited(selector)).toBe(expected);
});

describe('who stands behind what a caller makes', () => {
  const caller = (name: string, more: Partial<Caller> = {}): Caller => ({
    name,
    kind: 'PERSON',
    groups: [],
    roles: [],
    ...more,
  });
  test('the caller, and everybody behind the credential', () => {
    const makers = [{ name: 'bob', unlimited: true }];
    expect(makersOf({ caller: caller('ada', { makers }), grants: [] }, 'eve')).toEqual([
      { name: 'ada', unlimited: false },
      { name: 'bob', unlimited: true },
    ]);
  });

  test('an ADMIN without limits is one', () => {
    expect(makersOf({ caller: caller('ada'), grants: [granted('ADMIN')] }, 'eve')).toEqual([
      { name: 'ada', unlimited: true },
    ]);
  });

  test('nobody stands behind what they make for themselves', () => {
    expect(makersOf({ caller: caller('ada'), grants: [] }, 'ada')).toEqual([]);
  });
});

import { describe, expect, test } from 'vitest';
import {
  contains,
  covers,
  EVERYTHING,
  type Grant,
  isUnlimited,
  mayDo,
  type Permission,
  PERMISSIONS,
  type Role,
  ROLE_PERMISSIONS,
  ROLES,
  sees,
  SOMEWHERE,
  type Target,
  visibilityOf,
} from '../../../src/core/access/index.ts';
import type { EnvironmentSelector } from '../../../src/core/definitions.ts';
import { matchesSelector } from '../../../src/core/selectors.ts';
import { fc } from '../property.ts';
import { grant, handing, held, pair, selector, subject } from './arbitrary.ts';

const billing = { name: 'billing', labels: { team: 'money' } };
const shop = { name: 'shop', labels: {} };
const eu = { name: 'eu', labels: { region: 'emea' }, kind: 'PRODUCTION' };
const dev = { name: 'dev', labels: {}, kind: 'NON_PRODUCTION' };

const granted = (role: Role, products: EnvironmentSelector = {}, environments: EnvironmentSelector = {}): Grant => ({
  role,
  products,
  environments,
});
const at = (product: Target['product'], environment: Target['environment']): Target => ({ product, environment });

describe('who may do what', () => {
  const onBilling = { names: ['billing'] };
  const table: [string, Grant[], Permission, Target, boolean][] = [
    ['nobody without grants', [], 'VIEW', SOMEWHERE, false],
    ['an admin everything', [granted('ADMIN')], 'MANAGE_ACCESS', EVERYTHING, true],
    ['a viewer views', [granted('VIEWER')], 'VIEW', at(billing, eu), true],
    ['and does not promote', [granted('VIEWER')], 'PROMOTE', at(billing, eu), false],
    ['a releaser promotes', [granted('RELEASER')], 'PROMOTE', at(billing, eu), true],
    ['and does not approve', [granted('RELEASER')], 'APPROVE', at(billing, eu), false],
    ['an approver approves', [granted('APPROVER')], 'APPROVE', at(billing, eu), true],
    ['and does not release', [granted('APPROVER')], 'PROMOTE', at(billing, eu), false],
    ['an operator rolls back', [granted('OPERATOR')], 'ROLLBACK', at(billing, eu), true],
    ['and does not approve', [granted('OPERATOR')], 'APPROVE', at(billing, eu), false],
    ['nor edits flows', [granted('OPERATOR')], 'EDIT_DEFINITIONS', EVERYTHING, false],
    ['the product of the grant', [granted('RELEASER', onBilling)], 'PROMOTE', at(billing, eu), true],
    ['not another one', [granted('RELEASER', onBilling)], 'PROMOTE', at(shop, eu), false],
    ['by label', [granted('RELEASER', { matchLabels: { team: 'money' } })], 'PROMOTE', at(billing, eu), true],
    ['not without it', [granted('RELEASER', { matchLabels: { team: 'money' } })], 'PROMOTE', at(shop, eu), false],
    ['by kind', [granted('RELEASER', {}, { kinds: ['NON_PRODUCTION'] })], 'PROMOTE', at(billing, dev), true],
    ['not production', [granted('RELEASER', {}, { kinds: ['NON_PRODUCTION'] })], 'PROMOTE', at(billing, eu), false],
    ['all products takes no limit', [granted('ADMIN', onBilling)], 'EDIT_DEFINITIONS', EVERYTHING, false],
    ['all environments of one', [granted('ADMIN', onBilling)], 'EDIT_DEFINITIONS', at(billing, 'ALL'), true],
    ['limits do not matter anywhere', [granted('ADMIN', onBilling)], 'EDIT_DEFINITIONS', SOMEWHERE, true],
    [
      'two grants do not add up',
      [granted('RELEASER', onBilling, { names: ['dev'] }), granted('RELEASER', { names: ['shop'] }, { names: ['eu'] })],
      'PROMOTE',
      at(billing, eu),
      false,
    ],
    ['an empty list of names is nobody', [granted('ADMIN', { names: [] })], 'VIEW', at(billing, eu), false],
    ['a star is everybody', [granted('ADMIN', { names: ['*'] })], 'VIEW', EVERYTHING, true],
  ];
  test.each(table)('%s', (_name, grants, permission, target, allowed) => {
    expect(mayDo(grants, permission, target)).toBe(allowed);
  });

  test('every role may view, and every permission belongs to a role besides admin or is admin business', () => {
    for (const role of ROLES) expect(ROLE_PERMISSIONS[role]).toContain('VIEW');
    const others = new Set(ROLES.filter((role) => role !== 'ADMIN').flatMap((role) => ROLE_PERMISSIONS[role]));
    expect(PERMISSIONS.filter((each) => !others.has(each))).toEqual([
      'EDIT_DEFINITIONS',
      'MANAGE_SECRETS',
      'MANAGE_ACCESS',
      'READ_AUDIT',
    ]);
  });
});

describe('what follows for any grants', () => {
  const permission = fc.constantFrom(...PERMISSIONS);
  const place = fc.record({ product: subject, environment: subject });
  const grants = fc.array(grant, { maxLength: 4 });

  test('more grants never allow less', () => {
    fc.assert(
      fc.property(grants, grant, permission, place, (some, more, verb, target) => {
        if (mayDo(some, verb, target)) expect(mayDo([...some, more], verb, target)).toBe(true);
      }),
    );
  });

  test('what may be done everywhere may be done here, and what may be done here may be done somewhere', () => {
    fc.assert(
      fc.property(grants, permission, place, (some, verb, target) => {
        if (mayDo(some, verb, EVERYTHING)) expect(mayDo(some, verb, target)).toBe(true);
        if (mayDo(some, verb, target)) expect(mayDo(some, verb, SOMEWHERE)).toBe(true);
      }),
    );
  });

  test('a selector that contains another one selects whatever that one does', () => {
    let contained = 0;
    fc.assert(
      fc.property(pair, subject, ([outer, inner], each) => {
        if (!contains(outer, inner)) return;
        contained += 1;
        if (matchesSelector(inner, each)) expect(matchesSelector(outer, each)).toBe(true);
      }),
    );
    expect(contained).toBeGreaterThan(10);
  });

  test('nobody hands on what he has not: whoever gets a covered grant may do nothing that its giver may not', () => {
    let covered = 0;
    fc.assert(
      fc.property(handing, permission, place, ({ own, handed }, verb, target) => {
        if (!covers(own, handed)) return;
        covered += 1;
        if (mayDo([handed], verb, target)) expect(mayDo(own, verb, target)).toBe(true);
        if (mayDo([handed], verb, EVERYTHING)) expect(mayDo(own, verb, EVERYTHING)).toBe(true);
      }),
      { numRuns: 300 },
    );
    expect(covered).toBeGreaterThan(5);
  });

  test('an unlimited selector selects anything', () => {
    fc.assert(
      fc.property(selector, subject, (any, each) => {
        if (isUnlimited(any)) expect(matchesSelector(any, each)).toBe(true);
      }),
    );
  });

  test('what is limited to what somebody may is at most that, and at most its scope', () => {
    let both = 0;
    fc.assert(
      fc.property(held, grants, fc.boolean(), subject, subject, (one, others, shared, product, environment) => {
        const scope = [one, granted('OPERATOR')].map(({ role, products, environments }) =>
          granted(role, products, environments),
        );
        const within = shared ? [...others, ...scope.slice(0, 1)] : [...others, granted('VIEWER')];
        const limited = scope.map((each) => ({ ...each, within }));
        for (const permission of PERMISSIONS) {
          const may = mayDo(limited, permission, at(product, environment));
          const [left, right] = [scope, within].map((each) => mayDo(each, permission, at(product, environment)));
          expect(may).toBe(left && right);
          if (may) both += 1;
        }
        for (const each of scope)
          if (covers(limited, each)) expect(covers(scope, each) && covers(within, each)).toBe(true);
      }),
    );
    expect(both).toBeGreaterThan(20);
  });

  test('what is seen in a list is what may be viewed one by one', () => {
    const things = fc.uniqueArray(subject, { selector: ({ name }) => name, maxLength: 5 });
    let limited = 0;
    fc.assert(
      fc.property(fc.array(held, { maxLength: 4 }), things, things, (some, products, environments) => {
        const visibility = visibilityOf(some, products, environments);
        if (visibility) limited += 1;
        for (const product of products) {
          expect(sees(visibility, product.name, null)).toBe(mayDo(some, 'VIEW', at(product, 'ANY')));
          for (const environment of environments) {
            expect(sees(visibility, product.name, environment.name)).toBe(
              mayDo(some, 'VIEW', at(product, environment)),
            );
          }
        }
        for (const { name, ...rest } of environments) {
          const allowed = mayDo(some, 'VIEW', at('ANY', { name, ...rest }));
          expect(visibility === null || visibility.environments.has(name)).toBe(allowed);
        }
      }),
    );
    expect(limited).toBeGreaterThan(20);
  });
});

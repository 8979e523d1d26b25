import { describe, expect, test } from 'vitest';
import {
  ANONYMOUS,
  ROOT,
  callerName,
  holderOf,
  isReservedAccount,
  isReservedName,
  masked,
  sees,
  visibilityOf,
} from '../../../src/core/access/index.ts';
import type { HeldGrant } from '../../../src/core/access/index.ts';
import type { EnvironmentSelector } from '../../../src/core/definitions.ts';

describe('how callers are called', () => {
  test('a program is told from a person by its name', () => {
    expect(callerName('USER', 'ada')).toBe('ada');
    expect(callerName('SERVICE_ACCOUNT', 'ci')).toBe('service-account/ci');
  });

  test.each([
    ['service-account/admin', true],
    ['service-account/ci', false],
    ['admin', false],
  ])('the account of the admin token: %s is %s', (name, reserved) => {
    expect(isReservedAccount(name)).toBe(reserved);
  });

  test.each([
    ['service-account/ci', true],
    ['anonymous', true],
    ['ada', false],
    ['ada/service-account/', false],
  ])('%s would be taken for something else: %s', (name, reserved) => {
    expect(isReservedName(name)).toBe(reserved);
  });

  test('grants are found by what is behind the name', () => {
    const more = { groups: ['sre'], roles: [] };
    expect(holderOf({ name: 'ada', kind: 'PERSON', ...more })).toEqual({
      kind: 'USER',
      subject: 'ada',
      groups: ['sre'],
    });
    expect(holderOf({ name: ROOT, kind: 'SERVICE_ACCOUNT', ...more })).toEqual({
      kind: 'SERVICE_ACCOUNT',
      subject: 'admin',
      groups: ['sre'],
    });
  });

  test('who said nothing is nobody, and is known as such', () => {
    expect(ANONYMOUS).toMatchObject({ anonymous: true, grants: [] });
  });
});

describe('what is seen', () => {
  const thing = (name: string) => ({ name, labels: {} });
  const products = ['billing', 'shop'].map(thing);
  const environments = ['dev', 'eu'].map(thing);
  const viewer = (product: EnvironmentSelector, environment: EnvironmentSelector = {}): HeldGrant => ({
    role: 'VIEWER',
    products: product,
    environments: environment,
  });
  /** `billing: dev eu; shop: *`, and behind `|` the environments that are seen at all. */
  const picture = (grants: HeldGrant[]): string => {
    const seen = visibilityOf(grants, products, environments);
    if (seen === null) return 'everything';
    const of = [...seen.products].map(([name, those]) => `${name}: ${those === null ? '*' : [...those].join(' ')}`);
    return `${of.join('; ')} | ${[...seen.environments].join(' ')}`;
  };
  const billing = { names: ['billing'] };
  const dev = { names: ['dev'] };
  test.each<[string, HeldGrant[], string]>([
    ['without limits', [viewer({})], 'everything'],
    ['without grants', [], ' | '],
    ['of one product', [viewer(billing)], 'billing: * | dev eu'],
    ['of one environment', [viewer({}, dev)], 'billing: dev; shop: dev | dev'],
    ['two grants add up', [viewer(billing), viewer({}, dev)], 'billing: *; shop: dev | dev eu'],
    ['each in its own product', [viewer(billing, dev), viewer({ names: ['shop'] })], 'billing: dev; shop: * | dev eu'],
    [
      'a token of a person sees what both see',
      [{ ...viewer({}), within: [viewer(billing, dev)] }],
      'billing: dev | dev',
    ],
    [
      'product by product',
      [{ ...viewer({}), within: [viewer(billing, dev), viewer({ names: ['shop'] }, { names: ['eu'] })] }],
      'billing: dev; shop: eu | dev eu',
    ],
  ])('%s', (_what, grants, expected) => {
    expect(picture(grants)).toBe(expected);
  });

  test.each<[string, HeldGrant[], string, string | null, boolean]>([
    ['without limits, what is defined no more', [viewer({})], 'gone', 'gone', true],
    ['a product that is not seen', [viewer(billing)], 'shop', null, false],
    ['a product that is seen', [viewer(billing, dev)], 'billing', null, true],
    ['an environment of it', [viewer(billing, dev)], 'billing', 'dev', true],
    ['another one', [viewer(billing, dev)], 'billing', 'eu', false],
    ['any, where all are seen', [viewer(billing)], 'billing', 'gone', true],
  ])('%s', (_what, grants, product, environment, expected) => {
    expect(sees(visibilityOf(grants, products, environments), product, environment)).toBe(expected);
  });
});

describe('what is hidden in a log', () => {
  const LONGEST = 20_000;
  test('a text of the longest length is whole, a longer one is cut and says so', () => {
    expect(masked('x'.repeat(LONGEST))).toBe('x'.repeat(LONGEST));
    expect(masked('x'.repeat(LONGEST + 1))).toBe(`${'x'.repeat(LONGEST)}… (20001 characters)`);
  });

  test.each([
    ['a password', { password: 'p' }, { password: '[redacted]' }],
    ['none', { password: null, token: undefined }, { password: null, token: null }],
    ['whether there is one', { hasToken: true, secret: false }, { hasToken: true, secret: false }],
    ['a number', { password: 123 }, { password: '[redacted]' }],
    ['a value beside a telling name', { name: 'token', value: 'x' }, { name: 'token', value: '[redacted]' }],
    ['other fields beside it', { name: 'token', note: 'x' }, { name: 'token', note: 'x' }],
    ['a value beside another name', { name: 'team', value: 'x' }, { name: 'team', value: 'x' }],
    ['a value beside a number', { name: 7, value: 'x' }, { name: 7, value: 'x' }],
  ])('%s', (_what, value, shown) => {
    expect(masked(value)).toEqual(shown);
  });
});

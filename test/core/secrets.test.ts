import { describe, expect, test } from 'vitest';
import { MIN_SECRET, checkSecret, mayBeSentTo, secretsIn, signingKey, whyNotSent } from '../../src/core/secrets.ts';
import type { ReferenceUse, SecretInput, SecretUse } from '../../src/core/secrets.ts';

const REFERENCE: SecretUse = { kind: 'REFERENCE', hosts: ['hooks.example.com'] };
const GIT: SecretUse = { kind: 'GIT', url: 'https://git.example.com/team/', username: null };
const key = (bytes: number): string => Buffer.alloc(bytes, 7).toString('base64');
const FORGE: SecretUse = { kind: 'FORGE', forge: 'github', url: 'https://github.com/acme/' };
const PEM = '-----BEGIN RSA PRIVATE KEY-----\nMIIEow==\n-----END RSA PRIVATE KEY-----\n';
const WEBHOOK: SecretUse = { kind: 'WEBHOOK', source: 'argo', products: [] };
const many = (count: number): string[] => Array.from({ length: count }, (_, i) => `p${i}`);

describe('what may be a secret', () => {
  const given = (use: SecretUse, more: Partial<SecretInput> = {}): string[] =>
    checkSecret({ name: 'token', value: null, description: null, use, ...more }).map(({ path }) => path.join('.'));

  test.each<[string, SecretUse, Partial<SecretInput>]>([
    ['one for http', REFERENCE, { value: 'hunter22' }],
    ['the shortest value', REFERENCE, { value: 'x'.repeat(MIN_SECRET) }],
    ['the longest value', REFERENCE, { value: 'x'.repeat(64 * 1024) }],
    ['the longest description', REFERENCE, { description: 'x'.repeat(1_000) }],
    ['a name of one letter', REFERENCE, { name: 'a' }],
    ['a hundred hosts and products', { ...REFERENCE, hosts: many(100), products: many(100) }, {}],
    ['all below a host, in some products', { ...REFERENCE, hosts: ['*.example.com'], products: ['bill*'] }, {}],
    ['one for git', GIT, { value: 'password' }],
    ['one for git over http', { ...GIT, url: 'http://localhost:3000', username: 'bot' }, {}],
    ['a token of a forge', FORGE, { value: 'ghp_0123456789' }],
    ['one whose API is elsewhere', { ...FORGE, forge: 'gitea', apiUrl: 'http://localhost:3000/api/v1' }, {}],
    ['the key of a GitHub App', { ...FORGE, app: { id: 'Iv23.x', installation: '42' } }, { value: PEM }],
    ['one for a webhook', WEBHOOK, { value: `whsec_${key(32)}` }],
    ['that decides', { ...WEBHOOK, decidesAs: 'bridge', products: many(100) }, { value: key(24) }],
  ])('%s', (_what, use, more) => {
    expect(given(use, more)).toEqual([]);
  });

  test.each<[string, SecretUse, Partial<SecretInput>, string[]]>([
    ['a name with a blank', REFERENCE, { name: 'a b' }, ['name']],
    ['a value that is too short to be masked', REFERENCE, { value: 'x'.repeat(MIN_SECRET - 1) }, ['secretValue']],
    ['a value that is too long', REFERENCE, { value: 'x'.repeat(64 * 1024 + 1) }, ['secretValue']],
    ['NUL', REFERENCE, { value: 'hunter22\0' }, ['secretValue']],
    ['a long description', REFERENCE, { description: 'x'.repeat(1_001) }, ['description']],
    ['no host', { ...REFERENCE, hosts: [] }, {}, ['hosts']],
    ['101 hosts', { ...REFERENCE, hosts: many(101) }, {}, ['hosts']],
    ['101 products', { ...REFERENCE, products: many(101) }, {}, ['products']],
    ['a product in capitals', { ...REFERENCE, products: ['Billing'] }, {}, ['products']],
    ['an address for a host', { ...REFERENCE, hosts: ['https://x.example'] }, {}, ['hosts']],
    ['git by ssh', { ...GIT, url: 'ssh://git.example.com/' }, {}, ['git.url']],
    ['a forge by ssh', { ...FORGE, url: 'ssh://github.com/' }, {}, ['forge.url']],
    ['a login in the API', { ...FORGE, apiUrl: 'https://a:b@x.example/api' }, {}, ['forge.apiUrl']],
    ['another forge', { ...FORGE, forge: 'bitbucket' as never }, {}, ['forge.type']],
    ['an App on GitLab', { ...FORGE, forge: 'gitlab', app: { id: '1' } }, {}, ['forge.appId']],
    ['an App without an id', { ...FORGE, app: { id: '', installation: '1' } }, {}, ['forge.appId']],
    ['an installation in words', { ...FORGE, app: { id: '1', installation: 'acme' } }, {}, ['forge.installationId']],
    ['a token for an App', { ...FORGE, app: { id: '1' } }, { value: 'ghp_0123456789' }, ['secretValue']],
    ['a private key for a token', FORGE, { value: PEM }, ['secretValue']],
    ['git in words', { ...GIT, url: 'our server' }, {}, ['git.url']],
    ['a login in the address', { ...GIT, url: 'https://ada@git.example.com/' }, {}, ['git.url']],
    ['a password in the address', { ...GIT, url: 'https://:x@git.example.com/' }, {}, ['git.url']],
    ['a query in the address', { ...GIT, url: 'https://git.example.com/?a=1' }, {}, ['git.url']],
    ['a fragment in the address', { ...GIT, url: 'https://git.example.com/#a' }, {}, ['git.url']],
    ['a user of two lines', { ...GIT, username: 'a\nb' }, {}, ['git.username']],
    ['a password of two lines', GIT, { value: 'hunter22\nhunter22' }, ['secretValue']],
    ['a source with a blank', { ...WEBHOOK, source: 'argo cd' }, {}, ['webhook.source']],
    ['an account with a blank', { ...WEBHOOK, decidesAs: 'our bridge' }, {}, ['webhook.decidesAs']],
    ['101 products of a webhook', { ...WEBHOOK, products: many(101) }, {}, ['webhook.products']],
    ['a key that is none', WEBHOOK, { value: 'not a key at all' }, ['secretValue']],
  ])('not %s', (_what, use, more, paths) => {
    expect(given(use, more)).toEqual(paths);
  });
});

test.each<[string, string | undefined]>([
  [key(23), undefined],
  [key(24), key(24)],
  [key(64), key(64)],
  [key(65), undefined],
  [`whsec_${key(32)}`, key(32)],
  [`${key(24)}whsec_`, undefined],
  ['', undefined],
  ['-'.repeat(40), undefined],
])('the signing key in %s', (value, expected) => {
  expect(signingKey(value)).toBe(expected);
});

describe('where a secret may be sent', () => {
  test.each([
    [['a.example'], 'a.example', true],
    [['a.example'], 'A.EXAMPLE.', true],
    [['a.example'], 'b.a.example', false],
    [['*.a.example'], 'b.a.example', true],
    [['*.a.example'], 'a.example', false],
    [['*.a.example'], 'xa.example', false],
    [['*.a.example'], 'b.a.example.evil', false],
    [['b.example', 'a.example'], 'a.example', true],
    [[], 'a.example', false],
  ])('%j: %s is %s', (hosts, host, may) => {
    expect(mayBeSentTo(hosts, host)).toBe(may);
  });

  const use = (more: Partial<ReferenceUse> = {}) => ({ hosts: ['a.example'], ...more });
  test.each<[string, ReturnType<typeof use>, { host?: string; product?: string }, RegExp | undefined]>([
    ['to its host', use(), { host: 'a.example' }, undefined],
    ['to another one', use(), { host: 'b.example' }, /^secret "token" may not be sent to "b.example": /],
    [
      'to another one than before',
      use({ assumed: true }),
      { host: 'b.example' },
      /, where it was not sent before hosts/,
    ],
    ['nowhere', use({ hosts: [] }), {}, /has no hosts, so it is sent nowhere/],
    ['before the host is known', use(), {}, undefined],
    ['for any product', use({ products: [] }), { product: 'shop' }, undefined],
    ['for one of its products', use({ products: ['billing', 'shop'] }), { product: 'shop' }, undefined],
    ['for another one', use({ products: ['billing'] }), { product: 'shop' }, /is not for product "shop"/],
    ['before the product is known', use({ products: ['billing'] }), {}, undefined],
  ])('%s', (_what, which, where, message) => {
    const why = whyNotSent('token', which, where);
    if (message === undefined) expect(why).toBeUndefined();
    else expect(why).toMatch(message);
  });

  test('the names in a value are found wherever they stand, sorted', () => {
    const value = {
      '${secrets.d}': 1,
      b: ['${secrets.c}${secrets.a}', null, true],
      c: { d: '$${secrets.x} ${env.y}' },
    };
    expect(secretsIn(value)).toEqual(['a', 'c', 'd']);
    for (const nothing of [null, undefined, 7, 'a']) expect(secretsIn(nothing)).toEqual([]);
  });
});

import { expect, test } from 'vitest';
import { masked } from '../../../src/core/access/index.ts';

const SECRET = 'hunter2-and-more';

test.each<[string, unknown]>([
  ['a password by its key', { password: SECRET }],
  ['deep down', { a: [{ b: { clientSecret: SECRET } }] }],
  ['a header by its name', { headers: [{ name: 'Authorization', value: SECRET }] }],
  ['a label by its key', { parameters: [{ key: 'api-key', value: SECRET }] }],
  ['a header in a record', { headers: { 'X-Api-Key': SECRET } }],
  ['a bearer token in a text', { note: `curl -H "Authorization: Bearer ${SECRET}"` }],
  ['the password of an address', { repoURL: `https://ada:${SECRET}@git.example.com/x.git` }],
  ['a line of a manifest', { text: `kind: X\nspec:\n  password: ${SECRET}\n  token: "${SECRET}"\n` }],
  ['a query string', { url: `https://x.example/?a=1&token=${SECRET}` }],
])('hides %s', (_what, value) => {
  expect(JSON.stringify(masked(value))).not.toContain(SECRET);
});

test('hides API tokens and JWTs wherever they stand', () => {
  const token = `sluice_${'a1B2'.repeat(12)}xy`;
  const jwt = `eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl`;
  const text = JSON.stringify(masked({ reason: `it was ${token}, or ${jwt}` }));
  expect(text).not.toContain(token.slice(10));
  expect(text).not.toContain('eyJzdWIi');
});

test('leaves the rest as it is', () => {
  const value = {
    name: 'eu',
    labels: [{ key: 'team', value: 'money' }],
    idempotencyKey: 'k-1',
    tokenId: 'abc',
    at: new Date(0),
    nothing: undefined,
    steps: [1, true, null],
  };
  expect(masked(value)).toEqual({ ...value, at: '1970-01-01T00:00:00.000Z', nothing: null });
});

test('makes anything storable, and short enough to read', () => {
  expect(masked({ 'a\0b': 'c\ud800' })).toEqual({ 'a\ufffdb': 'c\ufffd' });
  expect((masked('x'.repeat(100_000)) as string).length).toBeLessThan(21_000);
});

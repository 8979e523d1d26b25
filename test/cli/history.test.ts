import { afterAll, beforeAll, expect, test } from 'vitest';
import { openServed, type Served } from './served.ts';

let served: Served;
beforeAll(async () => {
  served = await openServed();
  for (const version of ['1.0', '1.1'])
    expect((await served.sluice('release', 'billing', '--version', version, '--wait')).code).toBe(0);
}, 60_000);
afterAll(() => served?.close());

test.each([
  [['matrix'], /PRODUCT +ENVIRONMENT +VERSION +HEALTH +SINCE +RELEASE +STANDS/],
  [
    ['matrix', 'billing', '--environment', 'eu', '--compare-to', 'asia'],
    /^billing +eu +1\.1 +HEALTHY +\d+s +billing#\d+ +same/m,
  ],
  [['history', 'billing', 'eu'], /^1\.0 +billing-eu .* yes +replaced by billing#\d+$/m],
  [['history', 'billing', 'eu', '--limit', '1'], /^1\.1 +billing-eu .* yes +live$/m],
  [['notes', 'billing'], /eu.*: from 1\.0 to 1\.1: .*commit/],
  [
    ['notes', 'billing', '--next', '--version', '2', '--environment', 'eu'],
    /^eu: from 1\.1 to what would be released: /,
  ],
  [['metrics', 'billing', 'eu', '--since', '7d'], /^Deployments: +2, 0\.29 a day$/m],
])('sluice %j says it to people, and to programs in JSON, YAML and names', async (args, said) => {
  const { code, out, err } = await served.sluice(...args);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toMatch(said);
  for (const format of ['json', 'yaml', 'name'])
    expect(await served.sluice(...args, '-o', format)).toMatchObject({ code: 0, err: '' });
});

test('what is not there is said, and not shown as nothing', async () => {
  expect((await served.sluice('matrix', 'nope')).err).toContain("There is no product 'nope'");
  expect((await served.sluice('notes', 'nope#1')).err).toContain("There is no release 'nope#1'");
  expect((await served.sluice('notes', 'nope', '--next')).err).toContain('there is no product "nope"');
  expect((await served.sluice('notes', 'billing', '--flow', 'x')).code).toBe(2);
  expect((await served.sluice('history', 'billing', 'nowhere')).out).toContain(
    'Nothing of billing was brought to nowhere',
  );
});

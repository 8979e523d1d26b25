import { afterAll, beforeAll, expect, test } from 'vitest';
import { openServed, type Served } from './served.ts';

let served: Served;
beforeAll(async () => {
  served = await openServed();
});
afterAll(() => served?.close());

test('more releases are listed than a page has, and a list that is cut says so', async () => {
  for (let version = 1; version <= 105; version += 1)
    await served.engine.trigger({ product: 'billing', version: `${version}` });
  const all = await served.sluice('get', 'releases', '--product', 'billing', '--limit', '200', '-o', 'name');
  expect(all.out.trim().split('\n')).toHaveLength(105);
  expect(new Set(all.out.trim().split('\n')).size).toBe(105);
  expect(all.err).toBe('');
  const cut = await served.sluice('get', 'releases', '--product', 'billing', '-o', 'name');
  expect(cut.out.trim().split('\n')).toHaveLength(100);
  expect(cut.err).toBe('There are more than these 100. See: sluice get releases --limit NUMBER\n');
});

test('what is cut on the way to status is told, too', async () => {
  for (let at = 1; at <= 101; at += 1)
    expect((await served.sluice('hold', at % 2 ? 'eu' : 'asia', '--reason', `r${at}`)).code).toBe(0);
  const { err } = await served.sluice('status');
  expect(err).toBe('There are more than these 100. See: sluice get holds --limit NUMBER\n');
}, 60_000);

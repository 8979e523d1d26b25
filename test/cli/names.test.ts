import { afterAll, beforeAll, expect, test } from 'vitest';
import { openServed, type Served } from './served.ts';

let served: Served;
beforeAll(async () => {
  served = await openServed();
});
afterAll(() => served?.close());

/** As `-o name` prints them. */
async function printed(kind: string): Promise<string[]> {
  const { out } = await served.sluice('get', kind, '-o', 'name');
  return out.trim().split('\n');
}

test.each(['products', 'applications', 'environments', 'groups', 'flows', 'windows'])(
  'what get %s -o name prints is what get and delete take',
  async (kind) => {
    if (kind === 'windows')
      expect((await served.sluice('freeze', '--reason', 'stocktaking', '--until', '1h')).code).toBe(0);
    const one = kind.slice(0, -1);
    const [first = ''] = await printed(kind);
    expect(first).toMatch(new RegExp(`^${one}/.`));
    expect(await served.sluice('get', one, first, '-o', 'name')).toEqual({ code: 0, out: `${first}\n`, err: '' });
    const deleted = await served.sluice('delete', one, first);
    // Refused or not, it is known by that name.
    expect(deleted.out + deleted.err).not.toContain('there is no');
    expect(deleted.out + deleted.err).toMatch(/^Deleted |is used by/);
  },
);

test('products, environments and applications are named so wherever they are', async () => {
  const taken = async (...args: string[]): Promise<void> => {
    const { code, err } = await served.sluice(...args);
    expect({ args, code, err }).toEqual({ args, code: 0, err: '' });
  };
  await served.engine.saveBilling('shop');
  await taken('hold', 'environment/eu', '--reason', 'stocktaking');
  await taken('unhold', 'environment/eu');
  await taken('plan', 'product/shop', '--version', '2', '--no-diff');
  await taken('release', 'product/shop', '--version', '1', '--wait');
  await taken('matrix', 'product/shop');
  await taken('history', 'product/shop', 'environment/eu');
  await taken('rollback', 'product/shop', 'environment/eu', '--reason', 'it leaks', '--plan');
});

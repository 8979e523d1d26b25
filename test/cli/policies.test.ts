import { afterAll, beforeAll, expect, test } from 'vitest';
import { openServed, type Served } from './served.ts';

let served: Served;
beforeAll(async () => {
  served = await openServed();
  await served.engine.save('PromotionPolicy', 'checked', {
    priority: 5,
    selector: { product: {}, targetEnvironment: { kinds: ['PRODUCTION'] } },
    policy: { preAction: 'checks' },
    locked: ['preAction'],
  });
});
afterAll(() => served?.close());

test('policies are listed with what they set and where', async () => {
  const { out } = await served.sluice('get', 'policies');
  expect(out).toMatch(/^NAME +PRIORITY +PRE-ACTION +ACTION +POST-ACTION +LOCKED +PRODUCTS +ENVIRONMENTS /);
  expect(out).toMatch(/^checked +5 +checks +- +- +PRE_ACTION +- +PRODUCTION /m);
});

test('policy explain says what holds, who says so, and what is missing', async () => {
  const { code, out } = await served.sluice('policy', 'explain', 'billing', 'eu', '--flow', 'to-production');
  expect(code).toBe(0);
  expect(out).toMatch(/^PRE_ACTION +checks +policy checked +5 +locked$/m);
  expect(out).toMatch(/^ACTION +COMMIT +DEFAULT/m);
  expect(out).toContain('MISSING: neither the flow nor a policy sets the action: it is commit');
  const json = await served.sluice('policy', 'explain', 'billing', 'eu', '-o', 'json');
  expect(JSON.parse(json.out)).toMatchObject({ policies: [{ name: 'checked' }] });
  expect(await served.sluice('policy', 'explain', 'billing', 'mars')).toMatchObject({
    code: 1,
    err: expect.stringContaining('there is no environment "mars"'),
  });
});

import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { setSecret } from '../../src/commands/set-secret.ts';
import { type ApiServer, startServer } from '../../src/server.ts';
import { forgetOldDeliveries } from '../../src/store/deliveries.ts';
import { openTestEngine, type TestEngine } from '../support/engine.ts';
import { newWebhookSecret, signWebhook } from '../support/webhooks.ts';

const LIMIT = 40;
const SECRET = newWebhookSecret();
let engine: TestEngine;
let server: ApiServer;
beforeAll(async () => {
  const backend = { name: 'postgres' as const, queuePrefix: `t${randomBytes(5).toString('hex')}` };
  engine = await openTestEngine(backend, {
    SLUICE_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    SLUICE_RATE_LIMIT: String(LIMIT),
    SLUICE_TRUSTED_PROXIES: '127.0.0.1',
  });
  await engine.saveBilling();
  for (const source of ['flood', 'calm', 'full']) {
    const use = { kind: 'WEBHOOK' as const, source, products: [] };
    await setSecret(engine.app, { name: source, value: SECRET, description: null, use }, null);
  }
  await engine.startWorker();
  await engine.ended(await engine.trigger({ product: 'billing', version: '1' }));
  server = await startServer(engine.app);
});
afterAll(async () => {
  await server.close();
  await engine.close();
});

async function send(
  source: string,
  address: string,
  secret = SECRET,
): Promise<{ status: number; retry: string | null }> {
  const body = { product: 'billing', environment: 'eu', version: '1', status: 'SUCCEEDED' };
  const signed = signWebhook({ secret, body });
  const response = await fetch(`${server.url}/hooks/rollouts/${source}`, {
    method: 'POST',
    headers: { ...signed.headers, 'x-forwarded-for': address },
    body: new Uint8Array(signed.body),
  });
  await response.text();
  return { status: response.status, retry: response.headers.get('retry-after') };
}

const count = async (where: string): Promise<number> => {
  const { rows } = await engine.app.pool.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM webhook_delivery WHERE ${where}`,
  );
  return rows[0]!.n;
};

describe('a receiver that is flooded', () => {
  test('with good signatures, from everywhere: the source has its limit, the rest is told when to come again', async () => {
    const answers = await Promise.all(Array.from({ length: 150 }, (_, index) => send('flood', `203.0.113.${index}`)));
    const taken = answers.filter(({ status }) => status === 202);
    const late = answers.filter(({ status }) => status === 429);
    expect([taken.length + late.length, taken.length]).toEqual([150, LIMIT]);
    for (const { retry } of late) expect(Number(retry)).toBeGreaterThan(0);
    expect(await count(`source = 'flood'`)).toBe(LIMIT);
    expect((await send('calm', '203.0.113.200')).status).toBe(202);
    await expect.poll(() => count(`source = 'flood' AND status = 'DONE'`)).toBe(LIMIT);
  });

  test('with bad ones, from one place: that does not use up what the source may send from another', async () => {
    const strangers = await Promise.all(
      Array.from({ length: 100 }, () => send('calm', '198.51.100.1', newWebhookSecret())),
    );
    expect(new Set(strangers.map(({ status }) => status))).toEqual(new Set([401, 429]));
    expect((await send('calm', '203.0.113.201')).status).toBe(202);
    expect(await count(`source = 'calm'`)).toBe(2);
  });

  const fill = (source: string, status: string, rows: number, due: string) =>
    engine.app.pool.query(
      `INSERT INTO webhook_delivery (id, source, webhook_id, headers, body, received_at, verified_by, status, due_at)
       SELECT gen_random_uuid(), $1, 'old-' || i, '{}', '{}', now() - interval '1 day' + i * interval '1 ms', $1, $2, ${due}
       FROM generate_series(1, $3) AS i`,
      [source, status, rows],
    );

  test('and cannot keep up: of each source a bounded number waits', async () => {
    await fill('full', 'PENDING', 1_000, `now() + interval '1 hour'`);
    const { status, retry } = await send('full', '203.0.113.210');
    expect([status, Number(retry)]).toEqual([429, 10]);
    expect(await count(`source = 'full'`)).toBe(1_000);
    await engine.app.pool.query(`UPDATE webhook_delivery SET status = 'REFUSED' WHERE webhook_id = 'old-7'`);
    expect((await send('full', '203.0.113.211')).status).toBe(202);
  });

  test('keeps the newest of each source, and what is not processed yet', async () => {
    await fill('busy', 'DONE', 10_250, 'now()');
    const others = await count(`source <> 'busy'`);
    await forgetOldDeliveries(engine.app.pool);
    expect(await count(`source = 'busy'`)).toBe(10_000);
    expect(await count(`webhook_id IN ('old-250', 'old-251') AND source = 'busy'`)).toBe(1);
    expect(await count(`source <> 'busy'`)).toBe(others);
  });
});

import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { serve } from '../drivers/http-server.ts';
import { openTestEngine } from '../support/engine.ts';
import type { TestEngine } from '../support/engine.ts';

// A version endpoint answers what nobody can store: it is told with a sign in its place, and asked again.

let engine: TestEngine;
let answer = '';
let target: Awaited<ReturnType<typeof serve>>;
beforeAll(async () => {
  target = await serve((_asked, response) => response.end(answer));
  const backend = { name: 'postgres' as const, queuePrefix: `t${randomBytes(5).toString('hex')}` };
  engine = await openTestEngine(backend, { SLUICE_ALLOWED_NETWORKS: '127.0.0.0/8' });
  await engine.startWorker();
  await engine.saveBilling('billing', {
    sync: (environment) =>
      environment === 'dev' ? { type: 'http', url: `http://${target.host}/`, interval: 100 } : undefined,
  });
});
afterAll(async () => {
  await engine.close();
  target.close();
});

test.each([
  ['a NUL', 'one\0two'],
  ['a character over the edge of what is shown', `${'x'.repeat(99)}\u{1f600}`],
])('a target that answers %s is asked again', async (_what, odd) => {
  answer = odd;
  const id = await engine.trigger({ product: 'billing', version: '1.4.2' });
  await engine.reached(id, ({ promotions: [dev] }) =>
    dev!.steps.some((step) => step.status === 'WAITING' && step.reason?.includes('\ufffd')),
  );
  answer = '1.4.2';
  expect((await engine.ended(id)).status).toBe('SUCCEEDED');
});

import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { beginObservation, lookAgain } from '../../src/store/observations.ts';
import { openTestEngine } from '../support/engine.ts';
import type { TestEngine } from '../support/engine.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await openTestEngine({ name: 'postgres', queuePrefix: `t${randomBytes(5).toString('hex')}` });
});
afterAll(() => engine.close());

test('a look at an attempt that was retried meanwhile counts nothing for the next one, and puts it off no more', async () => {
  const { pool } = engine.app;
  const releaseId = randomUUID();
  const at = { releaseId, position: 0, product: 'shop', environment: 'eu', until: Date.now() + 3_600_000 };
  const seen = async (): Promise<unknown> =>
    (await pool.query('SELECT attempt, bad_looks, next_at <= now() AS due FROM observation')).rows;
  await beginObservation(pool, { ...at, attempt: 1 }, 'none');
  await lookAgain(pool, { ...at, attempt: 1, badLooks: { 'shop-eu': 1 } }, 60_000);
  expect(await seen()).toEqual([{ attempt: 1, bad_looks: { 'shop-eu': 1 }, due: false }]);
  await beginObservation(pool, { ...at, attempt: 2 }, 'none');
  await lookAgain(pool, { ...at, attempt: 1, badLooks: { 'shop-eu': 2 } }, 60_000);
  expect(await seen()).toEqual([{ attempt: 2, bad_looks: {}, due: true }]);
});

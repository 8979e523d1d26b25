import { afterAll, beforeAll, expect, test } from 'vitest';
import { createToken } from '../../src/commands/access/create-token.ts';
import { SOMEBODY } from '../access/support.ts';
import { MakersOfTokens1765150000000 } from '../../migrations/1765150000000-makers-of-tokens.ts';
import { openTestEngine, type TestEngine } from '../support/engine.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await openTestEngine({ name: 'postgres', queuePrefix: `makers-${process.pid}` });
});
afterAll(() => engine.close());

const BILLING = { products: { names: ['billing'] }, environments: {} };

test('of tokens that were there before, the makers are found as far as they can be known', async () => {
  const { app } = engine;
  const { dataSource, pool } = app;
  await engine.saveBilling();
  const made = async (subject: string, createdBy: string | null, limited: boolean): Promise<string> => {
    const scope = [{ role: 'ADMIN' as const, products: {}, environments: {}, ...(limited && BILLING) }];
    const input = { name: 'x', subjectKind: 'SERVICE_ACCOUNT' as const, subject, scope, expiresAt: null };
    const { value } = await createToken(app, input, SOMEBODY);
    await pool.query('UPDATE api_token SET created_by = $2 WHERE id = $1', [value!.stored.id, createdBy]);
    return value!.stored.id;
  };
  const ids = {
    byNobody: await made('root', null, false),
    byRoot: await made('ci', 'service-account/root', false),
    limited: await made('mallory-bot', 'mallory', true),
    // Which of the tokens of ci made it is not known: whoever made one of them counts.
    chain: await made('grandchild', 'service-account/ci', true),
    alsoCi: await made('ci', 'mallory', true),
    // Two accounts that made each other's tokens end the search.
    left: await made('left', 'service-account/right', true),
    right: await made('right', 'service-account/left', true),
    own: await made('self', 'service-account/self', true),
  };
  const release = await engine.trigger({ product: 'billing', version: '1' });
  await pool.query(`UPDATE release SET trigger = trigger || '{"actor": "service-account/ci"}' WHERE id = $1`, [
    release,
  ]);

  const migration = new MakersOfTokens1765150000000();
  const runner = dataSource.createQueryRunner();
  await migration.down(runner);
  await migration.up(runner);
  await runner.release();

  const { rows } = await pool.query<{ id: string; makers: unknown }>('SELECT id, makers FROM api_token');
  const makers = Object.fromEntries(rows.map((row) => [row.id, row.makers]));
  const limited = (name: string) => ({ name, unlimited: false });
  const unlimited = (name: string) => ({ name, unlimited: true });
  expect(Object.fromEntries(Object.entries(ids).map(([name, id]) => [name, makers[id]]))).toEqual({
    byNobody: [],
    byRoot: [unlimited('service-account/root')],
    limited: [limited('mallory')],
    chain: [limited('mallory'), limited('service-account/ci'), unlimited('service-account/root')],
    alsoCi: [limited('mallory')],
    left: [limited('service-account/right')],
    right: [limited('service-account/left')],
    own: [],
  });
  const known = await app.releaseEngine.look(release, { fresh: true });
  expect(known?.state).toMatchObject({ initiator: 'service-account/ci' });
  expect(known?.state.initiatorMakers).toEqual(
    expect.arrayContaining([limited('mallory'), unlimited('service-account/root')]),
  );
});

import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { audited } from '../../src/commands/audit.ts';
import { setSecret } from '../../src/commands/set-secret.ts';
import { inTransaction } from '../../src/connections.ts';
import { clientOf } from '../../src/entities/data-source.ts';
import { openTestEngine } from '../support/engine.ts';
import type { TestEngine } from '../support/engine.ts';

let engine: TestEngine;
beforeAll(async () => {
  const backend = { name: 'postgres' as const, queuePrefix: `t${randomBytes(5).toString('hex')}` };
  engine = await openTestEngine(backend, { SLUICE_ENCRYPTION_KEY: randomBytes(32).toString('base64') });
  // Lets the next statement lose as often as the sequence says, wherever its trigger stands.
  await engine.app.pool.query(`
    CREATE TABLE losing (code text);
    CREATE SEQUENCE lost;
    CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$
      DECLARE at text := (SELECT code FROM losing);
      BEGIN
        IF at IS NOT NULL AND nextval('lost') <= 2 THEN RAISE EXCEPTION 'lost' USING ERRCODE = at; END IF;
        RETURN NULL;
      END $$;
    CREATE CONSTRAINT TRIGGER lose_at_commit AFTER INSERT ON audit_log DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW EXECUTE FUNCTION lose()`);
});
afterAll(() => engine.close());

async function losing(code: string | null): Promise<void> {
  await engine.app.pool.query('DELETE FROM losing');
  await engine.app.pool.query('ALTER SEQUENCE lost RESTART');
  if (code !== null) await engine.app.pool.query('INSERT INTO losing VALUES ($1)', [code]);
}

function commanded(name: string): ReturnType<typeof setSecret> {
  const origin = {
    actor: 'ada',
    actorKind: null,
    credential: null,
    action: 'secretSet',
    transport: 'HTTP',
    address: null,
    userAgent: null,
    input: { name },
  };
  const use = { kind: 'GIT' as const, url: `https://git.example.com/${name}/`, username: 'sluice' };
  const set = () => setSecret(engine.app, { name, value: 'of-no-use-elsewhere', description: null, use }, 'ada');
  return audited(engine.app.pool, origin, set, () => []);
}

const entries = async (name: string): Promise<unknown[]> =>
  (
    await engine.app.pool.query(
      `SELECT outcome, objects FROM audit_log WHERE action = 'secretSet' AND input->>'name' = $1`,
      [name],
    )
  ).rows;

test('of two transactions that wait for each other both are done, whichever way they are held', async () => {
  const { pool, dataSource } = engine.app;
  await pool.query('CREATE TABLE crossed (id text PRIMARY KEY, n integer DEFAULT 0)');
  await pool.query(`INSERT INTO crossed VALUES ('a'), ('b')`);
  for (const way of ['pool', 'manager']) {
    let [here, runs] = [0, 0];
    let meet = (): void => undefined;
    const met = new Promise<void>((resolve) => (meet = resolve));
    const cross = async (client: { query(text: string, values: string[]): Promise<unknown> }, ids: string[]) => {
      runs += 1;
      await client.query('UPDATE crossed SET n = n + 1 WHERE id = $1', [ids[0]!]);
      if ((here += 1) === 2) meet();
      await met;
      await client.query('UPDATE crossed SET n = n + 1 WHERE id = $1', [ids[1]!]);
    };
    const held = (ids: string[]): Promise<void> =>
      way === 'pool'
        ? inTransaction(pool, 'BEGIN', (client) => cross(client, ids))
        : dataSource.transaction(async (tx) => cross(await clientOf(tx), ids));
    await Promise.all([held(['a', 'b']), held(['b', 'a'])]);
    // More often where the loser was back before the winner woke up.
    expect(runs).toBeGreaterThanOrEqual(3);
  }
  expect((await pool.query('SELECT n FROM crossed ORDER BY id')).rows).toEqual([{ n: 4 }, { n: 4 }]);
});

test.each(['40P01', '40001'])('a command that loses (%s) is done all the same, once, with its entry', async (code) => {
  await losing(code);
  const { value } = await commanded(`lost-${code}`.toLowerCase());
  await losing(null);
  expect(value?.name).toBe(`lost-${code}`.toLowerCase());
  expect(await entries(`lost-${code}`.toLowerCase())).toEqual([
    { outcome: 'DONE', objects: [{ kind: 'Secret', name: `lost-${code}`.toLowerCase() }] },
  ]);
});

test('what fails for another reason is not tried again', async () => {
  const { pool } = engine.app;
  let runs = 0;
  const failing = inTransaction(pool, 'BEGIN', (client) => {
    runs += 1;
    return client.query('SELECT 1 / 0');
  });
  await expect(failing).rejects.toThrow('division by zero');
  expect(runs).toBe(1);
});

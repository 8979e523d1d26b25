import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DataSource } from 'typeorm';
import { createDataSource } from '../../src/entities/data-source.ts';
import { createEmptyDatabase } from '../support/database.ts';
import type { TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let dataSource: DataSource;
beforeAll(async () => {
  database = await createEmptyDatabase();
  dataSource = await createDataSource(database.url).initialize();
});
afterAll(async () => {
  await dataSource.destroy();
  await database.drop();
});

const tables = async (): Promise<string[]> => {
  const rows = await dataSource.query<{ table_name: string }[]>(
    `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1`,
  );
  return rows.map((row) => row.table_name).filter((name) => name !== 'sluice_migration');
};

test('the migrations make exactly what the entities say, and undo it', async () => {
  await dataSource.runMigrations({ transaction: 'each' });
  const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
  expect(upQueries.map((each) => each.query)).toEqual([]);
  expect((await tables()).length).toBeGreaterThan(10);
  for (const _ of dataSource.migrations) await dataSource.undoLastMigration({ transaction: 'each' });
  expect(await tables()).toEqual([]);
  await dataSource.runMigrations({ transaction: 'each' });
});

test('what is in the event log cannot be changed', async () => {
  await dataSource.query(
    `INSERT INTO release_event (release_id, sequence, position, at, product, release_status, event)
     VALUES (gen_random_uuid(), 1, 1, now(), 'p', 'QUEUED', '{}')`,
  );
  await expect(dataSource.query(`UPDATE release_event SET product = 'q'`)).rejects.toThrow('append-only');
});

test('what is in the audit log cannot be changed, deleted or emptied', async () => {
  await dataSource.query(
    `INSERT INTO audit_log (command, action, transport, input, outcome, objects) VALUES (gen_random_uuid(), 'releaseTrigger', 'HTTP', '{}', 'DONE', '[]')`,
  );
  for (const statement of [`UPDATE audit_log SET actor = 'eve'`, 'DELETE FROM audit_log', 'TRUNCATE audit_log']) {
    await expect(dataSource.query(statement), statement).rejects.toThrow('append-only');
  }
});

test('one environment of a product cannot be held by two releases', async () => {
  const hold = (): Promise<unknown> =>
    dataSource.query(
      `INSERT INTO promotion (release_id, position, number, product, environment, status, holds, attempt, dispatch, steps)
       VALUES (gen_random_uuid(), 0, 1, 'p', 'eu', 'RUNNING', true, 1, 1, '[]')`,
    );
  await hold();
  await expect(hold()).rejects.toThrow('promotion_holds');
});

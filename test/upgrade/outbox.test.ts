import pg from 'pg';
import { expect, test } from 'vitest';
import { migrations } from '../../migrations/index.ts';
import { createDataSource, migrate } from '../../src/entities/data-source.ts';
import { claimDue } from '../../src/store/outbox.ts';
import { createEmptyDatabase } from '../support/database.ts';

test('work that an earlier version left in the outbox is due at once, in its lane', async () => {
  const database = await createEmptyDatabase();
  try {
    const before = migrations.slice(
      0,
      migrations.findIndex(({ name }) => name === 'PacedOutbox1765200000000'),
    );
    const dataSource = createDataSource(database.url);
    dataSource.setOptions({ migrations: before });
    await dataSource.initialize();
    await dataSource.runMigrations({ transaction: 'each' });
    await dataSource.destroy();
    const pool = new pg.Pool({ connectionString: database.url });
    const works = {
      dispatch: { promotions: [{ promotion: 0, attempt: 1, dispatch: 1 }], join: false },
      'ask-group': { group: 0, generation: 1 },
      'roll-back': { promotion: 1, attempt: 1, reason: 'it leaks', at: 1 },
      observe: { promotion: 1, attempt: 1, until: 1 },
    };
    for (const [kind, rest] of Object.entries(works))
      await pool.query('INSERT INTO outbox (key, release_id, work) VALUES ($1, gen_random_uuid(), $2)', [
        kind,
        { kind, ...rest },
      ]);
    await migrate(database.url);
    const claimed = await claimDue(pool, ['queue', 'command'], 10);
    expect(Object.fromEntries(claimed.map(({ key, work: { kind, ...rest } }) => [key, kind === key && rest]))).toEqual(
      works,
    );
    const { rows } = await pool.query<{ key: string }>(`SELECT key FROM outbox WHERE lane = 'command' ORDER BY key`);
    expect(rows.map(({ key }) => key)).toEqual(['observe', 'roll-back']);
    await pool.end();
  } finally {
    await database.drop();
  }
}, 60_000);

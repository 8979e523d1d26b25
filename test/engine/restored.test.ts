import pg from 'pg';
import { afterEach, describe, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { forEachBackend } from '../support/backends.ts';
import { openTestEngine, type TestEngine } from '../support/engine.ts';

let engine: TestEngine;
afterEach(() => engine.close());

const TABLES = `SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'`;

async function onDatabase<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: engine.databaseUrl });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

const tablesOf = async (client: pg.Client): Promise<string[]> =>
  (await client.query<{ name: string }>(TABLES)).rows.map(({ name }) => name);

/** As they are now, table by table. The queue is not among them. */
function takeBackup(): Promise<void> {
  return onDatabase(async (client) => {
    const tables = await tablesOf(client);
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ; CREATE SCHEMA backup');
    for (const name of tables) await client.query(`CREATE TABLE backup."${name}" AS TABLE public."${name}"`);
    await client.query('COMMIT');
  });
}

/** What happened since is gone, and everybody's connections with it; what the queue holds is not. @returns the last moment before */
function restoreBackup(): Promise<number> {
  return onDatabase(async (client) => {
    const tables = await tablesOf(client);
    const all = tables.map((name) => `public."${name}"`).join(', ');
    // Neither the order of tables nor the triggers of the audit log are in the way of a restore.
    await client.query('SET session_replication_role = replica; SET lock_timeout = 0; BEGIN');
    await client.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
         AND application_name <> 'sluice-queue'`,
    );
    await client.query(`LOCK TABLE ${all} IN ACCESS EXCLUSIVE MODE; TRUNCATE ${all}`);
    for (const name of tables) await client.query(`INSERT INTO public."${name}" SELECT * FROM backup."${name}"`);
    await client.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
         AND application_name <> 'sluice-queue'`,
    );
    const before = Date.now();
    await client.query('COMMIT');
    return before;
  });
}

interface Effect {
  key: string;
  environment: string;
  at: number;
}

/** Every change that is begun by this process from now on. */
function watchEffects(app: App, effects: Effect[]): void {
  const driver = app.drivers.driver.bind(app.drivers);
  app.drivers.driver = (spec) => {
    const real = driver(spec);
    return {
      ...real,
      apply(target, content, context) {
        effects.push({ key: context.key, environment: context.environment, at: Date.now() });
        return real.apply(target, content, context);
      },
    };
  };
}

const count = async (table: string, where = 'true'): Promise<number> => {
  const { rows } = await engine.app.pool.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table} WHERE ${where}`);
  return rows[0]!.n;
};

forEachBackend((backend) => {
  describe('a database that is brought back from an older backup, under running workers with a fuller queue', () => {
    test('goes on from where the backup was: nothing that it does not know is done, nothing is stuck', async () => {
      // One job at a time each, so that others stand in the queue.
      engine = await openTestEngine(backend, { LOG_LEVEL: 'fatal', SLUICE_CONCURRENCY: '1' });
      const effects: Effect[] = [];
      const billing = (duration: (environment: string) => number): Promise<void> => {
        const driver = (environment: string) => ({ type: 'simulate' as const, duration: duration(environment) });
        return engine.saveBilling('billing', { concurrency: 'PIPELINE', driver });
      };
      await billing(() => 50);
      for (const app of [engine.app, await engine.another()]) {
        watchEffects(app, effects);
        await engine.startWorker(app);
      }
      await engine.ended(await engine.trigger({ product: 'billing', version: '1' }));
      // However slow the machine is, the backup comes while staging is at work, and the restore while the regions are.
      await billing((environment) => (['dev', 'asia-2'].includes(environment) ? 700 : 4_000));
      const second = await engine.trigger({ product: 'billing', version: '2' });
      await engine.reached(second, ({ promotions }) => promotions[1]?.status === 'RUNNING');
      await takeBackup();
      const releases = await count('release');

      // Since the backup: the second release gets on, and two more begin.
      const lost = [
        await engine.trigger({ product: 'billing', version: '3' }),
        await engine.trigger({ product: 'billing', version: '4' }),
      ];
      await engine.reached(second, ({ promotions }) =>
        promotions.slice(2, 5).every((each) => each.status === 'RUNNING'),
      );
      await engine.reached(lost[0]!, ({ promotions }) => promotions[1]?.status === 'RUNNING');
      // Workers go on at once, before it is known here that it is done.
      const before = await restoreBackup();
      const restoredAt = Date.now();

      const { status, promotions } = await engine.ended(second);
      expect(status).toBe('SUCCEEDED');
      const since = effects.filter(({ at }) => at > restoredAt);
      expect(since.filter(({ key }) => lost.some((id) => key.includes(id)))).toEqual([]);
      const regions = effects.filter(
        ({ at, environment }) => at >= before && ['us-east', 'eu', 'asia'].includes(environment),
      );
      // One that was at work when the restore came may report what it did after it: its change is made, and not made again.
      expect(regions.length).toBeGreaterThan(0);
      for (const region of ['us-east', 'eu', 'asia'])
        expect(effects.some(({ key, environment }) => environment === region && key.includes(second))).toBe(true);
      for (const { at } of regions) expect(at).toBeGreaterThanOrEqual(promotions[1]!.endedAt!);
      expect(await count('release')).toBe(releases);
      for (const table of ['promotion', 'release_event', 'release_plan', 'outbox', 'deployment']) {
        expect([table, await count(table, `release_id = ANY('{${lost.join(',')}}')`)]).toEqual([table, 0]);
      }
      const events = await engine.events(second);
      expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index + 1));
      const live = await count('deployment', `release_id = '${second}'`);
      expect(live).toBe(6);
      // What was lost can be asked for again, and nobody is in its way.
      await billing(() => 50);
      const again = await engine.trigger({ product: 'billing', version: '3' });
      expect((await engine.ended(again)).status).toBe('SUCCEEDED');
    }, 120_000);
  });
});

test('a process that lost its connections remembers nothing of releases: another database may have answered since', async () => {
  engine = await openTestEngine({ name: 'postgres', queuePrefix: 'restored' }, { LOG_LEVEL: 'fatal' });
  await engine.saveBilling();
  const id = await engine.trigger({ product: 'billing', version: '1' });
  const seen = async () => (await engine.app.releaseEngine.look(id, { fresh: false }))?.state.sequence;
  await expect.poll(seen).toBeGreaterThan(1);
  await onDatabase(async (client) => {
    await client.query('UPDATE release SET sequence = 1');
    await client.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    );
  });
  await expect.poll(() => seen().catch(() => null)).toBe(1);
});

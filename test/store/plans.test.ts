import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterEach, expect, test } from 'vitest';
import { PLANNED_ONCE } from '../../src/connections.ts';
import { keptPlanOf } from '../api/support/plans.ts';
import type { Scan } from '../api/support/plans.ts';
import { openTestEngine } from '../support/engine.ts';
import type { TestEngine } from '../support/engine.ts';
import { fillHistory, GROWING } from '../support/history.ts';

// A statement of the engine is prepared once per connection, in a new installation while every table is empty, and the plan that is made
// then is kept until PostgreSQL has counted the rows. So the plans of all that a release asks for, from its trigger to its end, are read
// where nothing is, and where 100,000 releases are: the same indexes, each entered by a condition, and as few rows.

const RELEASES = 100_000;
const [RELEASE, PROMOTION, OUTBOX] = [
  'PK_1a2253436964eea9c558f9464f4',
  'PK_2c2589bc39a5403f7908492fa60',
  'PK_de8bb4d5d2ac1f48fa1a5f0adb0',
];

/**
 * What each statement reads of the tables that grow: by which indexes, and at most how many entries for each release of six environments
 * that it is about.
 */
const READS: Record<string, { by: string[]; most: number }> = {
  'insert-releases': { by: ['bad_version_active'], most: 1 },
  'load-facts': {
    by: [
      RELEASE,
      PROMOTION,
      'bad_version_active',
      'deployment_live',
      'deployment_once',
      'environment_hold_active',
      'promotion_ahead',
      'promotion_holds',
      'release_open',
    ],
    most: 30,
  },
  // An entry whose row was written again is read too, until it is tidied up.
  'load-states': { by: [RELEASE, PROMOTION], most: 20 },
  'lock-products': { by: [], most: 0 },
  'next-in-line': { by: ['release_open'], most: 8 },
  'save-decisions': { by: [RELEASE, PROMOTION, OUTBOX, 'PK_environment_hold'], most: 20 },
};
/** What the queue's own statements read of its tables, and the keys that they enter each of their indexes by. */
const QUEUE_READS: Record<string, Record<string, string[]>> = {
  'lean-add': { job_pkey: ['queue', 'id'] },
  'lean-hold': { job_pkey: ['queue', 'id'] },
  'lean-turn': {
    job_pkey: ['queue', 'id'],
    // The first that wait, and whether one is due.
    job_ready_idx: ['queue'],
    job_delayed_idx: ['queue'],
    // The one that a child has, and those that a parent still has.
    dep_child_idx: ['child_queue', 'child_id'],
    dep_parent_status_idx: ['parent_queue', 'parent_id'],
  },
};

/** A table that people fill is counted again before it has grown by much. */
const BY_PEOPLE = new Set(['environment_hold', 'bad_version']);

/** Of one statement, however often it is asked. */
const EXPLAINED = 40;

let engine: TestEngine;
afterEach(() => engine.close());

test('in a freshly migrated database each statement of the engine has its indexes', async () => {
  engine = await openTestEngine({ name: 'postgres', queuePrefix: `t${randomBytes(5).toString('hex')}` });
  await engine.saveBilling();
  await plansAreRight('billing');
});

test('with the statistics of the first releases they are the same', { timeout: 120_000 }, async () => {
  engine = await openTestEngine({ name: 'postgres', queuePrefix: `t${randomBytes(5).toString('hex')}` });
  await engine.saveBilling();
  // PostgreSQL counts the rows when there are fifty, and not again before there are many more.
  for (const releases of [1, 3, 8]) {
    const worker = await engine.startWorker();
    for (let each = 0; each < releases; each += 1)
      await engine.ended(await engine.trigger({ product: 'billing', version: `${releases}.${each}` }));
    await worker.close();
    await onOwnConnection(async (client) => void (await client.query('VACUUM ANALYZE')));
    engine.app.releaseEngine.forget();
    await plansAreRight('billing', 'few');
  }
});

test('in a database with 100,000 releases they are the same', { timeout: 600_000 }, async () => {
  engine = await openTestEngine({ name: 'postgres', queuePrefix: `t${randomBytes(5).toString('hex')}` });
  const { app } = engine;
  await engine.saveBilling();
  const worker = await engine.startWorker();
  for (const version of ['1', '2']) await engine.ended(await engine.trigger({ product: 'billing', version }));
  await worker.close();
  // Of its name there is a history of thousands.
  await engine.saveBilling('retired');
  await onOwnConnection(async (client) => {
    await fillHistory(client, { releases: RELEASES, entries: 10_000, events: 3, indexesAfter: true });
    // Those of all products would hold up the release that is looked at.
    await client.query(`UPDATE environment_hold SET environment = 'elsewhere' WHERE product IS NULL`);
    await client.query(`SELECT setval(pg_get_serial_sequence('release', 'number'), max(number)) FROM release`);
    await client.query('VACUUM ANALYZE');
  });
  app.releaseEngine.forget();
  await plansAreRight('retired');
});

test('whatever the queue held when PostgreSQL last counted its rows, its statements have the same plans', async () => {
  engine = await openTestEngine({ name: 'postgres', queuePrefix: `t${randomBytes(5).toString('hex')}` });
  await engine.saveBilling();
  const asked: [name: string, text: string, values: unknown[], settings: string | undefined][] = [];
  const stop = watch(async (name, text, values, settings) => {
    if (name?.startsWith('lean-')) asked.push([name, text, values, settings]);
  });
  const worker = await engine.startWorker();
  await engine.ended(await engine.trigger({ product: 'billing', version: '1' }));
  await worker.close();
  stop();
  const queue = asked.find(([name]) => name === 'lean-turn')![2][0];
  for (const { state, jobs, gone } of HELD_BY_THE_QUEUE) {
    await onOwnConnection(async (client) => {
      await client.query('TRUNCATE bullmq.job CASCADE');
      const insert = `INSERT INTO bullmq.job (queue, id, seq, name, state, added_at_ms, process_at_ms)
         SELECT $1, 'job' || n, n, 'tick', $2, 0, 9e15::bigint FROM generate_series(1, $3::int) n`;
      // Jobs that have ended leave their places behind until PostgreSQL tidies up.
      await client.query(insert, [queue, 'active', gone]);
      await client.query('DELETE FROM bullmq.job');
      await client.query(insert, [queue, state, jobs]);
      await client.query('ANALYZE bullmq.job, bullmq.job_dependency');
    });
    const plans = new QueuePlans();
    for (const each of asked.slice(0, EXPLAINED)) await plans.read(...each);
    expect(plans.wrong(), `${jobs} ${state} after ${gone}`).toEqual([]);
    await plans.close();
  }
});

const HELD_BY_THE_QUEUE = [
  { state: 'waiting', jobs: 0, gone: 0 },
  { state: 'waiting', jobs: 1, gone: 0 },
  { state: 'waiting', jobs: 1_000, gone: 0 },
  { state: 'waiting', jobs: 1, gone: 5_000 },
  { state: 'waiting', jobs: 30, gone: 5_000 },
  { state: 'active', jobs: 5, gone: 5_000 },
  { state: 'delayed', jobs: 30, gone: 5_000 },
  { state: 'waiting-children', jobs: 5, gone: 5_000 },
];

async function onOwnConnection<T>(work: (client: pg.Client) => Promise<T>, options?: string): Promise<T> {
  const client = new pg.Client({ connectionString: engine.databaseUrl, application_name: 'test', options });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Reads the plans of what is asked while a release goes its way. */
async function plansAreRight(product: string, statistics?: 'few'): Promise<void> {
  const found = new Map<string, { by: Set<string>; most: number; wrong: Scan[] }>();
  const unprepared = new Set<string>();
  const settings = new Set<string | undefined>();
  const times = new Map<string, number>();
  const variants = new Set<string>();
  await onOwnConnection(async (explainer) => {
    const leading = await leadingColumns(explainer);
    const queuePlans = new QueuePlans();
    const stop = watch(async (prepared, text, values, options) => {
      if (prepared?.startsWith('lean-')) return queuePlans.read(prepared, text, values, options);
      settings.add(options);
      if (prepared === undefined) return void unprepared.add(text);
      // A statement may have variants, whose names tell what is in them.
      const name = prepared.split(' ', 1)[0]!;
      variants.add(prepared);
      const asked = (times.get(name) ?? 0) + 1;
      times.set(name, asked);
      if (asked > EXPLAINED || READS[name] === undefined) return;
      const { scans } = await keptPlanOf(explainer, { text, values, isRead: false });
      const grows = scans.filter(({ table }) => table === 'outbox' || (GROWING as readonly string[]).includes(table));
      const entries = grows.filter(({ index }) => index !== null);
      const known = found.get(name) ?? { by: new Set(), most: 0, wrong: [] };
      for (const { index } of entries) known.by.add(index!);
      const read = entries.reduce((sum, { rows }) => sum + rows, 0);
      known.most = Math.max(known.most, read / Math.max(1, releasesOf(values)));
      known.wrong.push(
        ...grows.filter(({ table, node, index, condition }) =>
          statistics === 'few' && BY_PEOPLE.has(table)
            ? false
            : index
              ? condition === null || !condition.includes(leading.get(index)!)
              : node === 'Seq Scan',
        ),
      );
      found.set(name, known);
    });
    const worker = await engine.startWorker();
    try {
      // What is seldom is saved by the whole statement.
      const given = await engine.trigger({ product, version: '0' });
      await engine.app.releaseEngine.tell(given, { kind: 'terminate', reason: 'given up', by: null });
      await ended(given, 'TERMINATED');
      for (const version of ['3', '4']) {
        const id = await engine.trigger({ product, version });
        await ended(id, 'SUCCEEDED');
        await engine.app.releaseEngine.look(id, { fresh: true });
      }
    } finally {
      stop();
      await worker.close();
    }
    expect(queuePlans.wrong()).toEqual([]);
    await queuePlans.close();
  }, PLANNED_ONCE);
  expect([...settings]).toEqual([PLANNED_ONCE]);
  expect([...unprepared].filter((text) => !/^(BEGIN|COMMIT)/.test(text))).toEqual([]);
  const wrongs = [...found].flatMap(([name, { wrong }]) =>
    wrong.map(({ node, table, index, condition }) => `${name}: ${node} of ${table} by ${index ?? '-'}: ${condition}`),
  );
  expect([...new Set(wrongs)]).toEqual([]);
  const by = Object.fromEntries([...found].map(([name, each]) => [name, [...each.by].sort()]));
  if (statistics !== 'few')
    expect(by).toEqual(Object.fromEntries(Object.entries(READS).map(([name, each]) => [name, [...each.by].sort()])));
  // A release alone is saved by statements without what it does not need.
  expect([...variants].filter((each) => each.startsWith('save-decisions')).length).toBeGreaterThan(3);
  expect([...variants]).toContain('save-decisions whole');
  // One product has all of the first releases, each row of them written again a dozen times, and nothing has tidied up yet.
  const untidy = statistics === 'few' ? 4 : 1;
  const tooMany = [...found].filter(([name, { most }]) => most > READS[name]!.most * untidy);
  expect(tooMany.map(([name, { most }]) => [name, most])).toEqual([]);
  // A statement that the table above does not have is not one of the engine's hot ones.
  const others = [...times].filter(([name, asked]) => READS[name] === undefined && asked > 3);
  expect(others.map(([name]) => name)).toEqual([]);
}

/** An index that is entered by another column than its first is read whole. */
async function leadingColumns(client: pg.Client): Promise<Map<string, string>> {
  const { rows } = await client.query<[name: string, column: string]>({
    rowMode: 'array',
    text: `SELECT c.relname, pg_get_indexdef(i.indexrelid, 1, true) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid`,
  });
  return new Map(rows);
}

const QUEUE_SETTINGS = `-c search_path=bullmq,public ${PLANNED_ONCE} -c enable_bitmapscan=off`;

/** Plans of the queue's statements, read in its own schema with its own settings, as they are kept. */
class QueuePlans {
  readonly #client: Promise<pg.Client>;
  readonly #found = new Map<string, Set<string>>();

  readonly #settings = new Set<string | undefined>();

  constructor() {
    const options = QUEUE_SETTINGS;
    const client = new pg.Client({ connectionString: engine.databaseUrl, application_name: 'test', options });
    this.#client = client.connect().then(() => client);
  }

  async read(name: string, text: string, values: unknown[], settings: string | undefined): Promise<void> {
    this.#settings.add(settings);
    const { scans } = await keptPlanOf(await this.#client, { text, values, isRead: false });
    const found = this.#found.get(name) ?? new Set();
    this.#found.set(name, found);
    for (const { node, table, index, condition } of scans) {
      if ((table !== 'job' && table !== 'job_dependency') || node === 'Tid Scan') continue;
      const key = index === null ? undefined : QUEUE_READS[name]?.[index];
      const named = key?.every((column) => condition?.includes(column));
      found.add(named ? index! : `wrong: ${node} of ${table} by ${index ?? '-'}: ${condition}`);
    }
  }

  /** Also those statements that were never asked, and one that found nothing by an index that it has. */
  wrong(): string[] {
    // A plan that is made anew each time takes longer than the statement.
    expect([...this.#settings]).toEqual([`${QUEUE_SETTINGS} -c synchronous_commit=off`]);
    return Object.entries(QUEUE_READS).flatMap(([name, indexes]) => {
      const found = this.#found.get(name) ?? new Set();
      const missing = Object.keys(indexes).filter((each) => !found.has(each));
      return [...[...found].filter((each) => each.startsWith('wrong')), ...missing].map((each) => `${name}: ${each}`);
    });
  }

  async close(): Promise<void> {
    await (await this.#client).end();
  }
}

/** How many releases a statement is about: its first value lists them. */
const releasesOf = ([first]: unknown[]): number =>
  (Array.isArray(first) ? first : (JSON.parse(first as string) as unknown[])).length;

/** Asked on another pool than the one whose statements are looked at. */
async function ended(releaseId: string, as: 'SUCCEEDED' | 'TERMINATED'): Promise<void> {
  const status = async (): Promise<string | undefined> => {
    const text = 'SELECT status FROM release WHERE id = $1';
    return (await engine.app.pool.query<{ status: string }>(text, [releaseId])).rows[0]?.status;
  };
  await expect.poll(status, { interval: 100 }).toBe(as);
}

type Seen = (name: string | undefined, text: string, values: unknown[], options: string | undefined) => Promise<void>;

/** Hands every statement of the engine's connections, and those of the queue that are Sluice's, to `seen` before it is sent, one after the other; answers how that ends. */
function watch(seen: Seen): () => void {
  const query = Reflect.get(pg.Client.prototype, 'query') as (...args: unknown[]) => unknown;
  let last = Promise.resolve();
  pg.Client.prototype.query = function (
    this: pg.Client & { connectionParameters: { application_name: string; options?: string } },
    ...args: unknown[]
  ) {
    const { application_name, options } = this.connectionParameters;
    if (!/^sluice-(engine|queue)$/.test(application_name)) return query.apply(this, args);
    const [first, second] = args as [string | pg.QueryConfig, unknown];
    const { name, text, values } = typeof first === 'string' ? ({ text: first } as pg.QueryConfig) : first;
    if (application_name === 'sluice-queue' && !name?.startsWith('lean-')) return query.apply(this, args);
    last = last.then(() => seen(name, text, values ?? (Array.isArray(second) ? second : []), options));
    return last.then(() => query.apply(this, args));
  } as never;
  return () => (pg.Client.prototype.query = query as never);
}

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
      'deployment_history',
      'deployment_once',
      'environment_hold_active',
      'promotion_ahead',
      'promotion_holds',
      'release_open',
    ],
    // Its promotions, once to see what is ahead and once for each of its deployments.
    most: 60,
  },
  // An entry whose row was written again is read too, until it is tidied up.
  'load-states': { by: [RELEASE, PROMOTION], most: 20 },
  'lock-products': { by: [], most: 0 },
  'next-in-line': { by: ['release_open'], most: 8 },
  'save-decisions': { by: [RELEASE, PROMOTION, OUTBOX, 'PK_environment_hold'], most: 20 },
};
/** Of one statement, however often it is asked. */
const EXPLAINED = 40;

let engine: TestEngine;
afterEach(() => engine.close());

test('in a freshly migrated database each statement of the engine has its indexes', async () => {
  engine = await openTestEngine({ name: 'postgres', queuePrefix: `t${randomBytes(5).toString('hex')}` });
  await engine.saveBilling();
  await plansAreRight('billing');
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
    await fillHistory(client, { releases: RELEASES, entries: 10_000, events: 3 });
    // Those of all products would hold up the release that is looked at.
    await client.query(`UPDATE environment_hold SET environment = 'elsewhere' WHERE product IS NULL`);
    await client.query(`SELECT setval(pg_get_serial_sequence('release', 'number'), max(number)) FROM release`);
    await client.query('VACUUM ANALYZE');
  });
  app.releaseEngine.forget();
  await plansAreRight('retired');
});

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
async function plansAreRight(product: string): Promise<void> {
  const found = new Map<string, { by: Set<string>; most: number; wrong: Scan[] }>();
  const unprepared = new Set<string>();
  const settings = new Set<string | undefined>();
  const times = new Map<string, number>();
  const variants = new Set<string>();
  await onOwnConnection(async (explainer) => {
    const stop = watch(async (prepared, text, values, options) => {
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
        ...grows.filter(({ node, index, condition }) => (index ? condition === null : node === 'Seq Scan')),
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
  }, PLANNED_ONCE);
  expect([...settings]).toEqual([PLANNED_ONCE]);
  expect([...unprepared].filter((text) => !/^(BEGIN|COMMIT)/.test(text))).toEqual([]);
  expect([...found].flatMap(([name, { wrong }]) => wrong.map((each) => [name, each]))).toEqual([]);
  const by = Object.fromEntries([...found].map(([name, each]) => [name, [...each.by].sort()]));
  expect(by).toEqual(Object.fromEntries(Object.entries(READS).map(([name, each]) => [name, [...each.by].sort()])));
  // A release alone is saved by statements without what it does not need.
  expect([...variants].filter((each) => each.startsWith('save-decisions')).length).toBeGreaterThan(3);
  expect([...variants]).toContain('save-decisions whole');
  const tooMany = [...found].filter(([name, { most }]) => most > READS[name]!.most);
  expect(tooMany.map(([name, { most }]) => [name, most])).toEqual([]);
  // A statement that the table above does not have is not one of the engine's hot ones.
  const others = [...times].filter(([name, asked]) => READS[name] === undefined && asked > 3);
  expect(others.map(([name]) => name)).toEqual([]);
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
  await expect.poll(status, { timeout: 60_000, interval: 100 }).toBe(as);
}

type Seen = (name: string | undefined, text: string, values: unknown[], options: string | undefined) => Promise<void>;

/** Hands every statement of the engine's connections to `seen` before it is sent, one after the other; answers how that ends. */
function watch(seen: Seen): () => void {
  const query = Reflect.get(pg.Client.prototype, 'query') as (...args: unknown[]) => unknown;
  let last = Promise.resolve();
  pg.Client.prototype.query = function (
    this: pg.Client & { connectionParameters: { application_name: string; options?: string } },
    ...args: unknown[]
  ) {
    const { application_name, options } = this.connectionParameters;
    if (application_name !== 'sluice-engine') return query.apply(this, args);
    const [first, second] = args as [string | pg.QueryConfig, unknown];
    const { name, text, values } = typeof first === 'string' ? ({ text: first } as pg.QueryConfig) : first;
    last = last.then(() => seen(name, text, values ?? (Array.isArray(second) ? second : []), options));
    return last.then(() => query.apply(this, args));
  } as never;
  return () => (pg.Client.prototype.query = query as never);
}

import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { saveDefinition } from '../../src/commands/save-definition.ts';
import { triggerRelease } from '../../src/commands/trigger-release.ts';
import { holdingNothing, inTransaction } from '../../src/connections.ts';
import { markVersionBad } from '../../src/store/bad-versions.ts';
import { holdEnvironment } from '../../src/store/environment-holds.ts';
import { openTestEngine } from '../support/engine.ts';
import type { TestEngine } from '../support/engine.ts';
import { isByItself } from '../support/by-itself.ts';

// A release is planned by the definitions as its process remembers them. Another process may have changed them, or marked the version.

let engine: TestEngine;
let other: App;
beforeAll(async () => {
  engine = await openTestEngine({ name: 'postgres', queuePrefix: `t${randomBytes(5).toString('hex')}` });
  await engine.saveBilling();
  other = await engine.another();
  await engine.trigger({ product: 'billing', version: 'warm' });
});
afterAll(() => engine.close());

type Query = (...args: unknown[]) => Promise<unknown>;
type Client = pg.Client & { connectionParameters: { application_name: string } };

/** While `work` runs, statements of commands and of the release engine pass `by` with their names; those without, with their texts. */
async function passing(
  by: (name: string, query: Query, client: Client, ...args: unknown[]) => unknown,
  work: () => Promise<unknown>,
): Promise<void> {
  const query = Reflect.get(pg.Client.prototype, 'query') as Query;
  pg.Client.prototype.query = function (this: Client, ...args: unknown[]) {
    const [first] = args as [string | { name?: string; text: string }];
    const name = typeof first === 'string' ? first : (first.name ?? first.text);
    const own = /^sluice(-engine)?$/.test(this.connectionParameters.application_name);
    return own ? by(name, query, this, ...args) : query.apply(this, args);
  } as never;
  try {
    await work();
  } finally {
    pg.Client.prototype.query = query as never;
  }
}

async function asked(work: () => Promise<unknown>): Promise<string[]> {
  const names: string[] = [];
  await passing((name, query, client, ...args) => {
    // Saves have variants, which their names tell of.
    if (!isByItself(args[0])) names.push(name.startsWith('save-decisions') ? 'save-decisions' : name);
    return query.apply(client, args);
  }, work);
  return names;
}

const flowOf = async (id: string): Promise<{ revision: number; environments: number }> => {
  const { plan } = (await engine.app.releaseEngine.look(id, { fresh: true }))!.release;
  return { revision: plan.flow.revision, environments: plan.promotions.length };
};

test('a release is written, and takes its first decision, in one transaction of two exchanges', async () => {
  const one = await asked(() => engine.trigger({ product: 'billing', version: 'one' }));
  const whole = ['BEGIN', 'lock-products', 'insert-releases', 'load-facts', 'save-decisions', 'COMMIT'];
  // Behind them stands only the question whether too many are in the queue.
  expect(one.slice(0, whole.length)).toEqual(whole);
  expect(one.slice(whole.length).filter((each) => !/^definition-revision$|status = 'QUEUED'/.test(each))).toEqual([]);
  // All that come at once share it.
  const versions = ['two', 'three', 'four', 'five'];
  const many = await asked(() =>
    Promise.all(versions.map((version) => engine.trigger({ product: 'billing', version }))),
  );
  expect(many.filter((each) => each === 'insert-releases').length).toBeLessThan(versions.length);
  const { rows } = await engine.app.pool.query<{ version: string }>(
    'SELECT version FROM release WHERE version = ANY($1) ORDER BY number',
    [versions],
  );
  expect(rows.map((each) => each.version)).toEqual(versions);
});

test('a hold that another process is about to make is seen by the first decision, which waits for it', async () => {
  await engine.saveBilling('held');
  let triggered: Promise<string> | undefined;
  await inTransaction(other.pool, 'BEGIN', async (client) => {
    const hold = { product: 'held', environment: 'dev', reason: 'fair week', by: 'ada', since: Date.now() };
    await holdEnvironment(client, { ...hold, until: null, rollback: null });
    triggered = holdingNothing(() => engine.trigger({ product: 'held', version: '1' }));
    const waits = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    const waiting = async (): Promise<number | null> =>
      holdingNothing(async () => (await engine.app.pool.query(waits)).rowCount);
    await expect.poll(waiting).toBe(1);
  });
  const { state } = (await engine.app.releaseEngine.look((await triggered)!, { fresh: true }))!;
  expect(state.promotions.map(({ status }) => status)).not.toContain('RUNNING');
});

test('a flow that another process has changed is the one that the next release runs', async () => {
  const before = await flowOf(await engine.trigger({ product: 'billing', version: 'six' }));
  const { refusals } = await saveDefinition(
    other,
    {
      kind: 'PromotionFlow',
      metadata: { name: 'to-production', labels: {}, annotations: {} },
      spec: {
        triggerEnvironment: 'dev',
        productSelector: {},
        onFailure: 'FINISH_RUNNING',
        steps: [{ environment: 'staging', dependsOn: ['dev'] }],
      },
    },
    { mode: 'UPSERT', actor: 'ada' },
  );
  expect(refusals).toBeUndefined();
  const after = await flowOf(await engine.trigger({ product: 'billing', version: 'seven' }));
  expect(after).toEqual({ revision: before.revision + 1, environments: 2 });
});

test('a version that another process has marked bad is refused, and released when that is acknowledged', async () => {
  const first = await engine.trigger({ product: 'billing', version: 'bad' });
  const { digest } = (await engine.app.releaseEngine.look(first, { fresh: true }))!.release;
  const mark = { product: 'billing', digest, label: 'bad', scope: 'PRODUCT' as const, group: null, environments: [] };
  const client = await other.pool.connect();
  await markVersionBad(client, {
    ...mark,
    reason: 'it leaks',
    by: 'ada',
    since: Date.now(),
    expiresAt: null,
    rollback: null,
  });
  client.release();
  const input = { product: 'billing', version: 'bad' };
  const { refusals } = await triggerRelease(engine.app, input, 'grace');
  expect(refusals?.map(({ message }) => message)).toEqual([expect.stringContaining('it leaks')]);
  const forced = await triggerRelease(engine.app, { ...input, acknowledgeBadVersion: true }, 'grace');
  expect(forced.refusals).toBeUndefined();
});

test('a product that another process has just made is released', async () => {
  await engine.trigger({ product: 'billing', version: 'eight' });
  const metadata = { name: 'late', labels: {}, annotations: {} };
  const spec = { promotionFlows: [{ name: 'to-production' }], concurrency: 'QUEUE' as const, queueLimit: 50 };
  await saveDefinition(other, { kind: 'Product', metadata, spec }, { mode: 'UPSERT', actor: 'ada' });
  const place = { product: 'late', driver: { type: 'simulate' as const }, health: { type: 'none' as const } };
  for (const environment of ['dev', 'staging'])
    await saveDefinition(
      other,
      { kind: 'Application', metadata: { ...metadata, name: `late-${environment}` }, spec: { ...place, environment } },
      { mode: 'UPSERT', actor: 'ada' },
    );
  // This process remembers no such product, and would refuse it.
  expect(await engine.trigger({ product: 'late', version: '1' })).toMatch(/^[0-9a-f-]{36}$/);
});

test('releases that were written together, and whose COMMIT was not answered, are there once and are answered', async () => {
  const versions = ['r1', 'r2', 'r3', 'r4'];
  const together = new Set<Client>();
  let lost = 0;
  let ids: string[] = [];
  await passing(
    async (name, query, client, ...args) => {
      const [{ values }] = args as [{ values: [string] }];
      if (name === 'insert-releases' && (JSON.parse(values[0]) as unknown[]).length > 1) together.add(client);
      const answer = await query.apply(client, args);
      if (name !== 'COMMIT' || !together.delete(client)) return answer;
      lost += 1;
      throw new Error('the connection was cut');
    },
    async () => {
      ids = await Promise.all(versions.map((version) => engine.trigger({ product: 'billing', version })));
    },
  );
  expect(lost).toBeGreaterThan(0);
  const { rows } = await engine.app.pool.query<{ id: string }>('SELECT id FROM release WHERE version = ANY($1)', [
    versions,
  ]);
  expect(rows.map(({ id }) => id).sort()).toEqual(ids.sort());
});

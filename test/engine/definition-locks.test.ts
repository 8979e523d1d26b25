import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { applyManifests } from '../../src/commands/apply-manifests.ts';
import { deleteDefinition } from '../../src/commands/delete-definition.ts';
import type { Specs } from '../../src/core/definitions.ts';
import { holdingNothing, inTransaction } from '../../src/connections.ts';
import { lockProductsStatement } from '../../src/entities/locks.ts';
import { lockDefinitions } from '../../src/store/definitions.ts';
import { openTestEngine } from '../support/engine.ts';
import type { TestEngine } from '../support/engine.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await openTestEngine({ name: 'postgres', queuePrefix: `t${randomBytes(5).toString('hex')}` });
  await engine.saveBilling('billing', { concurrency: 'PIPELINE' });
});
afterAll(() => engine.close());

const NIGHTS: Specs['ReleaseWindow'] = {
  kind: 'DENY',
  timeZone: 'UTC',
  cron: '0 22 * * *',
  duration: 8 * 3_600_000,
  selector: { environments: { names: ['extra'] }, products: {} },
  holds: ['PROMOTE'],
  onClose: 'FINISH',
  runway: false,
};

/** Runs `meanwhile` while a decision about a product is under way, and tells what had happened when it ended. */
async function whileDeciding(meanwhile: () => Promise<unknown>): Promise<'answered before' | 'waited'> {
  let answered = false;
  const { asked, seen } = await inTransaction(
    engine.app.pool,
    `BEGIN; ${lockProductsStatement(['some product'])}`,
    async () => {
      // It is another caller's, who holds nothing.
      const asking = holdingNothing(meanwhile).then(() => (answered = true));
      await Promise.race([asking, waitsForLock()]);
      return { asked: asking, seen: answered };
    },
  );
  await asked;
  return seen ? 'answered before' : 'waited';
}

/** Resolves when some session of this database waits for an advisory lock. */
async function waitsForLock(): Promise<void> {
  for (;;) {
    const waiting = await holdingNothing(() =>
      engine.app.pool.query(
        `SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid)
         WHERE l.locktype = 'advisory' AND NOT l.granted AND a.datname = current_database()`,
      ),
    );
    if (waiting.rowCount) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test('a saved window is answered when no decision is under way any more that has not seen it', async () => {
  expect(await whileDeciding(() => engine.save('ReleaseWindow', 'nights', NIGHTS))).toBe('waited');
  const text = `apiVersion: sluice.dev/v1\nkind: Environment\nmetadata: { name: extra }\nspec: { kind: PRODUCTION }`;
  expect(await whileDeciding(() => applyManifests(engine.app, { text, dryRun: false }, 'ada'))).toBe('waited');
});

test('what no decision reads waits for none', async () => {
  const flow: Specs['PromotionFlow'] = {
    triggerEnvironment: 'dev',
    onFailure: 'FINISH_RUNNING',
    steps: [{ environment: 'staging', dependsOn: ['dev'] }],
  };
  expect(await whileDeciding(() => engine.save('PromotionFlow', 'short', flow))).toBe('answered before');
  const text = `apiVersion: sluice.dev/v1\nkind: Environment\nmetadata: { name: other }\nspec: { kind: PRODUCTION }`;
  expect(await whileDeciding(() => applyManifests(engine.app, { text, dryRun: true }, 'ada'))).toBe('answered before');
  // The same again changes nothing.
  expect(await whileDeciding(() => engine.save('Environment', 'extra', { kind: 'PRODUCTION' }))).toBe(
    'answered before',
  );
});

test('a writer of definitions stops no release, and no dry run', async () => {
  const text = `apiVersion: sluice.dev/v1\nkind: Product\nmetadata: { name: billing }\nspec: { promotionFlows: [] }`;
  await engine.app.dataSource.transaction(async (tx) => {
    await lockDefinitions(tx);
    const id = await holdingNothing(() => engine.trigger({ product: 'billing', version: 'beside' }));
    const to = await holdingNothing(() => engine.app.releaseEngine.look(id, { fresh: true }));
    expect(to?.state.status).toBe('RUNNING');
    const dry = await holdingNothing(() => applyManifests(engine.app, { text, dryRun: true }, 'ada'));
    expect(dry).toMatchObject({ errors: [], changes: [{ kind: 'Product', name: 'billing', change: 'UPDATED' }] });
  });
});

test('a dry run says what the apply then does, revisions included, and leaves no trace', async () => {
  await engine.save('Environment', 'gone', { kind: 'PRODUCTION' });
  await deleteDefinition(engine.app, 'Environment', 'gone', { actor: 'ada' });
  const text = [
    'apiVersion: sluice.dev/v1\nkind: PromotionFlow\nmetadata: { name: new }\nspec:\n  triggerEnvironment: gone\n  steps: [{ environment: fresh, dependsOn: [gone] }]',
    ...['gone', 'fresh'].map(
      (name) => `apiVersion: sluice.dev/v1\nkind: Environment\nmetadata: { name: ${name} }\nspec: { kind: PRODUCTION }`,
    ),
  ].join('\n---\n');
  const count = async (): Promise<unknown> =>
    (await engine.app.pool.query('SELECT count(*) FROM definition_revision')).rows[0];
  const before = await count();
  const dry = await applyManifests(engine.app, { text, dryRun: true }, 'ada');
  expect(await count()).toEqual(before);
  const done = await applyManifests(engine.app, { text, dryRun: false }, 'ada');
  expect(done).toEqual(dry);
  expect(done.changes.map(({ name, revision }) => `${name} ${revision}`)).toEqual(['gone 3', 'fresh 1', 'new 1']);
});

test('three hundred flows are checked with one read of what they may name', async () => {
  const environments = Array.from(
    { length: 20 },
    (_, each) =>
      `apiVersion: sluice.dev/v1\nkind: Environment\nmetadata: { name: x${each} }\nspec: { kind: PRODUCTION }`,
  );
  const steps = environments.map((_, each) => `  - { environment: x${each}, dependsOn: [dev] }`).join('\n');
  const flows = Array.from(
    { length: 300 },
    (_, each) =>
      `apiVersion: sluice.dev/v1\nkind: PromotionFlow\nmetadata: { name: flow-${each} }\nspec:\n  triggerEnvironment: dev\n  steps:\n${steps}`,
  );
  const { pool } = engine.app;
  const query = pool.query.bind(pool);
  let statements = 0;
  (pool as { query: unknown }).query = (...given: { name?: string }[]) => {
    if (given[0]?.name === 'all-definitions') statements += 1;
    return (query as (...all: unknown[]) => unknown)(...given);
  };
  const text = [...environments, ...flows].join('\n---\n');
  const dry = await applyManifests(engine.app, { text, dryRun: true }, 'ada');
  (pool as { query: unknown }).query = query;
  expect(dry.errors).toEqual([]);
  expect(dry.changes).toHaveLength(320);
  expect(statements).toBe(1);
});

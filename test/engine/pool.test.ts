import { randomBytes } from 'node:crypto';
import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { applyManifests } from '../../src/commands/apply-manifests.ts';
import { retryRelease, terminateRelease } from '../../src/commands/control-release.ts';
import { deleteDefinition } from '../../src/commands/delete-definition.ts';
import { holdEnvironment, releaseEnvironment } from '../../src/commands/hold-environment.ts';
import { markVersionBad, unmarkVersionBad } from '../../src/commands/mark-version.ts';
import { reportHealth } from '../../src/commands/report-health.ts';
import { reportRollout } from '../../src/commands/report-rollout.ts';
import { planRollback } from '../../src/commands/rollback-order.ts';
import { startManualRollback } from '../../src/commands/start-manual-rollback.ts';
import { planRelease, triggerRelease } from '../../src/commands/trigger-release.ts';
import { inTransaction, SturdyPool, takeHoldAndWaits, whileHolding, withConnection } from '../../src/connections.ts';
import { readFacts, readSummaries } from '../../src/store/release-reads.ts';
import { openTestEngine } from '../support/engine.ts';
import type { TestEngine } from '../support/engine.ts';

const POOL = 3;
const TWICE = 2 * POOL;

let engine: TestEngine;
let live: string;
let saved = 0;

beforeAll(async () => {
  engine = await openTestEngine(
    { name: 'postgres', queuePrefix: `t${randomBytes(5).toString('hex')}` },
    { SLUICE_DATABASE_POOL_SIZE: String(POOL) },
  );
  await engine.saveBilling('billing', { concurrency: 'PIPELINE', health: () => ({ type: 'none' }) });
  await engine.startWorker();
  await engine.ended(await engine.trigger({ product: 'billing', version: '1' }));
  live = await engine.trigger({ product: 'billing', version: '2' });
  await engine.ended(live);
});
afterAll(() => engine.close());

/** Each process has to read the definitions again: what waits for that must not hold what it needs. */
const touchDefinitions = (): Promise<void> =>
  engine.save('Environment', 'somewhere', { kind: 'NON_PRODUCTION' }, { saved: String((saved += 1)) });

/** Nobody waits for a connection that never comes: a pool gives up after ten seconds. */
async function sideBySide(work: (index: number) => Promise<unknown>): Promise<string[]> {
  await touchDefinitions();
  const done = await Promise.allSettled(Array.from({ length: TWICE }, (_, index) => work(index)));
  return done.flatMap((each) => (each.status === 'rejected' ? [String(each.reason)] : []));
}

const ROLLBACK = { product: 'billing', environments: ['eu'], reason: 'it is broken' };
const manifest = (index: number): string =>
  `apiVersion: sluice.dev/v1\nkind: Environment\nmetadata: { name: applied-${index} }\nspec: { kind: PRODUCTION }`;

// By name, so that a list tells which one broke the rule.
const COMMANDS: Record<string, (index: number) => Promise<unknown>> = {
  triggerRelease: (index) => triggerRelease(engine.app, { product: 'billing', version: `t${index}` }, 'ada'),
  'triggerRelease with a key': (index) =>
    triggerRelease(engine.app, { product: 'billing', version: `k${index}`, idempotencyKey: `k${index}` }, 'ada'),
  planRelease: (index) => planRelease(engine.app, { product: 'billing', version: `p${index}` }),
  planRollback: () => planRollback(engine.app, ROLLBACK, 'ada'),
  rollbackStart: (index) => startManualRollback(engine.app, { ...ROLLBACK, idempotencyKey: `r${index}` }, 'ada'),
  rolloutReport: (index) =>
    reportRollout(
      engine.app,
      { product: 'billing', environment: 'us-east', status: 'FAILED', idempotencyKey: `f${index}` },
      'argo',
    ),
  healthReport: () => reportHealth(engine.app, { application: 'billing-asia', status: 'DEGRADED' }, 'argo'),
  environmentHold: (index) =>
    holdEnvironment(engine.app, { environment: 'asia-2', reason: `hold ${index}`, idempotencyKey: `h${index}` }, 'ada'),
  environmentRelease: () => releaseEnvironment(engine.app, { environment: 'asia-2' }, 'ada'),
  versionMarkBad: (index) =>
    markVersionBad(engine.app, { product: 'billing', version: '1', reason: `bad ${index}` }, 'ada'),
  versionUnmarkBad: () => unmarkVersionBad(engine.app, { product: 'billing', version: '1', reason: 'fine' }, 'ada'),
  terminateRelease: () => terminateRelease(engine.app, { releaseId: live }, 'ada'),
  retryRelease: () => retryRelease(engine.app, { releaseId: live }, 'ada'),
  apply: (index) => applyManifests(engine.app, { text: manifest(index), dryRun: false }, 'ada'),
  'apply, dry run': (index) => applyManifests(engine.app, { text: manifest(index + 50), dryRun: true }, 'ada'),
  delete: (index) => deleteDefinition(engine.app, 'Environment', `applied-${index}`, { actor: 'ada' }),
  'the facts of a release': async () => {
    const [release] = (await readSummaries(engine.app.pool, [live])).values();
    return readFacts(engine.app.pool, [release!], engine.app.definitions);
  },
  definitions: () => engine.app.definitions.current(),
};

describe(`with a pool of ${POOL}, right after a definition was saved`, () => {
  test.each(Object.keys(COMMANDS))(`${TWICE} at once: %s`, async (name) => {
    expect(await sideBySide((index) => COMMANDS[name]!(index))).toEqual([]);
  });

  test('all of them at once', async () => {
    const all = Object.values(COMMANDS);
    expect(await sideBySide((index) => Promise.all(all.map((each) => each(index + 100))))).toEqual([]);
  });
});

describe('a caller that holds a connection', () => {
  const pool = (): Pool => engine.app.pool;

  test('gets no second one of the same pool, however far down it asks', async () => {
    const asks = [
      () => pool().query('SELECT 1'),
      () => engine.app.dataSource.query('SELECT 1'),
      () => engine.app.dataSource.transaction((tx) => tx.query('SELECT 1')),
      () => engine.app.definitions.current(),
      () => engine.app.releaseEngine.tell(live, { kind: 'tick' }),
    ];
    const holds = [
      (ask: () => Promise<unknown>) => withConnection(pool(), ask),
      (ask: () => Promise<unknown>) => inTransaction(pool(), 'BEGIN', ask),
      (ask: () => Promise<unknown>) => engine.app.dataSource.transaction(ask),
    ];
    const seen: string[] = [];
    for (const hold of holds) for (const ask of asks) seen.push(await nameOf(hold(() => Promise.resolve().then(ask))));
    expect(seen).toEqual(Array.from({ length: holds.length * asks.length }, () => 'HoldAndWait'));
    expect(takeHoldAndWaits()).not.toEqual([]);
  });

  test('may use it, and another pool; and once it was given back it may ask again', async () => {
    const other = new SturdyPool({ connectionString: engine.databaseUrl, max: 1, seams: null });
    let later!: () => void;
    const begun = new Promise<void>((resolve) => (later = resolve)).then(() => pool().query('SELECT 2 AS two'));
    const asked = await withConnection(pool(), async (client) => {
      await client.query('SELECT 1');
      await other.query('SELECT 1');
      return { afterwards: new Promise((resolve) => setTimeout(resolve, 20)).then(() => pool().query('SELECT 3')) };
    });
    later();
    await Promise.all([begun, asked.afterwards]);
    await other.end();
  });

  test('is not taken for those who began beside it', async () => {
    const [, beside] = await Promise.all([
      whileHolding(pool(), () => new Promise((resolve) => setTimeout(resolve, 20))),
      pool().query('SELECT 1 AS one'),
    ]);
    expect(beside.rows).toEqual([{ one: 1 }]);
  });
});

async function nameOf(asked: Promise<unknown>): Promise<string> {
  return asked.then(
    () => 'got one',
    (error: Error) => error.name,
  );
}

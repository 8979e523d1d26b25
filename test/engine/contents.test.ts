import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ContentByDigest1765220000000 } from '../../migrations/1765220000000-content-by-digest.ts';
import { startManualRollback } from '../../src/commands/start-manual-rollback.ts';
import { listLiveDeployments } from '../../src/store/deployment-reads.ts';
import { openTestEngine } from '../support/engine.ts';
import type { TestEngine } from '../support/engine.ts';
import { createBillingRepository, values } from './rollback/repository.ts';
import type { BillingRepository } from './rollback/repository.ts';

// What a release pins: the files stand once under their digest, whoever brings them.

let engine: TestEngine;
let repository: BillingRepository;
beforeAll(async () => {
  repository = createBillingRepository();
  const backend = { name: 'postgres' as const, queuePrefix: `t${randomBytes(5).toString('hex')}` };
  engine = await openTestEngine(backend, { SLUICE_DATA_DIR: `${repository.root}/data`, SLUICE_DRIFT_INTERVAL_MS: '0' });
  await engine.startWorker();
  await engine.saveBilling('billing', {
    driver: (environment) => ({ type: 'git', repoURL: repository.url, branch: 'main', path: environment }),
  });
  await engine.save('Product', 'billing', {
    promotionFlows: [],
    concurrency: 'QUEUE',
    queueLimit: 50,
    promotionTemplate: { versionSource: { file: 'values.yaml', jsonPath: '$.image.tag' } },
  });
});
afterAll(async () => {
  await engine.close();
  repository.remove();
});

async function release(tag: string): Promise<string> {
  repository.write({ 'dev/values.yaml': values('dev', tag), 'dev/new.yaml': `since: ${tag}\n` }, `billing ${tag}`);
  return again();
}

async function again(): Promise<string> {
  const id = await engine.trigger({ product: 'billing' });
  expect((await engine.ended(id)).status).toBe('SUCCEEDED');
  return id;
}

interface Kept {
  digest: string;
  files: Record<string, unknown>;
  listing: Record<string, string>;
}

const query = async <T extends object>(text: string, given: unknown[] = []): Promise<T[]> =>
  (await engine.app.pool.query<T>(text, given)).rows;
const contents = (): Promise<Kept[]> =>
  query<Kept>('SELECT digest, files, listing FROM content ORDER BY referenced_at');
const pinnedBy = async (id: string): Promise<{ digest: string; files?: unknown }[]> => {
  const rows = await query<{ contents: Record<string, { digest: string }> }>(
    'SELECT contents FROM release_plan WHERE release_id = $1',
    [id],
  );
  return Object.values(rows[0]?.contents ?? {});
};
const rollBack = async (environment: string): Promise<string> => {
  const input = { product: 'billing', environments: [environment], reason: 'it leaks' };
  const started = await startManualRollback(engine.app, input, 'ada');
  if (started.refusals) throw new Error(JSON.stringify(started.refusals));
  expect((await engine.ended(started.value.rollbackId)).status).toBe('SUCCEEDED');
  return started.value.rollbackId;
};

test('two releases of one version, and a rollback to it, keep its files once and name their digest', async () => {
  const first = await release('1');
  const second = await again();
  await release('2');
  expect(await contents()).toMatchObject([
    { listing: { 'values.yaml': 'whole', 'new.yaml': 'whole', 'local-dev.yaml': 'whole' } },
    { files: { 'new.yaml': { kind: 'whole', text: 'since: 2\n' } } },
  ]);
  const back = await rollBack('asia-2');
  expect(repository.git('show', 'main:asia-2/new.yaml')).toBe('since: 1\n');
  const [kept] = await pinnedBy(second);
  expect(await pinnedBy(first)).toMatchObject([{ digest: kept?.digest }]);
  expect(await pinnedBy(back)).toEqual([kept]);
  expect(await contents()).toHaveLength(2);
  const live = await listLiveDeployments(engine.app.pool, { limit: 10, filter: { environments: ['asia-2'] } });
  expect(live.rows).toMatchObject([{ digest: kept?.digest, version: '1' }]);
});

test('what a release froze is read without its files', async () => {
  const [id] = await query<{ id: string }>('SELECT id FROM release ORDER BY number LIMIT 1');
  const client = await engine.app.pool.connect();
  try {
    // Nobody who opens them gets past this.
    await client.query('BEGIN; LOCK TABLE content IN ACCESS EXCLUSIVE MODE');
    engine.app.releaseEngine.frozen.forget();
    const found = await engine.app.releaseEngine.frozen.of([id!.id]);
    expect(Object.values(found.get(id!.id)!.contents)).toEqual([
      expect.objectContaining({
        label: '1',
        author: expect.any(String),
        commit: expect.stringMatching(/^[0-9a-f]{40}$/),
      }),
    ]);
  } finally {
    await client.query('ROLLBACK');
    client.release();
  }
});

test('a release of before, which has its files with it, is promoted, and taken back to', async () => {
  // As the version before wrote it: the migration taken back says how.
  const runner = engine.app.dataSource.createQueryRunner();
  const migration = new ContentByDigest1765220000000();
  await migration.down(runner);
  await migration.up(runner);
  await runner.release();
  engine.app.releaseEngine.frozen.forget();
  const [old] = await query<{ id: string }>('SELECT id FROM release ORDER BY number LIMIT 1');
  expect(await pinnedBy(old!.id)).toMatchObject([{ files: { 'new.yaml': { kind: 'whole', text: 'since: 1\n' } } }]);
  expect(await contents()).toEqual([]);
  expect((await engine.app.releaseEngine.frozen.of([old!.id])).get(old!.id)!.contents).toEqual({
    'billing-dev': expect.not.objectContaining({ files: expect.anything() }),
  });
  const back = await rollBack('eu');
  expect(repository.git('show', 'main:eu/new.yaml')).toBe('since: 1\n');
  expect(await pinnedBy(back)).toMatchObject([{ digest: (await pinnedBy(old!.id))[0]?.digest }]);
  // The files moved where they are found by everybody.
  expect(await contents()).toMatchObject([{ listing: { 'new.yaml': 'whole' } }]);
});

test('files that the database does not have are said to be missing, and by what', async () => {
  const [id] = await query<{ id: string }>('SELECT id FROM release ORDER BY number LIMIT 1');
  const { frozen } = engine.app.releaseEngine;
  const version = { label: '9', digest: 'of nothing' };
  await expect(frozen.content({ release: id!.id, content: 'billing-eu', version })).rejects.toThrow(
    `the files of version 9, which release ${id!.id} pinned, are missing`,
  );
});

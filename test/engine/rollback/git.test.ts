import { afterAll, beforeAll, expect, test } from 'vitest';
import { onOneBackend } from '../../support/backends.ts';
import { openTestEngine } from '../../support/engine.ts';
import type { TestEngine } from '../../support/engine.ts';
import { createBillingRepository, values } from './repository.ts';
import type { BillingRepository } from './repository.ts';
import { liveVersions, POLICY, rollbackOf, statuses } from './support.ts';

onOneBackend('redis', (backend) => {
  let engine: TestEngine;
  let repository: BillingRepository;
  beforeAll(async () => {
    repository = createBillingRepository();
    engine = await openTestEngine(backend, { SLUICE_DATA_DIR: `${repository.root}/data` });
    await engine.startWorker();
    await engine.saveBilling('billing', {
      driver: (environment) => ({ type: 'git', repoURL: repository.url, branch: 'main', path: environment }),
      // Asia never liked version 2, and us-east does not like version 3.
      health: (environment) => ({
        type: 'simulate',
        degraded: environment === 'asia' ? ['2'] : environment === 'us-east' ? ['3'] : [],
      }),
      onFailure: 'CONTINUE',
      rollbackPolicies: [{ ...POLICY, when: { environments: ['us-east'] } }],
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

  const release = async (tag: string, files: Record<string, string | null> = {}): Promise<string> => {
    repository.write({ 'dev/values.yaml': values('dev', tag), ...files }, `billing ${tag}`);
    const id = await engine.trigger({ product: 'billing' });
    await engine.ended(id);
    return id;
  };
  const commitOf = async (id: string, environment: string): Promise<string> => {
    const { rows } = await engine.app.pool.query<{ commit_id: string }>(
      'SELECT commit_id FROM deployment WHERE release_id = $1 AND environment = $2',
      [id, environment],
    );
    return rows[0]?.commit_id as string;
  };

  test('each environment gets the files of its own last verified version back, byte for byte, in a commit on top', async () => {
    const one = await release('1', { 'dev/queue.yaml': 'workers: 1\n' });
    const two = await release('2', { 'dev/queue.yaml': 'workers: 2\n' });
    expect(await liveVersions(engine, 'billing')).toMatchObject({ 'us-east': '2', eu: '2', asia: '2' });
    // The bad version brings a file, and overwrites one that eu had of its own.
    repository.write({ 'eu/limits.yaml': 'by: eu\n' }, 'eu has limits of its own');
    const eu = { before: repository.tree('eu') };
    const bad = await release('3', { 'dev/cache.yaml': 'size: 3\n', 'dev/queue.yaml': 'workers: 3\n' });
    const head = repository.git('rev-parse', 'main').trim();
    const rollback = await rollbackOf(engine, 'billing');
    expect(statuses(rollback)).toEqual({ 'us-east': 'SUCCEEDED', eu: 'SUCCEEDED', asia: 'SUCCEEDED' });
    expect(repository.tree('us-east')).toBe(repository.tree('us-east', await commitOf(two, 'us-east')));
    expect(repository.tree('eu')).toBe(eu.before);
    expect(repository.tree('asia')).toBe(repository.tree('asia', await commitOf(one, 'asia')));
    expect(await liveVersions(engine, 'billing')).toMatchObject({ 'us-east': '2', eu: '2', asia: '1', 'asia-2': '1' });
    // Never a force push: what was there is an ancestor still.
    expect(repository.git('merge-base', head, 'main').trim()).toBe(head);
    const log = repository.git('log', '--format=%s|%(trailers:key=Sluice-Rollback,valueonly,separator=)', 'main');
    const told = log.split('\n').filter((each) => each.startsWith('Roll back'));
    expect(told.sort()).toEqual(
      [
        `Roll back billing in asia from 3 to 1|${rollback.state.id}`,
        `Roll back billing in eu from 3 to 2|${rollback.state.id}`,
        `Roll back billing in us-east from 3 to 2|${rollback.state.id}`,
      ].sort(),
    );
    expect(bad).toBe(rollback.release.plan.rollback?.cause.release);
  });
});

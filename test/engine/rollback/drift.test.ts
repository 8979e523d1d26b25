import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { planRollback } from '../../../src/commands/rollback-order.ts';
import { terminateRelease } from '../../../src/commands/control-release.ts';
import { reportRollout } from '../../../src/commands/report-rollout.ts';
import { startManualRollback } from '../../../src/commands/start-manual-rollback.ts';
import { DriftWatch } from '../../../src/jobs/drift-watch.ts';
import { onOneBackend } from '../../support/backends.ts';
import { openTestEngine } from '../../support/engine.ts';
import type { TestEngine } from '../../support/engine.ts';
import { createBillingRepository, values } from './repository.ts';
import type { BillingRepository } from './repository.ts';
import { lookAt, POLICY, rollbackOf, statuses } from './support.ts';
import type { RollbackSeen } from './support.ts';

// Each makes two releases through six environments in git before it begins.
vi.setConfig({ testTimeout: 60_000 });

/** A product of its own in a repository of its own, with versions 1 and 2 everywhere; version 3 fails in us-east. */
onOneBackend('redis', (backend) => {
  let engine: TestEngine;
  const repositories: BillingRepository[] = [];
  beforeAll(async () => {
    engine = await openTestEngine(backend, { SLUICE_DRIFT_INTERVAL_MS: '0' });
    await engine.startWorker();
  });
  afterAll(async () => {
    await engine.close();
    for (const each of repositories) each.remove();
  });

  const billing = async (product: string): Promise<BillingRepository> => {
    const repository = createBillingRepository();
    repositories.push(repository);
    const folder = (environment: string) =>
      ({ type: 'git', repoURL: repository.url, branch: 'main', path: environment }) as const;
    await engine.saveBilling(product, {
      driver: folder,
      health: (environment) => ({ type: 'simulate', degraded: environment === 'us-east' ? ['3'] : [] }),
      onFailure: 'CONTINUE',
      rollbackPolicies: [POLICY],
    });
    await engine.save('Product', product, {
      promotionFlows: [],
      concurrency: 'QUEUE',
      queueLimit: 50,
      promotionTemplate: {
        versionSource: { file: 'values.yaml', jsonPath: '$.image.tag' },
        promotion: { 'values.yaml': { jsonPaths: ['$.image.tag'] } },
      },
    });
    await release(product, repository, '1');
    await release(product, repository, '2');
    return repository;
  };
  const release = async (product: string, repository: BillingRepository, tag: string): Promise<string> => {
    repository.write({ 'dev/values.yaml': values('dev', tag) }, `${product} ${tag}`);
    const id = await engine.trigger({ product });
    await engine.ended(id);
    return id;
  };
  const tag = (repository: BillingRepository, environment: string): string =>
    /tag: "([^"]*)"/.exec(repository.git('show', `main:${environment}/values.yaml`))?.[1] ?? '';
  const target = ({ release: { plan } }: RollbackSeen, environment: string) =>
    plan.rollback?.targets.find((each) => each.environment === environment);
  const driftOf = async (
    product: string,
    environment: string,
  ): Promise<{ files: string[]; subject: string } | null> => {
    const { rows } = await engine.app.pool.query(
      'SELECT drift FROM deployment WHERE product = $1 AND environment = $2 ORDER BY at DESC, id DESC LIMIT 1',
      [product, environment],
    );
    return rows[0]?.drift ?? null;
  };
  const failed = (product: string) => ({ product, environment: 'us-east', version: '2', status: 'FAILED' as const });

  // The first one: a round looks at every product that there is.
  test('a change by hand is seen without anything going wrong, and is gone again when somebody takes it back', async () => {
    const repository = await billing('watched');
    const app = { ...engine.app, config: { ...engine.app.config, driftIntervalMs: 1 } };
    const watch = new DriftWatch(app);
    await watch.round();
    const looked = 'SELECT environment FROM deployment WHERE product = $1 AND looked_at IS NOT NULL ORDER BY 1';
    const { rows } = await engine.app.pool.query(looked, ['watched']);
    // Versions start in dev: what somebody writes there is the next one.
    expect(rows.map((row) => row.environment)).toEqual(['asia', 'asia-2', 'eu', 'staging', 'us-east']);
    const commit = repository.write({ 'eu/values.yaml': values('eu', '2-hotfix') }, 'A hotfix in eu');
    await watch.round();
    const first = await driftOf('watched', 'eu');
    expect(first).toMatchObject({ commit, files: ['values.yaml'], since: expect.any(String) });
    await watch.round();
    expect(await driftOf('watched', 'eu')).toEqual(first);
    repository.write({ 'eu/values.yaml': values('eu', '2') }, 'Never mind');
    await watch.round();
    expect(await driftOf('watched', 'eu')).toBeNull();
  });

  test('a region that somebody changed by hand is left alone, the record says why, and the others go back', async () => {
    const repository = await billing('hotfixed');
    repository.write({ 'eu/values.yaml': values('eu', '2-hotfix') }, 'A hotfix in eu');
    const { value } = await reportRollout(engine.app, failed('hotfixed'), 'pager');
    expect(value?.outcome).toBe('a rollback was started');
    const rollback = await rollbackOf(engine, 'hotfixed', ({ promotions }) =>
      [0, 1].every((at) => promotions[at]?.status === 'SUCCEEDED'),
    );
    expect(statuses(rollback)).toMatchObject({ 'us-east': 'SUCCEEDED', asia: 'SUCCEEDED' });
    expect(target(rollback, 'eu')).toMatchObject({
      decision: 'LEFT_ALONE',
      reason: 'eu was changed by hand after 2: what is live there is not known',
    });
    expect(['us-east', 'eu', 'asia'].map((each) => tag(repository, each))).toEqual(['1', '2-hotfix', '1']);
    expect(await driftOf('hotfixed', 'eu')).toMatchObject({ files: ['values.yaml'], subject: 'A hotfix in eu' });
    expect(await driftOf('hotfixed', 'us-east')).toBeNull();
  });

  test('where it failed and somebody has changed it by hand, a person is asked; who agrees goes over that change', async () => {
    const repository = await billing('patched');
    repository.write({ 'us-east/values.yaml': values('us-east', '2-patch') }, 'A patch in us-east');
    const { value } = await reportRollout(engine.app, failed('patched'), 'pager');
    const rollback = await lookAt(engine, value?.rollbackId as string);
    expect(target(rollback, 'us-east')).toMatchObject({
      decision: 'PROPOSED',
      reason: expect.stringContaining('us-east was changed by hand, and that change would be lost'),
    });
    const plan = await planRollback(
      engine.app,
      { product: 'patched', environments: ['us-east'], reason: 'now' },
      'ann',
    );
    expect(plan.value?.targets[0]).toMatchObject({
      decision: 'INCLUDED',
      reason: expect.stringContaining('us-east was changed by hand, and that change is lost'),
    });
    const input = { product: 'patched', environments: ['us-east'], reason: 'now' };
    const byPerson = await startManualRollback(engine.app, input, 'ann');
    const id = byPerson.value?.rollbackId as string;
    await engine.reached(id, ({ promotions }) => promotions[0]?.status === 'SUCCEEDED');
    expect(tag(repository, 'us-east')).toBe('1');
    const told = (await engine.events(id)).find((each) => each.type === 'DriftOverwritten');
    expect(told).toMatchObject({ environment: 'us-east', files: ['values.yaml'], author: 't <t@example.com>' });
  });

  test('a promotion over a change by hand is made, and its log says over what', async () => {
    const repository = await billing('overwritten');
    const byHand = repository.write({ 'eu/values.yaml': values('eu', '2-hotfix') }, 'A hotfix in eu');
    repository.write({ 'asia/values.yaml': `${values('asia', '2')}replicas: 3\n` }, 'Not promoted in asia');
    const id = await release('overwritten', repository, '4');
    expect((await lookAt(engine, id)).state.status).toBe('SUCCEEDED');
    expect(tag(repository, 'eu')).toBe('4');
    const told = (await engine.events(id)).filter((each) => each.type === 'DriftOverwritten');
    expect(told).toMatchObject([{ environment: 'eu', files: ['values.yaml'], commit: byHand }]);
  });

  test('a change by hand that comes after the decision is not written over, and the record says so', async () => {
    const repository = await billing('raced');
    await engine.save('ReleaseWindow', 'freeze-raced', {
      kind: 'DENY',
      timeZone: 'UTC',
      from: '2020-01-01T00:00',
      to: '2100-01-01T00:00',
      selector: { environments: { names: ['eu'] }, products: { names: ['raced'] } },
      holds: ['ROLLBACK'],
      onClose: 'FINISH',
      runway: false,
    });
    const { value } = await reportRollout(engine.app, failed('raced'), 'pager');
    const id = value?.rollbackId as string;
    await engine.reached(id, ({ promotions }) => promotions.filter((each) => each.status === 'SUCCEEDED').length === 2);
    repository.write({ 'eu/values.yaml': values('eu', '2-hotfix') }, 'A hotfix in eu');
    await engine.save('ReleaseWindow', 'freeze-raced', {
      kind: 'DENY',
      timeZone: 'UTC',
      from: '2020-01-01T00:00',
      to: '2020-01-02T00:00',
      selector: { environments: { names: ['eu'] }, products: { names: ['raced'] } },
      holds: ['ROLLBACK'],
      onClose: 'FINISH',
      runway: false,
    });
    await engine.app.releaseEngine.tell(id, { kind: 'tick' });
    const told = await engine.reached(id, ({ promotions }) => promotions.some((each) => each.status === 'FAILED'));
    const problem = told.promotions.find((each) => each.status === 'FAILED')?.problem?.message;
    expect(problem).toContain('was changed by hand by t <t@example.com>');
    expect(tag(repository, 'eu')).toBe('2-hotfix');
  });

  test('what a release had written that was ended before it could record it is its version, and nobody’s change by hand', async () => {
    const repository = await billing('cut-off');
    // The push is through, and its answer takes its time.
    const hook = `${repository.url.replace('file://', '')}/hooks/post-receive`;
    const slow = '#!/bin/sh\nread old new ref\ngit log -1 --format=%s $new | grep -q "to eu$" && sleep 30\nexit 0\n';
    writeFileSync(hook, slow, { mode: 0o755 });
    repository.write({ 'dev/values.yaml': values('dev', '5') }, 'cut-off 5');
    const id = await engine.trigger({ product: 'cut-off' });
    await expect.poll(() => tag(repository, 'eu')).toBe('5');
    await terminateRelease(engine.app, { releaseId: id, reason: 'wrong day' }, 'ann');
    await engine.ended(id);
    rmSync(hook);
    const inEu = { ...failed('cut-off'), environment: 'eu' };
    const { value } = await reportRollout(engine.app, inEu, 'pager');
    const rollback = await lookAt(engine, value?.rollbackId as string);
    expect(target(rollback, 'eu')).toMatchObject({ decision: 'LEFT_ALONE', reason: 'eu runs 5 and not 2' });
    expect(await driftOf('cut-off', 'eu')).toBeNull();
    const next = await release('cut-off', repository, '6');
    expect((await lookAt(engine, next)).state.status).toBe('SUCCEEDED');
    expect((await engine.events(next)).filter((each) => each.type === 'DriftOverwritten')).toEqual([]);
  });

  test('a repository that nobody can reach when it is decided holds up nobody, and is written once it was seen', async () => {
    const repository = await billing('away');
    const elsewhere = `${repository.root}/elsewhere.git`;
    const bare = repository.url.replace('file://', '');
    renameSync(bare, elsewhere);
    const { value } = await reportRollout(engine.app, failed('away'), 'pager');
    const rollback = await lookAt(engine, value?.rollbackId as string);
    expect(target(rollback, 'eu')).toMatchObject({
      decision: 'INCLUDED',
      reason: expect.stringContaining('the check of eu failed: what is live there is not known'),
    });
    renameSync(elsewhere, bare);
    const seen = await rollbackOf(engine, 'away', ({ promotions }) =>
      [0, 1, 2].every((at) => promotions[at]?.status === 'SUCCEEDED'),
    );
    expect(statuses(seen)).toMatchObject({ 'us-east': 'SUCCEEDED', eu: 'SUCCEEDED', asia: 'SUCCEEDED' });
    expect(tag(repository, 'eu')).toBe('1');
  });
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import { deleteDefinition } from '../../../src/commands/delete-definition.ts';
import { reportRollout } from '../../../src/commands/report-rollout.ts';
import { targetStatuses } from '../../../src/core/rollback/target-status.ts';
import { onOneBackend } from '../../support/backends.ts';
import { openTestEngine } from '../../support/engine.ts';
import type { TestEngine } from '../../support/engine.ts';
import { serveGit } from '../../support/git-http.ts';
import type { GitHttp } from '../../support/git-http.ts';
import { createBillingRepository, values } from './repository.ts';
import type { BillingRepository } from './repository.ts';
import { lookAt, POLICY, statuses } from './support.ts';

/** Eu has a remote of its own, that goes away; the others share one that does not. Versions 1 and 2 are everywhere. */
onOneBackend('postgres', (backend) => {
  let engine: TestEngine;
  let all: BillingRepository;
  let eu: BillingRepository;
  let remote: GitHttp;
  beforeAll(async () => {
    [all, eu] = [createBillingRepository(), createBillingRepository()];
    eu.git('config', 'http.receivepack', 'true');
    remote = await serveGit(eu.root);
    engine = await openTestEngine(backend, { SLUICE_DRIFT_INTERVAL_MS: '0', SLUICE_GIT_PROTOCOLS: 'file,http' });
    await engine.startWorker();
  });
  afterAll(async () => {
    await engine.close();
    await remote.close();
    for (const each of [all, eu]) each.remove();
  });

  const tag = (repository: BillingRepository, environment: string): string =>
    /tag: "([^"]*)"/.exec(repository.git('show', `main:${environment}/values.yaml`))?.[1] ?? '';
  const released = async (product: string): Promise<string> => {
    await engine.saveBilling(product, {
      driver: (environment) => ({
        type: 'git',
        repoURL: environment === 'eu' ? `${remote.url}/billing.git` : all.url,
        branch: 'main',
        path: environment,
      }),
      rollbackPolicies: [{ ...POLICY, targets: POLICY.targets.slice(0, 1) }],
    });
    const promotionTemplate = {
      versionSource: { file: 'values.yaml', jsonPath: '$.image.tag' },
      promotion: { 'values.yaml': { jsonPaths: ['$.image.tag'] } },
    };
    const settings = { promotionFlows: [], concurrency: 'QUEUE' as const, queueLimit: 50, promotionTemplate };
    await engine.save('Product', product, settings);
    let id = '';
    for (const version of [`${product}-1`, `${product}-2`]) {
      all.write({ 'dev/values.yaml': values('dev', version) }, version);
      id = await engine.trigger({ product });
      expect((await engine.ended(id)).status).toBe('SUCCEEDED');
    }
    return id;
  };
  const fails = async (product: string): Promise<string> => {
    const told = { product, environment: 'us-east', status: 'FAILED' as const };
    return (await reportRollout(engine.app, told, null)).value?.rollbackId as string;
  };
  const retries = async (id: string): Promise<number> =>
    (await engine.events(id)).filter((each) => each.type === 'StepRetrying' && each.environment === 'eu').length;

  test('a remote that goes away in the middle of a cascade and comes back: the others do not wait, and all go back', async () => {
    const bad = await released('back');
    await engine.save('ReleaseWindow', 'freeze-back', {
      kind: 'DENY',
      timeZone: 'UTC',
      from: '2020-01-01T00:00',
      to: '2100-01-01T00:00',
      selector: { environments: { names: ['eu'] }, products: { names: ['back'] } },
      holds: ['ROLLBACK'],
      onClose: 'FINISH',
      runway: false,
    });
    const id = await fails('back');
    remote.away = true;
    await deleteDefinition(engine.app, 'ReleaseWindow', 'freeze-back', { actor: 'test' });
    await expect.poll(() => retries(id)).toBeGreaterThan(0);
    await engine.reached(id, ({ promotions }) => promotions.filter((each) => each.status === 'SUCCEEDED').length === 2);
    remote.away = false;
    expect((await engine.ended(id)).status).toBe('SUCCEEDED');
    expect([tag(eu, 'eu'), tag(all, 'us-east'), tag(all, 'asia')]).toEqual(['back-1', 'back-1', 'back-1']);
    expect(eu.git('log', '--format=%s', 'main').match(/^Roll back back in eu/gm)).toHaveLength(1);
    await engine.reached(
      bad,
      ({ promotions }) => promotions.filter((each) => each.status === 'ROLLED_BACK').length === 3,
    );
  }, 60_000);

  test('a remote that never comes back: the others are back, the record says what could not be reached, a retry takes it up', async () => {
    const bad = await released('gone');
    remote.away = true;
    const id = await fails('gone');
    const decided = (await lookAt(engine, id)).release.plan.rollback?.targets.find((each) => each.environment === 'eu');
    expect(decided).toMatchObject({
      decision: 'INCLUDED',
      reason: expect.stringContaining(
        'the check of eu failed: what is live there is not known, and nothing is written before',
      ),
    });
    await expect.poll(async () => (await lookAt(engine, id)).state.endedAt).not.toBeNull();
    const failed = await lookAt(engine, id);
    expect(failed.state.status).toBe('FAILED');
    expect(statuses(failed)).toEqual({ 'us-east': 'SUCCEEDED', eu: 'FAILED', asia: 'SUCCEEDED' });
    const at = failed.release.plan.rollback?.targets.findIndex((each) => each.environment === 'eu') as number;
    expect(targetStatuses(failed.release.plan, failed.state)[at]).toMatchObject({
      status: 'FAILED',
      reason: expect.stringContaining(`repository "${remote.url}/billing.git"`),
    });
    await engine.reached(bad, ({ promotions }) => promotions.some((each) => each.status === 'ROLLBACK_FAILED'));
    expect(tag(eu, 'eu')).toBe('gone-2');
    remote.away = false;
    await engine.app.releaseEngine.tell(id, { kind: 'retry', by: null });
    expect((await engine.ended(id)).status).toBe('SUCCEEDED');
    expect(tag(eu, 'eu')).toBe('gone-1');
  }, 90_000);
});

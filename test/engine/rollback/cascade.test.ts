import { afterAll, beforeAll, expect, test } from 'vitest';
import { approvePromotion } from '../../../src/commands/decide-promotion.ts';
import { deleteDefinition } from '../../../src/commands/delete-definition.ts';
import { reportRollout } from '../../../src/commands/report-rollout.ts';
import type { RollbackPolicySpec, WindowAction } from '../../../src/core/definitions.ts';
import { targetStatuses } from '../../../src/core/rollback/target-status.ts';
import { forEachBackend } from '../../support/backends.ts';
import { openTestEngine } from '../../support/engine.ts';
import type { TestEngine } from '../../support/engine.ts';
import { degradedIn, liveVersions, lookAt, POLICY, rollbackOf, rollbacksOf, statuses } from './support.ts';

forEachBackend((backend) => {
  let engine: TestEngine;
  beforeAll(async () => {
    engine = await openTestEngine(backend);
    await engine.startWorker();
  });
  afterAll(() => engine.close());

  const release = async (product: string, version: string): Promise<string> => {
    const id = await engine.trigger({ product, version });
    await engine.ended(id);
    return id;
  };
  /** Versions 1 and 2 everywhere; then somebody reports that 2 failed in us-east. */
  const reported = async (product: string, policy: RollbackPolicySpec): Promise<string> => {
    await engine.saveBilling(product, { rollbackPolicies: [policy] });
    await release(product, '1');
    await release(product, '2');
    const told = { product, environment: 'us-east', version: '2', status: 'FAILED' as const };
    const { value } = await reportRollout(engine.app, told, null);
    return value?.rollbackId as string;
  };
  const window = (product: string, holds: WindowAction[]) =>
    engine.save('ReleaseWindow', `freeze-${product}`, {
      kind: 'DENY',
      timeZone: 'UTC',
      from: '2020-01-01T00:00',
      to: '2100-01-01T00:00',
      selector: { environments: { names: ['eu'] }, products: { names: [product] } },
      holds,
      onClose: 'FINISH',
      runway: false,
    });

  test('an environment on another version is left alone, and the record says why', async () => {
    await engine.saveBilling('mixed', degradedIn('us-east', '2'));
    await release('mixed', '1');
    // Asia does not take version 2: its action fails before anything is changed, and before us-east turns out bad.
    await engine.saveBilling('mixed', {
      ...degradedIn('us-east', '2'),
      driver: (environment) =>
        environment === 'asia'
          ? { type: 'simulate', failures: -1, failure: 'FAILED' }
          : { type: 'simulate', duration: environment === 'us-east' ? 2_000 : 0 },
    });
    await release('mixed', '2');
    const rollback = await rollbackOf(engine, 'mixed');
    expect(statuses(rollback)).toEqual({ 'us-east': 'SUCCEEDED', eu: 'SUCCEEDED' });
    const asia = rollback.release.plan.rollback?.targets.find((each) => each.environment === 'asia');
    expect(asia).toMatchObject({ decision: 'LEFT_ALONE', reason: 'asia runs 1 and not 2' });
    expect(await liveVersions(engine, 'mixed')).toMatchObject({ 'us-east': '1', eu: '1', asia: '1' });
  });

  test('two regions that fail at the same moment make one rollback', async () => {
    const bad = (environment: string): boolean => environment === 'us-east' || environment === 'eu';
    await engine.saveBilling('twins', {
      health: (environment) => ({ type: 'simulate', degraded: bad(environment) ? ['2'] : [] }),
      rollbackPolicies: [POLICY],
    });
    await release('twins', '1');
    const id = await release('twins', '2');
    const rollback = await rollbackOf(engine, 'twins');
    expect(statuses(rollback)).toEqual({ 'us-east': 'SUCCEEDED', eu: 'SUCCEEDED', asia: 'SUCCEEDED' });
    await engine.reached(
      id,
      ({ promotions }) => promotions.filter((each) => each.status === 'ROLLED_BACK').length === 3,
    );
    const outbox = `SELECT FROM outbox WHERE release_id = $1`;
    await expect.poll(async () => (await engine.app.pool.query(outbox, [id])).rowCount).toBe(0);
    expect(await rollbacksOf(engine, 'twins', 1)).toHaveLength(1);
  });

  test.each([
    ['CONTINUE' as const, { asia: 'SUCCEEDED', eu: 'SUCCEEDED' }],
    ['STOP' as const, { asia: 'SKIPPED', eu: 'SKIPPED' }],
  ])(
    'an environment that cannot be brought back is said to be so; the others as the policy says: %s',
    async (onTargetFailure, others) => {
      const product = `stuck-${onTargetFailure.toLowerCase()}`;
      const policies = { rollbackPolicies: [{ ...POLICY, onTargetFailure, maxParallel: 1 }] };
      await engine.saveBilling(product, policies);
      await release(product, '1');
      // From now on us-east likes neither of the two.
      await engine.saveBilling(product, { ...degradedIn('us-east', '1', '2'), ...policies });
      const bad = await release(product, '2');
      const rollback = await rollbackOf(engine, product);
      expect(rollback.state.status).toBe('FAILED');
      expect(statuses(rollback)).toEqual({ 'us-east': 'FAILED', ...others });
      await engine.reached(
        bad,
        ({ status, promotions }) => status === 'FAILED' && promotions.some((each) => each.status === 'ROLLBACK_FAILED'),
      );
      const seen = await lookAt(engine, bad);
      expect(statuses(seen)['us-east']).toBe('ROLLBACK_FAILED');
      expect(seen.state.status).toBe('FAILED');
    },
  );

  test('a target whose driver is down for a while is tried again until it is back', async () => {
    await engine.saveBilling('flaky', { rollbackPolicies: [POLICY] });
    await release('flaky', '1');
    const driver = (environment: string) =>
      environment === 'eu'
        ? { type: 'simulate' as const, failures: 1, failure: 'TRANSIENT' as const }
        : { type: 'simulate' as const };
    await engine.saveBilling('flaky', { ...degradedIn('us-east', '2'), driver });
    await release('flaky', '2');
    const rollback = await rollbackOf(engine, 'flaky');
    expect(statuses(rollback)['eu']).toBe('SUCCEEDED');
    expect((await engine.events(rollback.state.id)).some((each) => each.type === 'StepRetrying')).toBe(true);
  });

  test('an approval that nobody gives in time leaves the environment as it is', async () => {
    const approval = { rules: [{ count: 1 }], forbidInitiator: true, expiry: 300, onExpiry: 'FAIL' as const };
    const [siblings, downstream] = POLICY.targets;
    const policy = { ...POLICY, targets: [siblings, { ...downstream, approval }] } as RollbackPolicySpec;
    const id = await reported('late', policy);
    expect((await engine.ended(id)).status).toBe('SUCCEEDED');
    expect(statuses(await lookAt(engine, id))['asia-2']).toBe('SKIPPED');
    expect(await liveVersions(engine, 'late')).toMatchObject({ eu: '1', 'asia-2': '2' });
  });

  test('windows for promotions do not hold a rollback, windows for rollbacks do until they open', async () => {
    await engine.saveBilling('exempt', { rollbackPolicies: [{ ...POLICY, targets: POLICY.targets.slice(0, 1) }] });
    await release('exempt', '1');
    await release('exempt', '2');
    await window('exempt', ['PROMOTE']);
    const told = { product: 'exempt', environment: 'us-east', version: '2', status: 'FAILED' as const };
    const first = (await reportRollout(engine.app, told, null)).value?.rollbackId as string;
    await engine.ended(first);
    expect(await liveVersions(engine, 'exempt')).toMatchObject({ eu: '1', asia: '1' });

    await engine.saveBilling('held', { rollbackPolicies: [{ ...POLICY, targets: POLICY.targets.slice(0, 1) }] });
    await release('held', '1');
    await release('held', '2');
    await window('held', ['ROLLBACK']);
    const second = (await reportRollout(engine.app, { ...told, product: 'held' }, null)).value?.rollbackId as string;
    await engine.reached(
      second,
      ({ promotions }) =>
        promotions.filter((each) => each.status === 'SUCCEEDED').length === 2 &&
        promotions.some((each) => each.status === 'WAITING'),
    );
    expect(statuses(await lookAt(engine, second))['eu']).toBe('WAITING');
    expect(await liveVersions(engine, 'held')).toMatchObject({ eu: '2', asia: '1' });
    await deleteDefinition(engine.app, 'ReleaseWindow', 'freeze-held', { actor: 'test' });
    await engine.ended(second);
    expect(await liveVersions(engine, 'held')).toMatchObject({ eu: '1' });
  });

  test('what goes wrong in an environment that is going back already joins that rollback, and its log says so', async () => {
    await engine.saveBilling('joined', { rollbackPolicies: [{ ...POLICY, targets: POLICY.targets.slice(0, 1) }] });
    await release('joined', '1');
    const bad = await release('joined', '2');
    await window('joined', ['ROLLBACK']);
    const told = { product: 'joined', environment: 'us-east', version: '2', status: 'FAILED' as const };
    const id = (await reportRollout(engine.app, told, null)).value?.rollbackId as string;
    const later = { ...told, environment: 'eu', message: 'eu burns, too' };
    const { value } = await reportRollout(engine.app, later, null);
    expect(value).toMatchObject({ rollbackId: id, outcome: 'it is going back already' });
    const joined = (await engine.events(id)).filter((each) => each.type === 'RollbackJoined');
    expect(joined).toMatchObject([{ causedIn: 'eu', cause: 'REPORTED', reason: 'eu burns, too', origin: bad }]);
    await deleteDefinition(engine.app, 'ReleaseWindow', 'freeze-joined', { actor: 'test' });
    expect((await engine.ended(id)).status).toBe('SUCCEEDED');
    expect(await rollbacksOf(engine, 'joined', 1)).toEqual([id]);
  });

  test('a rollout that is reported after a retry is another one: somebody is asked, as it went back by itself before', async () => {
    const policy = { ...POLICY, targets: [], markBad: { scope: 'NONE' as const } };
    const first = await reported('again', policy);
    await engine.ended(first);
    const bad = (await lookAt(engine, first)).release.plan.rollback?.cause.release as string;
    await engine.reached(bad, ({ status }) => status === 'FAILED');
    await engine.app.releaseEngine.tell(bad, { kind: 'retry', by: null });
    await engine.reached(bad, ({ status }) => status === 'SUCCEEDED');
    const told = { product: 'again', environment: 'us-east', version: '2', status: 'FAILED' as const };
    const second = (await reportRollout(engine.app, told, null)).value?.rollbackId as string;
    expect(second).not.toBe(first);
    expect((await lookAt(engine, second)).release.plan.rollback?.targets).toMatchObject([{ decision: 'PROPOSED' }]);
    expect((await reportRollout(engine.app, told, null)).value?.rollbackId).toBe(second);
  });

  test('a failure that is reported too late starts nothing, and whoever reports is told why', async () => {
    await engine.saveBilling('stale', { rollbackPolicies: [POLICY] });
    await release('stale', '1');
    await release('stale', '2');
    const told = { product: 'stale', environment: 'us-east', version: '2', status: 'FAILED' as const };
    const { value } = await reportRollout(engine.app, { ...told, at: new Date(Date.now() - 40 * 60_000) }, null);
    expect(value?.rollbackId).toBeNull();
    expect(value?.outcome).toContain('us-east: the failure in us-east was 40 min ago');
    const { rows } = await engine.app.pool.query(`SELECT FROM rollback WHERE product = 'stale'`);
    expect(rows).toEqual([]);
  });

  test('a proposal holds up nobody; once another version is live there is nothing to take back any more', async () => {
    const id = await reported('moved', POLICY);
    await engine.reached(id, ({ promotions }) => promotions.filter((each) => each.status === 'SUCCEEDED').length === 3);
    const next = await release('moved', '3');
    expect((await lookAt(engine, next)).state.status).toBe('SUCCEEDED');
    const rollback = await engine.ended(id);
    expect(rollback.status).toBe('SUCCEEDED');
    const skipped = (await engine.events(id)).find((each) => each.type === 'RollbackTargetLeftAlone');
    expect(skipped).toMatchObject({ target: 'asia-2', reason: expect.stringContaining('3 is live in asia-2') });
    const seen = await lookAt(engine, id);
    expect(targetStatuses(seen.release.plan, seen.state).at(-1)).toEqual({
      status: 'LEFT_ALONE',
      reason: expect.stringContaining('3 is live in asia-2'),
    });
    const decision = { releaseId: id, environment: 'asia-2' };
    expect((await approvePromotion(engine.app, decision, null)).refusals?.[0]?.code).toBe('WRONG_STATE');
    expect(await liveVersions(engine, 'moved')).toMatchObject({ 'us-east': '3', 'asia-2': '3' });
  });
});

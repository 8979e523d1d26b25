import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { approvePromotion, rejectPromotion } from '../../../src/commands/decide-promotion.ts';
import { reportRollout } from '../../../src/commands/report-rollout.ts';
import type { ApprovalSpec } from '../../../src/core/definitions.ts';
import { targetStatuses } from '../../../src/core/rollback/target-status.ts';
import { approvalOf, person } from '../../core/support/builders.ts';
import { onOneBackend } from '../../support/backends.ts';
import { openTestEngine } from '../../support/engine.ts';
import type { TestEngine } from '../../support/engine.ts';
import { liveVersions, lookAt, POLICY, rollbackOf, statuses } from './support.ts';
import type { RollbackSeen } from './support.ts';

const grace = person('grace @sre');

onOneBackend('redis', (backend) => {
  let engine: TestEngine;
  beforeAll(async () => {
    engine = await openTestEngine(backend);
    await engine.startWorker();
  });
  afterAll(() => engine.close());

  /** The regions have gone back, and asia-2, which runs the same version, waits for somebody. */
  const proposed = async (
    product: string,
    { approval, by = null }: { approval?: ApprovalSpec; by?: string | null } = {},
  ): Promise<{ bad: string; rollback: RollbackSeen }> => {
    const [siblings, downstream] = POLICY.targets as [(typeof POLICY.targets)[0], (typeof POLICY.targets)[0]];
    const targets = [siblings, { ...downstream, ...(approval && { approval }) }];
    await engine.saveBilling(product, { rollbackPolicies: [{ ...POLICY, targets }] });
    await engine.ended(await engine.trigger({ product, version: '1' }));
    const bad = await engine.trigger({ product, version: '2' });
    await engine.ended(bad);
    const told = await reportRollout(engine.app, { product, environment: 'eu', status: 'FAILED' }, by);
    expect(told.refusals).toBeUndefined();
    const rollback = await rollbackOf(
      engine,
      product,
      ({ promotions }) => promotions.filter((each) => each.status === 'SUCCEEDED').length >= 1,
    );
    return { bad, rollback };
  };
  const targetsOf = ({ release, state }: RollbackSeen): Record<string, string> =>
    Object.fromEntries(
      targetStatuses(release.plan, state).map(({ status, reason }, index) => [
        release.plan.rollback?.targets[index]?.environment ?? '',
        status === 'LEFT_ALONE' ? `${status}: ${reason}` : status,
      ]),
    );
  const asksFor =
    (environment: string, { release }: RollbackSeen) =>
    (state: RollbackSeen['state']): boolean => {
      const position = release.plan.promotions.findIndex(({ name }) => name === environment);
      return state.status === 'SUSPENDED' && state.promotions[position]?.status === 'SUSPENDED';
    };

  describe('asia-2 goes back when somebody approves', () => {
    test('approved: it goes back, as the others did', async () => {
      const { bad, rollback } = await proposed('agreed', { by: 'probe' });
      const id = rollback.release.id;
      const waiting = await engine.reached(id, asksFor('asia-2', rollback));
      expect(targetsOf({ ...rollback, state: waiting })).toMatchObject({ 'asia-2': 'PROPOSED', eu: 'ROLLED_BACK' });
      // Whoever reported it started the rollback, and is one pair of eyes already.
      const own = await approvePromotion(engine.app, { releaseId: id, environment: 'asia-2' }, person('probe'));
      expect(own.refusals?.[0]?.message).toContain('probe started the rollback');
      expect(
        (await approvePromotion(engine.app, { releaseId: id, environment: 'asia-2' }, grace)).refusals,
      ).toBeUndefined();
      expect((await engine.ended(id)).status).toBe('SUCCEEDED');
      expect(await liveVersions(engine, 'agreed')).toMatchObject({ eu: '1', asia: '1', 'us-east': '1', 'asia-2': '1' });
      await engine.reached(
        bad,
        ({ promotions }) => promotions.filter((each) => each.status === 'ROLLED_BACK').length === 4,
      );
    });

    test('rejected: it stays as it is, that is no failure, and the record says who said no', async () => {
      const { bad, rollback } = await proposed('declined');
      const id = rollback.release.id;
      await engine.reached(id, asksFor('asia-2', rollback));
      const no = { releaseId: id, environment: 'asia-2', comment: 'it is fine there' };
      expect((await rejectPromotion(engine.app, no, grace)).refusals).toBeUndefined();
      const state = await engine.ended(id);
      expect(state.status).toBe('SUCCEEDED');
      expect(targetsOf({ ...rollback, state })['asia-2']).toBe('LEFT_ALONE: rejected by grace: it is fine there');
      expect(await liveVersions(engine, 'declined')).toMatchObject({ eu: '1', 'asia-2': '2' });
      expect(statuses(await lookAt(engine, bad))['asia-2']).toBe('SUCCEEDED');
    });

    test('started by nobody in particular, on a server without authentication: nobody in particular may approve', async () => {
      const { rollback } = await proposed('unnamed');
      const id = rollback.release.id;
      await engine.reached(id, asksFor('asia-2', rollback));
      expect(
        (await approvePromotion(engine.app, { releaseId: id, environment: 'asia-2' }, null)).refusals,
      ).toBeUndefined();
      await engine.ended(id);
      expect(await liveVersions(engine, 'unnamed')).toMatchObject({ 'asia-2': '1' });
    });

    test('nobody approves in time: it stays as it is', async () => {
      const { rollback } = await proposed('forgotten', { approval: approvalOf('1', { expiry: 3_000 }) });
      const state = await engine.ended(rollback.release.id);
      expect(state.status).toBe('SUCCEEDED');
      expect(targetsOf({ ...rollback, state })['asia-2']).toMatch(/^LEFT_ALONE: not approved in time/);
      expect(await liveVersions(engine, 'forgotten')).toMatchObject({ 'asia-2': '2' });
    });
  });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { approvePromotion, rejectPromotion } from '../../src/commands/decide-promotion.ts';
import { retryRelease, terminateRelease } from '../../src/commands/control-release.ts';
import { deleteDefinition } from '../../src/commands/delete-definition.ts';
import type { Specs } from '../../src/core/definitions.ts';
import type { ReleaseState } from '../../src/core/release.ts';
import { approvalOf, person } from '../core/support/builders.ts';
import { onOneBackend } from '../support/backends.ts';
import { openTestEngine, typesAt } from '../support/engine.ts';
import type { TestEngine } from '../support/engine.ts';

const grace = person('grace @sre');
const linus = person('linus');

const frozen = (until: number, holds: Specs['ReleaseWindow']['holds']): Specs['ReleaseWindow'] => ({
  kind: 'DENY',
  timeZone: 'UTC',
  from: new Date(Date.now() - 1_000).toISOString(),
  to: new Date(until).toISOString(),
  selector: { environments: { names: ['staging'] }, products: {} },
  holds,
  onClose: 'FINISH',
  runway: false,
});

const asks = (position: number) => (state: ReleaseState) =>
  state.status === 'SUSPENDED' && state.promotions[position]?.approval?.requestedAt !== undefined;

onOneBackend('postgres', (backend) => {
  let engine: TestEngine;
  beforeAll(async () => {
    engine = await openTestEngine(backend);
    await engine.startWorker();
  });
  afterAll(() => engine.close());

  test('in a pipeline the next one is told that the one before it waits for an approval', async () => {
    await engine.saveBilling('lined-up', {
      concurrency: 'PIPELINE',
      approvals: { staging: approvalOf('1 of @sre', { forbidInitiator: false }) },
    });
    const first = await engine.trigger({ product: 'lined-up', version: '1' });
    await engine.reached(first, asks(1));
    const second = await engine.trigger({ product: 'lined-up', version: '2' });
    await engine.reached(second, (state) => state.promotions[1]?.status === 'WAITING');
    const told = (await engine.events(second)).filter((each) => each.type === 'PromotionWaiting');
    const { number } = (await engine.app.releaseEngine.look(first, { fresh: false }))!.release;
    expect(told.map((each) => each.reason)).toContainEqual(
      expect.stringContaining(`release lined-up#${number} goes first, and waits for an approval in staging`),
    );
    for (const id of [first, second]) await terminateRelease(engine.app, { releaseId: id }, 'test');
    await Promise.all([first, second].map((id) => engine.ended(id)));
  });

  test('a promotion waits SUSPENDED for people, and starts in the moment that they agree', async () => {
    await engine.saveBilling('asked', { approvals: { staging: approvalOf('1 of @sre') } });
    const id = await engine.trigger({ product: 'asked', version: '1' });
    const waiting = await engine.reached(id, asks(1));
    expect(waiting.promotions[1]).toMatchObject({ status: 'SUSPENDED', startedAt: null });
    const result = await approvePromotion(
      engine.app,
      { releaseId: id, environment: 'staging', comment: 'tested' },
      grace,
    );
    expect(result).toEqual({ value: { releaseId: id, position: 1 } });
    const state = await engine.ended(id);
    expect(state.status).toBe('SUCCEEDED');
    expect(state.promotions[1]?.approval?.decisions).toMatchObject([
      { kind: 'APPROVED', by: 'grace', comment: 'tested' },
    ]);
    expect(state.promotions[1]?.evidence).toContainEqual({
      gate: 'APPROVAL',
      verdict: 'pass',
      reason: 'approved by grace',
    });
    expect(typesAt(await engine.events(id), 'staging').slice(0, 5)).toEqual([
      'ApprovalRequested',
      'PromotionWaiting',
      'ApprovalGiven',
      'ApprovalGranted',
      'PromotionStarted',
    ]);
  });

  test('a rejection fails it, and the release ends as the flow says', async () => {
    await engine.saveBilling('rejected', { approvals: { regions: approvalOf('1') }, onFailure: 'CONTINUE' });
    const id = await engine.trigger({ product: 'rejected', version: '1' });
    await engine.reached(id, asks(3));
    for (const environment of ['asia', 'us-east']) {
      await approvePromotion(engine.app, { releaseId: id, environment }, grace);
    }
    await engine.reached(id, ({ promotions }) => [2, 4].every((each) => promotions[each]?.status === 'SUCCEEDED'));
    const no = await rejectPromotion(engine.app, { releaseId: id, environment: 'eu', comment: 'no' }, grace);
    expect(no.refusals).toBeUndefined();
    const state = await engine.ended(id);
    expect(state.status).toBe('FAILED');
    expect(state.promotions.map((each) => each.status)).toEqual([
      'SUCCEEDED',
      'SUCCEEDED',
      'SUCCEEDED',
      'FAILED',
      'SUCCEEDED',
      'SKIPPED',
    ]);
    expect(state.firstProblem?.message).toBe('rejected by grace: no');
    expect(await approvePromotion(engine.app, { releaseId: id, environment: 'eu' }, linus)).toMatchObject({
      refusals: [{ code: 'WRONG_STATE' }],
    });
  });

  test('its time over, it fails by itself; or waits on and is approved late', async () => {
    await engine.saveBilling('late', { approvals: { staging: approvalOf('1', { expiry: 700 }) } });
    const failed = await engine.trigger({ product: 'late', version: '1' });
    const state = await engine.ended(failed);
    expect(state).toMatchObject({
      status: 'FAILED',
      promotions: [{}, { status: 'FAILED', startedAt: null }, {}, {}, {}, {}],
    });
    const { expiresAt, expiredAt } = state.promotions[1]?.approval ?? {};
    expect((expiredAt as number) - (expiresAt as number)).toBeGreaterThanOrEqual(0);

    await engine.saveBilling('patient', { approvals: { staging: approvalOf('1', { expiry: 300, onExpiry: 'WAIT' }) } });
    const id = await engine.trigger({ product: 'patient', version: '1' });
    await engine.reached(id, (each) => typeof each.promotions[1]?.approval?.expiredAt === 'number');
    await approvePromotion(engine.app, { releaseId: id, environment: 'staging' }, grace);
    expect((await engine.ended(id)).status).toBe('SUCCEEDED');
  });

  test('two rules with people in both: the best assignment is found, whoever comes first', async () => {
    await engine.saveBilling('rules', { approvals: { staging: approvalOf('1 of @sre, linus; 1 of linus, ada') } });
    const id = await engine.trigger({ product: 'rules', version: '1' });
    await engine.reached(id, asks(1));
    await approvePromotion(engine.app, { releaseId: id, environment: 'staging' }, linus);
    expect(await approvePromotion(engine.app, { releaseId: id, environment: 'staging' }, person('mary'))).toMatchObject(
      {
        refusals: [{ code: 'NOT_AN_APPROVER' }],
      },
    );
    await approvePromotion(engine.app, { releaseId: id, environment: 'staging' }, grace);
    expect((await engine.ended(id)).status).toBe('SUCCEEDED');
  });

  test('whoever triggered cannot approve', async () => {
    await engine.saveBilling('own', { approvals: { staging: approvalOf('1') } });
    const id = await engine.trigger({ product: 'own', version: '1' });
    await engine.reached(id, asks(1));
    const own = await approvePromotion(engine.app, { releaseId: id, environment: 'staging' }, person('test'));
    expect(own).toMatchObject({
      refusals: [{ code: 'NOT_AN_APPROVER', message: expect.stringContaining('test is the initiator') }],
    });
    await terminateRelease(engine.app, { releaseId: id }, null);
    expect((await engine.ended(id)).status).toBe('TERMINATED');
  });

  test('in a PIPELINE, one that waits for people in production does not hold the next one before it', async () => {
    await engine.saveBilling('piped', { concurrency: 'PIPELINE', approvals: { 'asia-2': approvalOf('1') } });
    const first = await engine.trigger({ product: 'piped', version: '1' });
    await engine.reached(first, asks(5));
    const second = await engine.trigger({ product: 'piped', version: '2' });
    const waiting = await engine.reached(second, (state) => state.promotions[5]?.status === 'WAITING');
    expect(waiting.promotions.map((each) => each.status)).toEqual([...Array(5).fill('SUCCEEDED'), 'WAITING']);
    // Asked already, and may be approved: the one before it still goes first.
    await approvePromotion(engine.app, { releaseId: second, environment: 'asia-2' }, grace);
    expect((await engine.reached(second, () => true)).promotions[5]?.status).toBe('WAITING');
    await approvePromotion(engine.app, { releaseId: first, environment: 'asia-2' }, grace);
    const ended = [await engine.ended(first), await engine.ended(second)];
    expect(ended.map((each) => each.status)).toEqual(['SUCCEEDED', 'SUCCEEDED']);
    const [one, two] = ended.map((each) => each.promotions[5]);
    expect(two?.startedAt).toBeGreaterThanOrEqual(one?.endedAt as number);
  });

  test('approved while a window is closed: kept, and it starts at the opening; a window can hold approvals, too', async () => {
    await engine.saveBilling('closed', { approvals: { staging: approvalOf('1') } });
    await engine.save('ReleaseWindow', 'freeze', frozen(Date.now() + 3_600_000, ['PROMOTE', 'APPROVE']));
    const id = await engine.trigger({ product: 'closed', version: '1' });
    await engine.reached(id, (state) => state.promotions[1]?.approval !== null);
    expect(await approvePromotion(engine.app, { releaseId: id, environment: 'staging' }, grace)).toMatchObject({
      refusals: [{ code: 'WINDOW_CLOSED', closed: { windows: ['freeze'] } }],
    });
    await engine.save('ReleaseWindow', 'freeze', frozen(Date.now() + 3_600_000, ['PROMOTE']));
    expect(await approvePromotion(engine.app, { releaseId: id, environment: 'staging' }, grace)).toMatchObject({
      value: { position: 1 },
    });
    expect((await engine.reached(id, () => true)).promotions[1]).toMatchObject({ status: 'WAITING', startedAt: null });
    await deleteDefinition(engine.app, 'ReleaseWindow', 'freeze', { actor: 'test' });
    expect((await engine.ended(id)).status).toBe('SUCCEEDED');
  });

  test('two at the same moment on two servers: both count, once each', async () => {
    const other = await engine.another();
    await engine.saveBilling('race', { approvals: { staging: approvalOf('2') } });
    for (let round = 0; round < 5; round += 1) {
      const id = await engine.trigger({ product: 'race', version: String(round) });
      await engine.reached(id, asks(1));
      const input = { releaseId: id, environment: 'staging' };
      const results = await Promise.all([
        approvePromotion(engine.app, input, grace),
        approvePromotion(other, input, linus),
        approvePromotion(other, input, grace),
      ]);
      expect(results.map((each) => each.refusals)).toEqual([undefined, undefined, undefined]);
      const state = await engine.ended(id);
      expect(state.status).toBe('SUCCEEDED');
      expect(state.promotions[1]?.approval?.decisions.map((each) => each.by).sort()).toEqual(['grace', 'linus']);
      const types = typesAt(await engine.events(id), 'staging');
      expect(types.filter((each) => each === 'ApprovalGiven')).toHaveLength(2);
      expect(types.filter((each) => each === 'ApprovalGranted')).toHaveLength(1);
      expect(types.filter((each) => each === 'PromotionStarted')).toHaveLength(1);
    }
  });

  test('a key whose decision was never made, because its server died, answers no decision on a later attempt', async () => {
    await engine.saveBilling('unmade', { approvals: { staging: approvalOf('1 of @sre', { forbidInitiator: false }) } });
    const id = await engine.trigger({ product: 'unmade', version: '1' });
    await engine.reached(id, asks(1));
    const asked = (key: string) => ({ releaseId: id, environment: 'staging', idempotencyKey: `${key}-${id}` });
    const { releaseEngine } = engine.app;
    // What a kill leaves: the key is written, and the release has heard of nothing.
    const dying = Object.assign(Object.create(releaseEngine), {
      look: releaseEngine.look.bind(releaseEngine),
      tellKnown: () => Promise.reject(new Error('killed')),
    }) as typeof releaseEngine;
    await expect(approvePromotion({ ...engine.app, releaseEngine: dying }, asked('unmade'), grace)).rejects.toThrow(
      'killed',
    );
    expect((await rejectPromotion(engine.app, asked('made'), grace)).refusals).toBeUndefined();
    await engine.ended(id);
    expect((await retryRelease(engine.app, { releaseId: id }, 'test')).refusals).toBeUndefined();
    await engine.reached(id, (state) => state.promotions[1]?.attempt === 2 && asks(1)(state));
    const again = await Promise.all([0, 1].map(() => approvePromotion(engine.app, asked('unmade'), grace)));
    for (const { refusals } of again)
      expect(refusals).toMatchObject([{ code: 'WRONG_STATE', message: expect.stringContaining('about attempt 1') }]);
    expect(await rejectPromotion(engine.app, asked('made'), grace)).toEqual({ value: { releaseId: id, position: 1 } });
    const { state } = (await releaseEngine.look(id, { fresh: true }))!;
    expect(state.promotions[1]?.approval?.decisions).toEqual([]);
    await terminateRelease(engine.app, { releaseId: id }, 'test');
    await engine.ended(id);
  });

  test('many at once with keys do not wait for each other for ever', async () => {
    await engine.saveBilling('many', { approvals: { staging: approvalOf('40') } });
    const id = await engine.trigger({ product: 'many', version: '1' });
    await engine.reached(id, asks(1));
    const people = Array.from({ length: 40 }, (_, index) => person(`person-${index}`));
    const results = await Promise.all(
      people.map((who) =>
        approvePromotion(
          engine.app,
          { releaseId: id, environment: 'staging', idempotencyKey: `${id}-${who.name}` },
          who,
        ),
      ),
    );
    expect(results.filter((each) => each.refusals)).toEqual([]);
    expect((await engine.ended(id)).status).toBe('SUCCEEDED');
  });

  test('a server that is gone between the decision and the queue: the promotion starts all the same, once', async () => {
    const dying = await engine.another();
    await engine.saveBilling('dying', { approvals: { staging: approvalOf('1') } });
    const id = await engine.trigger({ product: 'dying', version: '1' });
    await engine.reached(id, asks(1));
    // What a kill leaves: the decision is committed, its work stands in the outbox, and nobody is left to hand it over.
    await dying.queue.close();
    const result = await approvePromotion(dying, { releaseId: id, environment: 'staging' }, grace);
    expect(result.refusals).toBeUndefined();
    expect((await engine.ended(id)).status).toBe('SUCCEEDED');
    const types = typesAt(await engine.events(id), 'staging');
    expect(types.filter((each) => each === 'PromotionStarted')).toHaveLength(1);
    expect(types.filter((each) => each === 'ActionCommitted')).toHaveLength(types.includes('ActionCommitted') ? 1 : 0);
  });

  describe('an idempotency key', () => {
    test('repeats nothing, refuses another input, and is free again after a refusal', async () => {
      await engine.saveBilling('keyed', { approvals: { staging: approvalOf('1') } });
      const id = await engine.trigger({ product: 'keyed', version: '1' });
      await engine.reached(id, asks(1));
      const input = { releaseId: id, environment: 'staging', idempotencyKey: `key-${id}` };
      expect(await approvePromotion(engine.app, input, person('test'))).toMatchObject({
        refusals: [{ code: 'NOT_AN_APPROVER' }],
      });
      expect(await approvePromotion(engine.app, input, grace)).toMatchObject({ value: { position: 1 } });
      expect(await approvePromotion(engine.app, input, grace)).toMatchObject({ value: { position: 1 } });
      expect(await approvePromotion(engine.app, { ...input, comment: 'other' }, grace)).toMatchObject({
        refusals: [{ code: 'IDEMPOTENCY_MISMATCH' }],
      });
      // The key is grace's: of linus it is another one, and comes too late.
      expect(await approvePromotion(engine.app, input, linus)).toMatchObject({ refusals: [{ code: 'WRONG_STATE' }] });
      await engine.ended(id);
      expect(await approvePromotion(engine.app, input, grace)).toMatchObject({ value: { position: 1 } });
    });
  });
});

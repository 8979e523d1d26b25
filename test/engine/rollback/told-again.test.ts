import { afterAll, beforeAll, expect, test } from 'vitest';
import { markVersionBad } from '../../../src/commands/mark-version.ts';
import { reportRollout } from '../../../src/commands/report-rollout.ts';
import { startManualRollback } from '../../../src/commands/start-manual-rollback.ts';
import { triggerRelease } from '../../../src/commands/trigger-release.ts';
import { onOneBackend } from '../../support/backends.ts';
import { openTestEngine } from '../../support/engine.ts';
import type { TestEngine } from '../../support/engine.ts';
import { liveVersions, POLICY } from './support.ts';

/** The same request comes again, with its key, after what it asked for has changed the world. */
onOneBackend('postgres', (backend) => {
  let engine: TestEngine;
  beforeAll(async () => {
    engine = await openTestEngine(backend);
    await engine.startWorker();
  });
  afterAll(() => engine.close());

  const siblings = { ...POLICY, targets: POLICY.targets.slice(0, 1) };
  const released = async (product: string): Promise<string[]> => {
    await engine.saveBilling(product, { rollbackPolicies: [siblings] });
    const releases: string[] = [];
    for (const version of ['1', '2']) {
      const id = await engine.trigger({ product, version });
      await engine.ended(id);
      releases.push(id);
    }
    return releases;
  };
  const reports = async (product: string): Promise<string[]> => {
    const { rows } = await engine.app.pool.query<{ release_id: string }>(
      `SELECT release_id FROM logged_event WHERE product = $1 AND event->>'type' = 'RolloutReported'`,
      [product],
    );
    return rows.map((row) => row.release_id);
  };

  test('a report whose answer was lost is about the version that it was about, not about what is live since', async () => {
    const [, second] = await released('reported');
    const report = { product: 'reported', environment: 'eu', status: 'FAILED' as const, idempotencyKey: 'r' };
    const told = { ...report, at: new Date() };
    const first = await reportRollout(engine.app, told, 'pager');
    await engine.ended(first.value?.rollbackId as string);
    expect((await liveVersions(engine, 'reported'))['eu']).toBe('1');
    // The server died between the rollback and the answer that it keeps.
    await engine.app.pool.query(`DELETE FROM idempotency_key WHERE operation = 'rolloutReport' AND key = 'r'`);

    const again = await reportRollout(engine.app, told, 'pager');
    expect(again.value).toMatchObject({ releaseId: second, rollbackId: first.value?.rollbackId });
    expect(new Set(await reports('reported'))).toEqual(new Set([second]));
    expect((await liveVersions(engine, 'reported'))['eu']).toBe('1');

    const other = await reportRollout(engine.app, { ...told, at: new Date(Date.now() - 1_000) }, 'pager');
    expect(other.refusals).toMatchObject([{ code: 'IDEMPOTENCY_MISMATCH' }]);
  });

  test('a release that was made is the answer, also where its version was marked bad before the twin got that far', async () => {
    await released('twice');
    const input = { product: 'twice', version: '3', idempotencyKey: 't' };
    let goOn = (): void => undefined;
    let arrive = (): void => undefined;
    const made = new Promise<void>((resolve) => (goOn = resolve));
    const reached = new Promise<void>((resolve) => (arrive = resolve));
    const { drivers } = engine.app;
    const late = Object.create(drivers) as typeof drivers;
    late.driver = (spec) => {
      const driver = drivers.driver(spec);
      return {
        ...driver,
        pin: async (...args) => {
          arrive();
          await made;
          return driver.pin(...args);
        },
      };
    };
    const twin = triggerRelease({ ...engine.app, drivers: late }, input, 'ada');
    await reached;
    const first = await triggerRelease(engine.app, input, 'ada');
    await engine.ended(first.value?.releaseId as string);
    const marked = await markVersionBad(engine.app, { product: 'twice', version: '3', reason: 'it burns' }, 'ada');
    expect(marked.refusals).toBeUndefined();
    goOn();
    expect((await twin).value).toEqual(first.value);
    const other = await triggerRelease(engine.app, { ...input, idempotencyKey: 'u' }, 'ada');
    expect(other.refusals).toMatchObject([{ code: 'VERSION_MARKED_BAD' }]);
  });

  test('a rollback that a person started is the answer, also where there is nothing left to take back', async () => {
    await released('twins');
    const input = { product: 'twins', version: '2', reason: 'it burns', idempotencyKey: 'm' };
    const both = await Promise.all([1, 2].map(() => startManualRollback(engine.app, input, 'ada')));
    expect(both[0]?.value?.rollbackId).toBeDefined();
    expect(both[1]?.value).toEqual(both[0]?.value);
    await engine.ended(both[0]?.value?.rollbackId as string);
    expect((await startManualRollback(engine.app, input, 'ada')).value).toEqual(both[0]?.value);
    const other = await startManualRollback(engine.app, { ...input, idempotencyKey: 'n' }, 'ada');
    expect(other.refusals).toMatchObject([{ code: 'WRONG_STATE' }]);
  });
});

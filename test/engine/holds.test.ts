import type { PoolClient } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { retryRelease, terminateRelease } from '../../src/commands/control-release.ts';
import { deleteDefinition } from '../../src/commands/delete-definition.ts';
import { holdEnvironment, releaseEnvironment } from '../../src/commands/hold-environment.ts';
import { markVersionBad, unmarkVersionBad } from '../../src/commands/mark-version.ts';
import type { Result } from '../../src/commands/result.ts';
import { triggerRelease } from '../../src/commands/trigger-release.ts';
import { holdEnvironment as holdInTransaction, readHolds } from '../../src/store/environment-holds.ts';
import { onOneBackend } from '../support/backends.ts';
import { openTestEngine, typesAt } from '../support/engine.ts';
import type { TestEngine } from '../support/engine.ts';

function done<T>(result: Result<T>): T {
  if (result.refusals) throw new Error(JSON.stringify(result.refusals));
  return result.value;
}

const EU = 3;

onOneBackend('redis', (backend) => {
  let engine: TestEngine;
  beforeAll(async () => {
    engine = await openTestEngine(backend);
    await engine.startWorker();
  });
  afterAll(() => engine.close());

  test('a hold keeps its product out of its environment alone, and lifting it lets what waits start at once', async () => {
    await engine.saveBilling('held');
    await engine.saveBilling('free');
    done(await holdEnvironment(engine.app, { environment: 'eu', product: 'held', reason: 'audit' }, 'grace'));
    const [held, free] = await Promise.all([
      engine.trigger({ product: 'held', version: '1' }),
      engine.trigger({ product: 'free', version: '1' }),
    ]);
    expect((await engine.ended(free)).status).toBe('SUCCEEDED');
    const waiting = await engine.reached(held, (state) => state.status === 'SUSPENDED');
    expect(waiting.promotions[EU]).toMatchObject({ status: 'WAITING', startedAt: null });
    expect(waiting.promotions.filter((each) => each.status === 'SUCCEEDED')).toHaveLength(4);
    const lifted = done(await releaseEnvironment(engine.app, { environment: 'eu', product: 'held' }, 'grace'));
    expect(lifted[0]).toMatchObject({ liftedBy: 'grace', reason: 'audit' });
    expect((await engine.ended(held)).status).toBe('SUCCEEDED');
  });

  test('a hold ends by itself, and not before its time, whatever product it held', async () => {
    await engine.saveBilling('timed');
    const until = new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 3_000);
    done(await holdEnvironment(engine.app, { environment: 'eu', reason: 'cables', until }, 'grace'));
    const state = await engine.ended(await engine.trigger({ product: 'timed', version: '1' }));
    expect(state.promotions[EU]?.startedAt).toBeGreaterThanOrEqual(until.getTime());
  });

  test('a bad version waits where it is marked, and goes on when the mark is taken back', async () => {
    await engine.saveBilling('bad');
    done(await holdEnvironment(engine.app, { environment: 'eu', product: 'bad', reason: 'wait' }, null));
    const id = await engine.trigger({ product: 'bad', version: '1' });
    await engine.reached(id, (state) => state.status === 'SUSPENDED');
    done(await markVersionBad(engine.app, { product: 'bad', version: '1', group: 'regions', reason: 'leaks' }, 'ada'));
    done(await releaseEnvironment(engine.app, { environment: 'eu', product: 'bad' }, null));
    const reasons = async (): Promise<string | undefined> => {
      const to = await engine.app.releaseEngine.tell(id, { kind: 'tick' });
      return to?.state.promotions[EU]?.status;
    };
    expect(await reasons()).toBe('WAITING');
    const again = await triggerRelease(engine.app, { product: 'bad', version: '1' }, 'ada');
    expect(again.refusals?.[0]).toMatchObject({ code: 'VERSION_MARKED_BAD' });
    expect(again.refusals?.[0]?.message).toContain('for group "regions": leaks');
    const elsewhere = { product: 'bad', version: '1', environment: 'eu', reason: 'fixed' };
    expect((await unmarkVersionBad(engine.app, elsewhere, 'ada')).refusals?.[0]?.code).toBe('NOT_FOUND');
    const back = done(await unmarkVersionBad(engine.app, { product: 'bad', version: '1', reason: 'fixed' }, 'ada'));
    expect(back[0]).toMatchObject({
      unmarkedBy: 'ada',
      unmarkReason: 'fixed',
      environments: ['asia', 'eu', 'us-east'],
    });
    expect((await engine.ended(id)).status).toBe('SUCCEEDED');
  });

  test('who acknowledges that a version is bad gets a release, which waits', async () => {
    await engine.saveBilling('known');
    await engine.ended(await engine.trigger({ product: 'known', version: '1' }));
    const expiresAt = new Date(Date.now() + 3_000);
    const mark = { product: 'known', version: '1', environment: 'eu', reason: 'leaks', expiresAt };
    done(await markVersionBad(engine.app, mark, 'ada'));
    const id = await engine.trigger({ product: 'known', version: '1', acknowledgeBadVersion: true });
    const state = await engine.ended(id);
    expect(state.promotions[EU]?.startedAt).toBeGreaterThanOrEqual(expiresAt.getTime());
    expect(state.status).toBe('SUCCEEDED');
  });

  test("a rollback's hold keeps out what was there before it, and ends with the next release of a person", async () => {
    await engine.saveBilling('back', { concurrency: 'PIPELINE' });
    const rollback = crypto.randomUUID();
    const hold = (): Promise<string> =>
      inTransaction(engine, (client) =>
        holdInTransaction(client, {
          product: 'back',
          environment: 'eu',
          reason: 'rolled back',
          by: null,
          since: Date.now(),
          until: null,
          rollback,
        }),
      );
    const person = done(await holdEnvironment(engine.app, { environment: 'eu', product: 'back', reason: 'x' }, null));
    const before = await engine.trigger({ product: 'back', version: '1' });
    await engine.reached(before, (state) => state.status === 'SUSPENDED');
    const id = await hold();
    expect(await hold()).toBe(id);
    done(await releaseEnvironment(engine.app, { environment: 'eu', product: 'back', hold: person.id }, null));
    const still = await engine.app.releaseEngine.tell(before, { kind: 'tick' });
    expect(still?.state.promotions[EU]?.status).toBe('WAITING');
    await terminateRelease(engine.app, { releaseId: before }, null);
    const after = await engine.trigger({ product: 'back', version: '2' });
    expect((await engine.ended(after)).status).toBe('SUCCEEDED');
    expect(typesAt(await engine.events(after), 'eu').slice(0, 2)).toEqual(['HoldLifted', 'PromotionStarted']);
    const { number } = (await engine.app.releaseEngine.look(after, { fresh: false }))!.release;
    expect((await readHolds(engine.app.pool, [id])).get(id)?.liftReason).toContain(
      `release back#${number} was promoted`,
    );
  });

  test('a retry is put to the gates again: a window that closed meanwhile, and a hold, count', async () => {
    await engine.saveBilling('again', { driver: (at) => ({ type: 'simulate', failures: at === 'eu' ? 1 : 0 }) });
    const id = await engine.trigger({ product: 'again', version: '1' });
    expect((await engine.ended(id)).status).toBe('FAILED');
    await engine.save('ReleaseWindow', 'closed', {
      kind: 'DENY',
      timeZone: 'UTC',
      from: new Date(Date.now() - 1_000).toISOString(),
      to: new Date(Date.now() + 3_600_000).toISOString(),
      selector: { environments: { names: ['eu'] }, products: { names: ['again'] } },
      holds: ['PROMOTE'],
      onClose: 'FINISH',
      runway: false,
    });
    done(await retryRelease(engine.app, { releaseId: id }, 'ada'));
    const waiting = await engine.reached(id, (state) => state.status === 'SUSPENDED');
    expect(waiting.promotions[EU]).toMatchObject({ status: 'WAITING', attempt: 2 });
    done(await deleteDefinition(engine.app, 'ReleaseWindow', 'closed', { actor: 'test' }));
    expect((await engine.ended(id)).status).toBe('SUCCEEDED');
  });
});

async function inTransaction<T>({ app }: TestEngine, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await app.pool.connect();
  try {
    await client.query('BEGIN');
    const made = await work(client);
    await client.query('COMMIT');
    return made;
  } finally {
    client.release();
  }
}

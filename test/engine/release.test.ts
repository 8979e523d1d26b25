import { afterAll, beforeAll, expect, test } from 'vitest';
import { retryRelease, terminateRelease } from '../../src/commands/control-release.ts';
import { reportHealth } from '../../src/commands/report-health.ts';
import { triggerRelease } from '../../src/commands/trigger-release.ts';
import { forEachBackend } from '../support/backends.ts';
import { ENVIRONMENTS, openTestEngine, REGIONS } from '../support/engine.ts';
import type { TestEngine } from '../support/engine.ts';

forEachBackend((backend) => {
  let engine: TestEngine;
  beforeAll(async () => {
    engine = await openTestEngine(backend);
    await engine.startWorker();
  });
  afterAll(() => engine.close());

  test('a release of Billing travels the picture, each environment after what it depends on', async () => {
    await engine.saveBilling();
    const id = await engine.trigger({ product: 'billing', version: '1.0.0' });
    const state = await engine.ended(id);
    expect(state.status).toBe('SUCCEEDED');
    const events = await engine.events(id);
    expect(events.map((each) => each.sequence)).toEqual(events.map((_, index) => index + 1));
    const place = (type: string, environment: string): number =>
      events.findIndex((each) => each.type === type && 'environment' in each && each.environment === environment);
    for (const [before, after] of [
      ['dev', 'staging'],
      ...REGIONS.flatMap((each) => [
        ['staging', each],
        [each, 'asia-2'],
      ]),
    ]) {
      expect(place('PromotionSucceeded', before as string)).toBeLessThan(place('PromotionStarted', after as string));
    }
    const { rows } = await engine.app.pool.query(
      'SELECT environment, version, verified_at IS NOT NULL AS verified FROM deployment WHERE release_id = $1 ORDER BY 1',
      [id],
    );
    expect(rows).toEqual(
      [...ENVIRONMENTS].sort().map((environment) => ({ environment, version: '1.0.0', verified: true })),
    );
  });

  test('two releases of two products run at once; a third one of the same product waits and then goes', async () => {
    const slow = () => ({ type: 'simulate' as const, duration: 60 });
    await engine.saveBilling('orders', { driver: slow });
    await engine.saveBilling('search', { driver: slow });
    const first = await engine.trigger({ product: 'orders', version: '1' });
    const other = await engine.trigger({ product: 'search', version: '1' });
    const third = await engine.trigger({ product: 'orders', version: '2' });
    const [one, two, three] = await Promise.all([first, other, third].map((id) => engine.ended(id)));
    expect([one?.status, two?.status, three?.status]).toEqual(['SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED']);
    expect(two?.startedAt).toBeLessThan(one?.endedAt as number);
    expect(three?.startedAt).toBeGreaterThanOrEqual(one?.endedAt as number);
  });

  test('a transient failure is tried again; a real one ends the release and skips what comes after it', async () => {
    await engine.saveBilling('flaky', {
      driver: (environment) =>
        environment === 'staging'
          ? { type: 'simulate', failures: 2, failure: 'TRANSIENT' }
          : environment === 'eu'
            ? { type: 'simulate', failures: -1, failure: 'FAILED' }
            : { type: 'simulate' },
    });
    const id = await engine.trigger({ product: 'flaky', version: '1' });
    const state = await engine.ended(id);
    expect(state.status).toBe('FAILED');
    expect(state.firstProblem).toMatchObject({ environment: 'eu', attempt: 1 });
    expect(state.promotions.map((each) => each.status)).toEqual([
      'SUCCEEDED',
      'SUCCEEDED',
      'SUCCEEDED',
      'FAILED',
      'SUCCEEDED',
      'SKIPPED',
    ]);
    const retries = (await engine.events(id)).filter((each) => each.type === 'StepRetrying');
    expect(retries.map((each) => each.tries)).toEqual([1, 2]);

    await engine.save('Application', 'flaky-eu', {
      product: 'flaky',
      environment: 'eu',
      driver: { type: 'simulate' },
      health: { type: 'none' },
    });
    // The release keeps what it froze: the mended application is the next release's.
    const asked = await Promise.all(['ada', 'bob'].map((by) => retryRelease(engine.app, { releaseId: id }, by)));
    // Both saw it FAILED: one has retried it, and the other is told so.
    expect(asked.flatMap(({ refusals }) => refusals?.map(({ message }) => message) ?? [])).toEqual([
      expect.stringMatching(/only a release that FAILED or was TERMINATED can be retried, it is (QUEUED|RUNNING)/),
    ]);
    const again = await engine.reached(
      id,
      ({ endedAt, promotions }) => endedAt !== null && promotions[3]?.attempt === 2,
    );
    expect(again.status).toBe('FAILED');
    expect(again.promotions[2]?.attempt).toBe(1);
  });

  test('a health that somebody has to report suspends the release until he does', async () => {
    await engine.saveBilling('reported', {
      health: (environment) => (environment === 'staging' ? { type: 'report' } : { type: 'none' }),
    });
    const id = await engine.trigger({ product: 'reported', version: '1' });
    const waiting = await engine.reached(id, (state) => state.status === 'SUSPENDED');
    expect(waiting.promotions[1]?.status).toBe('SUSPENDED');
    await reportHealth(engine.app, { application: 'reported-staging', status: 'HEALTHY' }, 'test');
    expect((await engine.ended(id)).status).toBe('SUCCEEDED');
  });

  test('terminating aborts what runs and starts nothing more', async () => {
    await engine.saveBilling('stopped', { driver: () => ({ type: 'simulate', duration: 60_000 }) });
    const id = await engine.trigger({ product: 'stopped', version: '1' });
    await engine.reached(
      id,
      (state) => state.promotions[1]?.steps.some((step, index) => index === 3 && step.status === 'RUNNING') ?? false,
    );
    await terminateRelease(engine.app, { releaseId: id, reason: 'wrong version' }, 'test');
    const state = await engine.ended(id);
    expect(state.status).toBe('TERMINATED');
    expect(state.promotions.map((each) => each.status)).toEqual(['SUCCEEDED', ...Array<string>(5).fill('TERMINATED')]);
    expect(state.promotions[1]?.problem?.message).toBe('wrong version');
  });

  test('the same idempotency key makes one release, from two servers at once; another input is refused', async () => {
    const second = await engine.another();
    await engine.saveBilling('keyed');
    const input = { product: 'keyed', version: '7', idempotencyKey: 'once' };
    const answers = await Promise.all(
      [engine.app, second, engine.app, second].map((app) => triggerRelease(app, input, 'test')),
    );
    expect(new Set(answers.map((each) => each.value?.releaseId)).size).toBe(1);
    await engine.ended(answers[0]?.value?.releaseId as string);
    const other = await triggerRelease(engine.app, { ...input, version: '8' }, 'test');
    expect(other.refusals).toMatchObject([{ code: 'IDEMPOTENCY_MISMATCH', path: ['idempotencyKey'] }]);
  });

  test('a full queue terminates the oldest that waits, and says so', async () => {
    await engine.saveBilling('busy', { driver: () => ({ type: 'simulate', duration: 150 }), queueLimit: 2 });
    const ids: string[] = [];
    for (const version of ['1', '2', '3', '4', '5']) ids.push(await engine.trigger({ product: 'busy', version }));
    const states = await Promise.all(ids.map((id) => engine.ended(id)));
    expect(states.map((each) => each.status)).toEqual([
      'SUCCEEDED',
      'TERMINATED',
      'TERMINATED',
      'SUCCEEDED',
      'SUCCEEDED',
    ]);
    expect(states[1]?.terminating?.reason).toBe('more than 2 releases were waiting');
  });

  test('with SUPERSEDE the one that runs finishes, and of those that wait only the newest is left', async () => {
    const driver = () => ({ type: 'simulate' as const, duration: 150 });
    await engine.saveBilling('newest', { driver, concurrency: 'SUPERSEDE' });
    const ids: string[] = [];
    for (const version of ['1', '2', '3', '4']) ids.push(await engine.trigger({ product: 'newest', version }));
    const states = await Promise.all(ids.map((id) => engine.ended(id)));
    expect(states.map((each) => each.status)).toEqual(['SUCCEEDED', 'TERMINATED', 'TERMINATED', 'SUCCEEDED']);
    expect(states[1]?.terminating?.reason).toMatch(/^superseded by release newest#\d+$/);
  });

  test('overlapping releases of one product never overtake each other in an environment', async () => {
    await engine.saveBilling('piped', { driver: () => ({ type: 'simulate', duration: 40 }), concurrency: 'PIPELINE' });
    const ids: string[] = [];
    for (const version of ['1', '2', '3']) ids.push(await engine.trigger({ product: 'piped', version }));
    const states = await Promise.all(ids.map((id) => engine.ended(id)));
    expect(states.map((each) => each.status)).toEqual(['SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED']);
    for (const position of ENVIRONMENTS.keys()) {
      const [one, two, three] = states.map((each) => each.promotions[position]);
      expect(two?.startedAt).toBeGreaterThanOrEqual(one?.endedAt as number);
      expect(three?.startedAt).toBeGreaterThanOrEqual(two?.endedAt as number);
    }
    expect(states[1]?.startedAt).toBeLessThan(states[0]?.endedAt as number);
  });

  test('with TERMINATE a newer release ends the older one where it meets it', async () => {
    await engine.saveBilling('hasty', {
      driver: (environment) => ({ type: 'simulate', duration: environment === 'staging' ? 30_000 : 0 }),
      concurrency: 'TERMINATE',
    });
    const older = await engine.trigger({ product: 'hasty', version: '1' });
    await engine.reached(older, (state) => state.promotions[1]?.status === 'RUNNING');
    const newer = await engine.trigger({ product: 'hasty', version: '2' });
    const ended = await engine.ended(older);
    expect(ended.status).toBe('TERMINATED');
    const { number } = (await engine.app.releaseEngine.look(newer, { fresh: false }))!.release;
    expect(ended.terminating?.reason).toBe(`a newer release, hasty#${number}, reached staging`);
    await engine.reached(newer, (state) => state.promotions[1]?.status === 'RUNNING');
    await terminateRelease(engine.app, { releaseId: newer }, 'test');
    await engine.ended(newer);
  });

  test('two servers and two workers on one database share the work', async () => {
    const second = await engine.another();
    await engine.startWorker(second);
    const ids: string[] = [];
    for (const product of ['p1', 'p2', 'p3', 'p4']) {
      await engine.saveBilling(product, { driver: () => ({ type: 'simulate', duration: 5 }) });
      for (const [index, app] of [engine.app, second].entries()) {
        const result = await triggerRelease(app, { product, version: `${index}` }, 'test');
        ids.push(result.value?.releaseId as string);
      }
    }
    const states = await Promise.all(ids.map((id) => engine.ended(id)));
    expect(new Set(states.map((each) => each.status))).toEqual(new Set(['SUCCEEDED']));
    for (const id of ids) {
      const events = await engine.events(id);
      expect(events.map((each) => each.sequence)).toEqual(events.map((_, index) => index + 1));
      expect(events.filter((each) => each.type === 'StepSucceeded').length).toBe(
        events.filter((each) => each.type === 'StepStarted').length,
      );
    }
  });
});

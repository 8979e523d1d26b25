import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ReleaseState } from '../../src/core/release.ts';
import { nameOf, namedJob, promoteId, stepId } from '../../src/jobs/job-data.ts';
import type { JobProcessor, JobStanding, Queue, QueuedJob } from '../../src/jobs/queue.ts';
import { Sweep } from '../../src/jobs/sweep.ts';
import { forEachBackend } from '../support/backends.ts';
import { openTestEngine } from '../support/engine.ts';
import type { BillingOptions, TestEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';

const [DEV, STAGING, ASIA_2] = [0, 1, 5];

const carriersOf = (state: ReleaseState, promotion: number): (string | null | undefined)[] => [
  ...new Set(state.promotions[promotion]?.steps.map(({ carrier }) => carrier)),
];

forEachBackend((backend) => {
  let engine: TestEngine;
  const taken: string[] = [];
  beforeAll(async () => {
    engine = await openTestEngine(backend);
    const { queue } = engine.app;
    const work = queue.work.bind(queue);
    queue.work = (processor) =>
      work((job, token) => {
        taken.push(job.id as string);
        return processor(job, token);
      });
    await engine.startWorker();
    await engine.saveBilling();
  });
  afterAll(() => engine.close());

  test('one job carries dev and staging, and the join of the regions carries asia-2', async () => {
    const id = await engine.trigger({ product: 'billing', version: '1' });
    const state = await engine.ended(id);
    expect(state.status).toBe('SUCCEEDED');
    const names = new Set(taken.filter((each) => each.startsWith(id)).map((each) => nameOf(id, each)));
    const lanes = [...names].filter((each) => /-s\d+$/.test(each as string));
    for (const each of lanes) names.delete(each);
    const [join] = carriersOf(state, ASIA_2);
    expect(names).toEqual(new Set(['p0-a1-d1', 'p2-a1-d1', join, 'p3-a1-d1', 'p4-a1-d1']));
    expect(join).toMatch(/-join$/);
    expect(carriersOf(state, DEV)).toEqual([null]);
    expect(carriersOf(state, STAGING)).toEqual(['p0-a1-d1']);
    // The two checks of staging are side by side: one of them is a lane below the job that carries the environment.
    expect(lanes).toEqual([expect.stringMatching(/^p1-a1-d1-s/)]);
  });
});

describe('without a worker', () => {
  let engine: TestEngine;
  let process: JobProcessor;
  beforeAll(async () => {
    engine = await openTestEngine({ name: 'postgres', queuePrefix: 'carriers' });
    const { queue } = engine.app;
    queue.work = (processor) => {
      process = processor;
      return { on: () => undefined, run: async () => undefined, close: async () => undefined };
    };
    // Its sweep looks at nothing while a test lasts.
    await engine.startWorker(
      Object.assign(engine.app, { config: { ...engine.app.config, sweepIntervalMs: 3_600_000 } }),
    );
    await engine.saveBilling();
    await engine.save('EnvironmentGroup', 'alone', {
      environments: { names: ['eu'] },
      gate: { policy: 'ALL' },
    } as never);
    await engine.save('PromotionFlow', 'one-region', {
      triggerEnvironment: 'dev',
      productSelector: {},
      onFailure: 'FINISH_RUNNING',
      steps: [{ group: 'alone', dependsOn: ['dev'] }],
    } as never);
  });
  afterAll(() => engine.close());

  let products = 0;
  /** Of a product of its own: what another test has left behind is in nobody's way. */
  const trigger = async (flow = 'to-production', options: BillingOptions = {}): Promise<string> => {
    const product = `billing-${(products += 1)}`;
    await engine.saveBilling(product, options);
    const id = await engine.trigger({ product, version: '1', flow });
    // Siblings are put below the job, which comes into the queue a moment after the release is kept.
    await eventually(async () => expect(await engine.app.queue.standing(jobOf(id).id!)).toBe('pending'));
    return id;
  };
  const look = async (id: string): Promise<ReleaseState> =>
    (await engine.app.releaseEngine.look(id, { fresh: true }))!.state;
  /** The first job of a release, as a worker gets it. */
  const jobOf = (releaseId: string, given: Partial<QueuedJob> = {}, data = {}): QueuedJob => {
    const own = { releaseId, promotion: DEV, attempt: 1, dispatch: 1, ...data };
    const held = { moveToWaitingChildren: async () => false, holds: async () => true };
    return { id: promoteId(own), name: 'promote', data: own, attemptsStarted: 1, ...held, ...given };
  };
  /** Reports that every step of these promotions succeeded, as the release's first job. */
  const succeed = async (releaseId: string, ...promotions: number[]): Promise<ReleaseState> => {
    for (const promotion of promotions) {
      for (;;) {
        const { attempt, steps } = (await look(releaseId)).promotions[promotion]!;
        const step = steps.findIndex(({ status }) => status === 'RUNNING');
        if (step < 0) break;
        const report = { promotion, attempt, step, dispatch: steps[step]!.dispatch, job: 'p0-a1-d1' };
        const outcome = { kind: 'succeeded' } as const;
        await engine.app.releaseEngine.tellKnown(releaseId, { kind: 'outcome', ...report, outcome });
      }
    }
    return look(releaseId);
  };
  const end = (id: string) => engine.app.releaseEngine.tell(id, { kind: 'terminate', reason: 'it is over', by: null });

  test('a job whose lock is over begins nothing more, and goes on with it when it comes again', async () => {
    const id = await trigger();
    await process(jobOf(id, { holds: async () => false }), 'token');
    const left = await look(id);
    expect(left.promotions[DEV]?.status).toBe('SUCCEEDED');
    expect(left.promotions[STAGING]?.status).toBe('RUNNING');
    expect(left.promotions[STAGING]?.steps.some(({ status }) => status === 'SUCCEEDED')).toBe(false);
    const begun = left.promotions[STAGING]?.steps.find(({ status }) => status === 'RUNNING');
    expect(begun?.carrier).toBe('p0-a1-d1');
    await process(jobOf(id, { attemptsStarted: 2 }), 'token');
    const checks = (await look(id)).promotions[STAGING]!.steps.slice(0, 2).map(({ status }) => status);
    expect(checks.toSorted()).toEqual(['RUNNING', 'SUCCEEDED']);
    // The other check is a sibling's, which goes on with the environment.
    const step = checks.indexOf('RUNNING');
    const data = { releaseId: id, promotion: STAGING, attempt: 1, dispatch: 1, step, parent: namedJob(id, 'p0-a1-d1') };
    await process(jobOf(id, { id: stepId(data, step), name: 'step', data }), 'token');
    const statuses = (await look(id)).promotions.map(({ status }) => status);
    expect(statuses).toEqual(['SUCCEEDED', 'SUCCEEDED', 'RUNNING', 'RUNNING', 'RUNNING', 'PENDING']);
    await end(id);
  });

  test('what failed after the lock was lost is left to the run that has the job now', async () => {
    const failing = { type: 'simulate', failures: -1, failure: 'FAILED' } as const;
    const id = await trigger('one-region', { driver: (at) => (at === 'eu' ? failing : { type: 'simulate' }) });
    const apply = async (): Promise<string[]> => (await look(id)).promotions[1]!.steps.map(({ status }) => status);
    // It goes on with eu while it still has its lock, and is asked once more when that has failed.
    const onceHeld = (then: () => Promise<boolean>): QueuedJob['holds'] => {
      let asked = 0;
      return () => ((asked += 1) === 1 ? Promise.resolve(true) : then());
    };
    await process(jobOf(id, { holds: onceHeld(async () => false) }), 'token');
    expect(await apply()).toContain('RUNNING');
    const away = onceHeld(() => Promise.reject(new Error('the queue is away')));
    await process(jobOf(id, { attemptsStarted: 2, holds: away }), 'token');
    expect((await look(id)).status).toBe('FAILED');
  });

  test('a job that a join waits for goes on with nothing', async () => {
    const id = await trigger();
    await process(jobOf(id, {}, { joined: true }), 'token');
    const state = await look(id);
    expect(state.promotions[STAGING]?.status).toBe('RUNNING');
    expect(carriersOf(state, STAGING)).toEqual([null]);
    await end(id);
  });

  test('the job that reports the last member of a group asks it, where no join does', async () => {
    const id = await trigger('one-region');
    await process(jobOf(id), 'token');
    const state = await look(id);
    expect(state).toMatchObject({
      status: 'SUCCEEDED',
      groups: [{ status: 'PASSED', generation: 1, carrier: 'p0-a1-d1' }],
    });
  });

  describe('the sweep', () => {
    const sweep = async (id: string, carrier: JobStanding, sibling: JobStanding) => {
      await sleep(2_100);
      const calls = { hurried: [] as string[], handedOver: [] as string[] };
      // Releases of other tests are looked at, too.
      const own = (all: string[]): string[] => all.filter((each) => each.startsWith(id));
      const standing = async (jobId: string): Promise<JobStanding> => {
        if (jobId === namedJob(id, 'p0-a1-d1')) return carrier;
        return jobId.startsWith(`${id}-p1-a1-d1-s`) ? sibling : 'missing';
      };
      const queue = {
        standing,
        hurry: async (jobId: string) => void calls.hurried.push(...own([jobId])),
        handOver: async (items: { key: string }[]) => void calls.handedOver.push(...own(items.map(({ key }) => key))),
        ping: async () => undefined,
      } as unknown as Queue;
      await new Sweep({ ...engine.app, queue, intervalMs: 3_600_000 }).round();
      return calls;
    };

    test.each([
      ['is left alone while its carrier is at work', 'pending', 'missing', 1],
      ['is left alone while its carrier waits for its next try, which it is given now', 'delayed', 'missing', 1],
      ['is left alone while its carrier waits for a sibling that is at work', 'joining', 'pending', 1],
      ['gets a job of its own when its carrier waits for siblings that are gone', 'joining', 'missing', 2],
      ['gets a job of its own when its carrier is gone', 'missing', 'missing', 2],
      ['gets a job of its own when its carrier failed for good', 'over', 'missing', 2],
    ] as const)('an environment that is carried %s', async (_, carrier, sibling, dispatch) => {
      const id = await trigger();
      await succeed(id, DEV);
      const { hurried, handedOver } = await sweep(id, carrier, sibling);
      const { promotions } = await look(id);
      expect(promotions[STAGING]?.dispatch).toBe(dispatch);
      const running = promotions[STAGING]!.steps.filter(({ status }) => status === 'RUNNING');
      expect(new Set(running.map((each) => each.carrier))).toEqual(new Set([dispatch === 1 ? 'p0-a1-d1' : null]));
      expect(hurried).toEqual(carrier === 'delayed' ? [namedJob(id, 'p0-a1-d1')] : []);
      // A dispatch that was carried never gets a job under its own number.
      expect(handedOver).toEqual([]);
      await end(id);
      for (const step of [0, 1]) {
        const outcome = { kind: 'aborted' } as const;
        await engine.app.releaseEngine.tell(id, {
          kind: 'outcome',
          promotion: STAGING,
          attempt: 1,
          step,
          dispatch,
          outcome,
        });
      }
      expect((await look(id)).status).toBe('TERMINATED');
    });

    test.each([
      ['is left alone while its carrier is at work', 'pending', 1],
      ['is asked by a job of its own when its carrier is gone', 'missing', 2],
    ] as const)('a question to a group %s', async (_, carrier, generation) => {
      const id = await trigger('one-region');
      const asked = await succeed(id, DEV, 1);
      expect(asked.groups[0]).toMatchObject({ status: 'ASKING', carrier: 'p0-a1-d1' });
      await sweep(id, carrier, 'missing');
      expect((await look(id)).groups[0]).toMatchObject({
        generation,
        carrier: generation === 1 ? 'p0-a1-d1' : null,
      });
      await end(id);
    });
  });
});

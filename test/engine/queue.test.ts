import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { joinId, promoteId } from '../../src/jobs/job-data.ts';
import type { OutboxItem } from '../../src/store/outbox.ts';
import { forEachBackend } from '../support/backends.ts';
import { openTestEngine } from '../support/engine.ts';
import type { TestEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';

forEachBackend((backend) => {
  let engine: TestEngine;
  let release: string;
  beforeAll(async () => {
    engine = await openTestEngine(backend);
    await engine.startWorker();
    await engine.saveBilling();
    release = await engine.trigger({ product: 'billing', version: '1' });
    await engine.ended(release);
  });
  afterAll(() => engine.close());

  const work = async (): Promise<{ item: OutboxItem; jobs: string[] }> => {
    const { promotions } = await engine.ended(release);
    const all = promotions.map(({ attempt, dispatch }, promotion) => ({ promotion, attempt, dispatch }));
    const item = {
      key: `${release}-all`,
      releaseId: release,
      work: { kind: 'dispatch' as const, promotions: all, join: true },
    };
    return { item, jobs: [joinId(item.key), ...all.map((each) => promoteId({ releaseId: release, ...each }))] };
  };
  const standing = (jobs: string[]): Promise<string[]> =>
    Promise.all(jobs.map((each) => engine.app.queue.standing(each)));

  test('the queue keeps nothing of what is done', async () => {
    const { jobs } = await work();
    expect(jobs).toHaveLength(7);
    await eventually(async () => expect(new Set(await standing(jobs))).toEqual(new Set(['missing'])));
  });

  test('work that is handed over again after it was done is looked at, and left', async () => {
    const { item, jobs } = await work();
    const before = await engine.events(release);
    const looked = vi.spyOn(engine.app.releaseEngine, 'look');
    await engine.app.queue.handOver([item]);
    await eventually(async () => expect(new Set(await standing(jobs))).toEqual(new Set(['missing'])));
    expect(looked.mock.calls.length).toBeGreaterThanOrEqual(jobs.length);
    expect(await engine.events(release)).toEqual(before);
  });

  test('steps side by side go on in the job that made them ready when the queue does not know that job any more', async () => {
    const { queue } = engine.app;
    const spawn = queue.spawn.bind(queue);
    const spawned = vi.spyOn(queue, 'spawn').mockImplementationOnce((data, steps) => spawn(data, steps, 'lost'));
    const handedOver = vi.spyOn(queue, 'handOver');
    const { status } = await engine.ended(await engine.trigger({ product: 'billing', version: 'lost' }));
    expect(spawned).toHaveBeenCalled();
    await expect(spawned.mock.results[0]?.value).rejects.toThrow('job lost is not in the queue');
    expect(status).toBe('SUCCEEDED');
    // The sweep had nothing to bring back.
    const keys = handedOver.mock.calls.flatMap(([items]) => items.map(({ key }) => key));
    expect(keys.filter((key) => key.endsWith('-again'))).toEqual([]);
  });
});

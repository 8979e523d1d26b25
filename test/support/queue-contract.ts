import { WaitingChildrenError } from 'bullmq';
import { expect, test } from 'vitest';
import { joinId, promoteId, stepId } from '../../src/jobs/job-data.ts';
import type { PromoteData } from '../../src/jobs/job-data.ts';
import type { JobProcessor, Queue, QueueWorker } from '../../src/jobs/queue.ts';
import type { OutboxItem } from '../../src/store/outbox.ts';
import { eventually } from './eventually.ts';

/** Jobs that the worker of a queue under test may run at once. */
export const PLACES = 4;

interface Opened {
  queue: Queue;
  work: (processor: JobProcessor) => void;
}

/** What every queue promises to Sluice; told of BullMQ on both back ends, and of the stand-in that the simulation uses. */
export function queueContract(open: () => Promise<{ queue: Queue; close(): Promise<void> }>): void {
  /** Side by side, each on a queue of its own: most of it is waiting. */
  const told = (name: string, story: (opened: Opened) => Promise<void>): void =>
    test.concurrent(name, async () => {
      const opened = await open();
      const { queue } = opened;
      const workers: QueueWorker[] = [];
      const work = (processor: JobProcessor): void => {
        const worker = queue.work(processor);
        worker.on('error', () => undefined);
        workers.push(worker);
        void worker.run();
      };
      try {
        await story({ queue, work });
      } finally {
        for (const each of workers) await each.close(true);
        await opened.close();
      }
    });
  let release = 0;
  /** A flow of so many environments. */
  const flow = (promotions: number, join: boolean): { item: OutboxItem; jobs: PromoteData[] } => {
    release += 1;
    const releaseId = `r${release}`;
    const all = [...Array(promotions).keys()].map((promotion) => ({ promotion, attempt: 1, dispatch: 1 }));
    const item = { key: `${releaseId}-d1`, releaseId, work: { kind: 'dispatch' as const, promotions: all, join } };
    return { item, jobs: all.map((each) => ({ releaseId, ...each })) };
  };
  told('a job is given away, and nothing of it is left', async ({ queue, work }) => {
    const { item, jobs } = flow(1, false);
    const given: unknown[] = [];
    await queue.handOver([item]);
    expect(await queue.standing(promoteId(jobs[0]!))).toBe('pending');
    work(async ({ name, data }) => void given.push([name, data]));
    await eventually(() => expect(given).toEqual([['promote', jobs[0]]]));
    await eventually(async () => expect(await queue.standing(promoteId(jobs[0]!))).toBe('missing'));
  });

  told('as many jobs run at once as there are places, and no more; all of them come', async ({ queue, work }) => {
    const { item, jobs } = flow(3 * PLACES, false);
    const waiting: (() => void)[] = [];
    const given = new Set<string>();
    let atOnce = 0;
    let most = 0;
    work(async ({ id }) => {
      given.add(id as string);
      most = Math.max(most, (atOnce += 1));
      await new Promise<void>((resolve) => waiting.push(resolve));
      atOnce -= 1;
    });
    await queue.handOver([item]);
    await eventually(() => expect(atOnce).toBe(PLACES));
    await eventually(() => {
      for (const each of waiting.splice(0)) each();
      expect(given).toEqual(new Set(jobs.map(promoteId)));
    });
    await eventually(async () => {
      for (const each of waiting.splice(0)) each();
      for (const each of jobs) expect(await queue.standing(promoteId(each))).toBe('missing');
    });
    expect(most).toBe(PLACES);
  });

  told('what is there already is not added again', async ({ queue, work }) => {
    const { item, jobs } = flow(1, false);
    let given = 0;
    let end: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    work(async () => {
      given += 1;
      await ended;
    });
    await queue.handOver([item]);
    await eventually(() => expect(given).toBe(1));
    await queue.handOver([item, item]);
    end();
    await eventually(async () => expect(await queue.standing(promoteId(jobs[0]!))).toBe('missing'));
    expect(given).toBe(1);
  });

  told('a join comes after all of its environments, also after one that failed for good', async ({ queue, work }) => {
    const { item, jobs } = flow(3, true);
    const given: string[] = [];
    work(async ({ id, name, data }) => {
      given.push(name === 'join' ? 'join' : (id as string));
      if (name === 'promote' && (data as PromoteData).promotion === 1) throw new Error('broken');
    });
    await queue.handOver([item]);
    expect(await queue.standing(joinId(item.key))).toBe('joining');
    await eventually(async () => expect(await queue.standing(joinId(item.key))).toBe('missing'));
    expect(given.at(-1)).toBe('join');
    expect(new Set(given.slice(0, -1))).toEqual(new Set(jobs.map(promoteId)));
    expect(await queue.standing(promoteId(jobs[1]!))).toBe('over');
  });

  told('a job that fails is tried again, and when it fails for good it is over', async ({ queue, work }) => {
    const { item, jobs } = flow(1, false);
    const tries: number[] = [];
    work(async ({ attemptsStarted }) => {
      tries.push(attemptsStarted);
      throw new Error('broken');
    });
    await queue.handOver([item]);
    await eventually(async () => expect(await queue.standing(promoteId(jobs[0]!))).toBe('over'));
    expect(tries).toEqual([1, 2, 3, 4, 5]);
    await queue.handOver([item]);
    expect(await queue.standing(promoteId(jobs[0]!))).toBe('over');
  });

  told('a job that waits for its next try is given away at once when it is hurried', async ({ queue, work }) => {
    const tries = new Map<string, number>();
    work(async ({ id, attemptsStarted }) => {
      tries.set(id as string, attemptsStarted);
      // The last pause, 1.6 s, is what it is hurried out of.
      if (attemptsStarted < 5) throw new Error('broken');
    });
    /** @returns how long it took from the word to the try, in milliseconds */
    const hurried = async (): Promise<number> => {
      const { item, jobs } = flow(1, false);
      const id = promoteId(jobs[0]!);
      await queue.handOver([item]);
      await eventually(() => expect(tries.get(id)).toBeGreaterThanOrEqual(4));
      await eventually(async () => expect(await queue.standing(id)).toMatch(/^(delayed|missing)$/));
      const asked = performance.now();
      await queue.hurry(id);
      await eventually(() => expect(tries.get(id)).toBe(5));
      const took = performance.now() - asked;
      await queue.hurry(id);
      await queue.hurry('nobody-knows-it');
      await eventually(async () => expect(await queue.standing(id)).toBe('missing'));
      return took;
    };
    // A machine that has stood still for a second says nothing: it is asked again.
    let quickest = Infinity;
    for (let round = 0; round < 5 && quickest >= 1_400; round += 1) quickest = Math.min(quickest, await hurried());
    expect(quickest).toBeLessThan(1_400);
  });

  told('a job says whether it is still held by the worker that asks', async ({ queue, work }) => {
    const { item, jobs } = flow(1, false);
    const [data] = jobs as [PromoteData];
    const answers: boolean[] = [];
    work(async (job, token) => {
      answers.push(await job.holds(token as string), await job.holds('of another worker'));
    });
    await queue.handOver([item]);
    await eventually(async () => expect(await queue.standing(promoteId(data))).toBe('missing'));
    expect(answers).toEqual([true, false]);
  });

  told(
    'an environment that waits for its siblings is given away once more when they are through',
    async ({ queue, work }) => {
      const { item, jobs } = flow(1, false);
      const [data] = jobs as [PromoteData];
      const given: string[] = [];
      let waits: () => void = () => undefined;
      const waiting = new Promise<void>((resolve) => (waits = resolve));
      work(async (job, token) => {
        given.push(job.name);
        // Siblings that are through before it waits leave it nothing to wait for.
        if (job.name === 'step') await waiting;
        if (job.name !== 'promote') return;
        if (job.attemptsStarted === 1) await queue.spawn(data, [1, 2], promoteId(data));
        if (!(await job.moveToWaitingChildren(token as string))) return;
        waits();
        throw new WaitingChildrenError();
      });
      await queue.handOver([item]);
      await eventually(async () => expect(await queue.standing(promoteId(data))).toBe('missing'));
      expect(given.filter((each) => each === 'step')).toHaveLength(2);
      expect(given.at(-1)).toBe('promote');
      expect(await queue.standing(stepId(data, 1))).toBe('missing');
    },
  );

  told(
    'a join, and a sibling, that carry an environment wait for its siblings, and are given away once more',
    async ({ queue, work }) => {
      const { item, jobs } = flow(2, true);
      const [data] = jobs as [PromoteData, PromoteData];
      const parents = { join: joinId(item.key), step: stepId(data, 1) };
      const carried = { join: { ...data, promotion: 7 }, step: { ...data, promotion: 8 } };
      const given: string[] = [];
      // What they are siblings of has to be waiting by the time that they end.
      const waited = {
        [stepId(carried.join, 2)]: [parents.join],
        [stepId(carried.step, 2)]: [parents.step, promoteId(data)],
      };
      work(async (job, token) => {
        const { id } = job;
        given.push(id as string);
        if (id === promoteId(data) && job.attemptsStarted === 1) await queue.spawn(data, [1], id);
        const carries = id === parents.join ? 'join' : id === parents.step ? 'step' : null;
        if (carries && job.attemptsStarted === 1) {
          await queue.spawn(carried[carries], [2], parents[carries]);
          expect(await job.holds(token as string)).toBe(true);
        }
        for (const each of waited[id as string] ?? [])
          await eventually(async () => expect(await queue.standing(each)).toBe('joining'));
        if (await job.moveToWaitingChildren(token as string)) throw new WaitingChildrenError();
      });
      await queue.handOver([item]);
      await eventually(async () => expect(await queue.standing(parents.join)).toBe('missing'));
      const times = (id: string): number => given.filter((each) => each === id).length;
      expect([parents.step, promoteId(data), parents.join].map(times)).toEqual([2, 2, 2]);
      expect([stepId(carried.step, 2), stepId(carried.join, 2)].map(times)).toEqual([1, 1]);
      expect(given.at(-1)).toBe(parents.join);
    },
  );

  told('siblings of a job that is not there are refused, and not added', async ({ queue }) => {
    const { jobs } = flow(1, false);
    const [data] = jobs as [PromoteData];
    await expect(queue.spawn(data, [1], promoteId(data))).rejects.toThrow(/r\d+.* is not in the queue/);
    expect(await queue.standing(stepId(data, 1))).toBe('missing');
  });
}

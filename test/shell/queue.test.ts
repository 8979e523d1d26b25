import { expect, test } from 'vitest';
import type { Clock } from '../../src/clock.ts';
import { promoteId } from '../../src/jobs/job-data.ts';
import type { JobProcessor } from '../../src/jobs/queue.ts';
import { SimulatedQueue } from './support/queue.ts';

// What only the queue of the simulation can do: locks that run out, and processes that die. test/support/queue-contract.ts has the rest.

const data = { releaseId: 'r1', promotion: 0, attempt: 1, dispatch: 1 };
const job = promoteId(data);
const item = {
  key: 'r1-d1',
  releaseId: 'r1',
  work: { kind: 'dispatch' as const, promotions: [{ promotion: 0, attempt: 1, dispatch: 1 }], join: false },
};

/** A queue whose time passes when it is told to, and a process that ends its jobs when it is told to. */
function open() {
  const waking: (() => void)[] = [];
  const clock = { after: (_name: string, _ms: number, work: () => void) => waking.push(work) } as unknown as Clock;
  const queue = new SimulatedQueue(clock, () => 0);
  const start = () => {
    const ends: (() => void)[] = [];
    const process: JobProcessor = () => new Promise<void>((resolve) => ends.push(resolve));
    const face = queue.face(2, clock);
    const worker = face.work(process);
    void worker.run();
    return { face, worker, ends };
  };
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return { queue, start, turn, passTime: () => waking.splice(0).forEach((work) => work()) };
}

test('a job that was given twice is given once more when the second process dies, also after the first one has ended it', async () => {
  const { queue, start, turn, passTime } = open();
  const first = start();
  await first.face.handOver([item]);
  expect(first.ends).toHaveLength(1);
  const closed = first.worker.close();
  const second = start();
  queue.stall(job);
  expect(second.ends).toHaveLength(1);
  second.face.vanish();
  // The first one carried it on, and its word no longer counts.
  first.ends[0]?.();
  await closed;
  await turn();
  const third = start();
  passTime();
  expect(third.ends).toHaveLength(1);
});

test('a process that carries a job twice, and has ended one of them, leaves the other when it dies', async () => {
  const { queue, start, turn, passTime } = open();
  const first = start();
  await first.face.handOver([item]);
  queue.stall(job);
  expect(first.ends).toHaveLength(2);
  first.ends[0]?.();
  await turn();
  first.face.vanish();
  const second = start();
  passTime();
  expect(second.ends).toHaveLength(1);
});

test('a process that is asked to stop waits for all of its jobs', async () => {
  const { start, turn } = open();
  const { face, worker, ends } = start();
  await face.handOver([item, { ...item, key: 'r2-d1', releaseId: 'r2' }]);
  expect(ends).toHaveLength(2);
  let closed = false;
  const closing = worker.close().then(() => (closed = true));
  ends[0]?.();
  await turn();
  expect(closed).toBe(false);
  ends[1]?.();
  await closing;
});

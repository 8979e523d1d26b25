import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JobQueue, JobStanding } from '../../src/jobs/queue.ts';
import { Sweep } from '../../src/jobs/sweep.ts';
import { openTestEngine } from '../support/engine.ts';
import type { TestEngine } from '../support/engine.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await openTestEngine({ name: 'postgres', queuePrefix: 'siblings' });
  await engine.saveBilling('billing');
});
afterAll(() => engine.close());

/** A queue that says of every job what the test wants it to; what it is handed is of no interest. */
const queueSaying = (standing: (jobId: string) => JobStanding): JobQueue => {
  hurried.length = 0;
  return {
    standing: async (jobId: string) => standing(jobId),
    handOver: async () => undefined,
    hurry: async (jobId: string) => void hurried.push(jobId),
  } as unknown as JobQueue;
};
const hurried: string[] = [];

test.each([
  ['goes on in a new job when none of its siblings is left', 'over' as const, 2],
  ['is left alone while a sibling is at work', 'pending' as const, 1],
  ['is left alone while a sibling waits for its next try, which it is given now', 'delayed' as const, 1],
])('an environment whose job waits for siblings %s', async (_, sibling, dispatch) => {
  // No worker: the release stays where its first job would have waited.
  const id = await engine.trigger({ product: 'billing', version: sibling });
  await sleep(2_100);
  const { releaseEngine } = engine.app;
  const queue = queueSaying((jobId) => (/-s\d+$/.test(jobId) ? sibling : 'joining'));
  await new Sweep({ ...engine.app, queue, intervalMs: 60_000 }).round();
  const to = await releaseEngine.look(id, { fresh: true });
  expect(to?.state.promotions[0]?.dispatch).toBe(dispatch);
  expect(hurried.length > 0).toBe(sibling === 'delayed');
  await releaseEngine.tell(id, { kind: 'terminate', reason: 'the test is over', by: null });
  await releaseEngine.tell(id, {
    kind: 'outcome',
    promotion: 0,
    attempt: 1,
    step: 0,
    dispatch,
    outcome: { kind: 'aborted' },
  });
});

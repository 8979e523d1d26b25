import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { SharedClock, systemClock } from '../../src/clock.ts';
import { timesOf } from '../../src/connections.ts';
import { promoteId } from '../../src/jobs/job-data.ts';
import type { PromoteData } from '../../src/jobs/job-data.ts';
import { JobQueue } from '../../src/jobs/queue.ts';
import type { JobProcessor, QueueWorker } from '../../src/jobs/queue.ts';
import { createLog } from '../../src/log.ts';
import { forEachBackend } from '../support/backends.ts';
import { createTestDatabase } from '../support/database.ts';
import type { TestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';

const log = createLog({ level: 'silent' });
const HOURS = 3 * 3_600_000;

// One machine's time of day is wrong by hours, is set right, and nobody waits for hours because of it.
forEachBackend(({ redisUrl, queuePrefix }) => {
  let database: TestDatabase;
  let prefix: string;
  let opened = 0;
  const queues: JobQueue[] = [];
  const workers: QueueWorker[] = [];
  const realNow = Date.now;
  let wrongBy = 0;

  beforeEach(async () => {
    database = await createTestDatabase();
    prefix = `${queuePrefix}time${(opened += 1)}`;
    wrongBy = 0;
    vi.spyOn(Date, 'now').mockImplementation(() => realNow() + wrongBy);
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    for (const each of workers.splice(0)) await each.close(true);
    for (const each of queues.splice(0)) await each.close();
    await database.drop();
  });

  const open = async (): Promise<JobQueue> => {
    // PostgreSQL's time of day is the real one; a process that begins on a wrong machine asks for it first.
    const clock = new SharedClock({ ...systemClock, now: () => new Date(Date.now()) });
    await clock.ask(async () => realNow());
    const settings = { concurrency: 2, lockDurationMs: 1_500, stalledIntervalMs: 500, times: timesOf(10_000) };
    const queue = await JobQueue.open({ ...settings, databaseUrl: database.url, clock, redisUrl, prefix }, log);
    queues.push(queue);
    return queue;
  };
  const work = (queue: JobQueue, processor: JobProcessor): QueueWorker => {
    const worker = queue.work(processor);
    worker.on('error', () => undefined);
    workers.push(worker);
    void worker.run();
    return worker;
  };
  const job: PromoteData = { releaseId: 'r', promotion: 0, attempt: 1, dispatch: 1 };
  const dispatch = { kind: 'dispatch' as const, promotions: [{ promotion: 0, attempt: 1, dispatch: 1 }], join: false };
  const item = { key: 'r-d1', releaseId: 'r', work: dispatch };

  test.each([
    ['ahead', HOURS],
    ['behind', -HOURS],
  ])('the job of a worker that is killed while its machine is hours %s goes to another one', async (_, by) => {
    const right = await open();
    wrongBy = by;
    const wrong = await open();
    let taken = 0;
    const dead = work(wrong, async () => {
      taken += 1;
      // As of one that is killed: nothing comes back from it.
      await new Promise(() => undefined);
    });
    await wrong.handOver([item]);
    await eventually(() => expect(taken).toBe(1));
    // Long enough for it to look for others that have died.
    await sleep(1_200);
    await dead.close(true);
    wrongBy = 0;
    let again = 0;
    work(right, async () => void (again += 1));
    await eventually(() => expect(again).toBe(1));
    await eventually(async () => expect(await right.standing(promoteId(job))).toBe('missing'));
  });

  test('a job whose next try was set while the clock was hours ahead has it when it is hurried', async () => {
    const queue = await open();
    let tries = 0;
    work(queue, async () => {
      tries += 1;
      if (tries > 1) return;
      wrongBy = HOURS;
      throw new Error('broken');
    });
    await queue.handOver([item]);
    await eventually(async () => expect(await queue.standing(promoteId(job))).toMatch(/^(delayed|missing)$/));
    wrongBy = 0;
    await queue.hurry(promoteId(job));
    await eventually(async () => expect(await queue.standing(promoteId(job))).toBe('missing'));
    expect(tries).toBe(2);
  });

  // In Redis a lock lasts as long as Redis says.
  if (redisUrl === undefined)
    test('what a process left behind that believed its own clock is put right when the queue is opened', async () => {
      const queue = await open();
      await queue.handOver([item]);
      const far = realNow() + HOURS;
      const client = new pg.Client(database.url);
      await client.connect();
      await client.query(
        `INSERT INTO bullmq.meta (queue, field, value) SELECT queue, 'stalled-check', '${far}' FROM bullmq.job LIMIT 1`,
      );
      await client.query(`UPDATE bullmq.job SET state = 'active', lock_token = 'gone', locked_until_ms = ${far}`);
      await client.end();
      let given = 0;
      work(await open(), async () => void (given += 1));
      await eventually(() => expect(given).toBe(1));
    });
});

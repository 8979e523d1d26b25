import { describe } from 'vitest';
import { SharedClock, systemClock } from '../../src/clock.ts';
import { timesOf } from '../../src/connections.ts';
import { JobQueue } from '../../src/jobs/queue.ts';
import { createLog } from '../../src/log.ts';
import { forEachBackend } from '../support/backends.ts';
import { createTestDatabase } from '../support/database.ts';
import { PLACES, queueContract } from '../support/queue-contract.ts';
import { SimulatedQueue } from './support/queue.ts';

const log = createLog({ level: 'silent' });
const clock = new SharedClock(systemClock);

forEachBackend(({ redisUrl, queuePrefix }) => {
  let opened = 0;
  queueContract(async () => {
    const database = await createTestDatabase();
    const settings = { concurrency: PLACES, lockDurationMs: 2_000, stalledIntervalMs: 1_000 };
    const prefix = `${queuePrefix}${(opened += 1)}`;
    const times = timesOf(10_000);
    const queue = await JobQueue.open({ ...settings, databaseUrl: database.url, clock, redisUrl, prefix, times }, log);
    return {
      queue,
      close: async () => {
        await queue.close();
        await database.drop();
      },
    };
  });
});

describe('the queue of the simulation', () => {
  queueContract(async () => {
    const queue = new SimulatedQueue(systemClock, () => 0).face(PLACES, systemClock);
    return { queue, close: () => queue.close() };
  });
});

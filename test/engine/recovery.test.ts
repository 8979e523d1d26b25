import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTestEngine } from '../support/engine.ts';
import type { TestEngine } from '../support/engine.ts';
import { startRedis } from '../support/servers.ts';
import type { TestRedis } from '../support/servers.ts';

describe('the queue may lose everything', () => {
  let redis: TestRedis;
  let engine: TestEngine;
  beforeAll(async () => {
    redis = await startRedis();
    engine = await openTestEngine({ name: 'redis', redisUrl: redis.url, queuePrefix: 'lost' });
    await engine.startWorker();
    await engine.saveBilling('billing', { driver: () => ({ type: 'simulate', duration: 400 }) });
  });
  afterAll(async () => {
    await engine.close();
    await redis.stop();
  });

  const succeededOnce = async (id: string): Promise<void> => {
    expect((await engine.ended(id)).status).toBe('SUCCEEDED');
    const steps = (await engine.events(id)).filter((each) => each.type === 'StepSucceeded');
    expect(new Set(steps.map((each) => each.step)).size).toBe(steps.length);
  };

  test('after FLUSHALL in the middle of a release the release goes on by itself', async () => {
    const id = await engine.trigger({ product: 'billing', version: '1' });
    await engine.reached(id, (state) => state.promotions[1]?.status !== 'PENDING');
    await redis.flushall();
    // With the parents of its flow gone, too: the regions' join has to be asked for anew.
    await engine.reached(id, (state) => state.promotions[2]?.status !== 'PENDING');
    await redis.flushall();
    await succeededOnce(id);
  });

  test('a release that is triggered while Redis is away starts when it is back', async () => {
    await redis.kill();
    const id = await engine.trigger({ product: 'billing', version: '2' });
    await redis.restart();
    await succeededOnce(id);
  });
});

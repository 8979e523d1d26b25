import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, describe } from 'vitest';
import { needed } from './database.ts';

export interface Backend {
  name: 'redis' | 'postgres';
  /** Absent: the queue lives in the test's own database. */
  redisUrl?: string;
  /** Of this file and back end alone: files share one Redis and never flush it. */
  queuePrefix: string;
}

/** Tells the same story once with the queue in Redis and once with the queue in PostgreSQL. */
export function forEachBackend(story: (backend: Backend) => void): void {
  tellOn(['redis', 'postgres'], story);
}

/** Tells a story in which the queue has no part beyond bringing jobs: on one back end, and on both with SLUICE_TEST_ALL set. */
export function onOneBackend(name: Backend['name'], story: (backend: Backend) => void): void {
  tellOn(firstOf<Backend['name']>([name, name === 'redis' ? 'postgres' : 'redis']), story);
}

/** The first of some runs that take their time, and all of them with SLUICE_TEST_ALL set. */
export const firstOf = <T>(runs: readonly T[]): readonly T[] =>
  process.env['SLUICE_TEST_ALL'] ? runs : runs.slice(0, 1);

function tellOn(names: readonly Backend['name'][], story: (backend: Backend) => void): void {
  for (const name of names) {
    const queuePrefix = `t${randomBytes(5).toString('hex')}`;
    const backend: Backend = { name, queuePrefix, ...(name === 'redis' && { redisUrl: needed('TEST_REDIS_URL') }) };
    describe(`queue in ${name}`, () => {
      story(backend);
      if (backend.redisUrl) afterAll(() => removeKeys(backend.redisUrl!, queuePrefix));
    });
  }
}

async function removeKeys(url: string, prefix: string): Promise<void> {
  const redis = new Redis(url);
  try {
    for await (const keys of redis.scanStream({ match: `${prefix}:*`, count: 500 })) {
      if ((keys as string[]).length > 0) await redis.unlink(keys as string[]);
    }
  } finally {
    redis.disconnect();
  }
}

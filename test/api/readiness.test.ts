import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Readiness } from '../../src/readiness.ts';
import { type ApiServer, startServer } from '../../src/server.ts';
import { forEachBackend } from '../support/backends.ts';
import { openTestEngine, type TestEngine } from '../support/engine.ts';
import { startRedis, type TestRedis } from '../support/servers.ts';

async function ready(server: ApiServer): Promise<{ status: number; state: Readiness; failing: string[] }> {
  const response = await fetch(`${server.url}/readyz`);
  const state = (await response.json()) as Readiness;
  const failing = Object.entries(state.parts).flatMap(([name, part]) => (part.ok ? [] : [name]));
  return { status: response.status, state, failing };
}

forEachBackend((backend) => {
  let engine: TestEngine;
  let server: ApiServer;
  beforeAll(async () => {
    engine = await openTestEngine(backend);
    server = await startServer(engine.app);
  });
  afterAll(async () => {
    await server.close();
    await engine.close();
  });

  test('a server is ready when the database and the queue answer, nothing is overdue and the log is read', async () => {
    const { status, state } = await ready(server);
    expect(status).toBe(200);
    expect(state).toEqual({
      ready: true,
      parts: {
        clock: { ok: true, detail: "agrees with PostgreSQL's" },
        database: { ok: true, detail: 'answers' },
        queue: { ok: true, detail: 'answers' },
        engine: { ok: true, detail: 'nothing is overdue' },
        events: { ok: true, detail: 'read' },
      },
    });
  });

  test('work that nobody takes makes it not ready, and it says so; ready again when the work is done', async () => {
    await engine.app.pool.query(
      `INSERT INTO outbox (key, release_id, work, created_at) VALUES ('late', gen_random_uuid(), '{}', now() - interval '30 seconds')`,
    );
    const { status, state, failing } = await ready(server);
    expect([status, failing]).toEqual([503, ['engine']]);
    expect(state.parts['engine']!.detail).toMatch(/^the oldest due work is 30\.\d s late: is a worker running\?$/);
    await engine.app.pool.query('DELETE FROM outbox');
    expect((await ready(server)).status).toBe(200);
  });

  test('a process that only works does not read the log, and is ready without it', async () => {
    const { app } = engine;
    const worker = await startServer({ ...app, config: { ...app.config, role: 'worker' } });
    const { status, state } = await ready(worker);
    expect([status, state.parts['events']!.detail]).toEqual([200, 'not read by this process']);
    await worker.close();
  });
});

test('a queue that is gone makes it not ready within a moment, while it still answers; and ready again when it is back', async () => {
  const redis: TestRedis = await startRedis();
  const engine = await openTestEngine({ name: 'redis', redisUrl: redis.url, queuePrefix: 'gone' });
  const server = await startServer(engine.app);
  await redis.kill();
  const from = Date.now();
  expect((await ready(server)).failing).toEqual(['queue']);
  expect(Date.now() - from).toBeLessThan(4_000);
  expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  await redis.restart();
  while ((await ready(server)).status !== 200) await new Promise((resolve) => setTimeout(resolve, 50));
  await server.close();
  await engine.close();
  await redis.stop();
});

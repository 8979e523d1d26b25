import { afterAll, beforeAll, expect, test } from 'vitest';
import { openApp } from '../../src/app.ts';
import { terminateRelease } from '../../src/commands/control-release.ts';
import { triggerRelease } from '../../src/commands/trigger-release.ts';
import { createLog } from '../../src/log.ts';
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

  test('a server is ready when the database answers and the log is read, and tells of queue and engine as well', async () => {
    const { status, state } = await ready(server);
    expect(status).toBe(200);
    expect(state).toEqual({
      ready: true,
      lateMs: 0,
      parts: {
        clock: { ok: true, needed: true, detail: "agrees with PostgreSQL's" },
        database: { ok: true, needed: true, detail: 'answers' },
        queue: { ok: true, needed: false, detail: 'answers' },
        engine: { ok: true, needed: false, detail: 'nothing is overdue' },
        events: { ok: true, needed: true, detail: 'read' },
      },
    });
  });

  test('work that nobody takes makes a worker not ready, and takes no API away; both say how late it is', async () => {
    const { app } = engine;
    const worker = await startServer({ ...app, config: { ...app.config, role: 'worker' } });
    await app.pool.query(
      `INSERT INTO outbox (key, release_id, work, due_at) VALUES ('late', gen_random_uuid(), '{}', now() - interval '30 seconds')`,
    );
    for (const [of, status] of [
      [worker, 503],
      [server, 200],
    ] as const) {
      const found = await ready(of);
      expect([found.status, found.failing]).toEqual([status, ['engine']]);
      expect(found.state.parts['engine']!.detail).toMatch(
        /^the oldest due work is \d\d\.\d s late: is a worker running\?$/,
      );
      expect(found.state.lateMs).toBeGreaterThan(29_000);
    }
    await app.pool.query('DELETE FROM outbox');
    expect((await ready(worker)).status).toBe(200);
    await worker.close();
  });

  test('a process that only works does not read the log, and is ready without it', async () => {
    const { app } = engine;
    const worker = await startServer({ ...app, config: { ...app.config, role: 'worker' } });
    const { status, state } = await ready(worker);
    expect([status, state.parts['events']!.detail]).toEqual([200, 'not read by this process']);
    await worker.close();
  });
});

test('Redis away: a worker is not ready and says why, the API goes on, the log tells it once, and once that it is back', async () => {
  const redis: TestRedis = await startRedis();
  const engine = await openTestEngine({ name: 'redis', redisUrl: redis.url, queuePrefix: 'gone' });
  const lines: string[] = [];
  const log = createLog({ level: 'info', destination: { write: (line) => void lines.push(line) } });
  const app = await openApp(engine.app.config, log);
  const server = await startServer(app);
  const worker = await startServer({ ...app, config: { ...app.config, role: 'worker' } });
  await engine.saveBilling('billing');
  await redis.kill();
  while ((await ready(worker)).status === 200) await new Promise((resolve) => setTimeout(resolve, 20));
  const found = await ready(worker);
  expect(found.failing).toEqual(['queue']);
  expect(found.state.parts['queue']!.detail).toMatch(/^Redis is away for \d+\.\d s \(.+\): work waits in the outbox/);
  const api = await ready(server);
  expect([api.status, api.failing]).toEqual([200, ['queue']]);
  // What people do meanwhile is done, and waits for the queue where it needs one.
  const { value } = await triggerRelease(app, { product: 'billing', version: '1' }, 'ada');
  expect((await terminateRelease(app, { releaseId: value!.releaseId }, 'ada')).refusals).toBeUndefined();
  await redis.restart();
  while ((await ready(worker)).status !== 200) await new Promise((resolve) => setTimeout(resolve, 50));
  const told = (): string[] =>
    lines.filter((line) => line.includes('Redis is')).map((line) => (JSON.parse(line) as { msg: string }).msg);
  await expect
    .poll(told)
    .toEqual(['Redis is away: work waits in the outbox, watching, approving and terminating go on', 'Redis is back']);
  await worker.close();
  await server.close();
  await app.close();
  await engine.close();
  await redis.stop();
});

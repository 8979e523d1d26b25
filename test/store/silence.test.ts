import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openApp } from '../../src/app.ts';
import type { App } from '../../src/app.ts';
import { triggerRelease } from '../../src/commands/trigger-release.ts';
import { inTransaction, SturdyPool, clientConfig, timesOf } from '../../src/connections.ts';
import { LOCK_ALL_PRODUCTS } from '../../src/entities/locks.ts';
import { createLog } from '../../src/log.ts';
import { Listener } from '../../src/store/listener.ts';
import { startWorker } from '../../src/worker.ts';
import type { Config } from '../../src/config.ts';
import { openTestEngine } from '../support/engine.ts';
import type { TestEngine } from '../support/engine.ts';
import { silentProxy } from '../support/silent-proxy.ts';
import type { SilentProxy } from '../support/silent-proxy.ts';

let engine: TestEngine;
let proxy: SilentProxy;
let app: App;
let config: Config;
const log = createLog({ level: 'silent' });

beforeAll(async () => {
  engine = await openTestEngine({ name: 'postgres', queuePrefix: `t${randomBytes(5).toString('hex')}` });
  await engine.saveBilling('billing', { driver: () => ({ type: 'simulate', duration: 200 }) });
  proxy = await silentProxy(engine.databaseUrl);
  // A statement may take half a second, and is not waited for longer than one.
  config = { ...engine.app.config, databaseUrl: proxy.url, statementTimeoutMs: 500 };
  app = await openApp(config, log);
});
afterAll(async () => {
  await app.close();
  await proxy.close();
  await engine.close();
});

test('a network that falls silent stops nothing for good: what was asked fails, and is asked again elsewhere', async () => {
  const worker = await startWorker(app);
  const { value } = await triggerRelease(app, { product: 'billing', version: '1' }, 'ada');
  const id = value!.releaseId;
  await engine.reached(id, ({ promotions }) => promotions[1]!.status === 'RUNNING');
  proxy.silence();
  expect((await engine.ended(id)).status).toBe('SUCCEEDED');
  await worker.close();
  // The connections that lay idle meanwhile have not been found out yet: each is, by whoever uses it first.
  for (;;) {
    const all = Array.from({ length: config.databasePoolSize }, () => app.pool.query('SELECT pg_sleep(0.1)'));
    const done = await Promise.allSettled(all);
    if (done.every((each) => each.status === 'fulfilled')) break;
  }
}, 60_000);

test('a statement that takes too long is ended by the server, and its connection serves on', async () => {
  await expect(app.pool.query('SELECT pg_sleep(5)')).rejects.toThrow(/statement timeout/);
  expect((await app.pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
});

test("who waits for somebody else's lock gives up; who holds one and does nothing is ended", async () => {
  const holder = new SturdyPool({
    connectionString: engine.databaseUrl,
    max: 1,
    seams: null,
    ...clientConfig(timesOf(1_500)),
  });
  const held = inTransaction(holder, `BEGIN; ${LOCK_ALL_PRODUCTS}`, async (client) => {
    await expect(app.pool.query(LOCK_ALL_PRODUCTS)).rejects.toThrow(/lock timeout/);
    // As a process that was stopped in the middle.
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    await client.query('SELECT 1');
  });
  await expect(held).rejects.toThrow();
  await app.pool.query(LOCK_ALL_PRODUCTS);
  await holder.end();
});

test('a listener that hears nothing any more notices it, and listens elsewhere', async () => {
  const heard: string[] = [];
  let connected = 0;
  const listener = new Listener({
    url: proxy.url,
    channels: ['quiet'],
    onNotice: (_, payload) => heard.push(payload),
    onConnected: () => (connected += 1),
    log,
    times: timesOf(300),
    pingMs: 100,
  });
  await listener.open();
  proxy.silence();
  while (connected < 2) await new Promise((resolve) => setTimeout(resolve, 20));
  // On a busy machine it may take its next connection for silent as well.
  const told = async (): Promise<Set<string>> => {
    await engine.app.pool.query(`SELECT pg_notify('quiet', 'here')`);
    return new Set(heard);
  };
  await expect.poll(told).toEqual(new Set(['here']));
  await listener.close();
});

test('a listener that is closed while it connects is closed at once', async () => {
  const parts = { channels: ['x'], onNotice: () => undefined, onConnected: () => undefined, log };
  const atOnce = new Listener({ ...parts, url: engine.databaseUrl });
  const opened = atOnce.open();
  await atOnce.close();
  await opened;
  // Nobody answers there: what takes the connection says nothing.
  const mute = await silentProxy(engine.databaseUrl);
  const waiting = new Listener({ ...parts, url: mute.url });
  const never = waiting.open();
  const silencing = setInterval(() => mute.silence(), 1);
  await new Promise((resolve) => setTimeout(resolve, 100));
  await waiting.close();
  clearInterval(silencing);
  await never;
  await mute.close();
});

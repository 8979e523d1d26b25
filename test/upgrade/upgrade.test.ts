import { afterAll, beforeAll, expect, test } from 'vitest';
import { openApp } from '../../src/app.ts';
import type { App } from '../../src/app.ts';
import { loadConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { startWorker } from '../../src/worker.ts';
import { OLD_ENCRYPTION_KEY, oldDatabase } from './old.ts';
import type { OldDatabase } from './old.ts';

let old: OldDatabase;
let app: App;
let worker: { close(): Promise<void> };
beforeAll(async () => {
  old = await oldDatabase();
  const config = loadConfig({
    DATABASE_URL: old.url,
    SLUICE_ENCRYPTION_KEY: OLD_ENCRYPTION_KEY,
    SLUICE_GIT_PROTOCOLS: 'file',
    SLUICE_SWEEP_INTERVAL_MS: '300',
    LOG_LEVEL: 'error',
    PORT: '0',
  });
  app = await openApp(config, createLog({ level: config.logLevel }));
  worker = await startWorker(app);
});
afterAll(async () => {
  await worker?.close();
  await app?.close();
  await old?.drop();
});

interface Row {
  product: string;
  number: number;
  status: string;
}
const releases = async (): Promise<Row[]> =>
  (await app.pool.query<Row>('SELECT product, number::int, status FROM release ORDER BY number')).rows;

test('it comes up', async () => {
  console.log(await releases());
  expect((await releases()).length).toBe(10);
});

import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { openApp } from '../../src/app.ts';
import { saveDefinition } from '../../src/commands/save-definition.ts';
import { triggerRelease } from '../../src/commands/trigger-release.ts';
import { loadConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { runServer } from '../../src/main.ts';
import { needed } from '../support/database.ts';
import { startPostgres } from '../support/servers.ts';

const log = createLog({ level: 'silent' });
/** Longer than a shutdown takes, in milliseconds. */
const DURATION = 12_000;

async function running(settings: Record<string, string>) {
  const postgres = await startPostgres();
  const config = loadConfig({
    DATABASE_URL: postgres.url,
    SLUICE_QUEUE_PREFIX: `t${randomBytes(5).toString('hex')}`,
    SLUICE_LOCK_DURATION_MS: '2000',
    SLUICE_STALLED_INTERVAL_MS: '500',
    SLUICE_SWEEP_INTERVAL_MS: '300',
    LOG_LEVEL: 'silent',
    PORT: '0',
    ...settings,
  });
  const client = await openApp(config, log);
  const save = async (kind: never, name: string, spec: unknown): Promise<void> => {
    const definition = { kind, metadata: { name, labels: {}, annotations: {} }, spec: spec as never };
    const saved = await saveDefinition(client, definition, { mode: 'UPSERT', actor: 'test' });
    expect(saved.refusals).toBeUndefined();
  };
  for (const name of ['dev', 'prod']) await save('Environment' as never, name, { kind: 'NON_PRODUCTION' });
  await save('PromotionFlow' as never, 'flow', {
    triggerEnvironment: 'dev',
    productSelector: {},
    onFailure: 'FINISH_RUNNING',
    steps: [{ environment: 'prod', dependsOn: ['dev'] }],
  });
  await save('Product' as never, 'shop', { promotionFlows: [], concurrency: 'QUEUE', queueLimit: 50 });
  for (const environment of ['dev', 'prod'])
    await save('Application' as never, `shop-${environment}`, {
      product: 'shop',
      environment,
      driver: { type: 'simulate', duration: environment === 'dev' ? DURATION : 0 },
      health: { type: 'none' },
    });
  const server = await runServer(config, log);
  const { value, refusals } = await triggerRelease(client, { product: 'shop', version: '1' }, 'ada');
  expect(refusals).toBeUndefined();
  const id = value!.releaseId;
  for (;;) {
    const to = await client.releaseEngine.look(id, { fresh: true });
    if (to?.state.promotions[0]?.status === 'RUNNING') break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return { postgres, config, client, server, id };
}

const took = async (work: Promise<unknown>): Promise<number> => {
  const began = performance.now();
  await work;
  return performance.now() - began;
};

test.each([
  ['PostgreSQL', {}],
  ['Redis', { REDIS_URL: needed('TEST_REDIS_URL') }],
])(
  'a server stops in time beside a database that is gone, with work on its hands (queue in %s)',
  async (_, settings) => {
    const { postgres, client, server } = await running(settings);
    await postgres.stop();
    // It ends by itself, and is not ended by force, which would come after ten seconds.
    expect(await took(server.close())).toBeLessThan(9_500);
    await client.close();
  },
  60_000,
);

test('what runs when a server stops beside a restarting database is taken up by another one', async () => {
  const { postgres, config, client, server, id } = await running({});
  const [time] = await Promise.all([took(server.close()), postgres.restart('fast')]);
  expect(time).toBeLessThan(9_500);
  const other = await runServer(config, log);
  const deadline = Date.now() + 45_000;
  for (;;) {
    const to = await client.releaseEngine.look(id, { fresh: true }).catch(() => null);
    if (to?.state.status === 'SUCCEEDED') break;
    if (Date.now() > deadline) throw new Error(JSON.stringify(to?.state));
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  await other.close();
  await client.close();
  await postgres.stop();
}, 90_000);

import { randomBytes } from 'node:crypto';
import type { QueryRunner } from 'typeorm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { setSecret } from '../../src/commands/set-secret.ts';
import { HostsOfSecrets1765110000000 } from '../../migrations/1765110000000-hosts-of-secrets.ts';
import { openTestEngine } from '../support/engine.ts';
import type { TestEngine } from '../support/engine.ts';

let engine: TestEngine;
beforeAll(async () => {
  const backend = { name: 'postgres' as const, queuePrefix: `t${randomBytes(5).toString('hex')}` };
  engine = await openTestEngine(backend, { SLUICE_ENCRYPTION_KEY: randomBytes(32).toString('base64') });
  await engine.saveBilling();
});
afterAll(() => engine.close());

test('secrets without hosts keep those to which they are sent on the day on which hosts become required', async () => {
  const { app } = engine;
  const send = (url: string, name: string) => ({ url, headers: { authorization: `\${secrets.${name}}` } });
  await engine.save('Application', 'billing-dev', {
    product: 'billing',
    environment: 'dev',
    driver: { type: 'simulate' },
    health: { type: 'http', ...send('https://Health.example:8443/x', 'used') },
  });
  const call = (...all: object[]) =>
    engine.save('PromotionWorkflow', 'checks', {
      actions: all.map((parameters, index) => ({
        name: `a${index}`,
        type: 'http' as const,
        parameters: { ...parameters },
      })),
    });
  // An open release has frozen a call that the workflow does not make any more.
  await call(send('https://frozen.example/', 'used'));
  await engine.trigger({ product: 'billing', version: '1' });
  await call(
    send('https://hooks.example/a', 'used'),
    send('https://${HOST}/', 'used'),
    send('https://x.example/', 'set'),
  );
  for (const [name, hosts] of [
    ['used', []],
    ['idle', []],
    ['set', ['x.example']],
  ] as const) {
    const use = { kind: 'REFERENCE' as const, hosts: ['x.example'] };
    await setSecret(app, { name, value: `value-of-${name}`, description: null, use }, 'ada');
    await app.pool.query(`UPDATE secret SET use = $2 WHERE name = $1`, [name, { kind: 'REFERENCE', hosts }]);
  }
  const runner = {
    query: async (text: string, values?: unknown[]) => (await app.pool.query(text, values)).rows,
  } as unknown as QueryRunner;
  const migration = new HostsOfSecrets1765110000000();
  const uses = async () => {
    const { rows } = await app.pool.query<{ name: string; use: object }>('SELECT name, use FROM secret ORDER BY name');
    return Object.fromEntries(rows.map(({ name, use }) => [name, use]));
  };

  await migration.up(runner);
  const hosts = ['frozen.example', 'health.example', 'hooks.example'];
  expect(await uses()).toEqual({
    idle: { kind: 'REFERENCE', hosts: [], assumed: true },
    set: { kind: 'REFERENCE', hosts: ['x.example'] },
    used: { kind: 'REFERENCE', hosts, assumed: true },
  });
  // Whoever names the same hosts need not know the value; other hosts take it.
  const named = (more: string[]) =>
    setSecret(
      app,
      { name: 'used', value: null, description: null, use: { kind: 'REFERENCE', hosts: [...hosts, ...more] } },
      'ada',
    );
  expect((await named(['evil.example'])).refusals).toMatchObject([{ path: ['secretValue'] }]);
  expect((await named([])).value?.use).toEqual({ kind: 'REFERENCE', hosts });

  await migration.down(runner);
  expect(await uses()).toMatchObject({ idle: { hosts: [] }, used: { hosts } });
});

import { randomBytes } from 'node:crypto';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type App, openApp } from '../../src/app.ts';
import { resealSecrets } from '../../src/commands/reseal-secrets.ts';
import { setSecret } from '../../src/commands/set-secret.ts';
import type { SecretUse } from '../../src/core/secrets.ts';
import { createLog } from '../../src/log.ts';
import { type ApiServer, startServer } from '../../src/server.ts';
import { openTestEngine, type TestEngine } from '../support/engine.ts';
import { newWebhookSecret, signWebhook } from '../support/webhooks.ts';

const [ONE, OTHER] = [randomBytes(32), randomBytes(32)].map((each) => each.toString('base64')) as [string, string];
const FOR_ACTIONS: SecretUse = { kind: 'REFERENCE', hosts: ['hooks.example.com'] };
const FROM_ARGO: SecretUse = { kind: 'WEBHOOK', source: 'argo', products: [] };
const BOARDS = newWebhookSecret();

let engine: TestEngine;
const open: { close(): Promise<void> }[] = [];
beforeAll(async () => {
  const backend = { name: 'postgres' as const, queuePrefix: `t${randomBytes(5).toString('hex')}` };
  engine = await openTestEngine(backend, { SLUICE_ENCRYPTION_KEY: ONE });
  await keep(engine.app, 'hook', 'value-of-hook', FOR_ACTIONS);
});
afterAll(async () => {
  for (const each of open.reverse()) await each.close();
  await engine.close();
});

/** Another process on the same database, and what it has said. */
async function another(...encryptionKeys: string[]): Promise<{ app: App; said: string[] }> {
  const said: string[] = [];
  const destination = new Writable({
    write(line: Buffer, _encoding, done) {
      said.push(line.toString());
      done();
    },
  });
  const app = await openApp({ ...engine.app.config, encryptionKeys }, createLog({ level: 'error', destination }));
  open.push(app);
  return { app, said };
}

async function keep(app: App, name: string, value: string, use: SecretUse): Promise<void> {
  const { refusals } = await setSecret(app, { name, value, description: null, use }, null);
  expect(refusals).toBeUndefined();
}

const opened = async (app: App, name: string): Promise<string> =>
  app.secrets.open([name]).then(
    (found) => found.get(name)!.value,
    (error: Error) => error.message,
  );

describe('two processes with different keys on one database', () => {
  test('each says at its start what it cannot open, and which setting puts it right', async () => {
    const { said } = await another(OTHER);
    expect(said.join('')).toMatch(/cannot open them.*SLUICE_ENCRYPTION_KEY.*SLUICE_ENCRYPTION_KEY_PREVIOUS/);
    expect((await another(OTHER, ONE)).said).toEqual([]);
    expect((await another(ONE)).said).toEqual([]);
    expect((await another()).said.join('')).toContain('SLUICE_ENCRYPTION_KEY');
  });

  test('what one sealed the other does not open, and says why; nothing is lost by trying', async () => {
    const { app } = await another(OTHER);
    await keep(app, 'fresh', 'value-of-fresh', FOR_ACTIONS);
    for (const [process, name] of [
      [app, 'hook'],
      [engine.app, 'fresh'],
    ] as const) {
      expect(await opened(process, name)).toMatch(/was sealed with the key \w+, .* SLUICE_ENCRYPTION_KEY_PREVIOUS$/);
      const { refusals } = await resealSecrets(process);
      expect(refusals).toMatchObject([{ code: 'NO_ENCRYPTION_KEY' }]);
    }
    expect([await opened(engine.app, 'hook'), await opened(app, 'fresh')]).toEqual(['value-of-hook', 'value-of-fresh']);

    // The operator gives both keys to one of them, and then the same to all.
    const both = (await another(ONE, OTHER)).app;
    expect((await resealSecrets(both)).value).toBe(1);
    expect([await opened(engine.app, 'hook'), await opened(engine.app, 'fresh')]).toEqual([
      'value-of-hook',
      'value-of-fresh',
    ]);
  });

  test('a source whose new secret was sealed with the wrong key goes on with the old one', async () => {
    await keep(engine.app, 'argo-1', BOARDS, FROM_ARGO);
    const { app } = await another(OTHER);
    const next = newWebhookSecret();
    await keep(app, 'argo-2', next, FROM_ARGO);
    const server: ApiServer = await startServer(engine.app);
    open.push(server);
    const send = async (secret: string) => {
      const { headers, body } = signWebhook({ secret, body: { product: 'p', environment: 'e', status: 'SUCCEEDED' } });
      const init = { method: 'POST', headers, body: new Uint8Array(body) };
      return (await fetch(`${server.url}/hooks/rollouts/argo`, init)).status;
    };
    expect(await send(BOARDS)).toBe(202);
    // It may well be right: the sender tries again until somebody has put the key right.
    expect(await send(next)).toBe(503);
  });
});

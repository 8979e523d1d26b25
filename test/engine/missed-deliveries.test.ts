import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { setSecret } from '../../src/commands/set-secret.ts';
import type { SecretUse } from '../../src/core/secrets.ts';
import { MissedDeliveries } from '../../src/jobs/missed-deliveries.ts';
import { runServer } from '../../src/main.ts';
import type { RunningServer } from '../../src/main.ts';
import { serve } from '../drivers/http-server.ts';
import { FAULTS } from '../peers/faults.ts';
import { startForge } from '../peers/forges.ts';
import type { TestForge } from '../peers/forges.ts';
import { startGitHost } from '../peers/git-host.ts';
import type { GitHost, HostedRepository } from '../peers/git-host.ts';
import { openTestEngine } from '../support/engine.ts';
import type { TestEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';

// GitHub sends through a proxy, as it does in front of a real installation; it looks at no repository by itself here, so that whatever
// becomes a candidate was told.

const DAY = 24 * 60 * 60_000;
const VALUE = 'a-secret-of-the-host';
let host: GitHost;
let forge: TestForge;
let repository: HostedRepository;
let proxy: Awaited<ReturnType<typeof serve>>;
let engine: TestEngine;
let servers: RunningServer[];

beforeEach(async () => {
  servers = [];
  host = await startGitHost();
  forge = await startForge('github', host);
  repository = await host.repository('config');
  await repository.commit({ 'dev/a.yaml': 'v: 1\n' }, 'First');
  // What is promoted is pushed elsewhere, so that it is no news.
  const live = await host.repository('live');
  await live.commit({ 'staging/a.yaml': 'v: 1\n' }, 'First');
  proxy = await serve(({ url, headers, body }, response) => {
    const to = servers[0]?.url;
    if (to === undefined) return void response.writeHead(502).end();
    const signed = Object.entries(headers).filter(([name]) => name.startsWith('x-') || name === 'content-type');
    void fetch(new URL(url, to), { method: 'POST', headers: signed as [string, string][], body }).then(
      ({ status }) => response.writeHead(status).end(),
      () => response.writeHead(502).end(),
    );
  });
  engine = await openTestEngine(
    { name: 'postgres', queuePrefix: `t${randomBytes(5).toString('hex')}` },
    {
      SLUICE_PUBLIC_URL: `http://${proxy.host}`,
      SLUICE_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
      SLUICE_GIT_PROTOCOLS: 'http',
      SLUICE_ALLOWED_NETWORKS: '127.0.0.0/8',
      SLUICE_GIT_CREDENTIALS: JSON.stringify({ [`${host.url}/`]: forge.gitLogin }),
    },
  );
  await engine.saveBilling('billing', {
    driver: (environment) => {
      const { url: repoURL } = environment === 'dev' ? repository : live;
      return { type: 'git', repoURL, branch: 'main', path: environment };
    },
  });
  const trigger = { interval: DAY, coalesce: 0 };
  await engine.save('Product', 'billing', { promotionFlows: [], concurrency: 'QUEUE', queueLimit: 50, trigger });
  await secret('hook', VALUE, { kind: 'WEBHOOK', source: 'github', products: [], scheme: 'GITHUB' });
  await secret('forge', forge.token, { kind: 'FORGE', forge: 'github', url: `${host.url}/`, apiUrl: forge.apiUrl });
  forge.deliveries.to(`http://${proxy.host}/hooks/git/github`, VALUE, repository.name);
  forge.deliveries.to('http://127.0.0.1:1/elsewhere', VALUE, repository.name);
  await engine.startWorker();
  await eventually(async () =>
    expect(await column('SELECT head AS it FROM trigger_cursor')).toEqual([await repository.head()]),
  );
});
afterEach(async () => {
  await down();
  await engine.close();
  proxy.close();
  await forge.close();
  await host.close();
});

async function secret(name: string, value: string, use: SecretUse): Promise<void> {
  const { refusals } = await setSecret(engine.app, { name, value, description: null, use }, 'ada');
  if (refusals) throw new Error(JSON.stringify(refusals));
}

/** A process that receives comes up. */
async function up(): Promise<void> {
  servers.push(await runServer({ ...engine.app.config, role: 'api', databaseUrl: engine.databaseUrl }, engine.app.log));
}

async function down(): Promise<void> {
  for (const server of servers.splice(0)) await server.close();
}

const column = async (text: string): Promise<unknown[]> =>
  (await engine.app.pool.query<{ it: unknown }>(text)).rows.map(({ it }) => it);
/** The commits of the candidates that were made, in their order. */
const candidates = (): Promise<unknown[]> =>
  column(`SELECT state->'billing-dev'->>'commit' AS it FROM candidate ORDER BY created_at`);
const kept = (): Promise<unknown[]> =>
  column(`SELECT webhook_id AS it FROM webhook_delivery WHERE headers->>'x-github-event' = 'push'`);
/** The five minutes between two questions are over. */
const later = (): Promise<unknown> => engine.app.pool.query('UPDATE watched_repository SET missed_next_at = NULL');
// Statuses that Sluice sets are news of their own.
const pushes = () => forge.deliveries.list.filter(({ event }) => event === 'push');
const ours = () => pushes().filter(({ hook }) => hook.id === 1);
const redelivered = (): string[] => pushes().flatMap(({ redelivery, guid }) => (redelivery ? [guid] : []));
const pushed = async (version: number): Promise<string> => {
  const head = await repository.commit({ 'dev/a.yaml': `v: ${version}\n` }, `Version ${version}`);
  await forge.idle();
  return head;
};
const became = (commits: string[]): Promise<void> =>
  eventually(async () => expect(await candidates()).toEqual(commits));

test('trap 28: deliveries that were missed are sent once more when Sluice comes back, and are one candidate', async () => {
  await up();
  const first = await pushed(2);
  await became([first]);
  expect(redelivered()).toEqual([]);
  await down();

  await pushed(3);
  const last = await pushed(4);
  const missed = ours().flatMap(({ status, guid }) => (status === 502 ? [guid] : []));
  expect(missed).toHaveLength(2);
  // The host did not hear the answer to one that is here.
  ours()[0]!.status = 0;
  await later();
  await Promise.all([up(), up()]);
  await became([first, last]);
  expect(redelivered().sort()).toEqual(missed.sort());
  await forge.idle();
  expect(await kept()).toHaveLength(3);

  await later();
  const watch = new MissedDeliveries(engine.app);
  await watch.round();
  await watch.close();
  await forge.idle();
  expect(redelivered()).toHaveLength(2);
  expect(await candidates()).toEqual([first, last]);
  const open = (): Promise<unknown[]> =>
    column(`SELECT status AS it FROM webhook_delivery WHERE headers->>'x-github-event' = 'push' AND status <> 'DONE'`);
  await eventually(async () => expect(await open()).toEqual([]));
}, 60_000);

test('a host that does not say what was missed is told of once, and harms no look', async () => {
  await up();
  const first = await pushed(2);
  await became([first]);
  await down();
  const told: unknown[] = [];
  const log = Object.assign(Object.create(engine.app.log) as typeof engine.app.log, {
    warn: (about: unknown) => void told.push(about),
  });
  const watch = new MissedDeliveries({ ...engine.app, log });
  forge.faults.script(/^GET .*hooks/, FAULTS.badGateway, FAULTS.badGateway);
  for (const failures of [1, 1]) {
    await later();
    await watch.round();
    expect(told).toHaveLength(failures);
    expect(await column('SELECT missed_error IS NOT NULL AS it FROM watched_repository')).toEqual([true]);
  }
  expect(told).toMatchObject([{ repository: repository.url }]);
  const second = await pushed(3);
  await engine.app.pool.query('UPDATE watched_repository SET next_look_at = now()');
  await became([first, second]);
  // Its turn comes by itself, and not before.
  const asked = forge.calls.length;
  await watch.round();
  expect(forge.calls).toHaveLength(asked);
  await later();
  await watch.round();
  expect(await column('SELECT missed_error AS it FROM watched_repository')).toEqual([null]);
  await watch.close();
  await forge.idle();
}, 60_000);

test('where nothing was ever received, nobody is asked', async () => {
  await pushed(2);
  const watch = new MissedDeliveries(engine.app);
  await watch.round();
  await watch.close();
  expect(forge.calls.filter(({ key }) => key.includes('hooks'))).toEqual([]);
  expect(redelivered()).toEqual([]);
}, 60_000);

import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { saveInTransaction } from '../src/commands/save-definition.ts';
import type { AnyDefinition, ArgoCdSpec } from '../src/core/definitions.ts';
import { createDataSource, migrate } from '../src/entities/data-source.ts';
import { startArgoCd } from '../test/peers/argocd.ts';
import type { ArgoCdPeer } from '../test/peers/argocd.ts';
import { startFaultProxy } from '../test/peers/faults.ts';
import type { Fault } from '../test/peers/faults.ts';
import { startPostgres, startRedis } from '../test/support/servers.ts';
import { mutate, setSecret } from './api.ts';
import { createDatabase, query } from './database.ts';
import { SluiceProcess } from './processes.ts';
import { Repository } from './repositories.ts';

/** Where the worker is killed: before Argo CD hears of the sync, after it began it, after its answer was recorded. */
const SYNC_POINTS = ['before-effect', 'after-effect', 'after-record'] as const;
export type SyncPoint = (typeof SYNC_POINTS)[number];

export interface ArgoCdKills {
  /** Point → how often the worker was killed there. */
  reached: Record<SyncPoint, number>;
  statuses: Record<string, number>;
  /** Syncs by key, as Argo CD counted them. */
  syncs: ReadonlyMap<string, number>;
  /** Releases × environments: as many syncs there must be. */
  wanted: number;
  /** Requests and answers that do not fit Argo CD's interface. */
  problems: readonly string[];
}

const ENVIRONMENTS = ['eu', 'us', 'asia', 'africa', 'oceania', 'antarctica'];
const PRODUCT = 'billing';

/**
 * Releases into six environments at once, each of which an Argo CD without auto-sync deploys: Sluice asks for six syncs, and its only
 * worker is killed (SIGKILL) at one of them, while the others are in flight. Argo CD counts the syncs by key.
 */
export async function runArgoCdKillPoints(options: {
  backend: 'redis' | 'postgres';
  main: string;
  times: number;
  tell?: (line: string) => void;
  /** Ends it before the next kill. */
  signal?: AbortSignal;
}): Promise<ArgoCdKills> {
  if (!existsSync(options.main)) throw new Error(`${options.main} is not there: npm run build`);
  const folder = mkdtempSync(join(tmpdir(), 'sluice-argocd-kills-'));
  const closers: (() => Promise<unknown>)[] = [];
  try {
    const postgres = await startPostgres();
    closers.push(() => postgres.stop());
    const redis = options.backend === 'redis' ? await startRedis() : null;
    if (redis) closers.push(() => redis.stop());
    const databaseUrl = await createDatabase(postgres.url, 'argocd_kills');
    const repository = await Repository.create(join(folder, 'git'), PRODUCT, ['dev', ...ENVIRONMENTS]);
    const repoURL = `file://${repository.bare}`;
    const argoCd = await startArgoCd((url) => (url === repoURL ? repository.bare : undefined));
    closers.push(() => argoCd.close());
    const proxy = await startFaultProxy(argoCd.url);
    closers.push(() => proxy.close());
    await createWorld(databaseUrl, repoURL, proxy.url, argoCd);
    const environment = { ...SETTINGS, SLUICE_ENCRYPTION_KEY: randomBytes(32).toString('base64') };
    const open = async (name: string, role: 'api' | 'worker'): Promise<SluiceProcess> => {
      const { main } = options;
      const process = await SluiceProcess.open({
        name,
        role,
        main,
        folder,
        databaseUrl,
        environment,
        redisUrl: redis?.url,
      });
      closers.push(() => process.close());
      return process;
    };
    const [server, worker] = await Promise.all([open('server', 'api'), open('worker', 'worker')]);
    for (const deadline = Date.now() + 90_000; !(await server.isReady()); await sleep(30))
      if (Date.now() > deadline) throw new Error('the server is not ready after 90 s');
    await setSecret(server.url, { name: 'argocd', secretValue: argoCd.token, hosts: ['127.0.0.1'] });

    const reached = { 'before-effect': 0, 'after-effect': 0, 'after-record': 0 };
    let releases = 0;
    for (const point of SYNC_POINTS) {
      for (let nth = 1; nth <= options.times; nth += 1) {
        options.signal?.throwIfAborted();
        // Each time at another of the six.
        const at = ((nth - 1) % ENVIRONMENTS.length) + 1;
        const met = proxy.met.length;
        const before = worker.reached.length;
        if (point === 'after-record') await worker.kill(`after-record/sync:${at}`);
        const fault: Fault = {
          when: point === 'before-effect' ? 'ENDS_BEFORE' : 'ENDS_AFTER',
          end: () => worker.kill(),
        };
        const others = Array.from({ length: at - 1 }, () => undefined);
        const takeBack = proxy.script(/^POST .*\/sync/, ...(point === 'after-record' ? [] : [...others, fault]));
        await repository.change('dev');
        const { releaseId, userErrors } = await mutate(server.url, 'trigger', { product: PRODUCT });
        if (releaseId === null) throw new Error(`the release is refused: ${JSON.stringify(userErrors)}`);
        await untilEnded(databaseUrl, releaseId);
        takeBack();
        releases += 1;
        reached[point] += proxy.met.length - met + (worker.reached.length - before);
        options.tell?.(`${point}:${at}`);
      }
    }
    const rows = await query<{ status: string }>(databaseUrl, 'SELECT status FROM release');
    const statuses: Record<string, number> = {};
    for (const { status } of rows) statuses[status] = (statuses[status] ?? 0) + 1;
    const wanted = releases * ENVIRONMENTS.length;
    return { reached, statuses, syncs: new Map(argoCd.syncs), wanted, problems: [...argoCd.problems] };
  } finally {
    for (const close of closers.reverse()) await close();
    rmSync(folder, { recursive: true, force: true });
  }
}

const SETTINGS = {
  SLUICE_LOCK_DURATION_MS: '1000',
  SLUICE_STALLED_INTERVAL_MS: '500',
  SLUICE_SWEEP_INTERVAL_MS: '300',
  SLUICE_GIT_PROTOCOLS: 'file',
  SLUICE_ALLOWED_NETWORKS: '127.0.0.0/8',
  LOG_LEVEL: 'info',
};

const metadata = (name: string) => ({ name, labels: {}, annotations: {} });

async function createWorld(databaseUrl: string, repoURL: string, server: string, argoCd: ArgoCdPeer): Promise<void> {
  await migrate(databaseUrl);
  const dataSource = await createDataSource(databaseUrl, { poolSize: 2 }).initialize();
  const save = async (definition: AnyDefinition): Promise<void> => {
    await dataSource.transaction((tx) => saveInTransaction(tx, definition, { mode: 'UPSERT', actor: 'chaos' }));
  };
  const kind = 'NON_PRODUCTION' as const;
  for (const name of ['dev', ...ENVIRONMENTS])
    await save({ kind: 'Environment', metadata: metadata(name), spec: { kind } });
  await save({
    kind: 'PromotionFlow',
    metadata: metadata('flow'),
    spec: {
      triggerEnvironment: 'dev',
      onFailure: 'FINISH_RUNNING',
      steps: ENVIRONMENTS.map((environment) => ({ environment, dependsOn: ['dev'] })),
    },
  });
  const promotionTemplate = {
    versionSource: { file: 'values.yaml', jsonPath: '$.image.tag' },
    promotion: { 'values.yaml': { jsonPaths: ['$.image.tag'] } },
  };
  await save({
    kind: 'Product',
    metadata: metadata(PRODUCT),
    spec: {
      promotionFlows: [{ name: 'flow' }],
      concurrency: 'QUEUE',
      queueLimit: 50,
      promotionTemplate,
      // Releases start when they are asked for alone: the watcher would make one more of each push within a minute.
      trigger: { automatic: false },
    },
  });
  for (const environment of ['dev', ...ENVIRONMENTS]) {
    const name = `${PRODUCT}-${environment}`;
    const sync: ArgoCdSpec = {
      type: 'argocd',
      server,
      application: name,
      project: 'shop',
      token: '${secrets.argocd}',
      sync: 'REQUEST',
      prune: false,
      requireSynced: true,
      interval: 300,
    };
    const asked = environment === 'dev' ? {} : { sync };
    const driver = { type: 'git' as const, repoURL, branch: 'main', path: environment };
    const spec = { product: PRODUCT, environment, driver, health: { type: 'none' as const }, ...asked };
    await save({ kind: 'Application', metadata: metadata(name), spec });
    const sources = [{ repoURL, path: environment, targetRevision: 'main' }];
    if (environment !== 'dev') await argoCd.application(name, { project: 'shop', sources, auto: false }).reconcile();
  }
  await dataSource.destroy();
}

async function untilEnded(databaseUrl: string, releaseId: string): Promise<void> {
  const ended = `SELECT FROM release WHERE id = '${releaseId}' AND ended_at IS NOT NULL`;
  for (const deadline = Date.now() + 60_000; (await query(databaseUrl, ended)).length === 0; await sleep(50))
    if (Date.now() > deadline) throw new Error(`release ${releaseId} has not ended within a minute`);
}

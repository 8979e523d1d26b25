import type { App, Outside } from '../../src/app.ts';
import { openApp } from '../../src/app.ts';
import { saveDefinition } from '../../src/commands/save-definition.ts';
import { triggerRelease } from '../../src/commands/trigger-release.ts';
import type { TriggerInput } from '../../src/commands/trigger-release.ts';
import { loadConfig } from '../../src/config.ts';
import type {
  ApprovalSpec,
  DriverSpec,
  HealthSourceSpec,
  SyncSourceSpec,
  Kind,
  Specs,
} from '../../src/core/definitions.ts';
import type { ReleaseEvent, ReleaseEventType } from '../../src/core/events.ts';
import type { ReleaseState } from '../../src/core/release.ts';
import { createLog } from '../../src/log.ts';
import { startWorker } from '../../src/worker.ts';
import type { Backend } from './backends.ts';
import { noBareIdsKept } from './bare-ids.ts';
import { createTestDatabase } from './database.ts';
import { PATIENCE } from './patience.ts';

export interface TestEngine {
  app: App;
  databaseUrl: string;
  save<K extends Kind>(kind: K, name: string, spec: Specs[K], labels?: Record<string, string>): Promise<void>;
  /** The user's picture: dev > staging > {us-east, eu, asia} as regions > asia-2, each with an application of `product`. */
  saveBilling(product?: string, options?: BillingOptions): Promise<void>;
  trigger(input: TriggerInput): Promise<string>;
  /** Resolves with the state as soon as `until` holds; looked at again whenever it was saved. */
  reached(releaseId: string, until: (state: ReleaseState) => boolean): Promise<ReleaseState>;
  ended(releaseId: string): Promise<ReleaseState>;
  events(releaseId: string): Promise<(ReleaseEvent & { sequence: number })[]>;
  /** A second worker, server or both on the same database and queue. */
  another(outside?: Partial<Outside>): Promise<App>;
  startWorker(app?: App): Promise<{ close(): Promise<void> }>;
  close(): Promise<void>;
}

export interface BillingOptions {
  driver?: (environment: string) => DriverSpec;
  health?: (environment: string) => HealthSourceSpec;
  sync?: (environment: string) => SyncSourceSpec | undefined;
  concurrency?: Specs['Product']['concurrency'];
  queueLimit?: number;
  onFailure?: Specs['PromotionFlow']['onFailure'];
  rollbackPolicies?: Specs['PromotionFlow']['rollbackPolicies'];
  /** By the name of the step: staging, regions, asia-2. */
  approvals?: Record<string, ApprovalSpec>;
}

export const REGIONS = ['us-east', 'eu', 'asia'];
export const ENVIRONMENTS = ['dev', 'staging', ...REGIONS, 'asia-2'];

/** A whole engine on its own database, without the GraphQL face. */
export async function openTestEngine(
  backend: Backend,
  settings: Record<string, string> = {},
  outside: Partial<Outside> = {},
): Promise<TestEngine> {
  const database = await createTestDatabase();
  const config = loadConfig({
    DATABASE_URL: database.url,
    REDIS_URL: backend.redisUrl,
    SLUICE_QUEUE_PREFIX: backend.queuePrefix,
    SLUICE_SWEEP_INTERVAL_MS: '300',
    SLUICE_LOCK_DURATION_MS: '2000',
    SLUICE_STALLED_INTERVAL_MS: '1000',
    LOG_LEVEL: 'error',
    PORT: '0',
    ...settings,
  });
  const log = createLog({ level: config.logLevel });
  const open: { close(): Promise<void> }[] = [];
  const app = await openApp(config, log, outside);
  open.push(app);
  const engine: TestEngine = {
    app,
    databaseUrl: database.url,
    async save(kind, name, spec, labels = {}) {
      const definition = { kind, metadata: { name, labels, annotations: {} }, spec };
      const result = await saveDefinition(app, definition, { mode: 'UPSERT', actor: 'test' });
      if (result.refusals) throw new Error(JSON.stringify(result.refusals));
    },
    saveBilling: (product = 'billing', options = {}) => saveBilling(engine, product, options),
    async trigger(input) {
      const result = await triggerRelease(app, input, 'test');
      if (result.refusals) throw new Error(JSON.stringify(result.refusals));
      return result.value.releaseId;
    },
    async reached(releaseId, until) {
      const deadline = Date.now() + PATIENCE;
      let [seen, state]: [string?, ReleaseState?] = [];
      for (;;) {
        // The whole state costs ten times as much as the question whether it is another one.
        const written = await writtenAs(app, releaseId);
        if (seen !== written) state = (await app.releaseEngine.look(releaseId, { fresh: true }))?.state;
        seen = written;
        if (state && until(state)) return state;
        if (Date.now() > deadline) throw new Error(`not reached: ${JSON.stringify(state)}`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
    ended: (releaseId) => engine.reached(releaseId, (state) => state.endedAt !== null),
    async events(releaseId) {
      const { rows } = await app.pool.query<{ sequence: number; event: ReleaseEvent }>(
        'SELECT sequence, event FROM logged_event WHERE release_id = $1 ORDER BY sequence',
        [releaseId],
      );
      return rows.map(({ sequence, event }) => ({ sequence, ...event }));
    },
    async another(outside) {
      const other = await openApp(config, log, outside);
      open.push(other);
      return other;
    },
    async startWorker(of = app) {
      const worker = await startWorker(of);
      open.push(worker);
      return worker;
    },
    async close() {
      for (const each of open.reverse()) await each.close();
      try {
        await noBareIdsKept(database.url);
      } finally {
        await database.drop();
      }
    },
  };
  return engine;
}

/** Another one with each decision that is saved; undefined: there is no such release. */
async function writtenAs({ pool }: App, releaseId: string): Promise<string | undefined> {
  const text = `SELECT revision || ' in ' || xmin AS "as" FROM release WHERE id = $1`;
  return (await pool.query<{ as: string }>({ name: 'written-as', text, values: [releaseId] })).rows[0]?.as;
}

async function saveBilling(engine: TestEngine, product: string, options: BillingOptions): Promise<void> {
  for (const environment of ENVIRONMENTS) {
    await engine.save('Environment', environment, {
      kind: REGIONS.includes(environment) ? 'PRODUCTION' : 'NON_PRODUCTION',
    });
  }
  await engine.save('EnvironmentGroup', 'regions', {
    environments: { names: REGIONS },
    gate: { policy: 'ALL' },
    maxFailures: 0,
  });
  const action = (name: string, dependsOn?: string[]) => ({
    name,
    type: 'simulate' as const,
    parameters: {},
    dependsOn,
  });
  await engine.save('PromotionWorkflow', 'checks', {
    actions: [action('unit'), action('load'), action('report', ['unit', 'load'])],
  });
  const asks = (step: string): { approval?: ApprovalSpec } => {
    const approval = options.approvals?.[step];
    return approval ? { approval } : {};
  };
  await engine.save('PromotionFlow', 'to-production', {
    triggerEnvironment: 'dev',
    productSelector: {},
    onFailure: options.onFailure ?? 'FINISH_RUNNING',
    rollbackPolicies: options.rollbackPolicies,
    steps: [
      { environment: 'staging', dependsOn: ['dev'], policy: { preAction: 'checks' }, ...asks('staging') },
      { group: 'regions', dependsOn: ['staging'], ...asks('regions') },
      { environment: 'asia-2', dependsOn: ['regions'], ...asks('asia-2') },
    ],
  });
  const { concurrency = 'QUEUE', queueLimit = 50 } = options;
  await engine.save('Product', product, { promotionFlows: [], concurrency, queueLimit });
  for (const environment of ENVIRONMENTS) {
    await engine.save('Application', `${product}-${environment}`, {
      product,
      environment,
      driver: options.driver?.(environment) ?? { type: 'simulate' },
      health: options.health?.(environment) ?? { type: 'none' },
      sync: options.sync?.(environment),
    });
  }
}

/** The types of a release's events at one environment, in order. */
export function typesAt(events: ReleaseEvent[], environment: string): ReleaseEventType[] {
  return events.filter((each) => 'environment' in each && each.environment === environment).map((each) => each.type);
}

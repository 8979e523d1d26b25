import { createDataSource, migrate } from '../src/entities/data-source.ts';
import { saveInTransaction } from '../src/commands/save-definition.ts';
import type {
  AnyDefinition,
  DriverSpec,
  HealthSourceSpec,
  RollbackPolicySpec,
  Specs,
} from '../src/core/definitions.ts';
import { Repository } from './repositories.ts';

export interface World {
  products: WorldProduct[];
}

export interface WorldProduct {
  name: string;
  repository: Repository | null;
}

export const REGIONS = ['us-east', 'eu', 'asia'];
export const ENVIRONMENTS = ['dev', 'staging', ...REGIONS, 'asia-2'];

const metadata = (name: string) => ({ name, labels: {}, annotations: {} });
const action = (name: string, duration: number, dependsOn?: string[]) => ({
  name,
  type: 'simulate' as const,
  parameters: { duration },
  dependsOn,
});

/**
 * The user's picture five times: two products in real git repositories, two simulated ones that take time and fail on the
 * way, and one whose releases overlap. `cascade`: us-east likes the first version alone, and what fails there goes back.
 */
export async function createWorld(databaseUrl: string, folder: string, cascade = false): Promise<World> {
  await migrate(databaseUrl);
  const dataSource = await createDataSource(databaseUrl, { poolSize: 2 }).initialize();
  const save = async (definition: AnyDefinition): Promise<void> => {
    await dataSource.transaction((tx) => saveInTransaction(tx, definition, { mode: 'UPSERT', actor: 'chaos' }));
  };
  for (const each of shared(cascade)) await save(each);
  const products: WorldProduct[] = [];
  const addProduct = async (
    name: string,
    spec: Partial<Specs['Product']>,
    repository: Repository | null,
    driver: (environment: string) => DriverSpec,
  ): Promise<void> => {
    const defaults = { promotionFlows: [{ name: 'flow' }], concurrency: 'QUEUE' as const, queueLimit: 50 };
    await save({ kind: 'Product', metadata: metadata(name), spec: { ...defaults, ...spec } });
    for (const environment of ENVIRONMENTS) {
      const health: HealthSourceSpec =
        environment === 'eu'
          ? { type: 'simulate', sequence: ['PROGRESSING', 'HEALTHY'], interval: 120 }
          : { type: 'simulate', degraded: cascade && environment === 'us-east' ? BAD : undefined };
      const application = { product: name, environment, driver: driver(environment), health };
      await save({ kind: 'Application', metadata: metadata(`${name}-${environment}`), spec: application });
    }
    products.push({ name, repository });
  };
  const promotionTemplate = {
    versionSource: { file: 'values.yaml', jsonPath: '$.image.tag' },
    promotion: { 'values.yaml': { jsonPaths: ['$.image.tag'] } },
  };
  for (const name of ['git-one', 'git-two']) {
    const repository = await Repository.create(folder, name, ENVIRONMENTS);
    await addProduct(name, { promotionTemplate }, repository, (path) => ({
      type: 'git',
      repoURL: `file://${repository.bare}`,
      branch: 'main',
      path,
    }));
  }
  const slow =
    (duration: number, failing: string) =>
    (environment: string): DriverSpec => ({
      type: 'simulate',
      duration,
      ...(environment === failing && { failures: 1, failure: 'TRANSIENT' as const }),
    });
  await addProduct('slow', {}, null, slow(60, 'eu'));
  await addProduct('quick', {}, null, slow(5, 'staging'));
  await addProduct('overlapping', { concurrency: 'PIPELINE' }, null, slow(40, 'asia'));
  await dataSource.destroy();
  return { products };
}

/** Every version but the first one. */
const BAD = Array.from({ length: 99 }, (_, index) => String(index + 2));

/** A region that fails takes its siblings along. */
const CASCADE: RollbackPolicySpec = {
  when: { groups: ['regions'] },
  targets: [{ siblings: true, condition: 'SAME_VERSION', mode: 'AUTOMATIC' }],
  maxFailureAge: 20 * 60_000,
  onTargetFailure: 'CONTINUE',
  markBad: { scope: 'NONE' },
};

function shared(cascade: boolean): AnyDefinition[] {
  const policy = { preAction: 'checks', action: 'commit' as const, postAction: 'announce' };
  return [
    ...ENVIRONMENTS.map((name): AnyDefinition => ({
      kind: 'Environment',
      metadata: metadata(name),
      spec: { kind: name === 'dev' || name === 'staging' ? 'NON_PRODUCTION' : 'PRODUCTION' },
    })),
    {
      kind: 'EnvironmentGroup',
      metadata: metadata('regions'),
      spec: { environments: { names: REGIONS }, gate: { policy: 'ALL' }, maxFailures: 0 },
    },
    // Siblings and a join among the actions: jobs below an environment's job.
    {
      kind: 'PromotionWorkflow',
      metadata: metadata('checks'),
      spec: { actions: [action('unit', 15), action('load', 25), action('report', 5, ['unit', 'load'])] },
    },
    { kind: 'PromotionWorkflow', metadata: metadata('announce'), spec: { actions: [action('chat', 5)] } },
    {
      kind: 'PromotionFlow',
      metadata: metadata('flow'),
      spec: {
        triggerEnvironment: 'dev',
        triggerWorkflow: 'checks',
        onFailure: 'FINISH_RUNNING',
        rollbackPolicies: cascade ? [CASCADE] : undefined,
        steps: [
          { environment: 'staging', dependsOn: ['dev'], policy, soak: 150 },
          { group: 'regions', dependsOn: ['staging'], policy },
          { environment: 'asia-2', dependsOn: ['regions'], policy: { action: 'commit' } },
        ],
      },
    },
  ];
}

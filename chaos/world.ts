import { createDataSource, migrate } from '../src/entities/data-source.ts';
import { saveInTransaction } from '../src/commands/save-definition.ts';
import type {
  AnyDefinition,
  DriverSpec,
  HealthSourceSpec,
  SyncSourceSpec,
  RollbackPolicySpec,
  Specs,
} from '../src/core/definitions.ts';
import type { Random } from './random.ts';
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
  parameters: { duration: `${duration}ms` },
  dependsOn,
});

/** What goes wrong in the world besides what the faults do. */
export interface Trouble {
  policies: RollbackPolicySpec[];
  /** The versions of a product that turn out DEGRADED in an environment. */
  degraded: (environment: string, label: (number: number) => string) => string[];
}

/**
 * The user's picture five times: two products in real git repositories, two simulated ones that take time and fail on the
 * way, and one whose releases overlap.
 */
export async function createWorld(databaseUrl: string, folder: string, trouble: Trouble = NO_TROUBLE): Promise<World> {
  await migrate(databaseUrl);
  const dataSource = await createDataSource(databaseUrl, { poolSize: 2 }).initialize();
  const save = async (definition: AnyDefinition): Promise<void> => {
    await dataSource.transaction((tx) => saveInTransaction(tx, definition, { mode: 'UPSERT', actor: 'chaos' }));
  };
  for (const each of shared(trouble.policies)) await save(each);
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
      // In git a version is its tag; elsewhere it is called as the load calls it.
      const label = (number: number): string => (repository ? String(number) : `${name}-${number}`);
      const degraded = trouble.degraded(environment, label);
      const health: HealthSourceSpec =
        environment === 'eu'
          ? { type: 'simulate', sequence: ['PROGRESSING', 'HEALTHY'], interval: 120, degraded }
          : { type: 'simulate', degraded };
      // Every second environment's target takes a moment to run a change.
      const sync: SyncSourceSpec | undefined =
        ENVIRONMENTS.indexOf(environment) % 2 === 1 ? { type: 'simulate', after: 80 } : undefined;
      const application = { product: name, environment, driver: driver(environment), health, sync };
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
    // Their releases are asked for: those of a push have products of their own.
    await addProduct(name, { promotionTemplate, trigger: { automatic: false } }, repository, (path) => ({
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

const numbers = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

const NO_TROUBLE: Trouble = { policies: [], degraded: () => [] };

/** A region that fails takes its siblings along. */
const CASCADE: RollbackPolicySpec = {
  when: { groups: ['regions'] },
  targets: [{ siblings: true, condition: 'SAME_VERSION', mode: 'AUTOMATIC' }],
  maxFailureAge: 20 * 60_000,
  onTargetFailure: 'CONTINUE',
  markBad: { scope: 'NONE' },
};

/** us-east likes the first version alone. */
export const CASCADES: Trouble = {
  policies: [CASCADE],
  degraded: (environment, label) => (environment === 'us-east' ? numbers(2, 100).map(label) : []),
};

/** So, too; its siblings go back when somebody agrees. */
export const PROPOSALS: Trouble = {
  ...CASCADES,
  policies: [{ ...CASCADE, targets: [{ siblings: true, condition: 'SAME_VERSION', mode: 'APPROVAL' }] }],
};

/**
 * One version in six is bad in a region, and in us-east all after the first one at the beginning, so that a short run has seen
 * some go back. What fails there takes its siblings along and asks about what comes after; what fails elsewhere goes back one
 * by one, and its version is marked bad for a while.
 */
export function troubleFrom(random: Random): Trouble {
  const downstream = {
    downstream: true,
    condition: 'SAME_VERSION' as const,
    mode: 'APPROVAL' as const,
    approval: { rules: [{ count: 1 }], forbidInitiator: true, expiry: 3_000, onExpiry: 'FAIL' as const },
  };
  return {
    policies: [
      { ...CASCADE, when: { environments: ['us-east'] }, targets: [...CASCADE.targets, downstream] },
      {
        ...CASCADE,
        when: {},
        maxParallel: 1,
        onTargetFailure: 'STOP',
        markBad: { scope: 'PRODUCT', expiresAfter: 3_000 },
      },
    ],
    degraded(environment, label) {
      if (!REGIONS.includes(environment)) return [];
      const drawn = numbers(6, 2_000).filter(() => random.chance(1 / 18));
      return [...(environment === 'us-east' ? numbers(2, 5) : []), ...drawn].map(label);
    },
  };
}

function shared(policies: RollbackPolicySpec[]): AnyDefinition[] {
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
    // What the flow does not say for staging.
    {
      kind: 'PromotionPolicy',
      metadata: metadata('staging'),
      spec: {
        priority: 1,
        selector: { product: {}, targetEnvironment: { names: ['staging'] } },
        policy,
        locked: ['preAction'],
      },
    },
    {
      kind: 'PromotionFlow',
      metadata: metadata('flow'),
      spec: {
        triggerEnvironment: 'dev',
        triggerWorkflow: 'checks',
        onFailure: 'FINISH_RUNNING',
        rollbackPolicies: policies.length > 0 ? policies : undefined,
        steps: [
          { environment: 'staging', dependsOn: ['dev'], soak: 150 },
          { group: 'regions', dependsOn: ['staging'], policy },
          { environment: 'asia-2', dependsOn: ['regions'], policy: { action: 'commit' } },
        ],
      },
    },
  ];
}

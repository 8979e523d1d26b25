import type { Random } from '../../../chaos/random.ts';
import type {
  AnyDefinition,
  ApprovalSpec,
  ConcurrencyPolicy,
  PromotionFlowSpec,
  RollbackPolicySpec,
} from '../../../src/core/definitions.ts';
import { DAY } from '../../../src/core/definitions.ts';
import { MINUTE, SECOND } from '../../core/support/builders.ts';

export const ENVIRONMENTS = ['dev', 'staging', 'eu', 'asia', 'last'];

/** What most of a world is about; of the rest there is a little in each. */
export const MOODS = ['EVEN', 'CROWD', 'ROOM', 'ROLLBACKS', 'STOPS', 'GATES', 'REPORTS'] as const;
export type Mood = (typeof MOODS)[number];

const metadata = (name: string) => ({ name, labels: {}, annotations: {} });

/** What a world is about; small enough that every horizon is near. */
export interface Drawn {
  products: { name: string; concurrency: ConcurrencyPolicy }[];
  /** Environments that ask somebody. */
  approvals: string[];
  definitions: AnyDefinition[];
}

const APPROVAL: ApprovalSpec = { rules: [{ count: 1 }], forbidInitiator: true, expiry: 30 * DAY, onExpiry: 'WAIT' };

const POLICY: RollbackPolicySpec = {
  when: {},
  targets: [],
  maxFailureAge: 20 * MINUTE,
  onTargetFailure: 'CONTINUE',
  observeFor: 2 * MINUTE,
  markBad: { scope: 'NONE' },
};

const GOES_BACK = { condition: 'SAME_VERSION', mode: 'AUTOMATIC' } as const;

export function drawDefinitions(random: Random, mood: Mood): Drawn {
  const dull = { EVEN: 0.35, CROWD: 0.35, ROOM: 0.35, ROLLBACKS: 0.35, STOPS: 0.35, GATES: 0.35, REPORTS: 0.35 };
  const names = random.chance(0.3) ? ['shop', 'billing'] : ['shop'];
  const concurrencies: ConcurrencyPolicy[] = ['QUEUE', 'PIPELINE', 'PIPELINE', 'SUPERSEDE', 'TERMINATE'];
  if (mood === 'CROWD') concurrencies[2] = 'TERMINATE';
  if (mood === 'ROOM') concurrencies.fill('SUPERSEDE');
  const products = names.map((name) => ({ name, concurrency: random.pick(concurrencies) }));
  const approves = { ...dull, CROWD: 0.6, ROOM: 0, ROLLBACKS: 0.1 }[mood];
  const approvals = ['staging', 'regions', 'last'].filter(() => random.chance(approves));
  const asks = (name: string): { approval?: ApprovalSpec } => (approvals.includes(name) ? { approval: APPROVAL } : {});
  const work = random.chance(0.4) ? { preAction: 'checks' } : {};
  // Shorter than what some effects take: it ends in the middle of one.
  const timeout = random.chance({ ...dull, STOPS: 0.9, ROLLBACKS: 0.1 }[mood]) ? 20 * SECOND : undefined;
  const targets = [
    random.pick([
      { ...GOES_BACK, siblings: true },
      { ...GOES_BACK, downstream: true },
    ]),
  ];
  const flow: PromotionFlowSpec = {
    triggerEnvironment: 'dev',
    productSelector: {},
    onFailure: random.pick(['FINISH_RUNNING', 'CONTINUE', 'STOP']),
    timeout: 300 * DAY,
    rollbackPolicies: random.chance(mood === 'ROLLBACKS' ? 1 : 0.7) ? [{ ...POLICY, targets }] : undefined,
    steps: [
      { environment: 'staging', dependsOn: ['dev'], policy: work, timeout, ...asks('staging') },
      { group: 'regions', dependsOn: ['staging'], ...asks('regions') },
      {
        environment: 'last',
        dependsOn: ['regions'],
        soak: random.chance(0.3) ? 5 * SECOND : undefined,
        ...asks('last'),
      },
    ],
  };
  const action = (name: string, dependsOn?: string[]) => ({
    name,
    type: 'simulate' as const,
    parameters: {},
    dependsOn,
  });
  const definitions: AnyDefinition[] = [
    ...ENVIRONMENTS.map((name): AnyDefinition => ({
      kind: 'Environment',
      metadata: metadata(name),
      spec: { kind: name === 'dev' ? 'NON_PRODUCTION' : 'PRODUCTION' },
    })),
    {
      kind: 'EnvironmentGroup',
      metadata: metadata('regions'),
      spec: {
        environments: { names: ['eu', 'asia'] },
        gate: { policy: 'ALL' },
        maxParallel: random.chance(0.3) ? 1 : undefined,
        maxFailures: 0,
      },
    },
    {
      kind: 'PromotionWorkflow',
      metadata: metadata('checks'),
      spec: { actions: [action('unit'), action('load'), action('report', ['unit', 'load'])] },
    },
    { kind: 'PromotionFlow', metadata: metadata('flow'), spec: flow },
    ...products.flatMap(({ name, concurrency }): AnyDefinition[] => [
      {
        kind: 'Product',
        metadata: metadata(name),
        spec: { promotionFlows: [{ name: 'flow' }], concurrency, queueLimit: 2 },
      },
      ...ENVIRONMENTS.map((environment): AnyDefinition => ({
        kind: 'Application',
        metadata: metadata(`${name}-${environment}`),
        spec: {
          product: name,
          environment,
          driver: { type: 'simulate' },
          // In the trigger environment nothing is changed, and no sender tells what runs there.
          ...(environment !== 'dev' &&
            random.chance(mood === 'REPORTS' ? 0.6 : 0.2) && { sync: { type: 'report', limit: 4 * MINUTE } }),
          health: random.chance(mood === 'REPORTS' ? 1 : 0.6)
            ? { type: 'report' }
            : { type: 'simulate', sequence: ['PROGRESSING', 'HEALTHY'], interval: 500 },
        },
      })),
    ]),
  ];
  return { products, approvals, definitions };
}

/** Closed for everybody in one environment. */
export function windowOver(environment: string, from: number, to: number): AnyDefinition {
  return {
    kind: 'ReleaseWindow',
    metadata: metadata(`closed-${environment}`),
    spec: {
      kind: 'DENY',
      timeZone: 'UTC',
      from: new Date(from).toISOString(),
      to: new Date(to).toISOString(),
      selector: { environments: { names: [environment] }, products: {} },
      holds: ['PROMOTE'],
      onClose: 'FINISH',
      runway: false,
    },
  };
}

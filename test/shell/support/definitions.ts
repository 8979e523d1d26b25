import type { Random } from '../../../chaos/random.ts';
import type {
  AnyDefinition,
  ApprovalSpec,
  ConcurrencyPolicy,
  EnvironmentSelector,
  Hooks,
  PromotionFlowSpec,
  PromotionPolicySpec,
  RollbackPolicySpec,
  WorkflowAction,
} from '../../../src/core/definitions.ts';
import { DAY, DEFAULT_PULL_REQUEST } from '../../../src/core/definitions.ts';
import { MINUTE, SECOND } from '../../core/support/builders.ts';
import { repositoryOf } from './git-host.ts';
import { targetOf } from './target-repository.ts';

export const ENVIRONMENTS = ['dev', 'staging', 'eu', 'asia', 'last'];

/** What most of a world is about; of the rest there is a little in each. */
export const MOODS = [
  'EVEN',
  'CROWD',
  'ROOM',
  'ROLLBACKS',
  'STOPS',
  'GATES',
  'REPORTS',
  'HOOKS',
  'WORKFLOWS',
  'PUSHES',
  'PROPOSALS',
] as const;
export type Mood = (typeof MOODS)[number];

const metadata = (name: string) => ({ name, labels: {}, annotations: {} });

/** How changes are proposed in a world. */
export interface Proposed {
  /** Where by pull request; everywhere else they are made at once. */
  environment: string;
  /** Its pull requests are opened before windows and people let it start. */
  atOnce: boolean;
  /** Its branch takes only what is told green. */
  isProtected: boolean;
  policy: NonNullable<PromotionFlowSpec['steps'][number]['policy']>;
}

/** What a world is about; small enough that every horizon is near. */
export interface Drawn {
  products: { name: string; concurrency: ConcurrencyPolicy }[];
  /** Those of them that are released when somebody pushes, and whose trigger environment is healthy when that is reported. */
  pushed: string[];
  reported: string[];
  /** Environments that ask somebody. */
  approvals: string[];
  /** Null: nothing is changed by pull request. */
  proposed: Proposed | null;
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

const FOR_HOOKS: RollbackPolicySpec = { ...POLICY, when: { environments: ['staging', 'eu'], causes: ['HOOK'] } };

/** What actions leave, of the release that they are done for. */
export const TICKET = '{"TICKET": "ticket-of-${RELEASE_ID}"}';
export const IMAGE = 'image-of-${RELEASE_ID}';

/** Actions that wait without a worker: for a workflow outside, for a time, for people. */
const OUTSIDE: WorkflowAction[] = [
  {
    name: 'tests',
    type: 'argoWorkflow',
    parameters: { server: 'https://argo.example.com', namespace: 'ci', template: 'tests' },
    retry: { limit: 2, backoff: SECOND, maxDelay: 10 * SECOND },
  },
  { name: 'breath', type: 'wait', parameters: { duration: '7s' }, dependsOn: ['tests'] },
  { name: 'sign-off', type: 'approval', parameters: { expiry: '30d', onExpiry: 'WAIT' }, dependsOn: ['breath'] },
];

/** One is for a member of a group alone, and one insists. */
export const POLICIES: AnyDefinition[] = [
  policy('everywhere', 50, {}, { policy: { postAction: 'tell' } }),
  policy('eu', 10, { names: ['eu'] }, { policy: { preAction: 'checks' } }),
  policy('production', 90, { kinds: ['PRODUCTION'] }, { policy: { postAction: 'build' }, locked: ['postAction'] }),
];

function policy(
  name: string,
  priority: number,
  targetEnvironment: EnvironmentSelector,
  { policy: settings, locked = [] }: Pick<PromotionPolicySpec, 'policy'> & Partial<Pick<PromotionPolicySpec, 'locked'>>,
): AnyDefinition {
  const spec = { priority, selector: { product: {}, targetEnvironment }, policy: settings, locked };
  return { kind: 'PromotionPolicy', metadata: metadata(name), spec };
}

function drawProposed(random: Random, mood: Mood): Proposed | null {
  if (!random.chance(mood === 'PROPOSALS' ? 1 : 0.06)) return null;
  const atOnce = random.chance(0.4);
  const pullRequest = {
    ...DEFAULT_PULL_REQUEST,
    open: atOnce ? ('AT_ONCE' as const) : ('WHEN_GATES_HOLD' as const),
    merge: random.pick(['MANUAL', 'MANUAL', 'AUTO'] as const),
    onNewer: random.pick(['WAIT', 'REPLACE'] as const),
    onMergeOutsideGates: random.pick(['CONTINUE', 'ROLL_BACK'] as const),
  };
  return {
    environment: random.pick(['staging', 'staging', 'last']),
    atOnce,
    isProtected: random.chance(0.5),
    policy: { action: 'pr', pullRequest },
  };
}

const GOES_BACK = { condition: 'SAME_VERSION', mode: 'AUTOMATIC' } as const;

export function drawDefinitions(random: Random, mood: Mood): Drawn {
  const dull = Object.fromEntries(MOODS.map((each) => [each, 0.35])) as Record<Mood, number>;
  const names = random.chance(0.3) ? ['shop', 'billing'] : ['shop'];
  const concurrencies: ConcurrencyPolicy[] = ['QUEUE', 'PIPELINE', 'PIPELINE', 'SUPERSEDE', 'TERMINATE'];
  if (mood === 'CROWD') concurrencies[2] = 'TERMINATE';
  if (mood === 'ROOM') concurrencies.fill('SUPERSEDE');
  if (mood === 'PROPOSALS') concurrencies.fill('QUEUE', 2);
  const products = names.map((name) => ({ name, concurrency: random.pick(concurrencies) }));
  const approves = { ...dull, CROWD: 0.6, ROOM: 0, ROLLBACKS: 0.1, HOOKS: 0.1, PROPOSALS: 0.2 }[mood];
  const approvals = ['staging', 'regions', 'last'].filter(() => random.chance(approves));
  const asks = (name: string): { approval?: ApprovalSpec } => (approvals.includes(name) ? { approval: APPROVAL } : {});
  const outside = { ...dull, WORKFLOWS: 0.9, ROLLBACKS: 0.1, PROPOSALS: 0.05 }[mood];
  const before = random.chance(0.4) ? { preAction: 'checks' } : {};
  const work = random.chance(outside) ? { preAction: 'outside' } : before;
  const hooked = { ...dull, HOOKS: 0.8, PROPOSALS: 0.1 }[mood];
  const around = (): { hooks?: Hooks } => {
    const one = (name: string): string | undefined => (random.chance(hooked) ? name : undefined);
    return { hooks: { onStart: one('tell'), onSuccess: one('tell'), onFail: one('tell') } };
  };
  const builds = random.chance(hooked);
  // Shorter than what some effects take: it ends in the middle of one.
  const timeout = random.chance({ ...dull, STOPS: 0.9, ROLLBACKS: 0.1, PROPOSALS: 0.1 }[mood])
    ? 20 * SECOND
    : undefined;
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
    // Few releases of a world succeed: nearly each that does has something to tell of.
    hooks: {
      ...around().hooks,
      onStart: random.chance(hooked) ? 'open' : undefined,
      onSuccess: random.chance(0.85) ? 'tell' : undefined,
    },
    rollbackPolicies: random.chance(mood === 'ROLLBACKS' || mood === 'HOOKS' ? 1 : 0.7)
      ? [...(random.chance(mood === 'HOOKS' ? 0.8 : 0.3) ? [FOR_HOOKS] : []), { ...POLICY, targets }]
      : undefined,
    steps: [
      ...(builds ? [{ workflow: 'build', name: 'build', dependsOn: ['dev'], ...around() }] : []),
      {
        environment: 'staging',
        dependsOn: builds ? ['dev', 'build'] : ['dev'],
        policy: work,
        timeout,
        ...around(),
        ...asks('staging'),
      },
      { group: 'regions', dependsOn: ['staging'], ...around(), ...asks('regions') },
      {
        environment: 'last',
        dependsOn: ['regions'],
        ...(random.chance(outside) && { policy: { postAction: 'outside' } }),
        ...around(),
        soak: random.chance(0.3) ? 5 * SECOND : undefined,
        ...asks('last'),
      },
    ],
  };
  const action = (name: string, dependsOn?: string[], outputs?: Record<string, string>) => ({
    name,
    type: 'simulate' as const,
    parameters: outputs ? { outputs } : {},
    dependsOn,
  });
  const proposed = drawProposed(random.fork(), mood);
  for (const step of flow.steps)
    if (step.environment !== undefined && step.environment === proposed?.environment)
      step.policy = { ...step.policy, ...proposed.policy };
  const pushed = names.filter(() => random.chance(mood === 'PUSHES' ? 1 : 0.12));
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
    {
      kind: 'PromotionWorkflow',
      metadata: metadata('open'),
      spec: { actions: [action('ticket', undefined, { PROMOTION_CONTEXT: TICKET })] },
    },
    { kind: 'PromotionWorkflow', metadata: metadata('tell'), spec: { actions: [action('chat')] } },
    {
      kind: 'PromotionWorkflow',
      metadata: metadata('build'),
      spec: { actions: [action('image', undefined, { IMAGE: IMAGE })] },
    },
    { kind: 'PromotionWorkflow', metadata: metadata('outside'), spec: { actions: OUTSIDE } },
    ...(random.chance(hooked) ? POLICIES : []),
    { kind: 'PromotionFlow', metadata: metadata('flow'), spec: flow },
    ...products.flatMap(({ name, concurrency }): AnyDefinition[] => [
      {
        kind: 'Product',
        metadata: metadata(name),
        spec: {
          promotionFlows: [{ name: 'flow' }],
          concurrency,
          queueLimit: 2,
          trigger: { coalesce: random.pick([0, 2 * SECOND, 15 * SECOND]), interval: 20 * SECOND },
        },
      },
      ...ENVIRONMENTS.map((environment): AnyDefinition => ({
        kind: 'Application',
        metadata: metadata(`${name}-${environment}`),
        spec: {
          product: name,
          environment,
          driver:
            environment === 'dev' && pushed.includes(name)
              ? { type: 'git', repoURL: repositoryOf(name), branch: 'main', path: 'dev' }
              : environment === proposed?.environment
                ? { type: 'git', repoURL: targetOf(name), branch: 'main', path: environment }
                : { type: 'simulate' },
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
  const reported = pushed.filter((name) =>
    definitions.some(
      (each) =>
        each.kind === 'Application' && each.metadata.name === `${name}-dev` && each.spec.health.type === 'report',
    ),
  );
  return { products, pushed, reported, approvals, proposed, definitions };
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

import type {
  ApprovalSpec,
  DriverSpec,
  FlowStepSpec,
  Gate,
  HealthSourceSpec,
  Hooks,
  PullRequestPolicy,
  RollbackPolicySpec,
  RollbackTargetSpec,
  SyncSourceSpec,
} from '../../../src/core/definitions.ts';
import { DEFAULT_PULL_REQUEST } from '../../../src/core/definitions.ts';
import type { ReleasePlan } from '../../../src/core/plan.ts';
import type { PlanInput } from '../../../src/core/planner.ts';
import { metadata, MINUTE, planOf, SECOND } from './builders.ts';
import type { Drawn } from './builders.ts';
import type { Tape } from './tape.ts';

const WORKFLOWS = {
  one: ['run'],
  row: ['first > second'],
  fork: ['left', 'right > last'],
  diamond: ['a > b > d', 'a > c > d'],
  outside: ['submitted: argoWorkflow > after', 'beside'],
};
const NAMES = Object.keys(WORKFLOWS) as (keyof typeof WORKFLOWS)[];
const GATES: Gate[] = [
  { policy: 'ALL' },
  { policy: 'AT_LEAST', count: 2 },
  { policy: 'AT_LEAST', percent: 50, unknownTimeout: 20 * SECOND },
  { policy: 'ANY' },
  { policy: 'ALL', soak: 40 * SECOND, unknownTimeout: 2 * MINUTE },
  { policy: 'AT_LEAST', count: 2, soak: 20 * SECOND, freshness: 30 * SECOND },
  { policy: 'ANY', freshness: 10 * SECOND, unknownTimeout: MINUTE },
];
const SOURCES: HealthSourceSpec[] = [
  { type: 'report' },
  { type: 'http', url: 'https://example.com' },
  { type: 'http', url: 'https://example.com', failureThreshold: 1 },
  { type: 'simulate', failureThreshold: 2, grace: 20_000 },
  { type: 'none' },
];

const SYNCS: SyncSourceSpec[] = [
  { type: 'none' },
  { type: 'http', url: 'https://example.com', limit: 2 * MINUTE },
  { type: 'report' },
  { type: 'simulate', after: 20 * SECOND },
];

export const PEOPLE = ['ada', 'grace', 'alan', 'edsger'];

/** One or two rules of one or two people each; one person is never enough for two seats. */
export function randomApproval(tape: Tape): ApprovalSpec {
  const rules = [...Array(tape.next(3)).keys()].map(() => ({
    count: 1 + tape.next(2),
    ...(tape.chance(60) ? { users: PEOPLE.filter((_, index) => index > 1 || tape.chance(50)) } : {}),
  }));
  const seats = rules.reduce((sum, { count }) => sum + count, 0);
  return {
    rules: seats > 2 ? rules.slice(0, 1) : rules,
    forbidInitiator: tape.chance(50),
    expiry: (2 + tape.next(20)) * MINUTE,
    onExpiry: tape.pick(['WAIT', 'FAIL']),
  };
}

/** Several applications of an environment are in one repository, and share their pull requests. */
const SHARED: DriverSpec = { type: 'git', repoURL: 'https://example.com/acme/live', branch: 'main', path: '.' };

function randomPullRequest(tape: Tape): PullRequestPolicy {
  return {
    ...DEFAULT_PULL_REQUEST,
    open: tape.pick(['WHEN_GATES_HOLD', 'AT_ONCE']),
    group: 'ENVIRONMENT',
    onMergeOutsideGates: tape.pick(['CONTINUE', 'ROLL_BACK']),
    // Now and then nobody merges it in time.
    ...(tape.chance(10) ? { expiry: (5 + tape.next(30)) * MINUTE } : {}),
  };
}

function randomPolicy(tape: Tape, { environments, groups }: Drawn): RollbackPolicySpec {
  const target = (): RollbackTargetSpec => ({
    ...tape.pick<Partial<RollbackTargetSpec>>([
      { siblings: true },
      { downstream: true },
      { environments: [tape.pick(environments)] },
      ...Object.keys(groups).map((group) => ({ group })),
    ]),
    condition: tape.chance(25) ? 'ALWAYS' : 'SAME_VERSION',
    mode: tape.chance(25) ? 'APPROVAL' : 'AUTOMATIC',
  });
  return {
    when: tape.chance(25) ? { causes: ['FAILED', 'DEGRADED', 'REPORTED', 'NOT_SYNCED', 'HOOK'] } : {},
    targets: [...Array(1 + tape.next(2)).keys()].map(target),
    observeFor: 10 * MINUTE,
    maxFailureAge: 20 * MINUTE,
    ...(tape.chance(40) ? { maxParallel: 1 + tape.next(2) } : {}),
    onTargetFailure: tape.pick(['CONTINUE', 'STOP']),
    ...(tape.chance(25) ? { budget: 1 + tape.next(3) } : {}),
    markBad: tape.pick([
      { scope: 'PRODUCT', expiresAfter: 30 * MINUTE },
      { scope: 'ENVIRONMENT' },
      { scope: 'GROUP', expiresAfter: 30 * MINUTE },
      { scope: 'NONE' },
    ]),
  };
}

/** Policies of two or three numbers for some of the environments: workflows before and after, pull requests, some of it locked. */
function randomPolicies(tape: Tape, { environments }: Drawn): PlanInput['policies'] {
  return [...Array(1 + tape.next(3)).keys()].map((index) => ({
    kind: 'PromotionPolicy',
    metadata: metadata(`policy-${index}`),
    revision: 1 + tape.next(3),
    spec: {
      priority: tape.next(3),
      selector: {
        product: {},
        targetEnvironment: tape.chance(50) ? {} : { names: environments.filter(() => tape.chance(50)) },
      },
      policy: {
        ...(tape.chance(50) ? { preAction: tape.pick(NAMES) } : {}),
        ...(tape.chance(50) ? { action: tape.pick(['commit', 'pr']) } : {}),
        ...(tape.chance(50) ? { postAction: tape.pick(NAMES) } : {}),
        ...(tape.chance(50) ? { pullRequest: randomPullRequest(tape) } : {}),
      },
      locked: (['preAction', 'action', 'postAction', 'pullRequest'] as const).filter(() => tape.chance(30)),
    },
  }));
}

function randomHooks(tape: Tape): Hooks {
  const hook = (): string | undefined => (tape.chance(60) ? tape.pick(NAMES) : undefined);
  return { onStart: hook(), onSuccess: hook(), onFail: hook() };
}

/** A flow with two to six steps over what stands before them, in any mixture of what a flow can say. */
export function randomPlan(tape: Tape): ReleasePlan {
  const drawn: Drawn = { spec: undefined as never, environments: ['dev'], groups: {}, workflows: [] };
  const steps: FlowStepSpec[] = [];
  const known = ['dev'];
  const applications: Record<string, number> = {};
  const count = 2 + tape.next(5);
  for (let index = 0; index < count; index += 1) {
    const dependsOn = [...new Set([known.at(-1 - tape.next(Math.min(3, known.length))) as string])];
    while (tape.chance(35)) {
      const other = tape.pick(known);
      if (!dependsOn.includes(other)) dependsOn.push(other);
    }
    const step: FlowStepSpec = { dependsOn };
    if (tape.chance(14)) step.approval = randomApproval(tape);
    if (dependsOn.length > 1)
      step.dependsOnPolicy = tape.pick([{ policy: 'ALL' }, { policy: 'ANY' }, { policy: 'AT_LEAST', count: 2 }]);
    const kind = tape.weighted({ environment: 5, group: 4, workflow: 1 });
    const name = `${kind[0]}${index}`;
    if (kind === 'workflow') Object.assign(step, { workflow: tape.pick(NAMES), name });
    else {
      if (tape.chance(25)) step.policy = { preAction: tape.pick(NAMES), postAction: tape.pick([undefined, ...NAMES]) };
      if (tape.chance(25)) step.policy = { ...step.policy, action: 'pr', pullRequest: randomPullRequest(tape) };
      if (tape.chance(32)) step.soak = (1 + tape.next(3)) * 15 * SECOND;
      if (tape.chance(12)) step.timeout = (1 + tape.next(4)) * MINUTE;
    }
    if (tape.chance(20)) step.hooks = randomHooks(tape);
    if (kind === 'environment') {
      step.environment = name;
      drawn.environments.push(name);
      if (tape.chance(20)) applications[name] = 2;
    } else if (kind === 'group') {
      step.group = name;
      const members = [...Array(2 + tape.next(3)).keys()].map((each) => `${name}-${each}`);
      drawn.environments.push(...members);
      drawn.groups[name] = {
        environments: { names: members },
        gate: tape.pick(GATES),
        maxFailures: tape.next(2),
        ...(tape.chance(30) ? { maxParallel: 1 + tape.next(2) } : {}),
      };
      if (tape.chance(15)) known.push(...members);
    }
    known.push(name);
    steps.push(step);
  }
  drawn.spec = {
    triggerEnvironment: 'dev',
    onFailure: tape.pick(['FINISH_RUNNING', 'CONTINUE', 'STOP']),
    steps,
    ...(tape.chance(25) ? { triggerWorkflow: tape.pick(NAMES) } : {}),
    ...(tape.chance(8) ? { timeout: (2 + tape.next(10)) * MINUTE } : {}),
    ...(tape.chance(8) ? { maxAge: (10 + tape.next(60)) * MINUTE } : {}),
    ...(tape.chance(70) ? { rollbackPolicies: [randomPolicy(tape, drawn)] } : {}),
  };
  const source = tape.next(SOURCES.length);
  const syncs = tape.chance(50) ? undefined : tape.pick(SYNCS);
  const hooks = tape.chance(20) ? randomHooks(tape) : undefined;
  const policies = tape.chance(15) ? randomPolicies(tape, drawn) : [];
  return planOf(drawn, {
    policies,
    ...(hooks && { hooks }),
    workflows: WORKFLOWS,
    applications,
    health: (environment) => SOURCES[environment.length % 2 === 0 ? source : 0] as HealthSourceSpec,
    sync: (environment) => (environment.length % 3 === 0 ? undefined : syncs),
    driver: (environment) => (applications[environment] === undefined ? { type: 'simulate' } : SHARED),
    retry: { limit: 2, backoff: SECOND, maxDelay: 10 * SECOND },
  });
}

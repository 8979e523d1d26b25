import type { Caller } from '../../../src/core/caller.ts';
import { DAY } from '../../../src/core/definitions.ts';
import type {
  ApplicationSpec,
  ApprovalSpec,
  Definition,
  DriverSpec,
  EnvironmentGroupSpec,
  FlowStepSpec,
  HealthSourceSpec,
  Hooks,
  PromotionFlowSpec,
  PromotionWorkflowSpec,
  SyncSourceSpec,
  WorkflowAction,
} from '../../../src/core/definitions.ts';
import { planRelease } from '../../../src/core/planner.ts';
import type { ReleasePlan } from '../../../src/core/plan.ts';
import type { PlanInput } from '../../../src/core/planner.ts';
import type { Refusal } from '../../../src/core/problems.ts';

/** A flow with everything that it names, as one reading of the definitions. */
export interface Drawn {
  spec: PromotionFlowSpec;
  environments: string[];
  groups: Record<string, EnvironmentGroupSpec>;
  workflows: string[];
}

/** `1 of ada, grace; 2 of @sre; 1`: users, @groups, %roles; a rule that names nobody takes anyone. */
export function approvalOf(picture: string, more: Partial<ApprovalSpec> = {}): ApprovalSpec {
  const rules = picture.split(';').map((rule) => {
    const [, count = '1', names = ''] = /^\s*(\d+)(?: of (.*))?$/.exec(rule) ?? [];
    const all = names.split(',').map((each) => each.trim());
    const marked = (mark: string): string[] => all.filter((each) => each.startsWith(mark)).map((each) => each.slice(1));
    return {
      count: Number(count),
      users: all.filter((each) => /^\w/.test(each)),
      groups: marked('@'),
      roles: marked('%'),
    };
  });
  return { rules, forbidInitiator: true, expiry: DAY, onExpiry: 'FAIL', ...more };
}

/** `grace @sre %lead`: a person with groups and roles. */
export function person(picture: string): Caller {
  const [name = '', ...rest] = picture.split(' ');
  const marked = (mark: string): string[] => rest.filter((each) => each.startsWith(mark)).map((each) => each.slice(1));
  return { name, kind: 'PERSON', groups: marked('@'), roles: marked('%') };
}

type FlowOptions = Partial<Omit<PromotionFlowSpec, 'steps'>> & {
  /** By name: what a step has besides its target and its dependencies. */
  steps?: Record<string, Partial<FlowStepSpec>>;
  groups?: Record<string, Partial<EnvironmentGroupSpec>>;
};

/**
 * Reads a flow as it is drawn: `dev > staging > {us-east, eu, asia} as regions > asia-2`.
 *
 * `>` stands for "then": each depends on all that stands before it. `{a, b} as c` is a group, `{a, b}` two steps side by side,
 * `[tests]` a step that runs the workflow of that name.
 */
export function flowOf(picture: string, options: FlowOptions = {}): Drawn {
  const { steps: extras = {}, groups: groupExtras = {}, ...flow } = options;
  const drawn: Drawn = { spec: undefined as never, environments: [], groups: {}, workflows: [] };
  const stages = picture.split('>').map((stage) => stage.trim());
  const [trigger = '', ...rest] = stages;
  drawn.environments.push(trigger);
  const steps: FlowStepSpec[] = [];
  let before = [trigger];
  for (const stage of rest) {
    const [, inner = stage, group] = /^\{(.*)\}(?:\s+as\s+(\S+))?$/.exec(stage) ?? [];
    const names = inner.split(',').map((name) => name.trim());
    const add = (name: string, target: Partial<FlowStepSpec>): void => {
      steps.push({ dependsOn: before, ...target, ...extras[name] });
    };
    if (group !== undefined) {
      drawn.groups[group] = { environments: { names }, gate: { policy: 'ALL' }, maxFailures: 0, ...groupExtras[group] };
      drawn.environments.push(...names);
      add(group, { group });
      before = [group];
      continue;
    }
    const targets = names.map((name) => /^\[(.*)\]$/.exec(name)?.[1] ?? name);
    for (const [index, name] of targets.entries()) {
      const isWorkflow = names[index] !== name;
      (isWorkflow ? drawn.workflows : drawn.environments).push(name);
      add(name, isWorkflow ? { workflow: name, name } : { environment: name });
    }
    before = targets;
  }
  drawn.spec = { triggerEnvironment: trigger, onFailure: 'FINISH_RUNNING', ...flow, steps };
  return drawn;
}

export interface PlanOptions {
  /** Names of workflows that are steps of the release itself. */
  hooks?: Hooks;
  /**
   * By name; `['a', 'b > c']`: a and b side by side, c after b; `a: wait` has another type than simulate. A workflow that nothing
   * describes is one action, `run`.
   */
  workflows?: Record<string, string[]>;
  /** How many applications each environment has; one when absent. */
  applications?: Record<string, number>;
  retry?: WorkflowAction['retry'];
  /** Where the health of an environment's applications is known from; reports when absent. */
  health?: (environment: string) => HealthSourceSpec;
  /** Who is asked whether an environment's targets run the change; nobody when absent. */
  sync?: (environment: string) => SyncSourceSpec | undefined;
  /** By what an environment's applications are changed; simulated when absent. */
  driver?: (environment: string) => DriverSpec;
  policies?: PlanInput['policies'];
}

export const metadata = (name: string) => ({ name, labels: {}, annotations: {} });

export function inputOf(drawn: Drawn, options: PlanOptions = {}): PlanInput {
  const { workflows = {}, applications = {} } = options;
  return {
    product: metadata('billing'),
    flow: {
      metadata: metadata('billing-flow'),
      spec: { ...drawn.spec, ...(options.hooks && { hooks: options.hooks }) },
      revision: 1,
    },
    environments: drawn.environments.map((name) => ({
      kind: 'Environment',
      metadata: metadata(name),
      spec: { kind: name === drawn.spec.triggerEnvironment ? 'NON_PRODUCTION' : 'PRODUCTION' },
    })),
    groups: Object.entries(drawn.groups).map(([name, spec]) => ({
      kind: 'EnvironmentGroup',
      metadata: metadata(name),
      spec,
    })),
    workflows: [...new Set([...drawn.workflows, ...Object.keys(workflows)])].map((name) => ({
      kind: 'PromotionWorkflow',
      metadata: metadata(name),
      spec: workflowOf(workflows[name] ?? ['run'], options.retry),
    })),
    policies: options.policies ?? [],
    applications: drawn.environments.flatMap((environment) =>
      [...Array(applications[environment] ?? 1).keys()].map((index) =>
        applicationOf(environment, index, {
          ...(options.health && { health: options.health(environment) }),
          ...(options.sync && { sync: options.sync(environment) }),
          ...(options.driver && { driver: options.driver(environment) }),
        }),
      ),
    ),
    warnings: [],
  };
}

function workflowOf(lines: string[], retry: WorkflowAction['retry']): PromotionWorkflowSpec {
  const actions = new Map<string, WorkflowAction>();
  for (const line of lines) {
    let before: string | undefined;
    for (const one of line.split('>')) {
      const [name = '', type = 'simulate'] = one.split(':').map((part) => part.trim());
      const made = { name, type: type as WorkflowAction['type'], dependsOn: [], parameters: {}, retry };
      const action: WorkflowAction = actions.get(name) ?? made;
      if (before !== undefined) action.dependsOn?.push(before);
      actions.set(name, action);
      before = name;
    }
  }
  return { actions: [...actions.values()] };
}

/** The second application of an environment is its `api`, paired by component; the first one its `web`. */
export function applicationOf(
  environment: string,
  index = 0,
  more: Partial<ApplicationSpec> = {},
): Definition<'Application'> {
  const component = index === 0 ? 'web' : index === 1 ? 'api' : `part-${index}`;
  return {
    kind: 'Application',
    metadata: metadata(index === 0 ? `billing-${environment}` : `billing-${component}-${environment}`),
    spec: {
      product: 'billing',
      environment,
      component,
      driver: { type: 'simulate' },
      health: { type: 'report' },
      ...more,
    },
  };
}

export function planOf(drawn: Drawn | string, options: PlanOptions = {}): ReleasePlan {
  const planned = planRelease(inputOf(typeof drawn === 'string' ? flowOf(drawn) : drawn, options));
  if ('plan' in planned) return planned.plan;
  throw new Error(planned.refusals.map((each: Refusal) => each.message).join('; '));
}

const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

/** `Sat 03:00`, `10:00:30`: in the first week of 2026 that begins on a Monday, UTC; without a day, that Monday. */
export function at(text: string): number {
  const [, day, hours, minutes, seconds = '0'] = /^(?:(\w{3}) )?(\d\d):(\d\d)(?::(\d\d))?$/.exec(text) ?? [];
  if (hours === undefined) throw new Error(`not a time: ${text}`);
  const date = 5 + (day === undefined ? 0 : DAYS.indexOf(day));
  return Date.UTC(2026, 0, date, Number(hours), Number(minutes), Number(seconds));
}

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;

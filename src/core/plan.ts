import type {
  ApplicationSpec,
  ApprovalSpec,
  Definition,
  EnvironmentGroupSpec,
  FlowStepSpec,
  Gate,
  Metadata,
  OnFailure,
  PromotionFlowSpec,
  PromotionWorkflowSpec,
  RetrySpec,
  RollbackPolicySpec,
  WorkflowAction,
} from './definitions.ts';
import { DEFAULT_FLOW_TIMEOUT, DEFAULT_RETRY, DEFAULT_UNKNOWN_TIMEOUT } from './definitions.ts';
import { refusal } from './problems.ts';
import type { Refusal } from './problems.ts';
import type { RollbackPlan, VersionRef } from './rollback/rollback.ts';
import { resolveMembers } from './selectors.ts';

/**
 * The plan: everything that a release will do, frozen when it is created (promise 6).
 *
 * A flow's steps, groups, workflows and applications are resolved once into a flat list of promotions, one per
 * environment (or per workflow step), each with its own small DAG of steps. Positions in these lists are the identities
 * that state, jobs and keys use, so nothing that somebody edits later can shift them.
 */
export interface ReleasePlan {
  product: string;
  flow: { name: string; revision: number; version?: string; description?: string };
  triggerEnvironment: string;
  onFailure: OnFailure;
  /** How long the whole release may move, in milliseconds: see limits.ts. */
  timeout: number;
  /** How old it may get, in milliseconds; `DEFAULT_MAX_AGE` when absent. */
  maxAge?: number;
  promotions: PlannedPromotion[];
  groups: PlannedGroup[];
  warnings: string[];
  /** What goes back when an environment of this release fails: those of the flow, as they were. */
  rollbackPolicies?: RollbackPolicySpec[];
  /**
   * The label or digest of the earliest version to which an environment may go back once this release ran there: an
   * irreversible migration came with it.
   */
  rollbackFloor?: string;
  /** Of a rollback: what it takes back. Its promotions then bring earlier versions, and ask the gates of a rollback. */
  rollback?: RollbackPlan;
  /** Of a rollback: the releases that it tells how it stands. */
  origins?: string[];
  /** Commits of this release are signed, and none without a signature is believed; releases of Sluice 0.1 do not say so. */
  signsCommits?: true;
}

export type Dependency = { promotion: number } | { group: number };

export interface PlannedPromotion {
  /** The environment's name, or the workflow step's. */
  name: string;
  environment: string | null;
  production: boolean;
  group: number | null;
  dependsOn: Dependency[];
  /** How many of `dependsOn` must be satisfied. */
  required: number;
  applications: PlannedApplication[];
  steps: PlannedStep[];
  /** Who must agree before it starts; null: nobody. Each member of a group has its own. */
  approval: ApprovalSpec | null;
  /** How long the whole environment promotion may move, in milliseconds, or null. */
  timeout: number | null;
  /**
   * Of a rollback: the version that goes, the one that comes back, and the release whose promotion is taken back. `overChange`:
   * a person wants it also where somebody changed by hand what is live.
   */
  restores?: { from: VersionRef; to: VersionRef; origin: string; overChange?: true };
}

export interface PlannedApplication {
  name: string;
  /** Key of the pinned content that this application receives. */
  content: string;
  spec: ApplicationSpec;
  /** Of a rollback: what was live when it was planned, and what may be live when it acts. */
  expects?: Expected;
  /** Of a rollback: what came after the version that it restores and is not a part of it. */
  undo?: Undo;
}

/** Compare-and-set: the deployment record that was the newest one, or any of the version that is taken back. */
export interface Expected {
  deployment: string | null;
  digests: string[];
}

/**
 * What later versions did in the application's folder besides changing the content that comes back: it becomes what it was at
 * `commit`, where that content was live; null: nobody knows a commit.
 */
export interface Undo {
  commit: string | null;
  /** Files that they brought whole. */
  files: string[];
  /** Files in which they wrote values. */
  edited: string[];
}

export type Phase = 'PRE_ACTION' | 'ACTION' | 'HEALTH' | 'SOAK' | 'POST_ACTION' | 'WORKFLOW';

export interface PlannedStep {
  /** Unique in its promotion, readable: `billing-eu/PRE_ACTION/smoke-tests`. */
  id: string;
  phase: Phase;
  /** Position in the promotion's `applications`; null for a workflow step. */
  application: number | null;
  work:
    | { kind: 'action'; workflow: string; action: WorkflowAction }
    | { kind: 'apply' }
    | { kind: 'health' }
    | { kind: 'soak'; duration: number };
  /** Positions of the steps that must have succeeded before. */
  needs: number[];
  timeout: number | null;
  retry: RetrySpec;
}

export interface PlannedGroup {
  name: string;
  members: number[];
  /** How many members must be healthy for the gate. */
  required: number;
  unknownTimeout: number;
  /** How long a member has been healthy before it counts, in milliseconds; at once when absent. */
  soak?: number;
  /** A health that was seen longer ago is UNKNOWN, in milliseconds. */
  freshness?: number;
  maxParallel: number;
  maxFailures: number;
}

/** What the plan is made from: one consistent reading of the definitions. */
export interface PlanInput {
  product: Metadata;
  flow: { metadata: Metadata; spec: PromotionFlowSpec; revision: number };
  environments: Definition<'Environment'>[];
  groups: Definition<'EnvironmentGroup'>[];
  workflows: Definition<'PromotionWorkflow'>[];
  /** Of this product only. */
  applications: Definition<'Application'>[];
  warnings: string[];
}

/** How many of `total` a gate asks for; a percentage is rounded up, so 50 % of three is two. */
export function requiredBy(gate: Pick<Gate, 'policy' | 'count' | 'percent'>, total: number): number {
  if (gate.policy === 'ANY') return Math.min(1, total);
  if (gate.policy === 'ALL') return total;
  const wanted = gate.count ?? Math.ceil(((gate.percent ?? 100) * total) / 100);
  return Math.min(Math.max(1, wanted), total);
}

/** Freezes a checked flow (`checkFlow` found nothing) for one product, or says which environment lacks an application. */
export function planRelease(input: PlanInput): { plan: ReleasePlan } | { refusals: Refusal[] } {
  const { spec } = input.flow;
  const planner = new Planner(input);
  planner.add({ name: spec.triggerEnvironment, group: null, dependsOn: [] }, planner.triggerSteps());
  for (const step of spec.steps) planner.addStep(step);
  const refusals = planner.connect();
  if (refusals.length > 0) return { refusals };
  const { promotions, groups } = planner;
  return {
    plan: {
      product: input.product.name,
      flow: {
        name: input.flow.metadata.name,
        revision: input.flow.revision,
        version: spec.version,
        description: spec.description,
      },
      triggerEnvironment: spec.triggerEnvironment,
      onFailure: spec.onFailure,
      timeout: spec.timeout ?? DEFAULT_FLOW_TIMEOUT,
      ...(spec.maxAge === undefined ? {} : { maxAge: spec.maxAge }),
      promotions,
      groups,
      warnings: [...input.warnings, ...planner.warnings()],
      signsCommits: true,
      ...(spec.rollbackPolicies === undefined ? {} : { rollbackPolicies: spec.rollbackPolicies }),
    },
  };
}

class Planner {
  readonly promotions: PlannedPromotion[] = [];
  readonly groups: PlannedGroup[] = [];
  readonly #input: PlanInput;
  readonly #workflows: Map<string, PromotionWorkflowSpec>;
  readonly #environments: Map<string, Definition<'Environment'>>;
  readonly #groups: Map<string, EnvironmentGroupSpec>;
  readonly #byName = new Map<string, Dependency>();
  readonly #pending: { promotion: PlannedPromotion; dependsOn: string[]; step?: FlowStepSpec }[] = [];
  readonly #refusals: Refusal[] = [];
  readonly #contentOf: (application: Definition<'Application'>) => string | null;

  constructor(input: PlanInput) {
    this.#input = input;
    this.#workflows = new Map(input.workflows.map((each) => [each.metadata.name, each.spec]));
    this.#environments = new Map(input.environments.map((each) => [each.metadata.name, each]));
    this.#groups = new Map(input.groups.map((each) => [each.metadata.name, each.spec]));
    this.#contentOf = pairing(input.applications, input.flow.spec.triggerEnvironment);
  }

  /** In the trigger environment the change is already there: its health, then the trigger workflow. */
  triggerSteps(): { policy: { preAction?: string; postAction?: string }; apply: false } {
    return { policy: { postAction: this.#input.flow.spec.triggerWorkflow }, apply: false };
  }

  addStep(step: FlowStepSpec): void {
    const { dependsOn } = step;
    const how = { policy: step.policy ?? {}, apply: step.policy?.action !== 'none', step };
    if (step.workflow !== undefined) {
      this.#addWorkflow(step.name ?? step.workflow, step.workflow, step);
    } else if (step.environment !== undefined) {
      this.add({ name: step.environment, group: null, dependsOn }, how);
    } else if (step.group !== undefined) {
      const spec = this.#groups.get(step.group);
      if (!spec) return;
      const position = this.groups.length;
      const environments = this.#input.environments.map(({ metadata, spec: { kind } }) => ({ ...metadata, kind }));
      const members = resolveMembers(spec, environments).map(({ name }) => {
        this.add({ name, group: position, dependsOn }, how);
        return this.promotions.length - 1;
      });
      this.groups.push({
        name: step.group,
        members,
        required: requiredBy(spec.gate, members.length),
        unknownTimeout: spec.gate.unknownTimeout ?? DEFAULT_UNKNOWN_TIMEOUT,
        ...(spec.gate.soak === undefined ? {} : { soak: spec.gate.soak }),
        ...(spec.gate.freshness === undefined ? {} : { freshness: spec.gate.freshness }),
        maxParallel: spec.maxParallel ?? members.length,
        maxFailures: spec.maxFailures,
      });
      this.#byName.set(step.group, { group: position });
    }
  }

  add(
    at: { name: string; group: number | null; dependsOn: string[] },
    how: { policy: { preAction?: string; postAction?: string }; apply: boolean; step?: FlowStepSpec },
  ): void {
    const applications = this.#input.applications.filter((each) => each.spec.environment === at.name);
    if (applications.length === 0) {
      const name = this.#input.product.name;
      this.#refusals.push(
        refusal(
          'NO_APPLICATION',
          `product "${name}" has no application in environment "${at.name}": create an Application with spec.product "${name}" and spec.environment "${at.name}"`,
          ['flow', at.name],
        ),
      );
    }
    const planned: PlannedApplication[] = [];
    const steps: PlannedStep[] = [];
    for (const application of applications) {
      const content = this.#contentOf(application);
      if (content === null) {
        this.#refusals.push(
          refusal(
            'NO_APPLICATION',
            `application "${application.metadata.name}" in "${at.name}" has no counterpart in the trigger environment: set spec.component to the one that it is promoted from`,
            ['applications', application.metadata.name],
          ),
        );
        continue;
      }
      planned.push({ name: application.metadata.name, content, spec: application.spec });
      this.#applicationSteps(steps, planned.length - 1, application.metadata.name, how);
    }
    this.#push(
      {
        name: at.name,
        environment: at.name,
        production: this.#environments.get(at.name)?.spec.kind === 'PRODUCTION',
        group: at.group,
        dependsOn: [],
        required: 0,
        applications: planned,
        steps,
        approval: how.step?.approval ?? null,
        timeout: how.step?.timeout ?? null,
      },
      at.dependsOn,
      how.step,
    );
  }

  /** pre-action → action → health → soak → post-action, each phase after the one before, per application. */
  #applicationSteps(
    steps: PlannedStep[],
    application: number,
    name: string,
    how: { policy: { preAction?: string; postAction?: string }; apply: boolean; step?: FlowStepSpec },
  ): void {
    let last: number[] = [];
    const single = (phase: Phase, work: PlannedStep['work']): void => {
      steps.push({
        id: `${name}/${phase}`,
        phase,
        application,
        work,
        needs: last,
        timeout: null,
        retry: DEFAULT_RETRY,
      });
      last = [steps.length - 1];
    };
    if (how.policy.preAction !== undefined) {
      last = this.#workflowSteps(steps, `${name}/PRE_ACTION`, 'PRE_ACTION', application, how.policy.preAction, last);
    }
    if (how.apply) single('ACTION', { kind: 'apply' });
    single('HEALTH', { kind: 'health' });
    const soak = how.step?.soak ?? 0;
    if (soak > 0) single('SOAK', { kind: 'soak', duration: soak });
    if (how.policy.postAction !== undefined) {
      this.#workflowSteps(steps, `${name}/POST_ACTION`, 'POST_ACTION', application, how.policy.postAction, last);
    }
  }

  /** Adds a workflow's actions after `after`; returns the positions of those that nothing else in it depends on. */
  #workflowSteps(
    steps: PlannedStep[],
    prefix: string,
    phase: Phase,
    application: number | null,
    workflow: string,
    after: number[],
  ): number[] {
    const actions = this.#workflows.get(workflow)?.actions ?? [];
    const first = steps.length;
    const position = new Map(actions.map((action, index) => [action.name, first + index]));
    const awaited = new Set<number>();
    for (const action of actions) {
      const inner = (action.dependsOn ?? []).map((name) => position.get(name) as number);
      for (const each of inner) awaited.add(each);
      steps.push({
        id: `${prefix}/${action.name}`,
        phase,
        application,
        work: { kind: 'action', workflow, action },
        needs: inner.length > 0 ? inner : after,
        timeout: action.timeout ?? null,
        retry: action.retry ?? DEFAULT_RETRY,
      });
    }
    const ends = [...position.values()].filter((each) => !awaited.has(each));
    return ends.length > 0 ? ends : after;
  }

  #addWorkflow(name: string, workflow: string, step: FlowStepSpec): void {
    const steps: PlannedStep[] = [];
    this.#workflowSteps(steps, 'WORKFLOW', 'WORKFLOW', null, workflow, []);
    this.#push(
      {
        name,
        environment: null,
        production: false,
        group: null,
        dependsOn: [],
        required: 0,
        applications: [],
        steps,
        approval: step.approval ?? null,
        timeout: step.timeout ?? null,
      },
      step.dependsOn,
      step,
    );
  }

  #push(promotion: PlannedPromotion, dependsOn: string[], step?: FlowStepSpec): void {
    this.#byName.set(promotion.name, { promotion: this.promotions.length });
    this.promotions.push(promotion);
    this.#pending.push({ promotion, dependsOn, step });
  }

  /** Names → positions, once every name is known: a step may stand before what it depends on. */
  connect(): Refusal[] {
    for (const { promotion, dependsOn, step } of this.#pending) {
      for (const name of dependsOn) {
        const dependency = this.#byName.get(name);
        if (dependency) promotion.dependsOn.push(dependency);
        else
          this.#refusals.push(
            refusal('UNKNOWN_REFERENCE', `"${promotion.name}" depends on "${name}", which is not in the flow`, [
              'flow',
            ]),
          );
      }
      promotion.required = requiredBy(step?.dependsOnPolicy ?? { policy: 'ALL' }, promotion.dependsOn.length);
    }
    return this.#refusals;
  }

  warnings(): string[] {
    return this.promotions.flatMap((promotion) =>
      promotion.applications
        .filter((application) => application.spec.health.type === 'none')
        .map(
          (application) =>
            `application "${application.name}" in "${promotion.name}" has no health source: it counts as healthy as soon as its change is made`,
        ),
    );
  }
}

/**
 * Which of the trigger environment's applications a target's application is promoted from: the one with the same
 * component, or the only one there is. The key of the pinned content is that application's name.
 */
function pairing(
  applications: Definition<'Application'>[],
  triggerEnvironment: string,
): (application: Definition<'Application'>) => string | null {
  const sources = applications.filter((each) => each.spec.environment === triggerEnvironment);
  const only = sources.length === 1 ? sources[0] : undefined;
  const byComponent = new Map(sources.map((each) => [each.spec.component ?? each.metadata.name, each]));
  return (application) => {
    if (application.spec.environment === triggerEnvironment) return application.metadata.name;
    const component = application.spec.component;
    const source = (component === undefined ? undefined : byComponent.get(component)) ?? only;
    return source?.metadata.name ?? null;
  };
}

import type {
  Definition,
  EnvironmentGroupSpec,
  FlowStepSpec,
  Gate,
  Hooks,
  Metadata,
  PromotionFlowSpec,
  PullRequestPolicy,
} from './definitions.ts';
import {
  DEFAULT_FLOW_TIMEOUT,
  DEFAULT_OWN_TIMEOUT,
  DEFAULT_PULL_REQUEST,
  DEFAULT_UNKNOWN_TIMEOUT,
} from './definitions.ts';
import { addSteps, isAsked, ownSteps, shareProposals } from './phases.ts';
import type { Workflows } from './phases.ts';
import type {
  Dependency,
  PlannedApplication,
  PlannedGroup,
  PlannedPromotion,
  PlannedStep,
  ReleasePlan,
} from './plan.ts';
import { refusal } from './problems.ts';
import type { Refusal } from './problems.ts';
import { resolveMembers } from './selectors.ts';

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
  /** Workflows that run once, as steps of the release itself. */
  hooks?: Hooks;
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
  if (input.hooks) planner.addOwn(input.hooks);
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
  readonly #workflows: Workflows;
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
    const { policy = {} } = step;
    const pullRequest = policy.action === 'pr' ? (policy.pullRequest ?? DEFAULT_PULL_REQUEST) : undefined;
    const how = { policy, apply: policy.action !== 'none', ...(pullRequest && { pullRequest }), step };
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
    how: {
      policy: { preAction?: string; postAction?: string };
      apply: boolean;
      pullRequest?: PullRequestPolicy;
      step?: FlowStepSpec;
    },
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
      const of = { name: application.metadata.name, position: planned.length - 1 };
      const { policy, apply, pullRequest, step } = how;
      const from = { policy, apply, pullRequest, soak: step?.soak ?? 0, application: application.spec };
      addSteps(steps, of, from, this.#workflows);
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
        steps: how.pullRequest?.group === 'ENVIRONMENT' ? shareProposals(steps, planned) : steps,
        approval: how.step?.approval ?? null,
        timeout: how.step?.timeout ?? null,
        ...(how.pullRequest && { pullRequest: how.pullRequest }),
      },
      at.dependsOn,
      how.step,
    );
  }

  #addWorkflow(name: string, workflow: string, step: FlowStepSpec): void {
    const steps: PlannedStep[] = [];
    addSteps(steps, null, { policy: {}, apply: false, soak: 0, workflow }, this.#workflows);
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

  /** Behind all others: what is planned before and after them keeps its position. */
  addOwn(hooks: Hooks): void {
    for (const { own, steps } of ownSteps(hooks, this.#workflows)) {
      this.promotions.push({
        // No environment is called so: their names have small letters.
        name: own,
        environment: null,
        production: false,
        group: null,
        dependsOn: [],
        required: 0,
        applications: [],
        steps,
        approval: null,
        timeout: DEFAULT_OWN_TIMEOUT,
        own,
      });
    }
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
    const unasked = this.promotions.flatMap(({ applications }) =>
      applications.filter(({ spec }) => spec.driver.type === 'git' && !isAsked(spec.sync)).map(({ name }) => name),
    );
    return [...this.#withoutHealth(), ...unsynced(unasked)];
  }

  #withoutHealth(): string[] {
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

/** One sentence for all: most installations have none to begin with. */
function unsynced(names: string[]): string[] {
  if (names.length === 0) return [];
  const some = names.slice(0, MOST_NAMED).join(', ');
  const more = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : '';
  return [
    `no sync source says whether a target runs the change: ${some}${more}. Their deployments are verified by health alone, which right after a change may be that of the version before; set spec.sync`,
  ];
}

const MOST_NAMED = 10;

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

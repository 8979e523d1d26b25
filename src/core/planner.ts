import type {
  Definition,
  EnvironmentGroupSpec,
  FlowStepSpec,
  Hooks,
  InlinePolicy,
  Metadata,
  PromotionFlowSpec,
} from './definitions.ts';
import { DEFAULT_FAIL_HOOK_TIMEOUT, DEFAULT_FLOW_TIMEOUT, DEFAULT_UNKNOWN_TIMEOUT } from './definitions.ts';
import { isAsked, ownSteps, shareProposals, stepsOf } from './phases.ts';
import type { Workflows } from './phases.ts';
import { frozenPolicy, mergePolicies, policiesFor } from './policies.ts';
import type { MergedPolicy, PolicyFinding, RankedPolicy } from './policies.ts';
import type { Dependency, PlannedApplication, PlannedGroup, PlannedPromotion, ReleasePlan } from './plan.ts';
import { refusal } from './problems.ts';
import type { Refusal } from './problems.ts';
import { requiredBy } from './required.ts';
import { resolveMembers } from './selectors.ts';
import { quoteList } from './wording.ts';

/** What the plan is made from: one consistent reading of the definitions. */
export interface PlanInput {
  product: Metadata;
  flow: { metadata: Metadata; spec: PromotionFlowSpec; revision: number };
  environments: Definition<'Environment'>[];
  groups: Definition<'EnvironmentGroup'>[];
  workflows: Definition<'PromotionWorkflow'>[];
  policies: readonly RankedPolicy[];
  /** Of this product only. */
  applications: Definition<'Application'>[];
  warnings: string[];
}

/** Freezes a checked flow (`checkFlow` found nothing) for one product, or says which environment lacks an application. */
export function planRelease(input: PlanInput): { plan: ReleasePlan } | { refusals: Refusal[] } {
  const { spec } = input.flow;
  const planner = new Planner(input);
  planner.addTrigger();
  for (const step of spec.steps) planner.addStep(step);
  planner.addHooks(spec.hooks);
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
  /** Of policies, by what it says, with the environments in which it is so. */
  readonly #found = new Map<string, { finding: PolicyFinding; where: string[] }>();
  readonly #contentOf: (application: Definition<'Application'>) => string | null;

  constructor(input: PlanInput) {
    this.#input = input;
    this.#workflows = new Map(input.workflows.map((each) => [each.metadata.name, each.spec]));
    this.#environments = new Map(input.environments.map((each) => [each.metadata.name, each]));
    this.#groups = new Map(input.groups.map((each) => [each.metadata.name, each.spec]));
    this.#contentOf = pairing(input.applications, input.flow.spec.triggerEnvironment);
  }

  /** In the trigger environment the change is already there: its health, then the trigger workflow. */
  addTrigger(): void {
    const { triggerEnvironment, triggerWorkflow } = this.#input.flow.spec;
    this.#add(
      { name: triggerEnvironment, group: null, dependsOn: [] },
      this.#merge(triggerEnvironment, { postAction: triggerWorkflow }, 'TRIGGER'),
    );
  }

  /** What holds in an environment, the members of a group each by themselves. */
  #merge(environment: string, inline: InlinePolicy, at: 'TRIGGER' | 'TARGET'): MergedPolicy {
    const { product, policies } = this.#input;
    const here = this.#environments.get(environment);
    const selected = { name: environment, labels: here?.metadata.labels ?? {}, kind: here?.spec.kind };
    const { merged, findings } = mergePolicies(inline, policiesFor(policies, product, selected), at);
    for (const finding of findings) {
      if (finding.severity === 'NOTE') continue;
      const known = this.#found.get(finding.message);
      if (known) known.where.push(environment);
      else this.#found.set(finding.message, { finding, where: [environment] });
    }
    return merged;
  }

  addStep(step: FlowStepSpec): void {
    const { dependsOn, policy = {} } = step;
    if (step.workflow !== undefined) {
      this.#addWorkflow(step.name ?? step.workflow, step.workflow, step);
    } else if (step.environment !== undefined) {
      this.#add(
        { name: step.environment, group: null, dependsOn },
        this.#merge(step.environment, policy, 'TARGET'),
        step,
      );
    } else if (step.group !== undefined) {
      const spec = this.#groups.get(step.group);
      if (!spec) return;
      const position = this.groups.length;
      const environments = this.#input.environments.map(({ metadata, spec: { kind } }) => ({ ...metadata, kind }));
      const members = resolveMembers(spec, environments).map(({ name }) => {
        this.#add({ name, group: position, dependsOn }, this.#merge(name, policy, 'TARGET'), step);
        return this.promotions.length - 1;
      });
      this.groups.push({
        name: step.group,
        members,
        required: requiredBy(spec.gate, members.length),
        ...(spec.gate.policy === 'AT_LEAST' && spec.gate.percent !== undefined && { percent: spec.gate.percent }),
        unknownTimeout: spec.gate.unknownTimeout ?? DEFAULT_UNKNOWN_TIMEOUT,
        ...(spec.gate.soak === undefined ? {} : { soak: spec.gate.soak }),
        ...(spec.gate.freshness === undefined ? {} : { freshness: spec.gate.freshness }),
        maxParallel: spec.maxParallel ?? members.length,
        maxFailures: spec.maxFailures,
      });
      this.#byName.set(step.group, { group: position });
    }
  }

  #add(
    at: { name: string; group: number | null; dependsOn: string[] },
    merged: MergedPolicy,
    step?: FlowStepSpec,
  ): void {
    const pullRequest = merged.pullRequest?.value;
    const making = {
      preActions: merged.preActions.map(({ value }) => value),
      postActions: merged.postActions.map(({ value }) => value),
      apply: merged.action !== null && merged.action.value !== 'none',
      ...(pullRequest && { pullRequest }),
      soak: step?.soak ?? 0,
      ...(step?.hooks && { hooks: step.hooks }),
    };
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
    }
    const steps = stepsOf(planned, making, this.#workflows);
    this.#push(
      {
        name: at.name,
        environment: at.name,
        production: this.#environments.get(at.name)?.spec.kind === 'PRODUCTION',
        group: at.group,
        dependsOn: [],
        required: 0,
        applications: planned,
        steps: pullRequest?.group === 'ENVIRONMENT' ? shareProposals(steps, planned) : steps,
        approval: step?.approval ?? null,
        timeout: step?.timeout ?? null,
        ...(pullRequest && { pullRequest }),
        policy: frozenPolicy(merged),
      },
      at.dependsOn,
      step,
    );
  }

  #addWorkflow(name: string, workflow: string, step: FlowStepSpec): void {
    const making = { apply: false, soak: 0, workflow, ...(step.hooks && { hooks: step.hooks }) };
    const steps = stepsOf([], making, this.#workflows);
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

  /** Behind all others, so that these keep their positions: what is done about failures, and then the release's own hooks. */
  addHooks(hooks: Hooks | undefined): void {
    this.#pending.forEach(({ step }, of) => this.#addOwn({ onFail: step?.hooks?.onFail }, of));
    this.#addOwn(hooks ?? {});
  }

  #addOwn(hooks: Hooks, of?: number): void {
    for (const { own, steps } of ownSteps(hooks, this.#workflows)) {
      this.promotions.push({
        // No environment is called so: their names have small letters.
        name: of === undefined ? own : `${this.promotions[of]?.name}/${own}`,
        environment: null,
        production: false,
        group: null,
        dependsOn: [],
        required: 0,
        applications: [],
        steps,
        approval: null,
        // The flow's limit does not end what is done about a failure, its own does.
        timeout: own === 'ON_FAIL' ? DEFAULT_FAIL_HOOK_TIMEOUT : null,
        own,
        ...(of !== undefined && { of }),
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
    const refused = [...this.#found.values()].filter(({ finding }) => finding.severity === 'REFUSED');
    const unfit = refused.map(({ finding, where }) =>
      refusal('INVALID', `in ${quoteList(where)}: ${finding.message}`, ['flow', where[0] as string, finding.setting]),
    );
    return [...this.#refusals, ...unfit];
  }

  warnings(): string[] {
    const unasked = this.promotions.flatMap(({ applications }) =>
      applications.filter(({ spec }) => spec.driver.type === 'git' && !isAsked(spec.sync)).map(({ name }) => name),
    );
    return [...this.#ofPolicies(), ...this.#withoutHealth(), ...unsynced(unasked)];
  }

  #ofPolicies(): string[] {
    const warned = [...this.#found.values()].filter(({ finding }) => finding.severity === 'WARNING');
    return warned.map(({ finding, where }) => `in ${quoteList(where)}: ${finding.message}`);
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
export function pairing(
  applications: readonly Definition<'Application'>[],
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

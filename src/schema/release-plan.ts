import { Field, Int, ObjectType } from 'type-graphql';
import type { OnFailure } from '../core/definitions.ts';
import { nameOf } from '../core/gates/dependencies.ts';
import { isOfRelease } from '../core/own-steps.ts';
import type { Dependency, Phase, PlannedPromotion, ReleasePlan as Plan } from '../core/plan.ts';
import { OnFailureEnum, PhaseEnum } from './choices.ts';
import { toNodeId } from './node-id.ts';
import { Node } from './node.ts';
import { EffectiveSetting } from './policy.ts';
import { UserError } from './user-errors.ts';
import { Duration } from './values.ts';

@ObjectType('PlannedStep', { description: 'A step that a release would do.' })
export class PlannedStepType {
  @Field(() => String, { description: 'Its name, unique in the promotion.' })
  name!: string;

  @Field(() => PhaseEnum, { description: 'The part of the promotion that it belongs to.' })
  phase!: Phase;

  @Field(() => [String], { description: 'The names of the steps that must have succeeded before.' })
  needs!: string[];

  @Field(() => String, { nullable: true, description: 'The workflow that it is an action of.' })
  workflow!: string | null;
}

@ObjectType('PlannedPromotion', { description: 'A promotion that a release would do.' })
export class PlannedPromotionType {
  @Field(() => String, { description: "The environment's name, or the workflow step's." })
  name!: string;

  @Field(() => String, { nullable: true, description: 'The name of the environment; null for a workflow step.' })
  environment!: string | null;

  @Field(() => Boolean, { description: 'Whether it promotes into production.' })
  production!: boolean;

  @Field(() => String, { nullable: true, description: 'The name of its group.' })
  group!: string | null;

  @Field(() => [String], { description: 'The names of the promotions and groups before it.' })
  dependsOn!: string[];

  @Field(() => Int, { description: 'How many of them it needs.' })
  requiredDependencies!: number;

  @Field(() => [String], { description: 'The names of the applications that would be promoted.' })
  applications!: string[];

  @Field(() => [EffectiveSetting], {
    nullable: true,
    description: 'What would be done there, and who says so; null for a step without an environment.',
  })
  settings!: EffectiveSetting[] | null;

  @Field(() => [PlannedStepType], { description: 'Its steps.' })
  steps!: PlannedStepType[];

  @Field(() => Duration, { nullable: true, description: 'How long it may take.' })
  timeout!: number | null;
}

@ObjectType('PlannedGroup', { description: 'A group as a release would freeze it.' })
export class PlannedGroupType {
  @Field(() => String, { description: 'Its name.' })
  name!: string;

  @Field(() => [String], { description: 'The names of its members.' })
  members!: string[];

  @Field(() => Int, { description: 'How many of them must be healthy.' })
  required!: number;

  @Field(() => Duration, { nullable: true, description: 'How long each has been healthy before it counts.' })
  soak?: number;

  @Field(() => Duration, { nullable: true, description: 'A health that was seen longer ago counts as UNKNOWN.' })
  freshness?: number;

  @Field(() => Int, { description: 'How many of them would run at once.' })
  maxParallel!: number;

  @Field(() => Int, { description: 'How many of them may fail before no further one starts.' })
  maxFailures!: number;
}

function plannedSteps({ steps }: PlannedPromotion): PlannedStepType[] {
  const nameAt = (step: number): string => steps[step]?.id ?? '';
  return steps.map(({ id, phase, needs, work }) => ({
    name: id,
    phase,
    needs: needs.map(nameAt),
    workflow: work.kind === 'action' ? work.workflow : null,
  }));
}

/** What is promoted after what, as far as it is seen. */
function graphOf(
  { promotions, groups }: Plan,
  sees: (position: number) => boolean,
): { promotions: PlannedPromotionType[]; groups: PlannedGroupType[] } {
  const names = { promotions, groups } as Plan;
  const isSeen = (on: Dependency): boolean => 'group' in on || sees(on.promotion);
  return {
    promotions: promotions.flatMap((each, position) => {
      if (each.own !== undefined || !sees(position)) return [];
      return {
        name: each.name,
        environment: each.environment,
        production: each.production,
        group: each.group === null ? null : (groups[each.group]?.name ?? null),
        dependsOn: each.dependsOn.filter(isSeen).map((dependency) => nameOf(names, dependency)),
        requiredDependencies: each.required,
        applications: each.applications.map(({ name }) => name),
        settings: each.policy ? EffectiveSetting.all(each.policy, each.pullRequest) : null,
        steps: [each, ...promotions.filter(({ of }) => of === position)].flatMap(plannedSteps),
        timeout: each.timeout,
      };
    }),
    groups: groups.map(({ members, ...group }) => ({
      ...group,
      members: members.filter(sees).map((each) => promotions[each]?.name ?? ''),
    })),
  };
}

@ObjectType({
  implements: Node,
  description:
    'What a release froze when it was created: it never changes, so a client that has it by its id need not ask again. Where the release is now, `Release.promotions` and `releaseChanged` say by name.',
})
export class ReleaseSkeleton extends Node {
  static of(releaseId: string, plan: Plan, sees: (position: number) => boolean): ReleaseSkeleton {
    return Object.assign(new ReleaseSkeleton(), { id: toNodeId('ReleaseSkeleton', releaseId), ...graphOf(plan, sees) });
  }

  @Field(() => [PlannedPromotionType], { description: 'The promotions, in the order of the flow.' })
  promotions!: PlannedPromotionType[];

  @Field(() => [PlannedGroupType], { description: 'The groups.' })
  groups!: PlannedGroupType[];
}

@ObjectType({ description: 'Everything that a release would do, as it would be frozen now.' })
export class ReleasePlan {
  static of(plan: Plan): ReleasePlan {
    const { product, flow, triggerEnvironment, onFailure, timeout, promotions, warnings, rollbackFloor } = plan;
    return Object.assign(new ReleasePlan(), {
      product,
      flow: flow.name,
      flowRevision: flow.revision,
      triggerEnvironment,
      onFailure,
      timeout,
      warnings,
      rollbackFloor: rollbackFloor ?? null,
      steps: promotions.flatMap((each) => (isOfRelease(each) ? plannedSteps(each) : [])),
      ...graphOf(plan, () => true),
    });
  }

  @Field(() => String, { description: 'The name of the product.' })
  product!: string;

  @Field(() => String, { description: 'The name of the flow.' })
  flow!: string;

  @Field(() => Int, { description: 'The revision of the flow.' })
  flowRevision!: number;

  @Field(() => String, { description: 'The environment that it begins in.' })
  triggerEnvironment!: string;

  @Field(() => OnFailureEnum, { description: 'What it would do when a promotion fails.' })
  onFailure!: OnFailure;

  @Field(() => Duration, { description: 'The limit of the whole release.' })
  timeout!: number;

  @Field(() => [PlannedPromotionType], { description: 'The promotions, in the order of the flow.' })
  promotions!: PlannedPromotionType[];

  @Field(() => [PlannedStepType], {
    description: 'Steps of the release itself, which run once: its hooks, before its environments and after them.',
  })
  steps!: PlannedStepType[];

  @Field(() => [PlannedGroupType], { description: 'The groups.' })
  groups!: PlannedGroupType[];

  @Field(() => [String], { description: 'What is possible and may not be meant.' })
  warnings!: string[];

  @Field(() => String, {
    nullable: true,
    description: 'The earliest version to which an environment may go back once this release ran there.',
  })
  rollbackFloor!: string | null;
}

@ObjectType({ description: 'What a release would do, or why it would be refused.' })
export class ReleasePlanPayload {
  @Field(() => ReleasePlan, { nullable: true, description: 'The plan; null when it would be refused.' })
  plan!: ReleasePlan | null;

  @Field(() => [UserError], { description: 'Why it would be refused.' })
  userErrors!: UserError[];
}

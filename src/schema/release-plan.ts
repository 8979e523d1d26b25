import { Field, Int, ObjectType } from 'type-graphql';
import type { OnFailure } from '../core/definitions.ts';
import { nameOf } from '../core/gates/dependencies.ts';
import { isOfRelease } from '../core/own-steps.ts';
import type { Phase, PlannedPromotion, ReleasePlan as Plan } from '../core/plan.ts';
import { OnFailureEnum, PhaseEnum } from './choices.ts';
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
  return steps.map(({ id, phase, needs }) => ({ name: id, phase, needs: needs.map(nameAt) }));
}

@ObjectType({ description: 'Everything that a release would do, as it would be frozen now.' })
export class ReleasePlan {
  static of({
    product,
    flow,
    triggerEnvironment,
    onFailure,
    timeout,
    promotions,
    groups,
    warnings,
    rollbackFloor,
  }: Plan): ReleasePlan {
    const names = { promotions, groups } as Plan;
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
      promotions: promotions
        .filter(({ own }) => own === undefined)
        .map((each, position) => ({
          name: each.name,
          environment: each.environment,
          production: each.production,
          group: each.group === null ? null : (groups[each.group]?.name ?? null),
          dependsOn: each.dependsOn.map((dependency) => nameOf(names, dependency)),
          requiredDependencies: each.required,
          applications: each.applications.map(({ name }) => name),
          settings: each.policy ? EffectiveSetting.all(each.policy, each.pullRequest) : null,
          steps: [each, ...promotions.filter(({ of }) => of === position)].flatMap(plannedSteps),
          timeout: each.timeout,
        })),
      groups: groups.map(({ members, ...group }) => ({
        ...group,
        members: members.map((each) => promotions[each]?.name ?? ''),
      })),
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

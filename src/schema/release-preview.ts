import { Field, Int, ObjectType } from 'type-graphql';
import { approval as approvalPolicy } from '../core/kinds/approval.ts';
import type { ApprovalSpec } from '../core/definitions.ts';
import { FileChangeEnum, PlannedActionEnum } from './enums.ts';
import { EffectiveSetting } from './policy.ts';
import { ReleasePlan } from './release-plan.ts';
import { VersionNameType } from './rollback-plan.ts';
import { typeFor } from './shape-types.ts';
import { UserError } from './user-errors.ts';

const ApprovalPolicyType = typeFor(approvalPolicy);

@ObjectType({ description: 'A file that a promotion would change.' })
export class FileDiff {
  @Field(() => String, { description: 'Its path from the root of the repository.' })
  path!: string;

  @Field(() => FileChangeEnum, { description: 'What would become of it.' })
  kind!: 'ADDED' | 'CHANGED' | 'REMOVED';

  @Field(() => String, { nullable: true, description: 'A unified diff; null: `reason` says why.' })
  diff!: string | null;

  @Field(() => String, { nullable: true, description: 'Why the diff is not shown; null: it is.' })
  reason!: string | null;
}

@ObjectType({ description: 'What would be written for an application, on top of its target as it is now.' })
export class ApplicationDiff {
  static of({
    application,
    ...diff
  }: Omit<ApplicationDiff, 'applicationName'> & { application: string }): ApplicationDiff {
    return Object.assign(new ApplicationDiff(), diff, { applicationName: application });
  }

  @Field(() => String, { description: 'The name of the application.' })
  applicationName!: string;

  @Field(() => [FileDiff], {
    description: 'The files that would change; none: it holds the content already. At most 100.',
  })
  files!: FileDiff[];

  @Field(() => Int, { description: 'How many files would change besides those.' })
  more!: number;

  @Field(() => [String], { description: 'What stands in the source alone and would be left out.' })
  skipped!: string[];

  @Field(() => String, { nullable: true, description: 'Why it cannot be told, or would fail; null: it can.' })
  reason!: string | null;
}

@ObjectType({ description: 'Something that a promotion would wait for before it starts.' })
export class ExpectedWait {
  @Field(() => String, { description: 'In words.' })
  message!: string;

  @Field(() => String, { nullable: true, description: 'Who can end it; null: time does, or the release itself.' })
  who!: string | null;

  @Field(() => Date, { nullable: true, description: 'When it can end at the earliest; null: not known.' })
  earliest!: Date | null;
}

@ObjectType({ description: 'A promotion that a release would make, as things stand.' })
export class PromotionPreview {
  /** What the plan and its content are, for the resolver that reads targets. */
  preview!: unknown;
  position!: number;

  @Field(() => String, { description: "The environment's name, or the workflow step's." })
  name!: string;

  @Field(() => String, { nullable: true, description: 'The name of the environment; null for a workflow step.' })
  environmentName!: string | null;

  @Field(() => PlannedActionEnum, { description: 'How its change would be made.' })
  action!: 'commit' | 'pr' | 'none';

  @Field(() => [String], { description: 'The names of the workflows that it would run, in their order.' })
  workflows!: string[];

  @Field(() => [EffectiveSetting], {
    description:
      'What would be done there, with who says each setting: the step of the flow, a policy, or neither. None for a workflow step.',
  })
  settings!: EffectiveSetting[];

  @Field(() => ApprovalPolicyType, {
    nullable: true,
    description: 'Who would have to agree; null: no approval is needed.',
  })
  approval!: ApprovalSpec | null;

  @Field(() => [String], {
    description:
      'The names of the release windows that concern it; what they say now is in `waitingFor` and `windowState`.',
  })
  windowNames!: string[];

  @Field(() => [ExpectedWait], { description: 'Everything that it would wait for, as things stand.' })
  waitingFor!: ExpectedWait[];

  @Field(() => Date, {
    nullable: true,
    description:
      'When it can start at the earliest, work counted as nothing; null: it waits for a person, or for another release.',
  })
  earliestStart!: Date | null;
}

@ObjectType({ description: 'Everything that a release would be and do, if it were triggered now.' })
export class ReleasePreview {
  @Field(() => VersionNameType, { description: 'The version that it would bring.' })
  version!: VersionNameType;

  @Field(() => [String], { description: 'Why it would take its flow, step by step.' })
  explanation!: string[];

  @Field(() => ReleasePlan, { description: 'What would be frozen: promotions, their steps, groups, limits, warnings.' })
  plan!: ReleasePlan;

  @Field(() => [ExpectedWait], { description: 'What the whole release would wait for: its turn.' })
  waitingFor!: ExpectedWait[];

  @Field(() => [PromotionPreview], { description: 'Its promotions, in the order of the flow.' })
  promotions!: PromotionPreview[];
}

@ObjectType({ description: 'What a release would be and do, or why it would be refused.' })
export class ReleasePreviewPayload {
  @Field(() => ReleasePreview, { nullable: true, description: 'The preview; null when it would be refused.' })
  preview!: ReleasePreview | null;

  @Field(() => [UserError], { description: 'Why it would be refused.' })
  userErrors!: UserError[];
}

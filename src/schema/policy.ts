import { Field, Int, ObjectType } from 'type-graphql';
import type { PolicySetting, PromotionAction, PullRequestPolicy } from '../core/definitions.ts';
import { promotionAction, pullRequest as pullRequestShape } from '../core/kinds/common.ts';
import { policySetting } from '../core/kinds/promotion-policy.ts';
import type { Chosen, FrozenPolicy, PolicyFinding, SettingOrigin } from '../core/policies.ts';
import { PromotionPolicy } from './definition-types.ts';
import { enumOf } from './enums.ts';
import { enumFor, typeFor } from './shape-types.ts';

export const PolicySettingEnum = enumFor(policySetting);

const SettingOriginEnum = enumOf<SettingOrigin['by']>('PolicySettingOrigin', 'Who says a setting.', {
  FLOW: 'The step of the flow; in the trigger environment, its trigger workflow.',
  POLICY: 'A promotion policy.',
  DEFAULT: 'Neither of them: it is what holds without them.',
});

const FindingKindEnum = enumOf<PolicyFinding['kind']>('PolicyFindingKind', 'What is to be said of merged settings.', {
  MISSING: 'A setting that nothing sets, and that is needed.',
  CONTRADICTION: 'Settings that cannot both hold.',
  TIE: 'Policies of one priority that set the same: the name decides.',
  OVERRIDDEN: 'A setting in whose place a stricter, locked one holds.',
  UNUSED: 'A setting that has no effect beside the others.',
});

@ObjectType({ description: 'A setting that holds in an environment, with where it comes from.' })
export class EffectiveSetting {
  /** All that hold, workflows in the order in which they run. */
  static all(
    { preActions = [], action, postActions = [], pullRequest }: FrozenPolicy,
    how: PullRequestPolicy | undefined,
  ): EffectiveSetting[] {
    const workflow =
      (setting: PolicySetting) =>
      ({ value, from }: Chosen<string>): EffectiveSetting =>
        settingOf(setting, from, { workflow: value });
    return [
      ...preActions.map(workflow('preAction')),
      ...(action ? [settingOf('action', action.from, { action: action.value })] : []),
      ...(pullRequest ? [settingOf('pullRequest', pullRequest, { pullRequest: how })] : []),
      ...postActions.map(workflow('postAction')),
    ];
  }

  @Field(() => PolicySettingEnum, { description: 'Which one; workflows may be several.' })
  setting!: PolicySetting;

  @Field(() => String, { nullable: true, description: 'Of PRE_ACTION and POST_ACTION: the name of the workflow.' })
  workflow!: string | null;

  @Field(() => enumFor(promotionAction), { nullable: true, description: 'Of ACTION: the action.' })
  action!: PromotionAction | null;

  @Field(() => typeFor(pullRequestShape), { nullable: true, description: 'Of PULL_REQUEST: how it is proposed.' })
  pullRequest!: PullRequestPolicy | null;

  @Field(() => SettingOriginEnum, { description: 'Who says it.' })
  origin!: SettingOrigin['by'];

  @Field(() => String, { nullable: true, description: 'The name of the policy that says it.' })
  policy!: string | null;

  @Field(() => Int, { nullable: true, description: 'The revision of that policy.' })
  policyRevision!: number | null;

  @Field(() => Int, { nullable: true, description: 'The priority of that policy.' })
  priority!: number | null;

  @Field(() => Boolean, { description: 'Whether that policy has locked it.' })
  locked!: boolean;
}

function settingOf(
  setting: PolicySetting,
  from: SettingOrigin,
  value: Partial<Pick<EffectiveSetting, 'workflow' | 'action' | 'pullRequest'>>,
): EffectiveSetting {
  const of = from.by === 'POLICY' ? from : null;
  return {
    workflow: null,
    action: null,
    pullRequest: null,
    ...value,
    setting,
    origin: from.by,
    policy: of?.policy ?? null,
    policyRevision: of?.revision ?? null,
    priority: of?.priority ?? null,
    locked: of?.locked ?? false,
  };
}

@ObjectType('FrozenPolicy', { description: 'What a release froze of the settings of an environment.' })
export class FrozenPolicyType {
  @Field(() => [EffectiveSetting], { description: 'The settings, in the order in which they take effect.' })
  settings!: EffectiveSetting[];

  @Field(() => Boolean, {
    description:
      'Whether the next release would have others: the step of the flow or a policy says something else by now, or says it in a newer revision.',
  })
  newerExists!: boolean;
}

@ObjectType('PolicyFinding', { description: 'Something to be said of merged settings.' })
export class PolicyFindingType {
  @Field(() => FindingKindEnum, { description: 'What it is.' })
  kind!: PolicyFinding['kind'];

  @Field(() => Boolean, { description: 'Whether no release can be planned like this.' })
  refuses!: boolean;

  @Field(() => PolicySettingEnum, { description: 'The setting that it is about.' })
  setting!: PolicySetting;

  @Field(() => String, { description: 'In words, with what to change.' })
  message!: string;
}

@ObjectType({ description: 'What policies and a flow come to in one environment of a product.' })
export class PolicyEvaluation {
  @Field(() => [EffectiveSetting], { description: 'The settings that hold, in the order in which they take effect.' })
  settings!: EffectiveSetting[];

  @Field(() => [PromotionPolicy], {
    description: 'Every policy for the product and the environment, in the order in which they count.',
  })
  policies!: PromotionPolicy[];

  @Field(() => [PolicyFindingType], { description: 'What is missing, contradictory or doubtful.' })
  findings!: PolicyFindingType[];
}

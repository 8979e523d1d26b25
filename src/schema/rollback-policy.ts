import { Field, InputType, Int, ObjectType } from 'type-graphql';
import { DEFAULT_MAX_FAILURE_AGE } from '../core/definitions.ts';
import type {
  BadVersionScope,
  RollbackCauseKind,
  RollbackPolicySpec,
  RollbackTargetSpec,
} from '../core/definitions.ts';
import { ApprovalSpecInput, ApprovalSpecType } from './approval-spec.ts';
import { enumOf, RollbackCauseKindEnum } from './enums.ts';
import { Duration } from './values.ts';

export const MarkBadScopeEnum = enumOf<BadVersionScope | 'NONE'>(
  'MarkBadScope',
  'Where a version that was taken back is not promoted to any more.',
  {
    NONE: 'Nowhere: it is not marked bad.',
    ENVIRONMENT: 'The environments that went back.',
    GROUP: 'The group of the environment in which it happened.',
    PRODUCT: 'Anywhere.',
  },
);

export const OnTargetFailureEnum = enumOf<RollbackPolicySpec['onTargetFailure']>(
  'RollbackOnTargetFailure',
  'What happens to the other environments when one fails to go back.',
  { STOP: 'What has not started to go back stays as it is.', CONTINUE: 'They go back all the same.' },
);

export const RollbackConditionEnum = enumOf<RollbackTargetSpec['condition']>(
  'RollbackCondition',
  'When an environment goes back with the one in which it happened.',
  {
    SAME_VERSION: 'When the same version (by digest) is live there at that moment, or on its way there.',
    ALWAYS: 'Whatever is live there.',
  },
);

export const RollbackModeEnum = enumOf<RollbackTargetSpec['mode']>(
  'RollbackMode',
  'Whether an environment goes back by itself.',
  { AUTOMATIC: 'By itself.', APPROVAL: 'When somebody agrees.' },
);

const WHEN_ENVIRONMENTS = 'The environments in which it happens. With `groups`, one of both has to fit.';
const WHEN_GROUPS = 'The groups of the flow in one of whose members it happens.';
const WHEN_CAUSES = 'What happens; anything when left out.';

@ObjectType('RollbackWhen', { description: 'What a rollback policy is for; what is left out matches everything.' })
export class RollbackWhenType {
  @Field(() => [String], { nullable: true, description: WHEN_ENVIRONMENTS })
  environments!: string[] | null;

  @Field(() => [String], { nullable: true, description: WHEN_GROUPS })
  groups!: string[] | null;

  @Field(() => [RollbackCauseKindEnum], { nullable: true, description: WHEN_CAUSES })
  causes!: RollbackCauseKind[] | null;
}

@InputType({ description: 'What a rollback policy is for; what is left out matches everything.' })
export class RollbackWhenInput {
  @Field(() => [String], { nullable: true, description: WHEN_ENVIRONMENTS })
  environments?: string[];

  @Field(() => [String], { nullable: true, description: WHEN_GROUPS })
  groups?: string[];

  @Field(() => [RollbackCauseKindEnum], { nullable: true, description: WHEN_CAUSES })
  causes?: RollbackCauseKind[];
}

const ENVIRONMENTS = 'These environments of the flow.';
const GROUP = 'The members of this group of the flow.';
const SIBLINGS = 'The other members of the group in which it happens.';
const DOWNSTREAM = 'Everything that depends on the environment in which it happens, directly or not.';
const CONDITION = 'When they go back.';
const MODE = 'Whether they go back by themselves.';
const APPROVAL = 'Who may agree, for the mode APPROVAL; anyone who may roll back when left out.';
const TARGET = 'What else goes back: exactly one of environments, group, siblings and downstream, and how.';

@ObjectType('RollbackPolicyTarget', { description: TARGET })
export class RollbackTargetSpecType {
  @Field(() => [String], { nullable: true, description: ENVIRONMENTS })
  environments!: string[] | null;

  @Field(() => String, { nullable: true, description: GROUP })
  group!: string | null;

  @Field(() => Boolean, { nullable: true, description: SIBLINGS })
  siblings!: boolean | null;

  @Field(() => Boolean, { nullable: true, description: DOWNSTREAM })
  downstream!: boolean | null;

  @Field(() => RollbackConditionEnum, { description: CONDITION })
  condition!: RollbackTargetSpec['condition'];

  @Field(() => RollbackModeEnum, { description: MODE })
  mode!: RollbackTargetSpec['mode'];

  @Field(() => ApprovalSpecType, { nullable: true, description: APPROVAL })
  approval!: ApprovalSpecType | null;
}

@InputType('RollbackPolicyTargetInput', { description: TARGET })
export class RollbackTargetSpecInput {
  static readonly fallbacks = { condition: 'SAME_VERSION', mode: 'AUTOMATIC' };

  @Field(() => [String], { nullable: true, description: ENVIRONMENTS })
  environments?: string[];

  @Field(() => String, { nullable: true, description: GROUP })
  group?: string;

  @Field(() => Boolean, { nullable: true, description: SIBLINGS })
  siblings?: boolean;

  @Field(() => Boolean, { nullable: true, description: DOWNSTREAM })
  downstream?: boolean;

  @Field(() => RollbackConditionEnum, { nullable: true, description: `${CONDITION} SAME_VERSION when left out.` })
  condition?: RollbackTargetSpec['condition'];

  @Field(() => RollbackModeEnum, { nullable: true, description: `${MODE} AUTOMATIC when left out.` })
  mode?: RollbackTargetSpec['mode'];

  @Field(() => ApprovalSpecInput, { nullable: true, description: APPROVAL })
  approval?: ApprovalSpecInput;
}

const SCOPE = 'Where it is not promoted to.';
const EXPIRES = 'For how long; until somebody takes the mark back when left out.';
const MARK_BAD = 'Where a version that was taken back is not promoted to afterwards.';

@ObjectType('MarkBadPolicy', { description: MARK_BAD })
export class MarkBadPolicyType {
  @Field(() => MarkBadScopeEnum, { description: SCOPE })
  scope!: BadVersionScope | 'NONE';

  @Field(() => Duration, { nullable: true, description: EXPIRES })
  expiresAfter!: number | null;
}

@InputType('MarkBadPolicyInput', { description: MARK_BAD })
export class MarkBadPolicyInput {
  @Field(() => MarkBadScopeEnum, { description: SCOPE })
  scope!: BadVersionScope | 'NONE';

  @Field(() => Duration, { nullable: true, description: EXPIRES })
  expiresAfter?: number;
}

const WHEN = 'What it is for. The first policy of a flow that fits is taken.';
const TARGETS = 'What goes back besides the environment in which it happens; that one always does.';
const OBSERVE_FOR =
  'For how long after a promotion a health of DEGRADED takes it back; when left out, health is not looked at afterwards.';
const MAX_FAILURE_AGE = 'A failure that is older than this does not start a rollback by itself.';
const MAX_PARALLEL = 'How many environments go back at once; all when left out.';
const ON_TARGET_FAILURE = 'What happens to the others when one fails to go back.';
const BUDGET =
  'How many environments may go back by themselves at one time; over it a person decides. No limit when left out.';

@ObjectType('RollbackPolicy', { description: 'What goes back when an environment fails or is taken back.' })
export class RollbackPolicyType {
  @Field(() => RollbackWhenType, { description: WHEN })
  when!: RollbackWhenType;

  @Field(() => [RollbackTargetSpecType], { description: TARGETS })
  targets!: RollbackTargetSpecType[];

  @Field(() => Duration, { nullable: true, description: OBSERVE_FOR })
  observeFor!: number | null;

  @Field(() => Duration, { description: MAX_FAILURE_AGE })
  maxFailureAge!: number;

  @Field(() => Int, { nullable: true, description: MAX_PARALLEL })
  maxParallel!: number | null;

  @Field(() => OnTargetFailureEnum, { description: ON_TARGET_FAILURE })
  onTargetFailure!: RollbackPolicySpec['onTargetFailure'];

  @Field(() => Int, { nullable: true, description: BUDGET })
  budget!: number | null;

  @Field(() => MarkBadPolicyType, { description: MARK_BAD })
  markBad!: MarkBadPolicyType;
}

@InputType('RollbackPolicyInput', { description: 'What goes back when an environment fails or is taken back.' })
export class RollbackPolicyInput {
  static readonly fallbacks = {
    when: {},
    targets: [],
    maxFailureAge: DEFAULT_MAX_FAILURE_AGE,
    onTargetFailure: 'STOP',
    markBad: { scope: 'PRODUCT' },
  };

  @Field(() => RollbackWhenInput, { nullable: true, description: `${WHEN} Everything when left out.` })
  when?: RollbackWhenInput;

  @Field(() => [RollbackTargetSpecInput], { nullable: true, description: TARGETS })
  targets?: RollbackTargetSpecInput[];

  @Field(() => Duration, { nullable: true, description: OBSERVE_FOR })
  observeFor?: number;

  @Field(() => Duration, { nullable: true, description: `${MAX_FAILURE_AGE} 20 minutes when left out.` })
  maxFailureAge?: number;

  @Field(() => Int, { nullable: true, description: MAX_PARALLEL })
  maxParallel?: number;

  @Field(() => OnTargetFailureEnum, { nullable: true, description: `${ON_TARGET_FAILURE} STOP when left out.` })
  onTargetFailure?: RollbackPolicySpec['onTargetFailure'];

  @Field(() => Int, { nullable: true, description: BUDGET })
  budget?: number;

  @Field(() => MarkBadPolicyInput, { nullable: true, description: `${MARK_BAD} PRODUCT when left out.` })
  markBad?: MarkBadPolicyInput;
}

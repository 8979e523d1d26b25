import { Field, InputType, Int, ObjectType } from 'type-graphql';
import type { ApprovalSpec, BadVersionScope, RollbackCauseKind, RollbackPolicySpec } from '../core/definitions.ts';
import { approval as approvalPolicy } from '../core/kinds/approval.ts';
import { markBadScope, onTargetFailure } from '../core/kinds/rollback-policy.ts';
import type {
  RollbackCause as Cause,
  RollbackDecision,
  RollbackPlan as Plan,
  RollbackTarget as Target,
  VersionRef,
} from '../core/rollback/rollback.ts';
import { IDEMPOTENCY_KEY } from './definition.ts';
import { RollbackCauseKindEnum, RollbackDecisionEnum } from './enums.ts';
import { toNodeId } from './node-id.ts';
import { enumFor, typeFor } from './shape-types.ts';
import { UserError } from './user-errors.ts';
import { Duration } from './values.ts';

const ApprovalPolicyType = typeFor(approvalPolicy);
const MarkBadScopeEnum = enumFor(markBadScope);
const OnTargetFailureEnum = enumFor(onTargetFailure);

@InputType({
  description:
    'What to take back: named environments, or a version wherever it is live. What the rollback policy of the flow says besides comes along.',
})
export class RollbackInput {
  @Field(() => String, { description: 'The name of the product.' })
  product!: string;

  @Field(() => [String], {
    nullable: true,
    description:
      'The names of the environments that go back, each from what is on its way or live there. Either this or `version`.',
  })
  environments?: string[] | null;

  @Field(() => String, {
    nullable: true,
    description:
      'The label or digest of a version: every environment goes back in which it is live or on its way, but for where versions start.',
  })
  version?: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'The label or digest of the version to go back to; when left out, the last one that was healthy in each environment.',
  })
  to?: string | null;

  @Field(() => String, { description: 'Why, for its later readers.' })
  reason!: string;

  @Field(() => String, { nullable: true, description: IDEMPOTENCY_KEY })
  idempotencyKey?: string | null;
}

/** Instead of what happened in an environment that the caller does not see. */
export const UNSEEN_CAUSE = { environment: null, reason: 'it happened in an environment that you do not see' } as const;

@ObjectType('VersionName', { description: 'A version where it runs or ran.' })
export class VersionNameType implements VersionRef {
  @Field(() => String, { description: 'What people call it. Two different versions may share it.' })
  label!: string;

  @Field(() => String, { description: 'sha-256 of its pinned content, hex: the same digest is the same version.' })
  digest!: string;
}

@ObjectType({ description: 'Why a rollback is started.' })
export class RollbackCause {
  /** `seen`: whether the caller sees the environment; what happened in one that is not seen is not told. */
  static of({ release, at, ...cause }: Cause, seen = true): RollbackCause {
    const told = seen ? cause : { ...cause, ...UNSEEN_CAUSE };
    return { ...told, at: new Date(at), releaseId: release === null ? null : toNodeId('Release', release) };
  }

  @Field(() => RollbackCauseKindEnum, { description: 'What kind of cause it is.' })
  kind!: RollbackCauseKind;

  @Field(() => String, {
    nullable: true,
    description: 'The name of the environment in which it happened; null: one that the caller does not see.',
  })
  environment!: string | null;

  @Field(() => String, { description: 'What happened, in words.' })
  reason!: string;

  @Field(() => Date, { description: 'When.' })
  at!: Date;

  @Field(() => String, { nullable: true, description: 'Who asked or reported; null: Sluice itself.' })
  by!: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'The id of the release whose promotion failed or is taken back; null when it is not known.',
  })
  releaseId!: string | null;
}

@ObjectType({ description: 'Whether Sluice can merge the pull requests of a rollback in one environment.' })
export class RollbackMerge {
  @Field(() => Boolean, {
    nullable: true,
    description: 'False: a person has to merge. Null: the host could not be asked.',
  })
  may!: boolean | null;

  @Field(() => String, {
    nullable: true,
    description: 'What stands against it, or could not be seen; null: nothing.',
  })
  why!: string | null;
}

@ObjectType({ description: 'One environment that a rollback looks at, taken or not, and why.' })
export class PlannedRollbackTarget {
  /** Of what plan it is, for the resolver that reads targets. */
  planned!: unknown;
  target!: Target;

  @Field(() => String, { description: 'The name of the environment.' })
  environment!: string;

  @Field(() => RollbackDecisionEnum, { description: 'What becomes of it.' })
  decision!: RollbackDecision;

  @Field(() => String, { description: 'Why, in a sentence.' })
  reason!: string;

  @Field(() => VersionNameType, { nullable: true, description: 'What is live there now, or on its way there.' })
  from!: VersionNameType | null;

  @Field(() => VersionNameType, { nullable: true, description: 'What it goes back to; null unless it goes back.' })
  to!: VersionNameType | null;

  @Field(() => String, {
    nullable: true,
    description: 'The id of the release that brought the version to which it goes back.',
  })
  toReleaseId!: string | null;

  @Field(() => ApprovalPolicyType, { nullable: true, description: 'Who has to agree; null: no approval is needed.' })
  approval!: ApprovalSpec | null;

  @Field(() => String, {
    nullable: true,
    description: 'The release window that holds rollbacks there now, in words; null: none does.',
  })
  window!: string | null;

  @Field(() => Date, { nullable: true, description: 'When that window lets it start; null: at once, or not known.' })
  opensAt!: Date | null;

  @Field(() => RollbackMerge, {
    nullable: true,
    description: 'Whether Sluice can merge the pull request by which it goes back; null: it goes back by a commit.',
  })
  merge!: RollbackMerge | null;
}

@ObjectType({ description: 'Everything that a rollback would do now.' })
export class RollbackPlan {
  /** `windowOf`: what holds rollbacks in an environment now; `merges`: by environment, where it goes back by pull request. */
  static of(
    planned: { plan: Plan },
    windowOf: (environment: string) => { reason: string; opensAt: Date | null } | null,
    merges: ReadonlyMap<string, RollbackMerge>,
  ): RollbackPlan {
    const { cause, version, targets, maxParallel, onTargetFailure, markBad } = planned.plan;
    return {
      cause: RollbackCause.of(cause),
      version,
      targets: targets.map((target) =>
        Object.assign(new PlannedRollbackTarget(), {
          ...shown(target, target.to === null ? null : windowOf(target.environment)),
          merge: merges.get(target.environment) ?? null,
          planned,
          target,
        }),
      ),
      maxParallel,
      onTargetFailure,
      markBad: markBad.scope,
      markBadFor: markBad.expiresAfter ?? null,
    };
  }

  @Field(() => RollbackCause, { description: 'Why.' })
  cause!: RollbackCause;

  @Field(() => VersionNameType, { description: 'The version that is taken back.' })
  version!: VersionNameType;

  @Field(() => [PlannedRollbackTarget], { description: 'Every environment that was looked at.' })
  targets!: PlannedRollbackTarget[];

  @Field(() => Int, { nullable: true, description: 'How many go back at once; null: all.' })
  maxParallel!: number | null;

  @Field(() => OnTargetFailureEnum, { description: 'What happens to the others when one fails to go back.' })
  onTargetFailure!: RollbackPolicySpec['onTargetFailure'];

  @Field(() => MarkBadScopeEnum, { description: 'Where the version is not promoted to afterwards.' })
  markBad!: BadVersionScope | 'NONE';

  @Field(() => Duration, { nullable: true, description: 'For how long; null: until the mark is taken back.' })
  markBadFor!: number | null;
}

function shown(
  { to, approval, ...target }: Target,
  window: { reason: string; opensAt: Date | null } | null,
): Omit<PlannedRollbackTarget, 'merge' | 'planned' | 'target'> {
  return {
    ...target,
    to,
    toReleaseId: to === null ? null : toNodeId('Release', to.release),
    approval,
    window: window?.reason ?? null,
    opensAt: window?.opensAt ?? null,
  };
}

@ObjectType({ description: 'What a rollback would do, or why it would be refused.' })
export class RollbackPlanPayload {
  @Field(() => RollbackPlan, { nullable: true, description: 'The plan; null when it would be refused.' })
  plan!: RollbackPlan | null;

  @Field(() => [UserError], { description: 'Why it would be refused.' })
  userErrors!: UserError[];
}

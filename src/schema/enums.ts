import { registerEnumType } from 'type-graphql';
import { healthStatus } from '../core/kinds/common.ts';
import { rollbackCause } from '../core/kinds/rollback-policy.ts';
import type {
  PromotionStatus,
  ReleaseKind,
  ReleaseStatus,
  RolloutStatus,
  StepStatus,
  Verification,
} from '../core/release.ts';
import type { Comparison } from '../core/deployment-matrix.ts';
import type { DeploymentEnd } from '../core/deployment-history.ts';
import type { RollbackDecision } from '../core/rollback/rollback.ts';
import { enumFor } from './shape-types.ts';

/** A GraphQL enum from the core's words; `descriptions` has one sentence per value, so a new word cannot be forgotten. */
export function enumOf<T extends string>(
  name: string,
  description: string,
  descriptions: Record<T, string>,
): Record<T, T> {
  const values = Object.fromEntries(Object.keys(descriptions).map((value) => [value, value])) as Record<T, T>;
  const valuesConfig = Object.fromEntries(
    Object.entries<string>(descriptions).map(([value, text]) => [value, { description: text }]),
  );
  registerEnumType(values, { name, description, valuesConfig: valuesConfig as never });
  return values;
}

export const ReleaseStatusEnum = enumOf<ReleaseStatus>('ReleaseStatus', 'Where a release is in its life.', {
  QUEUED: 'Waits for its turn among the releases of its product.',
  RUNNING: 'Something is being done for it.',
  SUSPENDED: 'Nothing is being done: it waits, see what for in its promotions.',
  TERMINATING: 'A person or a timeout ended it; what runs is being stopped.',
  SUCCEEDED: 'Every environment was promoted or skipped.',
  FAILED: 'A promotion failed that nothing tolerates.',
  TERMINATED: 'Ended by a person or a timeout.',
});

export const PromotionStatusEnum = enumOf<PromotionStatus>(
  'PromotionStatus',
  'Where the promotion of one environment is in its life.',
  {
    PENDING: 'Its dependencies have not ended yet.',
    WAITING: 'Its dependencies are fulfilled; a gate keeps it from starting.',
    RUNNING: 'At work.',
    SUSPENDED: 'Waits for a person or for something outside: an approval, a pull request, a health.',
    SUCCEEDED: 'The version is there and healthy.',
    FAILED: 'Judged bad, or its time was over.',
    TERMINATED: 'Ended together with its release.',
    SKIPPED: 'Never starts in this release.',
    ROLLING_BACK: 'The version before it is being restored.',
    ROLLED_BACK: 'The version before it is back.',
    ROLLBACK_FAILED: 'The version before it could not be restored.',
  },
);

export const StepStatusEnum = enumOf<StepStatus>('StepStatus', 'Where one step of a promotion is in its life.', {
  PENDING: 'Not started.',
  RUNNING: 'A worker is at it.',
  WAITING: 'Looked, not there yet: it is looked at again later.',
  SUCCEEDED: 'Done.',
  FAILED: 'Judged bad; not tried again by itself.',
  TERMINATED: 'Stopped together with its promotion.',
});

export const HealthStatusEnum = enumFor(healthStatus);
export const RollbackCauseKindEnum = enumFor(rollbackCause);

export const ReleaseKindEnum = enumOf<ReleaseKind>('ReleaseKind', 'What a release is for.', {
  FORWARD: 'It brings a version through a flow.',
  ROLLBACK: 'It takes a version back: each environment gets the one that was healthy there before.',
});

export const VerificationEnum = enumOf<Verification>('DeploymentVerification', 'How a deployment was found good.', {
  HEALTH_ONLY: 'Its application was healthy; whether its target runs it was not asked.',
  SYNC_AND_HEALTH: 'Its target was seen to run it, and its application was healthy afterwards.',
});

export const RolloutStatusEnum = enumOf<RolloutStatus>(
  'RolloutStatus',
  'How a rollout went, as an outside system says.',
  {
    SUCCEEDED: 'The version runs and runs well.',
    FAILED: 'The version does not run, or runs badly.',
    ROLLED_BACK: 'The outside system has taken the version back itself.',
    UNKNOWN: 'It could not be told: that is noted, and starts nothing.',
  },
);

export const RollbackDecisionEnum = enumOf<RollbackDecision>(
  'RollbackDecision',
  'What a rollback does with an environment.',
  {
    INCLUDED: 'It goes back by itself.',
    PROPOSED: 'It goes back when it is approved.',
    LEFT_ALONE: 'There is nothing to take back.',
    IMPOSSIBLE: 'It should go back and cannot: a person has to look.',
  },
);

export const ComparisonRelationEnum = enumOf<Comparison['relation']>(
  'ComparisonRelation',
  'How the version of an environment relates to the version of another one.',
  {
    SAME: 'It is the same version.',
    BEHIND:
      'The other one has commits that this one has not; where commits cannot be counted: it came by a later release.',
    AHEAD: 'It has commits that the other one has not; where commits cannot be counted: it came by a later release.',
    APART: 'Each has what the other one has not.',
    UNKNOWN: 'It is not known: `reason` says why.',
  },
);

export const FileChangeEnum = enumOf<'ADDED' | 'CHANGED' | 'REMOVED'>('FileChange', 'What would become of a file.', {
  ADDED: 'It is not there, and would be.',
  CHANGED: 'Its content would be another one.',
  REMOVED: 'It is there, and would not be.',
});

export const PlannedActionEnum = enumOf<'commit' | 'pr' | 'none'>('PlannedAction', 'How a change is made.', {
  commit: 'It is committed.',
  pr: 'It is proposed as a pull request.',
  none: 'A workflow makes it, or there is none.',
});

export const DeploymentEndEnum = enumOf<DeploymentEnd>('DeploymentEnd', 'What became of a version in an application.', {
  LIVE: 'It is the newest one there.',
  REPLACED: 'A release brought another one.',
  ROLLED_BACK: 'A rollback took it back.',
});

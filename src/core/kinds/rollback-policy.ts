import { approval } from './approval.ts';
import { boolean, defaulted, duration, integer, list, object, optional, required, text, words } from './shape.ts';

// What a policy names has to be in its flow, which `core/flow/check-rollback.ts` sees to.
const environment = text({ inFlow: 'ENVIRONMENT' });
const group = text({ inFlow: 'GROUP' });
/** More environments than any product has. */
const MOST = 10_000;

export const rollbackCause = words('RollbackCauseKind', 'Why a rollback was started.', {
  FAILED: 'A promotion failed after its change was made.',
  DEGRADED: 'An environment turned DEGRADED soon after its promotion.',
  REPORTED: 'An outside system or a person reported that a rollout failed or was rolled back.',
  MANUAL: 'A person asked for it.',
  MERGED_OUTSIDE_GATES:
    'A pull request was merged while a gate did not hold, and its promotion says `onMergeOutsideGates: ROLL_BACK`.',
  NOT_SYNCED: 'The target was not seen to run the change in time. Only a policy that names it starts a rollback.',
  HOOK: 'A hook of an environment failed after the change was made and found healthy. Only a policy that names it starts a rollback.',
});

export const markBadScope = words('MarkBadScope', 'Where a version that was taken back is not promoted to any more.', {
  NONE: 'Nowhere: it is not marked bad.',
  ENVIRONMENT: 'The environments that went back.',
  GROUP: 'The group of the environment in which it happened.',
  PRODUCT: 'Anywhere.',
});

export const onTargetFailure = words(
  'RollbackOnTargetFailure',
  'What happens to the other environments when one fails to go back.',
  { STOP: 'What has not started to go back stays as it is.', CONTINUE: 'They go back all the same.' },
);

const condition = words('RollbackCondition', 'When an environment goes back with the one in which it happened.', {
  SAME_VERSION: 'When the same version (by digest) is live there at that moment, or on its way there.',
  ALWAYS: 'Whatever is live there.',
});

const mode = words('RollbackMode', 'Whether an environment goes back by itself.', {
  AUTOMATIC: 'By itself.',
  APPROVAL: 'When an approver agrees.',
});

const when = object('RollbackWhen', 'What a rollback policy is for; what is left out matches everything.', {
  environments: optional(
    list(environment, 'names', { empty: 'name an environment, or leave it out' }),
    'The environments in which it happens. With `groups`, one of both has to fit.',
  ),
  groups: optional(
    list(group, 'names', { empty: 'name a group, or leave it out' }),
    'The groups of the flow in one of whose members it happens.',
  ),
  causes: optional(
    list(rollbackCause, 'causes', { empty: 'name a cause, or leave causes out' }),
    'What happens; anything when left out.',
  ),
});

const target = object(
  'RollbackPolicyTarget',
  'What else goes back: exactly one of environments, group, siblings and downstream, and how.',
  {
    environments: optional(
      list(environment, 'names', { empty: 'name an environment, or leave it out' }),
      'These environments of the flow.',
    ),
    group: optional(group, 'The members of this group of the flow.'),
    siblings: optional(boolean, 'The other members of the group in which it happens.'),
    downstream: optional(boolean, 'Everything that depends on the environment in which it happens, directly or not.'),
    condition: defaulted(condition, 'SAME_VERSION', 'When they go back.'),
    mode: defaulted(mode, 'AUTOMATIC', 'Whether they go back by themselves.'),
    approval: optional(approval, 'Who may agree, for the mode APPROVAL; anyone who may roll back when left out.'),
  },
);

const MARK_BAD = 'Where a version that was taken back is not promoted to afterwards.';
const markBad = object('MarkBadPolicy', MARK_BAD, {
  scope: required(markBadScope, 'Where it is not promoted to.'),
  expiresAfter: optional(duration(1), 'For how long; until the mark is taken back when left out.'),
});

/** What goes back when an environment fails or is rolled back; the environment of the cause always does. */
export const rollbackPolicy = object('RollbackPolicy', 'What goes back when an environment fails or is taken back.', {
  when: defaulted(when, {}, 'What it is for. The first policy of a flow that fits is taken.', {
    leftOut: 'Everything',
  }),
  targets: defaulted(
    list(target, 'targets', { most: 50 }),
    [],
    'What goes back besides the environment in which it happens; that one always does.',
    { leftOut: '' },
  ),
  observeFor: optional(
    duration(1),
    'For how long after a promotion a health of DEGRADED takes it back; when left out, health is not looked at afterwards.',
  ),
  maxFailureAge: defaulted(
    duration(1),
    20 * 60 * 1000,
    'A failure that is older than this does not start a rollback by itself.',
    { leftOut: '20 minutes' },
  ),
  maxParallel: optional(integer(1, MOST), 'How many environments go back at once; all when left out.'),
  onTargetFailure: defaulted(onTargetFailure, 'STOP', 'What happens to the others when one fails to go back.'),
  budget: optional(
    integer(1, MOST),
    'How many environments may go back by themselves at one time; over it a person decides. No limit when left out.',
  ),
  markBad: defaulted(markBad, { scope: 'PRODUCT' }, MARK_BAD, { leftOut: 'PRODUCT' }),
});

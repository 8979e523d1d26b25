import { registerEnumType } from 'type-graphql';
import type { DecisionChannel } from '../core/approvals/approval.ts';
import type {
  ApprovalSpec,
  BadVersionScope,
  ConcurrencyPolicy,
  EnvironmentKind,
  Gate,
  GitTriggerKey,
  GitTriggerSelector,
  HealthSourceSpec,
  Kind,
  DriverSpec,
  MatchExpression,
  OnFailure,
  PromotionActionKind,
  ReleaseWindowSpec,
  SimulateDriverSpec,
  SyncSourceSpec,
  WindowAction,
  OnMissing,
  WhenAbsent,
  WorkflowAction,
} from '../core/definitions.ts';
import type { Phase } from '../core/plan.ts';
import type { GateAnswer } from '../core/gates/answer.ts';
import type { GroupState } from '../core/release.ts';
import { enumOf } from './enums.ts';

/** An enum whose words are written in another way inside: GraphQL has `NOT_IN`, Kubernetes has `NotIn`. */
export function wordsOf<T extends string>(
  name: string,
  description: string,
  words: Record<string, [T, string]>,
): Record<string, T> {
  const values = Object.fromEntries(Object.entries(words).map(([word, [value]]) => [word, value]));
  const valuesConfig = Object.fromEntries(
    Object.entries(words).map(([word, [, text]]) => [word, { description: text }]),
  );
  registerEnumType(values, { name, description, valuesConfig });
  return values;
}

export const DefinitionKindEnum = enumOf<Kind>('DefinitionKind', 'What can be defined.', {
  Product: 'What is released.',
  Application: "A product's deployable in one environment.",
  Environment: 'A place to deploy to.',
  EnvironmentGroup: 'A named set of environments with a gate.',
  PromotionFlow: 'The way of a version through the environments.',
  PromotionWorkflow: 'Named actions that run before, after or around a change.',
  PromotionTemplate: 'Which files and values of an application are promoted.',
  ReleaseWindow: 'When promotion into environments is allowed or denied.',
});

export const OnMissingEnum = enumOf<OnMissing>(
  'OnMissing',
  'What becomes of an entry that stands in the source alone.',
  {
    REFUSE: 'The promotion is refused, and names it.',
    SKIP: 'It is left out; `ActionCommitted` says so.',
    ADD: 'It is added to the target.',
  },
);

export const WhenAbsentEnum = enumOf<WhenAbsent>(
  'WhenAbsent',
  'What becomes of a JSON path that selects nothing in the source while others of its file do.',
  { WARN: 'The release says so in its warnings.', REFUSE: 'No release is created.' },
);

export const EnvironmentKindEnum = enumOf<EnvironmentKind>('EnvironmentKind', 'How careful one has to be.', {
  NON_PRODUCTION: 'Nobody outside depends on it.',
  PRODUCTION: 'Users depend on it.',
});

export const ConcurrencyPolicyEnum = enumOf<ConcurrencyPolicy>(
  'ConcurrencyPolicy',
  'What happens when a product is released while a release of it is under way.',
  {
    QUEUE: 'Releases wait and run one after the other.',
    TERMINATE: 'A release that reaches an environment where an older one is at work ends the older one.',
    SUPERSEDE: 'Waiting releases are skipped by a newer one; the running one finishes.',
    PIPELINE: 'Releases overlap and never overtake: each environment takes them in order.',
  },
);

export const GatePolicyEnum = enumOf<Gate['policy']>('GatePolicy', 'How many of several are needed.', {
  ALL: 'All of them.',
  ANY: 'One of them.',
  AT_LEAST: 'A count or a percentage of them.',
});

export const OnFailureEnum = enumOf<OnFailure>('OnFailure', 'What a release does when a promotion fails.', {
  FINISH_RUNNING: 'What runs finishes, nothing new starts.',
  CONTINUE: 'Branches that do not depend on the failed promotion go on.',
  STOP: 'What runs is terminated.',
});

export const MatchOperatorEnum = wordsOf<MatchExpression['operator']>(
  'MatchOperator',
  'As in Kubernetes label selectors.',
  {
    IN: ['In', 'The label has one of the values.'],
    NOT_IN: ['NotIn', 'The label has none of the values, or is not there.'],
    EXISTS: ['Exists', 'The label is there.'],
    DOES_NOT_EXIST: ['DoesNotExist', 'The label is not there.'],
  },
);

export const GitTriggerKeyEnum = wordsOf<GitTriggerKey>('GitTriggerKey', 'What of a commit is looked at.', {
  COMMIT_MESSAGE: ['commitMessage', 'Its full message.'],
  GIT_REVISION: ['gitRevision', 'The branch, tag or commit that it arrived on.'],
});

export const GitTriggerOperatorEnum = wordsOf<GitTriggerSelector['operator']>(
  'GitTriggerOperator',
  'How a commit is compared.',
  { IN: ['In', 'One of the values matches.'], NOT_IN: ['NotIn', 'None of the values matches.'] },
);

export const DriverTypeEnum = wordsOf<DriverSpec['type']>('DriverType', 'How an application is changed.', {
  GIT: ['git', 'By a commit into a git repository.'],
  SIMULATE: ['simulate', 'Not at all: it only takes its time. For demonstrations and tests.'],
});

export const HealthSourceTypeEnum = wordsOf<HealthSourceSpec['type']>(
  'HealthSourceType',
  'Where the health of an application is known from.',
  {
    NONE: ['none', 'Nowhere: it counts as healthy as soon as its change is made.'],
    REPORT: ['report', 'Somebody tells, with `healthReport`.'],
    HTTP: ['http', 'An address that is asked.'],
    SIMULATE: ['simulate', 'A given sequence. For demonstrations and tests.'],
  },
);

export const SyncSourceTypeEnum = wordsOf<SyncSourceSpec['type']>(
  'SyncSourceType',
  'Who is asked whether a target runs a change.',
  {
    NONE: ['none', 'Nobody: a healthy application is taken for the changed one.'],
    REPORT: ['report', 'Somebody tells, with `deploymentReport`.'],
    HTTP: ['http', 'An address that answers which commit or version runs.'],
    SIMULATE: ['simulate', 'After a given time. For demonstrations and tests.'],
  },
);

export const SimulatedFailureEnum = enumOf<NonNullable<SimulateDriverSpec['failure']>>(
  'SimulatedFailure',
  'What a simulated failure looks like.',
  { FAILED: 'The change itself is bad.', TRANSIENT: 'The way there was: it is tried again.' },
);

export const WorkflowActionTypeEnum = wordsOf<WorkflowAction['type']>('WorkflowActionType', 'What an action does.', {
  HTTP: ['http', 'Sends a request.'],
  SIMULATE: ['simulate', 'Only takes its time. For demonstrations and tests.'],
});

export const PromotionActionEnum = wordsOf<PromotionActionKind>('PromotionAction', 'The change itself.', {
  COMMIT: ['commit', 'A commit into the target.'],
  PR: ['pr', 'A pull request, which waits for its merge.'],
  NONE: ['none', 'None: a pre-action does the work.'],
});

export const WindowKindEnum = enumOf<ReleaseWindowSpec['kind']>('WindowKind', 'What an active release window says.', {
  ALLOW: 'Work may start: outside of all such windows it may not.',
  DENY: 'Work may not start, whatever other windows allow.',
});

export const WindowActionEnum = enumOf<WindowAction>('WindowAction', 'What a release window can hold.', {
  PROMOTE: 'The start of a promotion.',
  ROLLBACK: 'The start of a rollback.',
  APPROVE: 'An approval.',
});

export const WindowOnCloseEnum = enumOf<ReleaseWindowSpec['onClose']>(
  'WindowOnClose',
  'What happens to work that is on its way when a release window closes.',
  { FINISH: 'It goes on to its end.', PAUSE: 'It stops before its next phase, until it opens again.' },
);

export const WindowTimesTypeEnum = wordsOf<'cron' | 'rrule' | 'once'>(
  'WindowTimesType',
  'How the times of a release window are written.',
  {
    CRON: ['cron', 'As a cron expression.'],
    RRULE: ['rrule', 'As a recurrence rule.'],
    ONCE: ['once', 'As a single occurrence.'],
  },
);

export const PhaseEnum = enumOf<Phase>('PromotionPhase', 'The parts of a promotion, in their order.', {
  PRE_ACTION: 'A workflow before the change.',
  ACTION: 'The change itself.',
  HEALTH: 'Until the application is healthy.',
  SOAK: 'Healthy for a while.',
  POST_ACTION: 'A workflow after the change.',
  WORKFLOW: 'The actions of a step without an environment.',
});

export const GateEnum = enumOf<GateAnswer['gate']>('PromotionGate', 'What is asked before a promotion starts.', {
  DEPENDENCIES: 'Have the promotions and groups before it succeeded?',
  GROUP: 'Is there room in its group, and did not too many members fail?',
  ENVIRONMENT: 'Is no other release of the product at work there?',
  HOLD: 'Does nobody hold the environment?',
  VERSION: 'Was the version not marked bad for the environment?',
  WINDOW: 'Do the release windows of the environment let a promotion (or a rollback) start now?',
  APPROVAL: 'Have enough of the right people agreed?',
  LIVE: 'Of a rollback: is what it takes back still live there?',
  LIMIT: 'Of a rollback: do fewer environments go back now than may at once?',
});

export const OnExpiryEnum = enumOf<ApprovalSpec['onExpiry']>(
  'ApprovalOnExpiry',
  'What happens when an approval was not given in time.',
  { FAIL: 'The promotion fails with that reason.', WAIT: 'It waits on, and can still be approved or rejected.' },
);

export const DecisionChannelEnum = enumOf<DecisionChannel>('DecisionChannel', 'How a decision of a person came.', {
  API: 'With an API call of the person: the web UI, the CLI, a program.',
  LINK: 'By a signed link that the person opened.',
  WEBHOOK: 'As a signed message of another system.',
});

export const BadVersionScopeEnum = enumOf<BadVersionScope>(
  'BadVersionScope',
  'Where a bad version is not promoted to.',
  {
    ENVIRONMENT: 'One environment.',
    GROUP: 'The environments of one group: its members when it was marked, and those that it has now.',
    PRODUCT: 'Anywhere.',
  },
);

export const GateVerdictEnum = wordsOf<GateAnswer['verdict']>('GateVerdict', 'The answer of a gate.', {
  PASS: ['pass', 'It may start.'],
  WAIT: ['wait', 'Not yet.'],
  FAIL: ['fail', 'Never in this release.'],
});

export const GroupStatusEnum = enumOf<GroupState['status']>('GroupGateStatus', "Where a group's gate stands.", {
  OPEN: 'Members are still on their way.',
  ASKING: 'Enough have succeeded; their health is being asked again.',
  WAITING: 'Not enough are healthy now; it is asked again.',
  PASSED: 'Enough are healthy: what depends on the group may start.',
  FAILED: 'Enough can no longer become healthy.',
});

import {
  boolean,
  defaulted,
  duration,
  list,
  map,
  name,
  object,
  optional,
  ref,
  required,
  text,
  words,
} from './shape.ts';

/** In milliseconds: how long approvals and reports are awaited by default. */
export const DAY = 24 * 60 * 60 * 1000;

export const description = text({ most: 10_000, called: 'the description' });
export const DESCRIPTION = 'What it is, for people.';

/** Of every source that is asked again and again. */
export const asked = {
  interval: optional(duration(1, { short: true }), 'How often it is asked.'),
  timeout: optional(duration(1, { short: true }), 'How long it may take to answer.'),
};

/** Of a source whose address is its field `url`. */
export const headers = optional(
  map('header', text({ rule: 'header' }), 'headers', 50),
  'Headers that are sent; `${secrets.NAME}` is the value of a secret.',
  { aboutInput: 'Headers to send; `${secrets.NAME}` is the value of a secret.', secretsFor: 'url' },
);

export const environmentKind = words('EnvironmentKind', 'How careful one has to be.', {
  NON_PRODUCTION: 'No user outside depends on it.',
  PRODUCTION: 'Users depend on it.',
});

export const healthStatus = words('HealthStatus', 'How well an application is, as its health source tells.', {
  HEALTHY: 'Runs the version that was promoted, and runs well.',
  PROGRESSING: 'On its way there.',
  DEGRADED: 'Runs badly.',
  UNKNOWN: 'Could not be told.',
});

export const gatePolicy = words('GatePolicy', 'How many of several are needed.', {
  ALL: 'All of them.',
  ANY: 'One of them.',
  AT_LEAST: 'A count or a percentage of them.',
});

const labels = (called: string) => map('labelKey', text({ rule: 'labelValue' }), called);

/** What every definition carries besides its spec. */
export const metadata = object('Metadata', 'What every definition carries besides its spec.', {
  name: required(name('the name'), 'The name: an RFC 1123 label, unique among its kind.'),
  labels: defaulted(labels('labels'), {}, 'The labels; selectors look at them.', { leftOut: '' }),
  annotations: defaulted(
    map('labelKey', text(), 'annotations', Infinity),
    {},
    'Notes of people and tools; nothing here looks at them.',
    { leftOut: '' },
  ),
});

const matchExpression = object('MatchExpression', 'A condition on one label, as in Kubernetes.', {
  key: required(text({ rule: 'labelKey' }), 'The key of the label.'),
  operator: required(
    words('MatchOperator', 'As in Kubernetes label selectors.', {
      In: 'The label has one of the values.',
      NotIn: 'The label has none of the values, or is not there.',
      Exists: 'The label is there.',
      DoesNotExist: 'The label is not there.',
    }),
    'The condition.',
  ),
  values: optional(list(text({ rule: 'labelValue' }), 'values'), 'What the value is compared with, for IN and NOT_IN.'),
});

const selectorFields = {
  names: optional(
    list(text({ rule: 'pattern' }), 'names'),
    'Names, where `*` stands for anything, e.g. `us-*`; one must match.',
  ),
  matchLabels: optional(labels('labels'), 'Labels that must all be there with these values.'),
  matchExpressions: optional(list(matchExpression, 'expressions'), 'Conditions on labels that must all hold.'),
};

/** A Kubernetes label selector, or names with `*` globs; an empty selector matches everything. */
export const selector = object(
  'Selector',
  'Chooses things by name and label; everything in it must agree, an empty one takes all.',
  selectorFields,
);

export const environmentSelector = object('EnvironmentSelector', 'Chooses environments by name, label and kind.', {
  ...selectorFields,
  kinds: optional(list(environmentKind, 'kinds'), 'Kinds; one must match.'),
});

export const workflow = ref('PromotionWorkflow');

export const hooks = object('PromotionHooks', 'Workflows run once around a release or an environment.', {
  onStart: optional(workflow, 'The workflow at the start.'),
  onSuccess: optional(workflow, 'The workflow after success.'),
  onFail: optional(workflow, 'The workflow after a failure.'),
});

export const promotionAction = words('PromotionAction', 'The change itself.', {
  commit: 'A commit into the target.',
  pr: 'A pull request, which waits for its merge.',
  none: 'None: a pre-action does the work.',
});

const openPullRequest = words('OpenPullRequest', 'When a pull request is opened.', {
  WHEN_GATES_HOLD: 'When the promotion may start as any other: all of its gates hold.',
  AT_ONCE:
    'For review as soon as its dependencies, the lock, holds and marks let it; windows and approvals hold the merge.',
});

const onNewer = words('OnNewerVersion', 'What a newer release does to a pull request that waits for its merge.', {
  WAIT: 'It waits its turn.',
  REPLACE: 'It ends the release of that pull request, which is closed.',
});

const mergePullRequest = words('MergePullRequest', 'Who merges a pull request.', {
  MANUAL: 'People, or a rule of the host.',
  AUTO: 'Sluice, as soon as all gates hold and the host lets it.',
});

const groupPullRequests = words('GroupPullRequests', 'What one pull request has the changes of.', {
  APPLICATION: 'One application.',
  ENVIRONMENT: 'All applications of the environment that share a repository and a branch.',
});

const mergeMethod = words('MergeMethod', 'How Sluice merges.', {
  MERGE: 'With a merge commit.',
  SQUASH: 'As one commit.',
  REBASE: 'As its own commits, on top of the branch.',
});

const onMergeOutsideGates = words('OnMergeOutsideGates', 'What follows a merge while a gate did not hold.', {
  CONTINUE: 'It is recorded, and the promotion goes on.',
  ROLL_BACK: 'It is recorded, and the environment goes back to the version before.',
});

export const pullRequest = object(
  'PullRequestPolicy',
  'How a change of action PR is proposed, and how long its merge is awaited.',
  {
    open: defaulted(openPullRequest, 'WHEN_GATES_HOLD', 'When it is opened.'),
    onNewer: defaulted(onNewer, 'WAIT', 'What a newer release of the product does to it.'),
    merge: defaulted(mergePullRequest, 'MANUAL', 'Who merges it. A rollback is merged by Sluice.'),
    group: defaulted(groupPullRequests, 'APPLICATION', 'What one pull request has the changes of.'),
    expiry: defaulted(duration(1), 14 * DAY, 'How long the merge is awaited; then the promotion fails.', {
      leftOut: '14 days',
    }),
    method: optional(mergeMethod, "How Sluice merges; the host's own choice when left out."),
    title: optional(
      text({ most: 200, called: 'the title' }),
      'The title, where `${PRODUCT}`, `${VERSION}` and `${ENVIRONMENT}` stand for theirs.',
    ),
    labels: defaulted(list(text({ most: 100 }), 'labels', { most: 20 }), [], 'Labels that it gets.'),
    reviewers: defaulted(list(text({ most: 100 }), 'reviewers', { most: 20 }), [], 'Who is asked for a review.'),
    draft: defaulted(boolean, false, 'Whether it is opened as a draft: people say when it is ready.'),
    onMergeOutsideGates: defaulted(onMergeOutsideGates, 'CONTINUE', 'What follows a merge while a gate did not hold.'),
  },
);

export const inlinePolicy = object(
  'InlinePromotionPolicy',
  'What is done in an environment, said in the flow itself.',
  {
    preAction: optional(workflow, "The workflow before the change; a policy's when left out."),
    action: optional(promotionAction, "The change itself; a policy's when left out, and COMMIT where none sets it.", {
      meant: 'commit',
    }),
    postAction: optional(workflow, "The workflow after the change; a policy's when left out."),
    pullRequest: optional(pullRequest, "How the change is proposed, for action PR; a policy's when left out."),
  },
);

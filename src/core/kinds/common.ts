import { defaulted, list, map, name, object, optional, ref, required, text, words } from './shape.ts';

/** In milliseconds: how long approvals and reports are awaited by default. */
export const DAY = 24 * 60 * 60 * 1000;

export const description = text({ most: 10_000, called: 'the description' });
export const DESCRIPTION = 'What it is, for people.';

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

const workflow = ref('PromotionWorkflow');

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

export const inlinePolicy = object(
  'InlinePromotionPolicy',
  'What is done in an environment, said in the flow itself.',
  {
    preAction: optional(workflow, 'The workflow before the change.'),
    action: optional(promotionAction, 'The change itself; COMMIT when left out.', { meant: 'commit' }),
    postAction: optional(workflow, 'The workflow after the change.'),
  },
);

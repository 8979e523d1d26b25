import {
  DEFAULT_APPROVAL_EXPIRY,
  DEFAULT_MAX_FAILURE_AGE,
  DEFAULT_QUEUE_LIMIT,
  DEFAULT_RETRY,
  type ApplicationSpec,
  type ApprovalRule,
  type ApprovalSpec,
  type DependsOnPolicy,
  type DriverSpec,
  type EnvironmentGroupSpec,
  type EnvironmentSelector,
  type EnvironmentSpec,
  type FlowStepSpec,
  type Gate,
  type GitTriggerSelector,
  type HealthSourceSpec,
  type Hooks,
  type InlinePolicy,
  type Kind,
  type MatchExpression,
  type ProductSpec,
  type PromotionFlowSpec,
  type PromotionTemplateSpec,
  type PromotionWorkflowSpec,
  type ReleaseWindowSpec,
  type RetrySpec,
  type RollbackPolicySpec,
  type RollbackTargetSpec,
  type Selector,
  type Specs,
  type SyncSourceSpec,
  type VersionSource,
  type WindowSelector,
  type WorkflowAction,
} from '../core/definitions.ts';
import {
  boolean,
  byType,
  defaulted,
  duration,
  integer,
  json,
  list,
  map,
  object,
  oneOf,
  optional,
  required,
  text,
  type Codec,
} from './codec.ts';

const kind = oneOf('NON_PRODUCTION', 'PRODUCTION');

const expression = object<MatchExpression>({
  key: required(text),
  operator: required(oneOf('In', 'NotIn', 'Exists', 'DoesNotExist')),
  values: optional(list(text)),
});

const selectorFields = {
  names: optional(list(text)),
  matchLabels: optional(map(text)),
  matchExpressions: optional(list(expression)),
};
export const selector = object<Selector>(selectorFields);
const environmentSelector = object<EnvironmentSelector>({ ...selectorFields, kinds: optional(list(kind)) });

const versionSource = object<VersionSource>({ file: required(text), jsonPath: required(text) });

/** As published. */
export const templateFields = {
  applicationSourceSelector: optional(selector),
  priority: optional(integer),
  versionSource: optional(versionSource),
  promotion: optional(map(object<{ jsonPaths: string[] }>({ jsonPaths: required(list(text)) }))),
};

export const template = object<PromotionTemplateSpec>({
  ...templateFields,
  onMissing: optional(oneOf('REFUSE', 'SKIP', 'ADD')),
  whenAbsent: optional(oneOf('WARN', 'REFUSE')),
});

export const gitTriggerSelector = object<GitTriggerSelector>({
  key: required(oneOf('commitMessage', 'gitRevision')),
  operator: required(oneOf('In', 'NotIn')),
  values: required(list(text)),
});

export const productFlow = object<ProductSpec['promotionFlows'][number]>({
  name: required(text),
  gitTriggerSelectors: optional(list(gitTriggerSelector)),
});

export const hooks = object<Hooks>({ onStart: optional(text), onSuccess: optional(text), onFail: optional(text) });

export const policy = object<InlinePolicy>({
  preAction: optional(text),
  action: optional(oneOf('commit', 'pr', 'none')),
  postAction: optional(text),
});

export const approval = object<ApprovalSpec>({
  rules: required(
    list(
      object<ApprovalRule>({
        name: optional(text),
        count: defaulted(integer, 1),
        users: optional(list(text)),
        groups: optional(list(text)),
        roles: optional(list(text)),
      }),
    ),
  ),
  forbidInitiator: defaulted(boolean, true),
  expiry: defaulted(duration, DEFAULT_APPROVAL_EXPIRY),
  onExpiry: defaulted(oneOf('FAIL', 'WAIT'), 'FAIL'),
});

const step = object<FlowStepSpec>({
  environment: optional(text),
  group: optional(text),
  workflow: optional(text),
  name: optional(text),
  // A step without it is refused by checkFlow, which can say which name to write.
  dependsOn: defaulted(list(text), []),
  dependsOnPolicy: optional(
    object<DependsOnPolicy>({ policy: required(oneOf('ALL', 'ANY', 'AT_LEAST')), count: optional(integer) }),
  ),
  policy: optional(policy),
  hooks: optional(hooks),
  soak: optional(duration),
  timeout: optional(duration),
  approval: optional(approval),
});

const rollbackTarget = object<RollbackTargetSpec>({
  environments: optional(list(text)),
  group: optional(text),
  siblings: optional(boolean),
  downstream: optional(boolean),
  condition: defaulted(oneOf('SAME_VERSION', 'ALWAYS'), 'SAME_VERSION'),
  mode: defaulted(oneOf('AUTOMATIC', 'APPROVAL'), 'AUTOMATIC'),
  approval: optional(approval),
});

export const rollbackPolicy = object<RollbackPolicySpec>({
  when: defaulted(
    object<RollbackPolicySpec['when']>({
      environments: optional(list(text)),
      groups: optional(list(text)),
      causes: optional(list(oneOf('FAILED', 'DEGRADED', 'REPORTED', 'MANUAL', 'NOT_SYNCED'))),
    }),
    {},
  ),
  targets: defaulted(list(rollbackTarget), []),
  observeFor: optional(duration),
  maxFailureAge: defaulted(duration, DEFAULT_MAX_FAILURE_AGE),
  maxParallel: optional(integer),
  onTargetFailure: defaulted(oneOf('STOP', 'CONTINUE'), 'STOP'),
  budget: optional(integer),
  markBad: defaulted(
    object<RollbackPolicySpec['markBad']>({
      scope: required(oneOf('NONE', 'ENVIRONMENT', 'GROUP', 'PRODUCT')),
      expiresAfter: optional(duration),
    }),
    { scope: 'PRODUCT' },
  ),
});

const flow = object<PromotionFlowSpec>({
  description: optional(text),
  version: optional(text),
  triggerEnvironment: required(text),
  triggerWorkflow: optional(text),
  productSelector: optional(selector),
  steps: required(list(step)),
  hooks: optional(hooks),
  timeout: optional(duration),
  maxAge: optional(duration),
  onFailure: defaulted(oneOf('FINISH_RUNNING', 'CONTINUE', 'STOP'), 'FINISH_RUNNING'),
  rollbackPolicies: optional(list(rollbackPolicy)),
});

const product = object<ProductSpec>({
  description: optional(text),
  promotionTemplateRef: optional(text),
  promotionTemplate: optional(template),
  promotionFlows: defaulted(list(productFlow), []),
  concurrency: defaulted(oneOf('QUEUE', 'TERMINATE', 'SUPERSEDE', 'PIPELINE'), 'QUEUE'),
  queueLimit: defaulted(integer, DEFAULT_QUEUE_LIMIT),
});

const environment = object<EnvironmentSpec>({ kind: required(kind), description: optional(text) });

const group = object<EnvironmentGroupSpec>({
  description: optional(text),
  environments: required(environmentSelector),
  gate: defaulted(
    object<Gate>({
      policy: required(oneOf('ALL', 'ANY', 'AT_LEAST')),
      count: optional(integer),
      percent: optional(integer),
      soak: optional(duration),
      freshness: optional(duration),
      unknownTimeout: optional(duration),
    }),
    { policy: 'ALL' },
  ),
  maxParallel: optional(integer),
  maxFailures: defaulted(integer, 0),
});

const workflow = object<PromotionWorkflowSpec>({
  description: optional(text),
  actions: required(
    list(
      object<WorkflowAction>({
        name: required(text),
        type: required(oneOf('simulate', 'http')),
        dependsOn: optional(list(text)),
        parameters: defaulted(map(json), {}),
        timeout: optional(duration),
        retry: optional(
          object<RetrySpec>({
            limit: defaulted(integer, DEFAULT_RETRY.limit),
            backoff: defaulted(duration, DEFAULT_RETRY.backoff),
            maxDelay: defaulted(duration, DEFAULT_RETRY.maxDelay),
          }),
        ),
      }),
    ),
  ),
});

const health = oneOf('HEALTHY', 'PROGRESSING', 'DEGRADED', 'UNKNOWN');

const application = object<ApplicationSpec>({
  description: optional(text),
  product: required(text),
  environment: required(text),
  component: optional(text),
  driver: required(
    byType<DriverSpec>({
      git: object({
        type: required(oneOf('git')),
        repoURL: required(text),
        branch: required(text),
        path: required(text),
      }),
      simulate: object({
        type: required(oneOf('simulate')),
        duration: optional(duration),
        failures: optional(integer),
        failure: optional(oneOf('FAILED', 'TRANSIENT')),
      }),
    }),
  ),
  health: defaulted(
    byType<HealthSourceSpec>({
      none: object({ type: required(oneOf('none')) }),
      simulate: object({
        type: required(oneOf('simulate')),
        sequence: optional(list(health)),
        interval: optional(duration),
        degraded: optional(list(text)),
        grace: optional(duration),
        failureThreshold: optional(integer),
      }),
      http: object({
        type: required(oneOf('http')),
        url: required(text),
        headers: optional(map(text)),
        interval: optional(duration),
        timeout: optional(duration),
        grace: optional(duration),
        failureThreshold: optional(integer),
      }),
      report: object({ type: required(oneOf('report')) }),
    }),
    { type: 'none' },
  ),
  sync: optional(
    byType<SyncSourceSpec>({
      none: object({ type: required(oneOf('none')) }),
      http: object({
        type: required(oneOf('http')),
        url: required(text),
        jsonPath: optional(text),
        headers: optional(map(text)),
        interval: optional(duration),
        timeout: optional(duration),
        limit: optional(duration),
      }),
      report: object({ type: required(oneOf('report')), limit: optional(duration) }),
      simulate: object({
        type: required(oneOf('simulate')),
        after: optional(duration),
        never: optional(list(text)),
        limit: optional(duration),
      }),
    }),
  ),
  namespace: optional(text),
  runtime: optional(text),
});

const window = object<ReleaseWindowSpec>({
  description: optional(text),
  kind: required(oneOf('ALLOW', 'DENY')),
  timeZone: required(text),
  cron: optional(text),
  rrule: optional(text),
  start: optional(text),
  from: optional(text),
  to: optional(text),
  duration: optional(duration),
  end: optional(text),
  selector: defaulted(
    object<WindowSelector>({
      environments: defaulted(environmentSelector, {}),
      groups: optional(list(text)),
      products: defaulted(selector, {}),
    }),
    { environments: {}, products: {} },
  ),
  holds: defaulted(list(oneOf('PROMOTE', 'ROLLBACK', 'APPROVE')), ['PROMOTE']),
  onClose: defaulted(oneOf('FINISH', 'PAUSE'), 'FINISH'),
  jitter: optional(duration),
  runway: defaulted(boolean, false),
});

/** What stands under `spec` in a manifest of `sluice.dev/v1`. */
export const SPECS: { [K in Kind]: Codec<Specs[K]> } = {
  Environment: environment,
  EnvironmentGroup: group,
  PromotionTemplate: template,
  PromotionWorkflow: workflow,
  PromotionFlow: flow,
  Product: product,
  Application: application,
  ReleaseWindow: window,
};

/**
 * What people define: products, applications, environments, groups, flows, workflows, templates.
 *
 * These are the shapes that manifests, the API and the database share. Every duration is in whole
 * milliseconds; manifests may write `90s`, `1h30m`, `24h`. Names follow RFC 1123 labels (at most 63
 * characters) so that Kubernetes-style manifests apply as they are.
 */

export type Labels = Record<string, string>;

export interface MatchExpression {
  key: string;
  operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  values?: string[];
}

/** A Kubernetes label selector, or names with `*` globs; an empty selector matches everything. */
export interface Selector {
  names?: string[];
  matchLabels?: Labels;
  matchExpressions?: MatchExpression[];
}

export interface EnvironmentSelector extends Selector {
  kinds?: EnvironmentKind[];
}

export type EnvironmentKind = 'NON_PRODUCTION' | 'PRODUCTION';

/** What every definition carries besides its spec. */
export interface Metadata {
  name: string;
  labels: Labels;
  annotations: Labels;
}

export interface EnvironmentSpec {
  kind: EnvironmentKind;
  description?: string;
}

/** ALL members, ANY one of them, or AT_LEAST `count` or `percent` (rounded up) of them. */
export interface Gate {
  policy: 'ALL' | 'ANY' | 'AT_LEAST';
  count?: number;
  percent?: number;
  /** A member counts once it has been HEALTHY for this long without a break, in milliseconds; at once when absent. */
  soak?: number;
  /** A health that was seen longer ago than this, in milliseconds, is UNKNOWN; the newest one counts when absent. */
  freshness?: number;
  /** How long a health of UNKNOWN may hold the gate before it fails, in milliseconds; default 15 minutes. */
  unknownTimeout?: number;
}

export interface EnvironmentGroupSpec {
  description?: string;
  environments: EnvironmentSelector;
  gate: Gate;
  /** How many members run at once; no limit when absent. */
  maxParallel?: number;
  /** How many members may fail before no further member starts. */
  maxFailures: number;
}

/** Where a version's label is read: a file of the application's folder and a JSON path in it. */
export interface VersionSource {
  file: string;
  jsonPath: string;
}

/** Which files, and which JSON paths in them, are promoted; without it the whole application folder is. */
export interface PromotionTemplateSpec {
  applicationSourceSelector?: Selector;
  priority?: number;
  versionSource?: VersionSource;
  promotion?: Record<string, { jsonPaths: string[] }>;
  /** What becomes of an entry that `[*]` or `..` selected and that stands in the source alone; REFUSE when absent. */
  onMissing?: OnMissing;
  /** What becomes of a path that selects nothing in the source, while others of its file do; WARN when absent. */
  whenAbsent?: WhenAbsent;
}

export type OnMissing = 'REFUSE' | 'SKIP' | 'ADD';
export type WhenAbsent = 'WARN' | 'REFUSE';

export type GitTriggerKey = 'commitMessage' | 'gitRevision';

export interface GitTriggerSelector {
  key: GitTriggerKey;
  operator: 'In' | 'NotIn';
  values: string[];
}

export type ConcurrencyPolicy = 'QUEUE' | 'TERMINATE' | 'SUPERSEDE' | 'PIPELINE';

export interface ProductSpec {
  description?: string;
  promotionTemplateRef?: string;
  promotionTemplate?: PromotionTemplateSpec;
  /** Ordered: the first entry that matches is taken. */
  promotionFlows: { name: string; gitTriggerSelectors?: GitTriggerSelector[] }[];
  concurrency: ConcurrencyPolicy;
  /** How many releases may wait for their turn; older waiting ones are terminated first. */
  queueLimit: number;
}

/** Real git: the configuration lives in a folder of a repository's branch. */
export interface GitDriverSpec {
  type: 'git';
  repoURL: string;
  /** The branch; what Argo CD calls targetRevision. */
  branch: string;
  /** The application's folder in the repository, without a leading slash; `.` is the root. */
  path: string;
}

/** For demonstrations and tests: does nothing for `duration`, then succeeds or fails as told. */
export interface SimulateDriverSpec {
  type: 'simulate';
  duration?: number;
  /** Fail this many times before succeeding; `-1` fails always. */
  failures?: number;
  /** Whether a failure is of the change itself (FAILED) or of the way there (TRANSIENT). */
  failure?: 'FAILED' | 'TRANSIENT';
}

export type DriverSpec = GitDriverSpec | SimulateDriverSpec;

/** When DEGRADED counts for a source that is asked. */
export interface ToleranceSpec {
  /** What is seen within this time after the change decides nothing, in milliseconds; none when absent. */
  grace?: number;
  /** How many looks in a row must find it DEGRADED; 3 for `http` when absent, 1 for `simulate`. */
  failureThreshold?: number;
}

export type HealthSourceSpec =
  | { type: 'none' }
  /**
   * `sequence` is walked through, one status per `interval`; the last one stays. Versions whose label stands in `degraded` are
   * DEGRADED once they are there.
   */
  | ({ type: 'simulate'; sequence?: HealthStatus[]; interval?: number; degraded?: string[] } & ToleranceSpec)
  /**
   * GET `url`: 2xx is HEALTHY, anything else DEGRADED, no answer UNKNOWN; asked every `interval`. A header may hold
   * `${secrets.NAME}`.
   */
  | ({
      type: 'http';
      url: string;
      headers?: Record<string, string>;
      interval?: number;
      timeout?: number;
    } & ToleranceSpec)
  /** Somebody tells us through the API (`healthReport`); until then PROGRESSING. */
  | { type: 'report' };

/** How long it may take until a target runs a change, in milliseconds; 15 minutes when absent. */
export interface SyncLimit {
  limit?: number;
}

/** Who is asked whether the target runs the change; what answers names the change's commit or its version. */
export type SyncSourceSpec =
  | { type: 'none' }
  /**
   * GET `url`, asked every `interval`: what stands at `jsonPath` of the answer (the whole answer, as text, when absent). A header may
   * hold `${secrets.NAME}`.
   */
  | ({
      type: 'http';
      url: string;
      jsonPath?: string;
      headers?: Record<string, string>;
      interval?: number;
      timeout?: number;
    } & SyncLimit)
  /** Somebody tells us through the API (`deploymentReport`). */
  | ({ type: 'report' } & SyncLimit)
  /** It runs a change `after` milliseconds, and never a version whose label stands in `never`. For demonstrations and tests. */
  | ({ type: 'simulate'; after?: number; never?: string[] } & SyncLimit);

export type HealthStatus = 'HEALTHY' | 'PROGRESSING' | 'DEGRADED' | 'UNKNOWN';

export interface ApplicationSpec {
  description?: string;
  product: string;
  environment: string;
  /** Pairs a target's application with the trigger's; needed when the trigger environment has several. */
  component?: string;
  driver: DriverSpec;
  health: HealthSourceSpec;
  /** Whether the target runs a change is asked before its health is; nobody is asked when absent. */
  sync?: SyncSourceSpec;
  /** Handed to workflows as APP_NAMESPACE and RUNTIME. */
  namespace?: string;
  runtime?: string;
}

export interface RetrySpec {
  /** How many times a step is tried again after its first try. */
  limit: number;
  /** The first pause, doubled each time, in milliseconds. */
  backoff: number;
  maxDelay: number;
}

/** One action of a workflow. `parameters` may hold `${NAME}` references to the parameters handed in. */
export interface WorkflowAction {
  name: string;
  type: 'simulate' | 'http';
  dependsOn?: string[];
  parameters: Record<string, unknown>;
  timeout?: number;
  retry?: RetrySpec;
}

export interface PromotionWorkflowSpec {
  description?: string;
  actions: WorkflowAction[];
}

export type PromotionActionKind = 'commit' | 'pr' | 'none';

export interface InlinePolicy {
  preAction?: string;
  action?: PromotionActionKind;
  postAction?: string;
}

export interface Hooks {
  onStart?: string;
  onSuccess?: string;
  onFail?: string;
}

export interface DependsOnPolicy {
  policy: 'ALL' | 'ANY' | 'AT_LEAST';
  count?: number;
}

/** `count` people out of those named; an empty rule (nobody named) takes anyone who may approve. One person counts for one rule. */
export interface ApprovalRule {
  name?: string;
  count: number;
  users?: string[];
  groups?: string[];
  roles?: string[];
}

/** Who must agree before a promotion into the environment starts; every rule must be met. */
export interface ApprovalSpec {
  rules: ApprovalRule[];
  /** Whoever triggered the release does not count. */
  forbidInitiator: boolean;
  /** How long it may take from the moment that it is asked for, in milliseconds; 24 hours by default. */
  expiry: number;
  /** When that is over: the environment's promotion fails, or goes on waiting until a person ends it. */
  onExpiry: 'FAIL' | 'WAIT';
}

/** Where a version that was found bad may not be promoted to: one environment, its group, or anywhere for the product. */
export type BadVersionScope = 'ENVIRONMENT' | 'GROUP' | 'PRODUCT';

/** NOT_SYNCED: nobody saw the target run the change in time. Only a policy that names it takes that for a cause. */
export type RollbackCauseKind = 'FAILED' | 'DEGRADED' | 'REPORTED' | 'MANUAL' | 'NOT_SYNCED';

/** Exactly one of `environments`, `group`, `siblings` and `downstream` says what goes back, too. */
export interface RollbackTargetSpec {
  environments?: string[];
  group?: string;
  /** The other members of the group in which the cause happened. */
  siblings?: boolean;
  /** Everything that depends on the environment of the cause, directly or not. */
  downstream?: boolean;
  condition: 'SAME_VERSION' | 'ALWAYS';
  mode: 'AUTOMATIC' | 'APPROVAL';
  /** Who may agree, for mode APPROVAL; anyone who may roll back when left out. */
  approval?: ApprovalSpec;
}

/** What goes back when an environment fails or is rolled back; the environment of the cause always does. */
export interface RollbackPolicySpec {
  /** What is left out matches everything. */
  when: { environments?: string[]; groups?: string[]; causes?: RollbackCauseKind[] };
  targets: RollbackTargetSpec[];
  /** For how long after a promotion a health of DEGRADED is a cause, in milliseconds; not at all when absent. */
  observeFor?: number;
  /** An older failure does not start a rollback by itself, in milliseconds; default 20 minutes. */
  maxFailureAge: number;
  /** How many targets go back at once; no limit when absent. */
  maxParallel?: number;
  onTargetFailure: 'STOP' | 'CONTINUE';
  /** How many environments may go back by themselves in one cascade; over it a person decides. */
  budget?: number;
  /** Afterwards the version is held everywhere in the scope, until `expiresAfter` milliseconds or somebody's un-mark. */
  markBad: { scope: BadVersionScope | 'NONE'; expiresAfter?: number };
}

/** Promotes exactly one of: an environment, a group, or runs a named workflow without an environment. */
export interface FlowStepSpec {
  environment?: string;
  group?: string;
  workflow?: string;
  /** Needed for a workflow step; elsewhere the environment's or group's name is the step's name. */
  name?: string;
  /** Names of environments, groups or named steps. */
  dependsOn: string[];
  dependsOnPolicy?: DependsOnPolicy;
  policy?: InlinePolicy;
  hooks?: Hooks;
  /** Healthy for this long before the promotion counts, in milliseconds. */
  soak?: number;
  timeout?: number;
  approval?: ApprovalSpec;
}

export type OnFailure = 'FINISH_RUNNING' | 'CONTINUE' | 'STOP';

export interface PromotionFlowSpec {
  description?: string;
  version?: string;
  triggerEnvironment: string;
  /** Runs once the change is synced and healthy in the trigger environment, before any target starts. */
  triggerWorkflow?: string;
  productSelector?: Selector;
  steps: FlowStepSpec[];
  hooks?: Hooks;
  /** How long a release may move, in milliseconds; 24 hours when absent. What it waits for does not count: see limits.ts. */
  timeout?: number;
  /** How old a release may get, in milliseconds, whatever it waits for; 30 days when absent. */
  maxAge?: number;
  onFailure: OnFailure;
  /** The first whose `when` fits the cause is taken; nothing goes back by itself when there is none. */
  rollbackPolicies?: RollbackPolicySpec[];
}

export type WindowAction = 'PROMOTE' | 'ROLLBACK' | 'APPROVE';

/** All that is given must agree; what is left out matches everything. */
export interface WindowSelector {
  environments: EnvironmentSelector;
  /** Names of environment groups, with `*` globs; the environment is a member of one of them. */
  groups?: string[];
  products: Selector;
}

/**
 * When work may start (ALLOW) or may not (DENY). Exactly one of `cron`, `rrule` with `start`, and `from` with `to`;
 * the first two with either `duration` or `end`. All times are wall-clock times of `timeZone`; what happens to them
 * where the clocks change is declared in docs/windows.md.
 */
export interface ReleaseWindowSpec {
  description?: string;
  kind: 'ALLOW' | 'DENY';
  /** An IANA name, for example Europe/Berlin. */
  timeZone: string;
  /** Five fields: the local starts. */
  cron?: string;
  /** RFC 5545, counted from `start`. */
  rrule?: string;
  /** The local start of the first occurrence of `rrule`: `2026-01-05T22:00`. */
  start?: string;
  /** A single occurrence: local (`2026-12-24T18:00`) or an instant (`2026-12-24T18:00:00Z`). */
  from?: string;
  to?: string;
  /** On the wall clock, in milliseconds: 8 h from 22:00 end at 06:00 in every night. */
  duration?: number;
  /** The local time of day at which an occurrence ends: on the next day when it is not after the start. */
  end?: string;
  selector: WindowSelector;
  holds: WindowAction[];
  /** What happens to work that is on its way when the window closes. */
  onClose: 'FINISH' | 'PAUSE';
  /** What waits at the opening starts spread over this long, in milliseconds; at once when absent. */
  jitter?: number;
  /** Do not start what cannot finish before the closing, by its own measured duration. */
  runway: boolean;
}

export interface Specs {
  Product: ProductSpec;
  Application: ApplicationSpec;
  Environment: EnvironmentSpec;
  EnvironmentGroup: EnvironmentGroupSpec;
  PromotionFlow: PromotionFlowSpec;
  PromotionWorkflow: PromotionWorkflowSpec;
  PromotionTemplate: PromotionTemplateSpec;
  ReleaseWindow: ReleaseWindowSpec;
}

export type Kind = keyof Specs;

export const KINDS: readonly Kind[] = [
  'Environment',
  'EnvironmentGroup',
  'PromotionTemplate',
  'PromotionWorkflow',
  'PromotionFlow',
  'Product',
  'Application',
  'ReleaseWindow',
];

/** A definition as somebody writes it. */
export interface Definition<K extends Kind = Kind> {
  kind: K;
  metadata: Metadata;
  spec: Specs[K];
}

/** A definition as it is stored: `revision` counts its saves from 1. */
export interface StoredDefinition<K extends Kind = Kind> extends Definition<K> {
  id: string;
  revision: number;
  createdAt: Date;
  updatedAt: Date;
}

export type AnyDefinition = { [K in Kind]: Definition<K> }[Kind];

export const DAY = 24 * 60 * 60 * 1000;
export const DEFAULT_FLOW_TIMEOUT = DAY;
/** How old a release may get, whatever it waits for. */
export const DEFAULT_MAX_AGE = 30 * DAY;
/** How long the health of an application, or whatever else somebody outside has to tell, is awaited. */
export const DEFAULT_REPORT_TIMEOUT = DAY;
export const DEFAULT_UNKNOWN_TIMEOUT = 15 * 60 * 1000;
/** How long it may take until a target runs a change. */
export const DEFAULT_SYNC_LIMIT = 15 * 60 * 1000;
/** Health is asked every few seconds: a shorter life would let it die between two looks. */
export const LEAST_FRESHNESS = 10 * 1000;
export const DEFAULT_APPROVAL_EXPIRY = DAY;
export const DEFAULT_MAX_FAILURE_AGE = 20 * 60 * 1000;
export const DEFAULT_QUEUE_LIMIT = 50;
export const DEFAULT_RETRY: RetrySpec = { limit: 5, backoff: 500, maxDelay: 30_000 };

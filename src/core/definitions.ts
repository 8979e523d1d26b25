import { approval, type approvalRule } from './kinds/approval.ts';
import type {
  environmentSelector,
  healthStatus,
  hooks,
  inlinePolicy,
  metadata,
  promotionAction,
} from './kinds/common.ts';
import type { selector } from './kinds/common.ts';
import { DAY, pullRequest } from './kinds/common.ts';
import type { driver } from './kinds/drivers.ts';
import { gate } from './kinds/environment.ts';
import type { health } from './kinds/health.ts';
import type { Kind, Specs } from './kinds/index.ts';
import type { concurrency, onMissing, whenAbsent } from './kinds/product.ts';
import { promotionFlow, type flowStep, type onFailure } from './kinds/promotion-flow.ts';
import type { policySetting } from './kinds/promotion-policy.ts';
import { retry, type workflowAction } from './kinds/promotion-workflow.ts';
import type { windowAction } from './kinds/release-window.ts';
import { rollbackPolicy, type markBadScope, type rollbackCause } from './kinds/rollback-policy.ts';
import { limit, type sync } from './kinds/sync.ts';
import { fallbacksOf, type Infer } from './kinds/shape.ts';

/**
 * What people define: products, applications, environments, groups, flows, workflows, policies, templates, windows.
 *
 * These are the shapes that manifests, the API and the database share; `core/kinds` describes them, field by field. Every
 * duration is in whole milliseconds; manifests may write `90s`, `1h30m`, `24h`. Names follow RFC 1123 labels (at most 63
 * characters) so that Kubernetes-style manifests apply as they are.
 */

export { KINDS } from './kinds/index.ts';
export type { Kind, Specs };

export type Labels = Record<string, string>;
export type Metadata = Infer<typeof metadata>;
/** A Kubernetes label selector, or names with `*` globs; an empty selector matches everything. */
export type Selector = Infer<typeof selector>;
export type EnvironmentSelector = Infer<typeof environmentSelector>;
/** ALL members, ANY one of them, or AT_LEAST `count` or `percent` (rounded up) of them. */
export type Gate = Infer<typeof gate>;
export type EnvironmentGroupSpec = Specs['EnvironmentGroup'];
export type PromotionTemplateSpec = Specs['PromotionTemplate'];
export type OnMissing = Infer<typeof onMissing>;
export type WhenAbsent = Infer<typeof whenAbsent>;
export type ProductSpec = Specs['Product'];
export type GitTriggerSelector = NonNullable<ProductSpec['promotionFlows'][number]['gitTriggerSelectors']>[number];
export type ConcurrencyPolicy = Infer<typeof concurrency>;
export type DriverSpec = Infer<typeof driver>;
export type GitDriverSpec = Extract<DriverSpec, { type: 'git' }>;
export type SimulateDriverSpec = Extract<DriverSpec, { type: 'simulate' }>;
export type HealthSourceSpec = Infer<typeof health>;
export type SyncSourceSpec = Infer<typeof sync>;
export type ArgoCdSpec = Extract<SyncSourceSpec, { type: 'argocd' }>;
export type HealthStatus = Infer<typeof healthStatus>;
export type ApplicationSpec = Specs['Application'];
export type RetrySpec = Infer<typeof retry>;
export type WorkflowAction = Infer<typeof workflowAction>;
export type PromotionWorkflowSpec = Specs['PromotionWorkflow'];
export type InlinePolicy = Infer<typeof inlinePolicy>;
export type PromotionAction = Infer<typeof promotionAction>;
export type PromotionPolicySpec = Specs['PromotionPolicy'];
/** Each of the settings that policies give. */
export type PolicySetting = Infer<typeof policySetting>;
/** How a change of action `pr` is proposed. */
export type PullRequestPolicy = Infer<typeof pullRequest>;
export type Hooks = Infer<typeof hooks>;
/** `count` people out of those named; an empty rule (no names) takes anyone who may approve. One person counts for one rule. */
export type ApprovalRule = Infer<typeof approvalRule>;
export type ApprovalSpec = Infer<typeof approval>;
/** Where a version that was found bad may not be promoted to: one environment, its group, or anywhere for the product. */
export type BadVersionScope = Exclude<Infer<typeof markBadScope>, 'NONE'>;
export type RollbackCauseKind = Infer<typeof rollbackCause>;
export type RollbackPolicySpec = Infer<typeof rollbackPolicy>;
export type RollbackTargetSpec = RollbackPolicySpec['targets'][number];
export type FlowStepSpec = Infer<typeof flowStep>;
export type OnFailure = Infer<typeof onFailure>;
export type PromotionFlowSpec = Specs['PromotionFlow'];
export type WindowAction = Infer<typeof windowAction>;
export type ReleaseWindowSpec = Specs['ReleaseWindow'];
export type GitSourceSpec = Specs['GitSource'];
export type MatchExpression = NonNullable<Selector['matchExpressions']>[number];

/** A definition as its author writes it. */
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

// What the core takes fields for that are left out, where it needs the value itself.
export { DAY };

/** How long a release may move, in milliseconds, where its flow sets no `timeout`. */
export const DEFAULT_FLOW_TIMEOUT = promotionFlow.fields.timeout.meant!;
/** How old a release may get, whatever it waits for. */
export const DEFAULT_MAX_AGE = promotionFlow.fields.maxAge.meant!;
/** How long the health of an application, or another report from outside, is awaited. */
export const DEFAULT_REPORT_TIMEOUT = DAY;

/** How long the health of a group's member may be unknown before the gate fails, in milliseconds. */
export const DEFAULT_UNKNOWN_TIMEOUT = gate.fields.unknownTimeout.meant!;
/** How long an onFail hook may move, in milliseconds: also after the limit of its flow is over, which does not end it. */
export const DEFAULT_FAIL_HOOK_TIMEOUT = 10 * 60 * 1000;
/** How long it may take until a target runs a change. */
export const DEFAULT_SYNC_LIMIT = limit.meant!;
/** How long a merge is awaited. */
export const DEFAULT_PULL_REQUEST_EXPIRY = pullRequest.fields.expiry.fallback!;
/** How a change of action `pr` is proposed where nothing is said. */
export const DEFAULT_PULL_REQUEST = fallbacksOf(pullRequest);
export const DEFAULT_APPROVAL_EXPIRY = approval.fields.expiry.fallback!;
/** Older failures start no rollback by themselves. */
export const DEFAULT_MAX_FAILURE_AGE = rollbackPolicy.fields.maxFailureAge.fallback!;
export const DEFAULT_RETRY = fallbacksOf(retry);

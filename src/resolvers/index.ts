import type { NonEmptyArray } from 'type-graphql';
import { DEFINITION_TYPES } from '../schema/definition-types.ts';
import type { DefinitionTypes } from '../schema/definition-types.ts';
import { RELEASE_EVENT_TYPES } from '../schema/events.ts';
import { PromotionFlowError } from '../schema/promotion-flow.ts';
import { BasicUserError, ConflictError, ManifestError, WindowClosedError } from '../schema/user-errors.ts';
import { ActionLogResolver } from './action-log.ts';
import { ApprovalResolver, PromotionDecisionResolver } from './approval.ts';
import { ApprovalInboxResolver } from './approval-inbox.ts';
import { ApiTokenResolver, RoleGrantResolver } from './access-management.ts';
import { SessionResolver, ViewerSessionResolver } from './session.ts';
import { ApplicationResolver } from './application.ts';
import { BadVersionResolver, WaitingForVersionResolver } from './bad-version.ts';
import { AuditResolver } from './audit.ts';
import { CandidateResolver } from './candidate.ts';
import { definitionResolver } from './definitions.ts';
import {
  DefinitionHistoryResolver,
  DefinitionRevisionResolver,
  historyResolver,
  textResolver,
} from './definition-history.ts';
import { DeliveryMetricsResolver } from './delivery-metrics.ts';
import { DeploymentHistoryResolver } from './deployment-history.ts';
import { DeploymentMatrixResolver, PromotionOnItsWayResolver } from './deployment-matrix.ts';
import { DeploymentResolver } from './deployment.ts';
import { EnvironmentGroupResolver } from './environment-group.ts';
import { EnvironmentHoldResolver, WaitingForHoldResolver } from './environment-hold.ts';
import { PromotionEventResolver, ReleaseEventResolver, StepEventResolver } from './events.ts';
import { FindingResolver } from './finding.ts';
import { FlowEditResolver, FlowGraphResolver } from './flow-edits.ts';
import { GitSourceResolver } from './git-source.ts';
import { ListChangeResolver } from './list-change.ts';
import { ManifestsResolver } from './manifests.ts';
import { NodeResolver } from './node.ts';
import { PolicyResolver, PromotionPolicyOfReleaseResolver } from './policy.ts';
import { ProductResolver } from './product.ts';
import { PromotionFlowResolver } from './promotion-flow.ts';
import { ApplicationPromotionResolver, EnvironmentPromotionResolver, WaitingReasonResolver } from './promotion.ts';
import { ReleaseChangeResolver } from './release-change.ts';
import { ReleaseResolver } from './release.ts';
import { ReleaseListResolver } from './release-list.ts';
import { RollbackCommandResolver } from './rollback-commands.ts';
import { ReleaseRollbacksResolver, RollbackResolver } from './rollback.ts';
import { ReleaseNotesResolver } from './release-notes.ts';
import { ReleaseForecastResolver } from './release-forecast.ts';
import { ReleasePreviewResolver } from './release-preview.ts';
import { RolloutReportResolver } from './rollout-report.ts';
import { WindowCalendarResolver } from './window-calendar.ts';
import { WindowOverrideResolver } from './window-override.ts';
import { SecretResolver } from './secret.ts';
import { RollbackPlanResolver } from './rollback-plan.ts';
import { TriggerResolver } from './trigger.ts';
import { WebhookDeliveryResolver } from './webhook-delivery.ts';
import {
  EnvironmentAbilitiesResolver,
  EnvironmentCanResolver,
  FlowCanResolver,
  ProductAbilitiesResolver,
  ProductCanResolver,
  PromotionAbilitiesResolver,
  PromotionCanResolver,
  PromotionFlowAbilitiesResolver,
  ReleaseAbilitiesResolver,
  ReleaseCanResolver,
  ViewerPermissionsResolver,
} from './viewer-can.ts';
import { WaitingForWindowResolver, WindowStateResolver } from './window-state.ts';

const DEFINITIONS = Object.values(DEFINITION_TYPES).flatMap((types) => [
  definitionResolver(types as DefinitionTypes),
  historyResolver(types as DefinitionTypes),
  ...textResolver(types as DefinitionTypes),
]);

/** Every resolver class of the API; `src/schema/build.ts` builds the schema from them. */
export const RESOLVERS: NonEmptyArray<Function> = [
  ActionLogResolver,
  EnvironmentAbilitiesResolver,
  EnvironmentCanResolver,
  FlowCanResolver,
  ProductAbilitiesResolver,
  ProductCanResolver,
  PromotionAbilitiesResolver,
  PromotionCanResolver,
  PromotionFlowAbilitiesResolver,
  ReleaseAbilitiesResolver,
  ReleaseCanResolver,
  ViewerPermissionsResolver,
  ApiTokenResolver,
  SessionResolver,
  ViewerSessionResolver,
  ApplicationPromotionResolver,
  ApplicationResolver,
  BadVersionResolver,
  ApprovalResolver,
  ApprovalInboxResolver,
  AuditResolver,
  CandidateResolver,
  DefinitionHistoryResolver,
  DefinitionRevisionResolver,
  DeliveryMetricsResolver,
  DeploymentHistoryResolver,
  DeploymentMatrixResolver,
  DeploymentResolver,
  EnvironmentGroupResolver,
  EnvironmentHoldResolver,
  EnvironmentPromotionResolver,
  FindingResolver,
  FlowEditResolver,
  GitSourceResolver,
  ListChangeResolver,
  ManifestsResolver,
  NodeResolver,
  PolicyResolver,
  PromotionDecisionResolver,
  PromotionPolicyOfReleaseResolver,
  PromotionOnItsWayResolver,
  ProductResolver,
  PromotionFlowResolver,
  PromotionEventResolver,
  ReleaseEventResolver,
  StepEventResolver,
  ReleaseNotesResolver,
  FlowGraphResolver,
  ReleaseForecastResolver,
  ReleasePreviewResolver,
  ReleaseChangeResolver,
  ReleaseListResolver,
  ReleaseResolver,
  ReleaseRollbacksResolver,
  RollbackCommandResolver,
  RollbackResolver,
  RolloutReportResolver,
  SecretResolver,
  RollbackPlanResolver,
  TriggerResolver,
  WaitingForHoldResolver,
  WaitingForVersionResolver,
  RoleGrantResolver,
  WaitingForWindowResolver,
  WaitingReasonResolver,
  WindowCalendarResolver,
  WindowOverrideResolver,
  WebhookDeliveryResolver,
  WindowStateResolver,
  ...DEFINITIONS,
];

/** Types that are reached through an interface only. */
export const ORPHANED_TYPES: Function[] = [
  ...RELEASE_EVENT_TYPES,
  BasicUserError,
  ConflictError,
  ManifestError,
  PromotionFlowError,
  WindowClosedError,
];

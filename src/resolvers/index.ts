import type { NonEmptyArray } from 'type-graphql';
import { RELEASE_EVENT_TYPES } from '../schema/events.ts';
import { BasicUserError, ConflictError, ManifestError, WindowClosedError } from '../schema/user-errors.ts';
import { ApprovalResolver, PromotionDecisionResolver } from './approval.ts';
import { ApiTokenResolver, RoleGrantResolver } from './access-management.ts';
import { ApplicationDefinitionResolver, ApplicationResolver } from './application.ts';
import { BadVersionResolver, WaitingForVersionResolver } from './bad-version.ts';
import { AuditResolver } from './audit.ts';
import { DeploymentResolver } from './deployment.ts';
import { EnvironmentGroupDefinitionResolver, EnvironmentGroupResolver } from './environment-group.ts';
import { EnvironmentHoldResolver, WaitingForHoldResolver } from './environment-hold.ts';
import { EnvironmentDefinitionResolver } from './environment.ts';
import { ReleaseEventResolver } from './events.ts';
import { FindingResolver } from './finding.ts';
import { ManifestsResolver } from './manifests.ts';
import { NodeResolver } from './node.ts';
import { ProductDefinitionResolver, ProductResolver } from './product.ts';
import { PromotionFlowDefinitionResolver, PromotionFlowResolver } from './promotion-flow.ts';
import { PromotionTemplateDefinitionResolver } from './promotion-template.ts';
import { PromotionWorkflowDefinitionResolver } from './promotion-workflow.ts';
import { ApplicationPromotionResolver, EnvironmentPromotionResolver, WaitingReasonResolver } from './promotion.ts';
import { ReleaseWindowDefinitionResolver } from './release-window.ts';
import { ReleaseResolver } from './release.ts';
import { RollbackCommandResolver } from './rollback-commands.ts';
import { ReleaseRollbacksResolver, RollbackResolver } from './rollback.ts';
import { RolloutReportResolver } from './rollout-report.ts';
import { WindowOverrideResolver } from './window-override.ts';
import { SecretResolver } from './secret.ts';
import { RollbackPlanResolver } from './rollback-plan.ts';
import { WebhookDeliveryResolver } from './webhook-delivery.ts';
import { WaitingForWindowResolver, WindowStateResolver } from './window-state.ts';

/** Every resolver class of the API; `src/schema/build.ts` builds the schema from them. */
export const RESOLVERS: NonEmptyArray<Function> = [
  ApiTokenResolver,
  ApplicationDefinitionResolver,
  ApplicationPromotionResolver,
  ApplicationResolver,
  BadVersionResolver,
  ApprovalResolver,
  AuditResolver,
  DeploymentResolver,
  EnvironmentDefinitionResolver,
  EnvironmentGroupDefinitionResolver,
  EnvironmentGroupResolver,
  EnvironmentHoldResolver,
  EnvironmentPromotionResolver,
  FindingResolver,
  ManifestsResolver,
  NodeResolver,
  ProductDefinitionResolver,
  PromotionDecisionResolver,
  ProductResolver,
  PromotionFlowDefinitionResolver,
  PromotionFlowResolver,
  PromotionTemplateDefinitionResolver,
  PromotionWorkflowDefinitionResolver,
  ReleaseEventResolver,
  ReleaseResolver,
  ReleaseRollbacksResolver,
  RollbackCommandResolver,
  RollbackResolver,
  RolloutReportResolver,
  ReleaseWindowDefinitionResolver,
  SecretResolver,
  RollbackPlanResolver,
  WaitingForHoldResolver,
  WaitingForVersionResolver,
  RoleGrantResolver,
  WaitingForWindowResolver,
  WaitingReasonResolver,
  WindowOverrideResolver,
  WebhookDeliveryResolver,
  WindowStateResolver,
];

/** Types that are reached through an interface only. */
export const ORPHANED_TYPES: Function[] = [
  ...RELEASE_EVENT_TYPES,
  BasicUserError,
  ConflictError,
  ManifestError,
  WindowClosedError,
];

import {
  PromotionWorkflow,
  PromotionWorkflowConnection,
  PromotionWorkflowCreateInput,
  PromotionWorkflowPayload,
  PromotionWorkflowUpdateInput,
} from '../schema/promotion-workflow.ts';
import { definitionResolver } from './definitions.ts';

export const PROMOTION_WORKFLOW = {
  kind: 'PromotionWorkflow' as const,
  field: 'promotionWorkflow',
  list: 'promotionWorkflows',
  noun: 'promotion workflow',
  type: PromotionWorkflow,
  connection: PromotionWorkflowConnection,
  createInput: PromotionWorkflowCreateInput,
  updateInput: PromotionWorkflowUpdateInput,
  payload: PromotionWorkflowPayload,
};

export const PromotionWorkflowDefinitionResolver = definitionResolver(PROMOTION_WORKFLOW);

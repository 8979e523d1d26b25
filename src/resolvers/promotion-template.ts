import {
  PromotionTemplate,
  PromotionTemplateConnection,
  PromotionTemplateCreateInput,
  PromotionTemplatePayload,
  PromotionTemplateUpdateInput,
} from '../schema/promotion-template.ts';
import { definitionResolver } from './definitions.ts';

export const PROMOTION_TEMPLATE = {
  kind: 'PromotionTemplate' as const,
  field: 'promotionTemplate',
  list: 'promotionTemplates',
  noun: 'promotion template',
  type: PromotionTemplate,
  connection: PromotionTemplateConnection,
  createInput: PromotionTemplateCreateInput,
  updateInput: PromotionTemplateUpdateInput,
  payload: PromotionTemplatePayload,
};

export const PromotionTemplateDefinitionResolver = definitionResolver(PROMOTION_TEMPLATE);

import { Field, InputType, Int, ObjectType } from 'type-graphql';
import type { ConcurrencyPolicy, GitTriggerKey, GitTriggerSelector } from '../core/definitions.ts';
import { ConcurrencyPolicyEnum, GitTriggerKeyEnum, GitTriggerOperatorEnum } from './choices.ts';
import { connectionOf } from './connection.ts';
import { Definition, DefinitionInput, EXPECTED_REVISION, IDEMPOTENCY_KEY } from './definition.ts';
import { Node } from './node.ts';
import { PromotionTemplateContent, PromotionTemplateContentInput } from './promotion-template.ts';
import { UserError } from './user-errors.ts';

@ObjectType('GitTriggerSelector', { description: 'A condition on the commit that triggers a release.' })
export class GitTriggerSelectorType {
  @Field(() => GitTriggerKeyEnum, { description: 'What of the commit is looked at.' })
  key!: GitTriggerKey;

  @Field(() => GitTriggerOperatorEnum, { description: 'How it is compared.' })
  operator!: GitTriggerSelector['operator'];

  @Field(() => [String], { description: 'What it is compared with; `*` stands for anything.' })
  values!: string[];
}

@InputType({ description: 'A condition on the commit that triggers a release.' })
export class GitTriggerSelectorInput {
  @Field(() => GitTriggerKeyEnum, { description: 'What of the commit is looked at.' })
  key!: GitTriggerKey;

  @Field(() => GitTriggerOperatorEnum, { description: 'How it is compared.' })
  operator!: GitTriggerSelector['operator'];

  @Field(() => [String], { description: 'What it is compared with; `*` stands for anything.' })
  values!: string[];
}

@ObjectType({ description: 'An entry of the flows that a product names; the first one that matches is taken.' })
export class ProductFlow {
  @Field(() => String, { description: 'The name of the flow.' })
  name!: string;

  @Field(() => [GitTriggerSelectorType], {
    nullable: true,
    description: 'All must match; without any it always matches.',
  })
  gitTriggerSelectors!: GitTriggerSelectorType[] | null;
}

@InputType({ description: 'An entry of the flows that a product names; the first one that matches is taken.' })
export class ProductFlowInput {
  @Field(() => String, { description: 'The name of the flow.' })
  name!: string;

  @Field(() => [GitTriggerSelectorInput], {
    nullable: true,
    description: 'All must match; without any it always matches.',
  })
  gitTriggerSelectors?: GitTriggerSelectorInput[];
}

@ObjectType({ implements: [Definition, Node], description: 'What is released, e.g. Billing.' })
export class Product extends Definition {
  @Field(() => String, { nullable: true, description: 'What it is, for people.' })
  description!: string | null;

  @Field(() => String, { nullable: true, description: 'The name of the promotion template of its applications.' })
  promotionTemplateRef!: string | null;

  @Field(() => PromotionTemplateContent, { nullable: true, description: 'A promotion template of its own.' })
  promotionTemplate!: PromotionTemplateContent | null;

  @Field(() => [ProductFlow], { description: 'The flows that its releases travel, the first one that matches.' })
  promotionFlows!: ProductFlow[];

  @Field(() => ConcurrencyPolicyEnum, { description: 'What happens when it is released while a release is under way.' })
  concurrency!: ConcurrencyPolicy;

  @Field(() => Int, {
    description: 'How many releases may wait for their turn; older waiting ones are terminated first.',
  })
  queueLimit!: number;
}

@InputType()
export abstract class ProductInput extends DefinitionInput {
  @Field(() => String, { nullable: true, description: 'What it is, for people.' })
  description?: string;

  @Field(() => String, { nullable: true, description: 'The name of the promotion template of its applications.' })
  promotionTemplateRef?: string;

  @Field(() => PromotionTemplateContentInput, { nullable: true, description: 'A promotion template of its own.' })
  promotionTemplate?: PromotionTemplateContentInput;

  @Field(() => [ProductFlowInput], {
    nullable: true,
    description: 'The flows that its releases travel, the first one that matches. None when left out.',
  })
  promotionFlows?: ProductFlowInput[];

  @Field(() => ConcurrencyPolicyEnum, {
    nullable: true,
    description: 'What happens when it is released while a release is under way. QUEUE when left out.',
  })
  concurrency?: ConcurrencyPolicy;

  @Field(() => Int, { nullable: true, description: 'How many releases may wait for their turn. 50 when left out.' })
  queueLimit?: number;
}

@InputType({ description: 'A new product.' })
export class ProductCreateInput extends ProductInput {
  @Field(() => String, { nullable: true, description: IDEMPOTENCY_KEY })
  idempotencyKey?: string;
}

@InputType({ description: 'Changes to a product: what is given replaces what is there, null removes it.' })
export class ProductUpdateInput extends ProductInput {
  @Field(() => Int, { nullable: true, description: EXPECTED_REVISION })
  expectedRevision?: number;
}

@ObjectType({ description: 'What became of a product.' })
export class ProductPayload {
  @Field(() => Product, {
    nullable: true,
    description: 'As it is now, or as it was before it was deleted; null when refused.',
  })
  product!: Product | null;

  @Field(() => [UserError], { description: 'Why it was refused; empty when it was done.' })
  userErrors!: UserError[];
}

export const ProductConnection = connectionOf('Product', Product);

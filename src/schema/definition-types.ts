import { Field, InputType, Int, ObjectType } from 'type-graphql';
import type { ClassType } from 'type-graphql';
import type { Kind } from '../core/definitions.ts';
import { fieldOf, KINDS, nounOf, SPECS } from '../core/kinds/index.ts';
import { connectionOf } from './connection.ts';
import type { Connection } from './connection.ts';
import { Definition, DefinitionInput, EXPECTED_REVISION, IDEMPOTENCY_KEY } from './definition.ts';
import { Node } from './node.ts';
import { addFields } from './shape-types.ts';
import { UserError } from './user-errors.ts';

/** A kind of definition in the API: its types, and what its fields are called. */
export interface DefinitionTypes<K extends Kind = Kind> {
  kind: K;
  /** `product`: the query, the beginning of the mutations' names, and the payload's field. */
  field: string;
  /** In sentences: `release window`. */
  noun: string;
  type: ClassType<Definition>;
  connection: ClassType<Connection<Definition>>;
  createInput: ClassType<DefinitionInput & { idempotencyKey?: string }>;
  updateInput: ClassType<DefinitionInput & { expectedRevision?: number }>;
  payload: ClassType<object>;
}

/** What every kind has in the API; what only one kind has stands in that kind's file. */
function typesOf<K extends Kind>(kind: K): DefinitionTypes<K> {
  const shape = SPECS[kind];
  const noun = nounOf(kind);
  const field = fieldOf(kind);
  const one = withArticle(noun);

  class Type extends Definition {}
  ObjectType(kind, { implements: [Definition, Node], description: shape.about })(Type);
  addFields('type', Type, shape);

  class CreateInput extends DefinitionInput {
    @Field(() => String, { nullable: true, description: IDEMPOTENCY_KEY })
    idempotencyKey?: string;
  }
  InputType(`${kind}CreateInput`, { description: `A new ${noun}.` })(CreateInput);
  addFields('input', CreateInput, shape);

  class UpdateInput extends DefinitionInput {
    @Field(() => Int, { nullable: true, description: EXPECTED_REVISION })
    expectedRevision?: number;
  }
  const changes = `Changes to ${one}: what is given replaces what is there, null removes it.`;
  InputType(`${kind}UpdateInput`, { description: changes })(UpdateInput);
  addFields('input', UpdateInput, shape, true);

  class Payload {
    @Field(() => [UserError], { description: 'Why it was refused; empty when it was done.' })
    userErrors!: UserError[];
  }
  ObjectType(`${kind}Payload`, { description: `What became of ${one}.` })(Payload);
  Field(() => Type, {
    nullable: true,
    description: 'As it is now, or as it was before it was deleted; null when refused.',
  })(Payload.prototype, field);

  return {
    kind,
    field,
    noun,
    type: Type,
    connection: connectionOf<Definition>(kind, Type),
    createInput: CreateInput,
    updateInput: UpdateInput,
    payload: Payload,
  };
}

export const withArticle = (noun: string): string => `${/^[aeiou]/.test(noun) ? 'an' : 'a'} ${noun}`;

export const DEFINITION_TYPES = Object.fromEntries(KINDS.map((kind) => [kind, typesOf(kind)])) as {
  [K in Kind]: DefinitionTypes<K>;
};

// The kinds that other types of the API show, by their names there.
export const Application = DEFINITION_TYPES.Application.type;
export type Application = Definition;
export const Environment = DEFINITION_TYPES.Environment.type;
export type Environment = Definition;
export const EnvironmentGroup = DEFINITION_TYPES.EnvironmentGroup.type;
export type EnvironmentGroup = Definition;
export const Product = DEFINITION_TYPES.Product.type;
export type Product = Definition;
export const PromotionFlow = DEFINITION_TYPES.PromotionFlow.type;
export type PromotionFlow = Definition;
export const PromotionPolicy = DEFINITION_TYPES.PromotionPolicy.type;
export type PromotionPolicy = Definition;
export const GitSource = DEFINITION_TYPES.GitSource.type;
export type GitSource = Definition;
export const ReleaseWindow = DEFINITION_TYPES.ReleaseWindow.type;
export type ReleaseWindow = Definition;

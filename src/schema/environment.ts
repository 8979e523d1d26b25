import { Field, InputType, Int, ObjectType } from 'type-graphql';
import type { EnvironmentKind } from '../core/definitions.ts';
import { EnvironmentKindEnum } from './choices.ts';
import { connectionOf } from './connection.ts';
import { Definition, DefinitionInput, EXPECTED_REVISION, IDEMPOTENCY_KEY } from './definition.ts';
import { Node } from './node.ts';
import { UserError } from './user-errors.ts';

@ObjectType({ implements: [Definition, Node], description: 'A place to deploy to.' })
export class Environment extends Definition {
  @Field(() => EnvironmentKindEnum, { description: 'How careful one has to be.' })
  kind!: EnvironmentKind;

  @Field(() => String, { nullable: true, description: 'What it is, for people.' })
  description!: string | null;
}

@InputType({ description: 'A new environment.' })
export class EnvironmentCreateInput extends DefinitionInput {
  @Field(() => EnvironmentKindEnum, { description: 'How careful one has to be.' })
  kind!: EnvironmentKind;

  @Field(() => String, { nullable: true, description: 'What it is, for people.' })
  description?: string;

  @Field(() => String, { nullable: true, description: IDEMPOTENCY_KEY })
  idempotencyKey?: string;
}

@InputType({ description: 'Changes to an environment: what is given replaces what is there, null removes it.' })
export class EnvironmentUpdateInput extends DefinitionInput {
  @Field(() => EnvironmentKindEnum, { nullable: true, description: 'How careful one has to be.' })
  kind?: EnvironmentKind;

  @Field(() => String, { nullable: true, description: 'What it is, for people.' })
  description?: string;

  @Field(() => Int, { nullable: true, description: EXPECTED_REVISION })
  expectedRevision?: number;
}

@ObjectType({ description: 'What became of an environment.' })
export class EnvironmentPayload {
  @Field(() => Environment, {
    nullable: true,
    description: 'As it is now, or as it was before it was deleted; null when refused.',
  })
  environment!: Environment | null;

  @Field(() => [UserError], { description: 'Why it was refused; empty when it was done.' })
  userErrors!: UserError[];
}

export const EnvironmentConnection = connectionOf('Environment', Environment);

import { Field, InputType, Int, ObjectType } from 'type-graphql';
import type { Kind } from '../core/definitions.ts';
import { DefinitionKindEnum } from './choices.ts';
import { connectionOf } from './connection.ts';
import { Definition } from './definition.ts';
import { enumOf } from './enums.ts';
import { UserError } from './user-errors.ts';

@ObjectType({ description: 'A definition as it was saved once, or that it was deleted.' })
export class DefinitionRevision {
  @Field(() => Int, { description: 'Its number; counts the saves of this definition from 1.' })
  revision!: number;

  @Field(() => Date, { description: 'When it was saved.' })
  at!: Date;

  @Field(() => String, { nullable: true, description: 'Who saved it; null: a caller without a name, or Sluice.' })
  by!: string | null;

  @Field(() => Boolean, { description: 'Whether it was deleted; one of the same name can come after it.' })
  isDeletion!: boolean;
}

export const DefinitionRevisionConnection = connectionOf('DefinitionRevision', DefinitionRevision);

@InputType({ description: 'A definition that is to be again as it was.' })
export class DefinitionRestoreInput {
  @Field(() => DefinitionKindEnum, { description: 'The kind of the definition.' })
  kind!: Kind;

  @Field(() => String, { description: 'Its name.' })
  name!: string;

  @Field(() => Int, { description: 'The revision to restore.' })
  revision!: number;

  @Field(() => Int, {
    description: 'The newest revision that you have seen; another one is a ConflictError. 0: it was deleted.',
  })
  expectedRevision!: number;
}

@ObjectType({ description: 'What became of a restore.' })
export class DefinitionRestorePayload {
  @Field(() => Definition, { nullable: true, description: 'As it is now; null when refused.' })
  definition!: Definition | null;

  @Field(() => [UserError], { description: 'Why it was refused; empty when it was done.' })
  userErrors!: UserError[];
}

export const DefinitionEventTypeEnum = enumOf<'SAVED' | 'DELETED'>(
  'DefinitionEventType',
  'What happened to a definition.',
  { SAVED: 'It was created, or got a new revision.', DELETED: 'It was deleted.' },
);

@ObjectType({ description: 'A definition was saved or deleted.' })
export class DefinitionEvent {
  @Field(() => String, { description: 'Subscribe after it, and nothing is missed.' })
  cursor!: string;

  @Field(() => DefinitionEventTypeEnum, { description: 'What happened.' })
  type!: 'SAVED' | 'DELETED';

  @Field(() => DefinitionKindEnum, { description: 'The kind of the definition.' })
  kind!: Kind;

  @Field(() => String, { description: 'Its name.' })
  name!: string;

  @Field(() => Int, { description: 'The revision that was saved; a deletion has a number, too.' })
  revision!: number;

  @Field(() => Date, { description: 'When.' })
  at!: Date;

  @Field(() => String, { nullable: true, description: 'Who did it; null: a caller without a name, or Sluice.' })
  by!: string | null;

  @Field(() => Definition, {
    nullable: true,
    description: 'The definition as it was saved; null: it was deleted.',
  })
  definition!: Definition | null;
}

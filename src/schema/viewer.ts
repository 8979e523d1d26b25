import { Field, ObjectType } from 'type-graphql';
import { Scope } from './access.ts';
import { enumOf } from './enums.ts';

export type ViewerKind = 'ANONYMOUS' | 'USER' | 'SERVICE_ACCOUNT';

export const ViewerKindEnum = enumOf<ViewerKind>('ViewerKind', 'Who is asking.', {
  ANONYMOUS: 'The caller is not known: the server runs without authentication.',
  USER: 'A person, or a program that acts for one.',
  SERVICE_ACCOUNT: 'A program.',
});

@ObjectType({ description: 'The caller.' })
export class Viewer {
  @Field(() => String, { nullable: true, description: 'The name that is written into events; null: none was given.' })
  name!: string | null;

  @Field(() => ViewerKindEnum, { description: 'Who it is.' })
  kind!: ViewerKind;

  @Field(() => [String], { description: 'The groups that the identity provider names.' })
  groups!: string[];

  @Field(() => [Scope], { description: 'What may be done, and where; empty where callers need not say who they are.' })
  grants!: Scope[];
}

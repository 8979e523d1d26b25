import { Field, ObjectType } from 'type-graphql';
import { enumOf } from './enums.ts';

export const ViewerKindEnum = enumOf<'ANONYMOUS' | 'USER'>('ViewerKind', 'Who is asking.', {
  ANONYMOUS: 'Nobody said who.',
  USER: 'A person, or a program that acts for one.',
});

@ObjectType({ description: 'Whoever is asking.' })
export class Viewer {
  @Field(() => String, { nullable: true, description: 'The name that is written into events; null: none was given.' })
  name!: string | null;

  @Field(() => ViewerKindEnum, { description: 'Who it is.' })
  kind!: 'ANONYMOUS' | 'USER';
}

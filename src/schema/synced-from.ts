import { Field, ObjectType } from 'type-graphql';

@ObjectType({ description: 'Where a synced definition stands. It is read-only here.' })
export class SyncedFrom {
  @Field(() => String, { description: 'The name of its git source.' })
  source!: string;

  @Field(() => String, { description: 'The file, from the root of the repository.' })
  file!: string;
}

import { Field, ObjectType } from 'type-graphql';
import { Node } from './node.ts';

interface BarrierFields {
  reason: string;
  by: string | null;
  since: number;
}

/** What stands in the way of promotions until it is over, and stays as history: a hold, or a mark on a version. */
@ObjectType()
export abstract class Barrier extends Node {
  abstract readonly fields: BarrierFields;

  @Field(() => String, { description: 'Why.' })
  get reason(): string {
    return this.fields.reason;
  }

  @Field(() => String, {
    nullable: true,
    description: 'Who did it; null: a caller without a name, or Sluice by itself.',
  })
  get by(): string | null {
    return this.fields.by;
  }

  @Field(() => Date, { description: 'Since when.' })
  get since(): Date {
    return new Date(this.fields.since);
  }
}

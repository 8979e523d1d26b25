import { Field, ObjectType } from 'type-graphql';

@ObjectType({
  description:
    'Something stored that would be refused today: it was there before a rule became stricter. It is kept, works as far as that is safe, and should be mended.',
})
export class Finding {
  @Field(() => String, {
    description: 'What it is: a kind of definition such as `PromotionFlow`, `Secret` or `Release`.',
  })
  kind!: string;

  @Field(() => String, { description: 'Its name; of a release its product and number, such as `billing#42`.' })
  name!: string;

  @Field(() => [String], {
    description:
      'The place in it, e.g. `["spec", "steps", "0", "timeout"]`; list places count from 0. Empty: all of it.',
  })
  path!: string[];

  @Field(() => String, { description: 'What is wrong, and what would be right.' })
  message!: string;
}

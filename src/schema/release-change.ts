import { Field, Int, ObjectType } from 'type-graphql';

/** Its fields that are read when it is told are in `src/resolvers/release-change.ts`. */
@ObjectType({
  description:
    'What has changed of a release since the change before: which parts, and how they are now. They may be further than `sequence`; each says how far.',
})
export class ReleaseChange {
  constructor(
    readonly of: { releaseId: string; promotions: ReadonlySet<string>; groups: ReadonlySet<string> },
    place: { cursor: string; sequence: number },
  ) {
    this.cursor = place.cursor;
    this.sequence = place.sequence;
  }

  @Field(() => String, { description: 'Pass it as `after` to go on from here, after a broken connection.' })
  cursor: string;

  @Field(() => Int, { description: "The number of the release's newest event that this tells of." })
  sequence: number;
}

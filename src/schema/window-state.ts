import { Field, ObjectType } from 'type-graphql';
import { ReleaseWindow } from './definition-types.ts';
import { Duration } from './values.ts';

@ObjectType({ description: 'One time at which a release window is active.' })
export class WindowOccurrence {
  @Field(() => Date, { description: 'When it begins.' })
  start!: Date;

  @Field(() => Date, { description: 'The first moment at which it is over.' })
  end!: Date;

  @Field(() => String, {
    description: "`start` on the clock of the window's time zone, with its offset: `2026-03-07T22:00:00-05:00`.",
  })
  localStart!: string;

  @Field(() => String, { description: "`end` on the clock of the window's time zone, with its offset." })
  localEnd!: string;

  @Field(() => Boolean, { description: 'Whether the clocks change on a day that it touches.' })
  clockChange!: boolean;
}

@ObjectType({ description: 'A release window and when it is active next.' })
export class WindowSchedule {
  @Field(() => ReleaseWindow, { description: 'The window.' })
  window!: ReleaseWindow;

  @Field(() => [WindowOccurrence], {
    description: 'The next ten that are not over, the one under way included; fewer when twelve years have fewer.',
  })
  occurrences!: WindowOccurrence[];
}

@ObjectType({
  description: 'Whether the release windows of an environment let something start, and when that changes.',
})
export class WindowState {
  @Field(() => Date, { description: 'The moment that this is about.' })
  at!: Date;

  @Field(() => Boolean, { description: 'Whether nothing may start.' })
  closed!: boolean;

  @Field(() => String, { description: 'Why, in words; it names the windows that decide.' })
  reason!: string;

  @Field(() => [ReleaseWindow], {
    description: 'The windows that decide; none when it is open because nothing denies and nothing has to allow.',
  })
  windows!: ReleaseWindow[];

  @Field(() => Date, {
    nullable: true,
    description: 'The next moment after `at` at which closed becomes open; null: none within five years.',
  })
  nextOpen!: Date | null;

  @Field(() => Date, {
    nullable: true,
    description: 'The next moment after `at` at which open becomes closed; null: none within five years.',
  })
  nextClose!: Date | null;

  @Field(() => Duration, {
    nullable: true,
    description:
      'The longest jitter of its windows: what waits at an opening starts spread over this long; null: at once.',
  })
  jitter!: number | null;

  @Field(() => Date, {
    nullable: true,
    description:
      'Until when what waits at the next opening has started, or what waited at the one just passed; the opening itself without ' +
      'a jitter. When exactly a release starts is in its `waitingFor`. Null: nothing waits for an opening.',
  })
  startsBy!: Date | null;

  @Field(() => [WindowSchedule], {
    description: 'Every window that concerns the environment, the product and the action, by name.',
  })
  schedule!: WindowSchedule[];
}

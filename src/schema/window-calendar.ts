import { Field, ObjectType } from 'type-graphql';
import { Environment, Product, ReleaseWindow } from './definition-types.ts';
import { UserError } from './user-errors.ts';
import { WindowOccurrence } from './window-state.ts';

@ObjectType({ description: 'A moment at which the clocks of a time zone change.' })
export class ClockChange {
  @Field(() => Date, { description: 'The first moment with the new offset.' })
  at!: Date;

  @Field(() => String, { description: 'The offset before it, such as `+01:00`.' })
  before!: string;

  @Field(() => String, { description: 'The offset from then on.' })
  after!: string;
}

@ObjectType({ description: 'When a release window is active between two moments, the past included.' })
export class WindowOccurrences {
  @Field(() => [WindowOccurrence], { description: 'All that touch the time that was asked for, by their start.' })
  occurrences!: WindowOccurrence[];

  @Field(() => Date, {
    nullable: true,
    description: 'The list was too long and ends before this moment: ask again from here. Null: it is whole.',
  })
  cutAt!: Date | null;

  @Field(() => [ClockChange], { description: "When the clocks of the window's time zone change in that time." })
  clockChanges!: ClockChange[];
}

@ObjectType({ description: 'When a window would be active that is not saved, or what is wrong with it.' })
export class WindowPreview extends WindowOccurrences {
  @Field(() => [UserError], { description: 'Why it could not be saved like this; then there are no occurrences.' })
  userErrors!: UserError[];
}

@ObjectType({ description: 'A release window and when it is active between two moments.' })
export class WindowCalendarWindow extends WindowOccurrences {
  @Field(() => ReleaseWindow, { description: 'The window.' })
  window!: ReleaseWindow;
}

@ObjectType({ description: 'A time in which the release windows of an environment all the while say the same.' })
export class WindowStretch {
  @Field(() => Date, { description: 'When it begins.' })
  from!: Date;

  @Field(() => Date, { description: 'The first moment at which it is over.' })
  to!: Date;

  @Field(() => Boolean, { description: 'Whether nothing may start.' })
  closed!: boolean;

  @Field(() => String, { description: 'Why, in words; it names the windows that decide at its beginning.' })
  reason!: string;

  @Field(() => [String], { description: 'The names of the windows that decide at its beginning.' })
  windowNames!: string[];
}

@ObjectType({ description: 'What the release windows say for an environment between two moments.' })
export class WindowCalendarRow {
  @Field(() => Environment, { description: 'The environment.' })
  environment!: Environment;

  @Field(() => Product, {
    nullable: true,
    description: 'The product; null: windows count whatever products they are for.',
  })
  product!: Product | null;

  @Field(() => [WindowStretch], {
    description: 'Without a gap from beginning to end, as release windows are now; without the runway of windows.',
  })
  stretches!: WindowStretch[];

  @Field(() => Date, {
    nullable: true,
    description: 'The list was too long and ends at this moment: ask again from here. Null: it is whole.',
  })
  cutAt!: Date | null;
}

@ObjectType({ description: 'Release windows between two moments: of each environment, and one by one.' })
export class WindowCalendar {
  @Field(() => [WindowCalendarRow], { description: 'By environment, and by product where products were named.' })
  rows!: WindowCalendarRow[];

  @Field(() => [WindowCalendarWindow], { description: 'Every window that concerns one of the rows, by name.' })
  windows!: WindowCalendarWindow[];
}

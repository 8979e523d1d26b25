import { Field, InputType, Int, ObjectType } from 'type-graphql';
import type { ReleaseWindowSpec, WindowAction } from '../core/definitions.ts';
import { WindowActionEnum, WindowKindEnum, WindowOnCloseEnum } from './choices.ts';
import { connectionOf } from './connection.ts';
import { Definition, DefinitionInput, EXPECTED_REVISION, IDEMPOTENCY_KEY } from './definition.ts';
import { Node } from './node.ts';
import { EnvironmentSelectorInput, EnvironmentSelectorType, SelectorInput, SelectorType } from './selector.ts';
import { UserError } from './user-errors.ts';
import { Duration } from './values.ts';
import { TIMES_IN_SPEC, timesOf, WindowTimes, WindowTimesInput } from './window-times.ts';

const KIND = 'Whether it allows or denies.';
const TIME_ZONE = 'An IANA name, e.g. `Europe/Berlin`: the clock that all of its times are read from.';
const TIMES = 'When it is active.';
const ENVIRONMENTS = 'The environments that it is for.';
const GROUPS =
  'Names of environment groups, where `*` stands for anything; the environment is a member of one of them.';
const PRODUCTS = 'The products that it is for.';
const JITTER = 'What waits at the opening starts spread over this long; at once when left out.';

@ObjectType('WindowSelector', {
  description: 'What a release window is for; everything in it must agree, an empty one takes all.',
})
export class WindowSelectorType {
  @Field(() => EnvironmentSelectorType, { description: ENVIRONMENTS })
  environments!: EnvironmentSelectorType;

  @Field(() => [String], { nullable: true, description: GROUPS })
  groups!: string[] | null;

  @Field(() => SelectorType, { description: PRODUCTS })
  products!: SelectorType;
}

@InputType({ description: 'What a release window is for; everything in it must agree, an empty one takes all.' })
export class WindowSelectorInput {
  static readonly fallbacks = { environments: {}, products: {} };

  @Field(() => EnvironmentSelectorInput, { nullable: true, description: `${ENVIRONMENTS} All when left out.` })
  environments?: EnvironmentSelectorInput;

  @Field(() => [String], { nullable: true, description: GROUPS })
  groups?: string[];

  @Field(() => SelectorInput, { nullable: true, description: `${PRODUCTS} All when left out.` })
  products?: SelectorInput;
}

@ObjectType({
  implements: [Definition, Node],
  description:
    'When work may start (ALLOW) or may not (DENY). An active DENY closes; otherwise, where there are ALLOW windows, one must be active.',
})
export class ReleaseWindow extends Definition {
  @Field(() => WindowKindEnum, { description: KIND })
  kind!: ReleaseWindowSpec['kind'];

  @Field(() => String, { nullable: true, description: 'What it is, for people.' })
  description!: string | null;

  @Field(() => String, { description: TIME_ZONE })
  timeZone!: string;

  @Field(() => WindowTimes, { description: TIMES })
  get times(): WindowTimes {
    return timesOf(this.stored.spec as ReleaseWindowSpec);
  }

  @Field(() => WindowSelectorType, { description: 'What it is for.' })
  selector!: WindowSelectorType;

  @Field(() => [WindowActionEnum], { description: 'What it holds.' })
  holds!: WindowAction[];

  @Field(() => WindowOnCloseEnum, { description: 'What happens to work that is on its way when it closes.' })
  onClose!: ReleaseWindowSpec['onClose'];

  @Field(() => Duration, { nullable: true, description: JITTER })
  jitter!: number | null;

  @Field(() => Boolean, {
    description: 'Whether to hold what, by its own measured duration (p95), would not be over before the closing.',
  })
  runway!: boolean;
}

@InputType()
export abstract class ReleaseWindowInput extends DefinitionInput {
  static readonly flattened = { field: 'times', forms: TIMES_IN_SPEC };

  @Field(() => String, { nullable: true, description: 'What it is, for people.' })
  description?: string;

  @Field(() => WindowSelectorInput, { nullable: true, description: 'What it is for. Everything when left out.' })
  selector?: WindowSelectorInput;

  @Field(() => [WindowActionEnum], { nullable: true, description: 'What it holds. PROMOTE when left out.' })
  holds?: WindowAction[];

  @Field(() => WindowOnCloseEnum, {
    nullable: true,
    description: 'What happens to work that is on its way when it closes. FINISH when left out.',
  })
  onClose?: ReleaseWindowSpec['onClose'];

  @Field(() => Duration, { nullable: true, description: JITTER })
  jitter?: number;

  @Field(() => Boolean, {
    nullable: true,
    description:
      'Whether to hold what, by its own measured duration (p95), would not be over before the closing. False when left out.',
  })
  runway?: boolean;
}

@InputType({ description: 'A new release window.' })
export class ReleaseWindowCreateInput extends ReleaseWindowInput {
  @Field(() => WindowKindEnum, { description: KIND })
  kind!: ReleaseWindowSpec['kind'];

  @Field(() => String, { description: TIME_ZONE })
  timeZone!: string;

  @Field(() => WindowTimesInput, { description: TIMES })
  times!: WindowTimesInput;

  @Field(() => String, { nullable: true, description: IDEMPOTENCY_KEY })
  idempotencyKey?: string;
}

@InputType({ description: 'Changes to a release window: what is given replaces what is there, null removes it.' })
export class ReleaseWindowUpdateInput extends ReleaseWindowInput {
  @Field(() => WindowKindEnum, { nullable: true, description: KIND })
  kind?: ReleaseWindowSpec['kind'];

  @Field(() => String, { nullable: true, description: TIME_ZONE })
  timeZone?: string;

  @Field(() => WindowTimesInput, { nullable: true, description: TIMES })
  times?: WindowTimesInput;

  @Field(() => Int, { nullable: true, description: EXPECTED_REVISION })
  expectedRevision?: number;
}

@ObjectType({ description: 'What became of a release window.' })
export class ReleaseWindowPayload {
  @Field(() => ReleaseWindow, {
    nullable: true,
    description: 'As it is now, or as it was before it was deleted; null when refused.',
  })
  releaseWindow!: ReleaseWindow | null;

  @Field(() => [UserError], { description: 'Why it was refused; empty when it was done.' })
  userErrors!: UserError[];
}

export const ReleaseWindowConnection = connectionOf('ReleaseWindow', ReleaseWindow);

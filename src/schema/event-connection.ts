import { ArgsType, Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import type { ReleaseEventType } from '../core/events.ts';
import { PageInfo } from './connection.ts';
import { ReleaseEventNode } from './event-types.ts';
import { ReleaseEventTypeEnum } from './events.ts';
import { RELEASE_NAMES } from './node.ts';

/** Events that one page holds at most: a release of 500 environments has thousands. */
export const MOST = 1_000;

@ArgsType()
export class EventPageArgs {
  @Field(() => Int, {
    defaultValue: 50,
    description: `How many at most, from the beginning or after \`after\`; up to ${MOST}.`,
  })
  first!: number;

  @Field(() => String, {
    nullable: true,
    description: 'A cursor: what comes after it. Without it: from the beginning.',
  })
  after?: string | null;

  @Field(() => Int, {
    nullable: true,
    description: `Instead of \`first\`: how many at most of the end, or before \`before\`; up to ${MOST}. They stand oldest first all the same.`,
  })
  last?: number | null;

  @Field(() => String, { nullable: true, description: 'A cursor: what comes before it. Without it: the end.' })
  before?: string | null;
}

@ObjectType('ReleaseEventEdge', { description: 'An event and its place in the log.' })
export class ReleaseEventEdge {
  @Field(() => String, {
    description: 'Pass it as `after` to get what comes later, in the subscription and in the connection alike.',
  })
  cursor!: string;

  @Field(() => ReleaseEventNode, { description: 'The event.' })
  node!: ReleaseEventNode;
}

@ObjectType('ReleaseEventConnection', { description: 'A page of the log, oldest first.' })
export class ReleaseEventConnection {
  @Field(() => [ReleaseEventEdge], { description: 'The events, each with its cursor.' })
  edges!: ReleaseEventEdge[];

  @Field(() => PageInfo, { description: 'Where the page lies in the log.' })
  pageInfo!: PageInfo;
}

@InputType('ReleaseEventFilterInput', { description: 'All that are given must fit.' })
export class ReleaseEventFilterInput {
  @Field(() => ID, { nullable: true, description: `Events of this release: ${RELEASE_NAMES}.` })
  releaseId?: string | null;

  @Field(() => String, { nullable: true, description: 'Events of releases of the product with this name.' })
  product?: string | null;

  @Field(() => String, { nullable: true, description: 'Events of promotions into the environment with this name.' })
  environment?: string | null;

  @Field(() => [ReleaseEventTypeEnum], { nullable: true, description: 'Events of these types.' })
  types?: ReleaseEventType[] | null;
}

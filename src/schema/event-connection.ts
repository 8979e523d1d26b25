import { Field, ID, InputType, ObjectType } from 'type-graphql';
import type { ReleaseEventType } from '../core/events.ts';
import { PageInfo } from './connection.ts';
import { ReleaseEventNode } from './event-types.ts';
import { ReleaseEventTypeEnum } from './events.ts';
import { RELEASE_NAMES } from './node.ts';

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

import { Field, ObjectType } from 'type-graphql';
import type { ListName } from '../events/event-log.ts';
import { enumOf } from './enums.ts';

export const WatchedListEnum = enumOf<ListName>('WatchedList', 'A list that `listChanged` follows.', {
  BAD_VERSIONS: '`badVersions`.',
  CANDIDATES: '`candidates`.',
  ENVIRONMENT_HOLDS: '`environmentHolds`.',
  TRIGGERS: '`triggers`, with what pauses them.',
  WEBHOOK_DELIVERIES: '`webhookDeliveries`.',
});

@ObjectType({ description: 'Lists that are no longer what they were.' })
export class ListChange {
  @Field(() => String, { description: 'Subscribe after it, and nothing is missed.' })
  cursor!: string;

  @Field(() => [WatchedListEnum], { description: 'The ones to read again.' })
  lists!: ListName[];
}

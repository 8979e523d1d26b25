import type { NonEmptyArray } from 'type-graphql';
import { RELEASE_EVENT_TYPES } from '../schema/events.ts';
import { ReleaseEventResolver } from './events.ts';

/** Every resolver class of the API; `src/schema/build.ts` builds the schema from them. */
export const RESOLVERS: NonEmptyArray<Function> = [ReleaseEventResolver];

/** Types that are reached through an interface only. */
export const ORPHANED_TYPES: Function[] = [...RELEASE_EVENT_TYPES];

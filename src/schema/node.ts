import { Field, ID, InterfaceType } from 'type-graphql';
import { releaseIdOf } from './node-id.ts';

@InterfaceType({ description: 'Anything with a global id, which `node` finds again.' })
export abstract class Node {
  @Field(() => ID, { description: 'The global id; not to be taken apart.' })
  id!: string;
}

/** For the descriptions of arguments that name a release. */
export const RELEASE_NAMES =
  'its id, the bare id that logs and commit messages carry, `PRODUCT#NUMBER`, a product for its newest release, or `latest`';

/** A release is named by its global id or by the bare one that logs, URLs and commit messages carry. */
export function readReleaseId(id: string): string {
  return releaseIdOf(id) ?? id;
}

export const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

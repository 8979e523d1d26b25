import { Arg, Ctx, ID, Query, Resolver } from 'type-graphql';
import type { Kind } from '../core/definitions.ts';
import type { ApiContext } from '../schema/context.ts';
import { DEFINITION_TYPES } from '../schema/definition-types.ts';
import type { DefinitionTypes } from '../schema/definition-types.ts';
import { fromNodeId } from '../schema/node-id.ts';
import { Node } from '../schema/node.ts';
import { Viewer } from '../schema/viewer.ts';
import { Guarded, SEES, SIGNED_IN } from './access/rules.ts';
import { checkStorable } from './answers.ts';
import { toScope } from './access-management.ts';
import { readBadVersion } from './bad-version.ts';
import { readCandidate } from './candidate.ts';
import { readNode } from './definitions.ts';
import { readHold } from './environment-hold.ts';
import { readPromotion, readRelease, readSkeleton } from './release-parts.ts';
import { readRollback } from './rollback.ts';

@Resolver()
export class NodeResolver {
  @Guarded(SEES)
  @Query(() => Node, { nullable: true, description: 'Whatever has this global id; null when there is nothing.' })
  async node(
    @Ctx() context: ApiContext,
    @Arg('id', () => ID, { description: 'The global id.' }) id: string,
  ): Promise<Node | null> {
    const known = fromNodeId(id);
    if (!known) return null;
    const { type, what } = known;
    checkStorable({ id: what });
    if (type === 'Release') return readRelease(context, what);
    if (type === 'Rollback') return readRollback(context, what);
    if (type === 'EnvironmentHold') return readHold(context, what);
    if (type === 'Candidate') return readCandidate(context, what);
    if (type === 'BadVersion') return readBadVersion(context, what);
    if (type === 'ReleaseSkeleton') return readSkeleton(context, what);
    if (type === 'EnvironmentPromotion') {
      const [releaseId = '', position = ''] = what.split('/');
      return readPromotion(context, releaseId, () => Number(position));
    }
    if (!Object.hasOwn(DEFINITION_TYPES, type)) return null;
    const [name = '', revision] = what.split('@');
    const number = revision === undefined ? undefined : Number(revision);
    if (number !== undefined && !(Number.isInteger(number) && number > 0 && number < 2 ** 31)) return null;
    return readNode(context, DEFINITION_TYPES[type as Kind] as DefinitionTypes, name, number);
  }

  @Guarded(SIGNED_IN)
  @Query(() => Viewer, { description: 'The caller.' })
  viewer(@Ctx() { actor, caller, identity }: ApiContext): Viewer {
    const known = caller?.kind === 'SERVICE_ACCOUNT' ? 'SERVICE_ACCOUNT' : 'USER';
    const grants = (identity?.grants ?? []).map(toScope);
    return { name: actor, kind: actor === null ? 'ANONYMOUS' : known, groups: caller?.groups ?? [], grants };
  }
}

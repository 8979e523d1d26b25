import { Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import type { EnvironmentGroupSpec } from '../core/definitions.ts';
import { resolveMembers } from '../core/selectors.ts';
import type { ApiContext } from '../schema/context.ts';
import { toNode } from '../schema/definition.ts';
import { Environment, EnvironmentGroup } from '../schema/definition-types.ts';
import { visibilityOf } from './access/visible.ts';
import { allEnvironments } from './batches.ts';

@Resolver(() => EnvironmentGroup)
export class EnvironmentGroupResolver {
  @FieldResolver(() => [Environment], { description: 'Its members as they are now, by name.' })
  async members(@Ctx() context: ApiContext, @Root() group: EnvironmentGroup): Promise<Environment[]> {
    const environments = await allEnvironments(context);
    const selectable = environments.map((each) => ({ ...each.metadata, kind: each.spec.kind, definition: each }));
    const members = resolveMembers(group.stored.spec as EnvironmentGroupSpec, selectable);
    const seen = (await visibilityOf(context))?.environments;
    return members
      .filter(({ name }) => !seen || seen.has(name))
      .map(({ definition }) => toNode(Environment, definition));
  }
}

import { Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import type { EnvironmentGroupSpec } from '../core/definitions.ts';
import { resolveMembers } from '../core/selectors.ts';
import type { ApiContext } from '../schema/context.ts';
import { toNode } from '../schema/definition.ts';
import { Environment } from '../schema/environment.ts';
import {
  EnvironmentGroup,
  EnvironmentGroupConnection,
  EnvironmentGroupCreateInput,
  EnvironmentGroupPayload,
  EnvironmentGroupUpdateInput,
} from '../schema/environment-group.ts';
import { visibilityOf } from './access/visible.ts';
import { allEnvironments } from './batches.ts';
import { definitionResolver } from './definitions.ts';

export const ENVIRONMENT_GROUP = {
  kind: 'EnvironmentGroup' as const,
  field: 'environmentGroup',
  list: 'environmentGroups',
  noun: 'environment group',
  type: EnvironmentGroup,
  connection: EnvironmentGroupConnection,
  createInput: EnvironmentGroupCreateInput,
  updateInput: EnvironmentGroupUpdateInput,
  payload: EnvironmentGroupPayload,
};

export const EnvironmentGroupDefinitionResolver = definitionResolver(ENVIRONMENT_GROUP);

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

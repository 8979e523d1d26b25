import { FieldResolver, Int, Resolver, Root } from 'type-graphql';
import type { ClassType } from 'type-graphql';
import type { CountedConnection } from '../schema/connection.ts';

/** How many entries the list of a connection has. @param most as far as they are counted */
export function countResolver(connection: ClassType<object>, most: number): ClassType<object> {
  @Resolver(() => connection)
  class CountResolver {
    @FieldResolver(() => Int, {
      description: `How many entries the whole list has, whatever page this is; counted up to ${most}.`,
    })
    async totalCount(@Root() { counted }: CountedConnection<unknown>): Promise<number> {
      return (await counted()).count;
    }

    @FieldResolver(() => Boolean, {
      description: 'True: counting stopped at `totalCount`, and there may be more.',
    })
    async isTotalCapped(@Root() { counted }: CountedConnection<unknown>): Promise<boolean> {
      return (await counted()).isCapped;
    }
  }
  return CountResolver;
}

import { Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import type { ApiContext } from '../schema/context.ts';
import { toNode } from '../schema/definition.ts';
import { Application, Product } from '../schema/definition-types.ts';
import { sees } from '../core/access/index.ts';
import { visibilityOf } from './access/visible.ts';
import { applicationsOfProduct } from './batches.ts';

@Resolver(() => Product)
export class ProductResolver {
  @FieldResolver(() => [Application], { description: 'Its applications, by name.' })
  async applications(@Ctx() context: ApiContext, @Root() { name }: Product): Promise<Application[]> {
    const found = await applicationsOfProduct(context).load(name);
    const visibility = await visibilityOf(context);
    const seen = found.filter(({ spec }) => sees(visibility, spec.product, spec.environment));
    return seen.map((each) => toNode(Application, each));
  }
}

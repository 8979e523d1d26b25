import { Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import { Application } from '../schema/application.ts';
import type { ApiContext } from '../schema/context.ts';
import { toNode } from '../schema/definition.ts';
import {
  Product,
  ProductConnection,
  ProductCreateInput,
  ProductPayload,
  ProductUpdateInput,
} from '../schema/product.ts';
import { sees } from '../core/access/index.ts';
import { visibilityOf } from './access/visible.ts';
import { applicationsOfProduct } from './batches.ts';
import { definitionResolver } from './definitions.ts';

export const PRODUCT = {
  kind: 'Product' as const,
  field: 'product',
  list: 'products',
  noun: 'product',
  type: Product,
  connection: ProductConnection,
  createInput: ProductCreateInput,
  updateInput: ProductUpdateInput,
  payload: ProductPayload,
};

export const ProductDefinitionResolver = definitionResolver(PRODUCT);

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

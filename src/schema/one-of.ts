import { isInputObjectType } from 'graphql';
import type { GraphQLSchema } from 'graphql';

/** type-graphql knows no `@oneOf`: inputs ask for it with `@Extensions({ oneOf: true })`. */
export function markOneOf(schema: GraphQLSchema): GraphQLSchema {
  for (const type of Object.values(schema.getTypeMap())) {
    if (isInputObjectType(type) && type.extensions.oneOf === true) type.isOneOf = true;
  }
  return schema;
}

import { lexicographicSortSchema, printSchema } from 'graphql';
import { buildApiSchema } from './build.ts';

/** The text of schema.graphql. Sorted: the order in which classes are loaded is no part of the API. */
export function printApiSchema(): string {
  return `${printSchema(lexicographicSortSchema(buildApiSchema()))}\n`;
}

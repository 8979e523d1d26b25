import { lexicographicSortSchema, parse, print, printSchema, visit } from 'graphql';
import { buildApiSchema } from './build.ts';

/** The text of schema.graphql. Sorted: the order in which classes are loaded is no part of the API. */
export function printApiSchema(): string {
  return `${printSchema(lexicographicSortSchema(buildApiSchema()))}\n`;
}

/** The same without descriptions. */
export function printBareSchema(): string {
  const described = parse(printApiSchema());
  return `${print(visit(described, { StringValue: (_, key) => (key === 'description' ? null : undefined) }))}\n`;
}

import { GraphQLError, GraphQLScalarType, Kind } from 'graphql';
import { GraphQLJSON, GraphQLJSONObject } from 'graphql-scalars';
import { Field, InputType, ObjectType } from 'type-graphql';
import { formatDuration, parseDuration } from '../core/duration.ts';

/** Of a time in milliseconds since the epoch. */
export const dateOf = (at: number | null | undefined): Date | null => (typeof at === 'number' ? new Date(at) : null);

/** Milliseconds inside, `1h30m` outside. */
export const Duration = new GraphQLScalarType<number, string>({
  name: 'Duration',
  description: 'A length of time such as `90s`, `1h30m`, `24h` or `250ms`.',
  serialize: (value) => formatDuration(value as number),
  parseValue: (value) => readDuration(value),
  parseLiteral: (node) => readDuration(node.kind === Kind.STRING ? node.value : undefined),
});

function readDuration(value: unknown): number {
  const parsed = typeof value === 'string' ? parseDuration(value) : undefined;
  if (parsed === undefined) throw new GraphQLError('Expected a duration such as "90s", "1h30m" or "24h"');
  return parsed;
}

export const JSONObject = new GraphQLScalarType({
  ...GraphQLJSONObject.toConfig(),
  name: 'JSONObject',
  description: 'A JSON object of any content.',
  specifiedByURL: undefined,
});

/** Of any content. */
export const JSONValue = new GraphQLScalarType({
  ...GraphQLJSON.toConfig(),
  name: 'JSON',
  description: 'Any JSON value.',
  specifiedByURL: undefined,
});

@ObjectType({ description: 'A label, an annotation or a header.' })
export class Label {
  @Field(() => String, { description: 'The key, e.g. `team` or `example.com/team`.' })
  key!: string;

  @Field(() => String, { description: 'The value.' })
  value!: string;
}

@InputType({ description: 'A label, an annotation or a header.' })
export class LabelInput {
  @Field(() => String, { description: 'The key, e.g. `team` or `example.com/team`.' })
  key!: string;

  @Field(() => String, { description: 'The value.' })
  value!: string;
}

export function labelsOf(values: Record<string, string>): Label[] {
  return Object.keys(values)
    .sort()
    .map((key) => ({ key, value: values[key] as string }));
}

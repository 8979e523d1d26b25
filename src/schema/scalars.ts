import { GraphQLScalarType } from 'graphql';
import { GraphQLDateTimeISO } from 'graphql-scalars';

/** Resolvers return a Date; give milliseconds since the epoch to `new Date()` first. */
export const DateTime = new GraphQLScalarType({
  ...GraphQLDateTimeISO.toConfig(),
  name: 'DateTime',
  description: 'A moment in UTC, RFC 3339 with milliseconds, e.g. `2026-03-29T01:30:00.000Z`.',
});

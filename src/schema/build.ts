import 'reflect-metadata';
import type { GraphQLSchema } from 'graphql';
import { buildSchemaSync } from 'type-graphql';
import { guardSchema } from '../resolvers/access/guard.ts';
import { ORPHANED_TYPES, RESOLVERS } from '../resolvers/index.ts';
import { budgetSchema } from './budget.ts';
import { markOneOf } from './one-of.ts';
import { DateTime } from './scalars.ts';

let built: GraphQLSchema | null = null;

/** The whole API. Built once per process: type-graphql keeps its metadata globally anyway. */
export function buildApiSchema(): GraphQLSchema {
  if (built) return built;
  const bare = buildSchemaSync({
    resolvers: RESOLVERS,
    orphanedTypes: ORPHANED_TYPES,
    scalarsMap: [{ type: Date, scalar: DateTime }],
    // The core checks what it is given and names the field and the fix; a second checker would answer in other words.
    validate: false,
    pubSub: NO_PUB_SUB,
  });
  // No class stands for these three.
  bare.getQueryType()!.description = 'What can be asked. Nothing of it changes anything.';
  bare.getMutationType()!.description =
    'What can be ordered. A refusal is no error of GraphQL: it is in the `userErrors` of the payload.';
  bare.getSubscriptionType()!.description =
    'What can be followed, over WebSockets (graphql-ws) and server-sent events. Each event has a cursor to go on from.';
  // The budget stands outside: what is not paid for is not asked for its rule either.
  built = budgetSchema(guardSchema(markOneOf(bare)));
  return built;
}

/** type-graphql asks for one even when every subscription has a source of its own: ours is the event log. */
const NO_PUB_SUB = {
  publish(): never {
    throw new Error('events are published by writing them into the log');
  },
  subscribe(): never {
    throw new Error('a subscription without a source: give it `subscribe`');
  },
};

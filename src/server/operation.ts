import { maxAliasesRule } from '@escape.tech/graphql-armor-max-aliases';
import { maxDepthRule } from '@escape.tech/graphql-armor-max-depth';
import {
  type DocumentNode,
  type ExecutionArgs,
  GraphQLError,
  type GraphQLSchema,
  parse,
  specifiedRules,
  validate,
  type ValidationContext,
  type ValidationRule,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import { checkCost } from './cost.ts';
import type { Introspection } from './introspection.ts';

/** What one operation may ask for, on every transport. */
export const MAX_TOKENS = 5_000;
const MAX_DEPTH = 15;
const MAX_ALIASES = 100;

/** The libraries throw what they find, or leave it to a handler: as a finding among the others it is a 400, not a 500. */
const report = {
  propagateOnRejection: false,
  onReject: [
    (context: ValidationContext | null, error: GraphQLError) =>
      context?.reportError(new GraphQLError(error.message.replace(/^Syntax Error: /, ''))),
  ],
};

export const LIMIT_RULES = [
  maxDepthRule({ n: MAX_DEPTH, flattenFragments: true, ...report }),
  maxAliasesRule({ n: MAX_ALIASES, ...report }),
] as unknown as ValidationRule[];

export interface OperationParams {
  query?: unknown;
  operationName?: unknown;
  variables?: unknown;
}

/** Thousands of subscribers send the same few documents. */
const documents = new LRUCache<string, DocumentNode>({
  max: 500,
  maxSize: 5_000_000,
  sizeCalculation: (_, text) => text.length + 1,
});

/** Parsed and validated, or why not. For the transports that Apollo does not serve. */
export function prepare(
  { schema, introspection, maxCost }: { schema: GraphQLSchema; introspection: Introspection; maxCost: number },
  params: OperationParams,
): ExecutionArgs | readonly GraphQLError[] {
  const { query, operationName, variables } = params;
  if (typeof query !== 'string') return [new GraphQLError('query is missing: expected the text of an operation')];
  try {
    let document = documents.get(query);
    if (!document) {
      document = parse(query, { maxTokens: MAX_TOKENS });
      const errors = validate(schema, document, [...specifiedRules, ...LIMIT_RULES]);
      if (errors.length > 0) return errors;
      documents.set(query, document);
    }
    const args = {
      schema,
      document,
      operationName: typeof operationName === 'string' ? operationName : undefined,
      variableValues: (variables ?? undefined) as ExecutionArgs['variableValues'],
    };
    const operation = { ...args, variables: args.variableValues };
    introspection.check(operation);
    checkCost(schema, operation, maxCost);
    return args;
  } catch (error) {
    if (error instanceof GraphQLError) return [error];
    throw error;
  }
}

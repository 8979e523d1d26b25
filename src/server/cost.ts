import {
  type DocumentNode,
  getNamedType,
  getNullableType,
  getOperationAST,
  GraphQLError,
  getVariableValues,
  isCompositeType,
  isListType,
} from 'graphql';
import type { GraphQLSchema } from 'graphql';
// Its ES modules would load a second copy of graphql, which refuses the types of the first.
import { type ComplexityEstimator, getComplexity } from 'graphql-query-complexity/cjs';
import { MAX_FIRST } from '../schema/connection.ts';

/** A list that has no `first`: the steps of a promotion, the members of a group. */
const LIST = 10;
/** Fields that are looked at before we give up; fragments count wherever they are spread. */
const MAX_NODES = 10_000;

/**
 * An object costs 1 and a plain value nothing. What stands in a list counts as often as `first` or `last` says, or ten times; the
 * two lists of a connection hold what its `first` already counted. What is asked of the schema itself `Introspection` counts.
 */
const estimator: ComplexityEstimator = ({ type, field, args, childComplexity }) => {
  if (type.name.startsWith('__') || field.name.startsWith('__')) return 0;
  if (!isCompositeType(getNamedType(field.type))) return 0;
  const first: unknown = args['last'] ?? args['first'];
  if (typeof first === 'number') return 1 + Math.min(Math.max(first, 1), MAX_FIRST) * childComplexity;
  const isList = isListType(getNullableType(field.type)) && !type.name.endsWith('Connection');
  return 1 + (isList ? LIST : 1) * childComplexity;
};

export interface Operation {
  document: DocumentNode;
  operationName?: string | null;
  variables?: Record<string, unknown> | null;
}

/** What executing a valid operation costs at most. @throws GraphQLError when it has too many fields to tell. */
export function costOf(schema: GraphQLSchema, { document, operationName, variables }: Operation): number {
  const operation = getOperationAST(document, operationName);
  // Which operation, or which variables, is for the execution to say: nothing will run.
  if (!operation) return 0;
  if (getVariableValues(schema, operation.variableDefinitions ?? [], variables ?? {}).errors) return 0;
  try {
    return getComplexity({
      schema,
      query: {
        ...document,
        definitions: document.definitions.filter((each) => each.kind !== operation.kind || each === operation),
      },
      variables: variables ?? {},
      estimators: [estimator],
      maxQueryNodes: MAX_NODES,
    });
  } catch (error) {
    if (error instanceof GraphQLError && error.message.includes('number of nodes'))
      throw tooExpensive(`the operation has more than ${MAX_NODES} fields, fragments counted wherever they are used`);
    throw error;
  }
}

/** @throws GraphQLError for what costs more than `most`. */
export function checkCost(schema: GraphQLSchema, operation: Operation, most: number): void {
  const cost = costOf(schema, operation);
  if (cost > most)
    throw tooExpensive(
      `the operation may cost ${cost}, and at most ${most} is allowed: ask for less, or for smaller pages`,
    );
}

const tooExpensive = (message: string): GraphQLError =>
  new GraphQLError(message, { extensions: { code: 'TOO_EXPENSIVE' } });

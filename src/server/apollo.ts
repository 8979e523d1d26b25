import { ApolloServer, type ApolloServerPlugin, HeaderMap } from '@apollo/server';
import { ApolloServerPluginLandingPageDisabled } from '@apollo/server/plugin/disabled';
import { GraphQLError, type GraphQLSchema } from 'graphql';
import type { Log } from '../log.ts';
import type { ApiContext } from '../schema/context.ts';
import { checkCost } from './cost.ts';
import { RateLimitedError } from './limits.ts';
import type { Masking } from './masking.ts';
import { LIMIT_RULES, MAX_TOKENS } from './operation.ts';

/** GraphQL over HTTP. */
export function newApollo(parts: {
  schema: GraphQLSchema;
  masking: Masking;
  log: Log;
  maxCost: number;
}): ApolloServer<ApiContext> {
  const { schema, masking, log, maxCost } = parts;
  return new ApolloServer<ApiContext>({
    schema,
    introspection: true,
    csrfPrevention: true,
    allowBatchedHttpRequests: false,
    includeStacktraceInErrorResponses: false,
    persistedQueries: false,
    stopOnTerminationSignals: false,
    parseOptions: { maxTokens: MAX_TOKENS },
    validationRules: LIMIT_RULES,
    formatError: (formatted, error) => masking.error(error, formatted),
    plugins: [ApolloServerPluginLandingPageDisabled(), costPlugin(schema, maxCost)],
    logger: log,
  });
}

/** Of HTTP the status and the header say it as well. */
export function asHttp(error: unknown): never {
  if (!(error instanceof RateLimitedError)) throw error;
  const headers = new HeaderMap([['retry-after', String(error.retryAfter)]]);
  throw new GraphQLError(error.message, { extensions: { ...error.extensions, http: { status: 429, headers } } });
}

/** What is too expensive is a fault of the request, and nothing of it is executed. */
function costPlugin(schema: GraphQLSchema, most: number): ApolloServerPlugin<ApiContext> {
  return {
    async requestDidStart() {
      return {
        async didResolveOperation({ document, request: { operationName, variables } }) {
          try {
            checkCost(schema, { document, operationName, variables }, most);
          } catch (error) {
            if (!(error instanceof GraphQLError)) throw error;
            throw new GraphQLError(error.message, { extensions: { ...error.extensions, http: { status: 400 } } });
          }
        },
      };
    },
  };
}

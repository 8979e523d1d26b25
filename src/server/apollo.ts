import { ApolloServer, type ApolloServerPlugin, HeaderMap } from '@apollo/server';
import { ApolloServerPluginLandingPageDisabled } from '@apollo/server/plugin/disabled';
import { GraphQLError, type GraphQLSchema } from 'graphql';
import type { Log } from '../log.ts';
import type { ApiContext } from '../schema/context.ts';
import { PLAIN } from './compression.ts';
import { checkCost } from './cost.ts';
import type { Introspection } from './introspection.ts';
import { type Limits, RateLimitedError } from './limits.ts';
import type { Masking } from './masking.ts';
import { LIMIT_RULES, MAX_TOKENS } from './operation.ts';

/** GraphQL over HTTP. */
export function newApollo(parts: {
  schema: GraphQLSchema;
  masking: Masking;
  log: Log;
  introspection: Introspection;
  /** They decide whether the caller may ask another question about the schema now. */
  limits: Limits;
  maxCost: number;
}): ApolloServer<ApiContext> {
  const { schema, masking, log } = parts;
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
    plugins: [ApolloServerPluginLandingPageDisabled(), limitsPlugin(parts)],
    stringifyResult: ({ data, ...rest }) =>
      data instanceof Text ? `{"data":${data.text}}\n` : `${JSON.stringify({ ...rest, data })}\n`,
    logger: log,
  });
}

/** Of HTTP the status and the header say it as well. */
export function asHttp(error: unknown): never {
  if (!(error instanceof RateLimitedError)) throw error;
  const headers = new HeaderMap([['retry-after', String(error.retryAfter)]]);
  throw new GraphQLError(error.message, { extensions: { ...error.extensions, http: { status: 429, headers } } });
}

/** `data` that was written before: it is passed on as it is. */
class Text {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

interface LimitParts {
  schema: GraphQLSchema;
  introspection: Introspection;
  limits: Limits;
  masking: Masking;
  maxCost: number;
}

/**
 * What is too expensive is a fault of the request, and nothing of it is executed; what turns out to be is answered with the reason
 * alone. Questions about the schema alone are answered without an execution.
 */
function limitsPlugin({ schema, introspection, limits, masking, maxCost }: LimitParts): ApolloServerPlugin<ApiContext> {
  return {
    async requestDidStart() {
      return {
        async didResolveOperation({ document, request: { operationName, variables }, contextValue }) {
          const operation = { document, operationName, variables };
          try {
            introspection.check(operation);
            checkCost(schema, operation, maxCost);
          } catch (error) {
            if (!(error instanceof GraphQLError)) throw error;
            throw new GraphQLError(error.message, { extensions: { ...error.extensions, http: { status: 400 } } });
          }
          await limits.introspection(contextValue.limitedAs, introspection, operation).catch(asHttp);
        },
        async responseForOperation({ document, request: { operationName, variables } }) {
          const text = introspection.answer({ document, operationName, variables });
          if (text === undefined) return null;
          const http = { status: undefined, headers: new HeaderMap() };
          return { http, body: { kind: 'single', singleResult: { data: new Text(text) as never } } };
        },
        async willSendResponse({ contextValue: { budget }, operation, response: { body, http } }) {
          if (operation?.operation === 'mutation') http.headers.set('cache-control', PLAIN);
          if (!budget.error || body.kind !== 'single') return;
          body.singleResult = { data: null, errors: [masking.error(budget.error, budget.error.toJSON())] };
        },
      };
    },
  };
}

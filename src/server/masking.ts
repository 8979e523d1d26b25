import { randomUUID } from 'node:crypto';
import { type ExecutionResult, GraphQLError, type GraphQLFormattedError } from 'graphql';
import { RefusedError } from '../core/problems.ts';
import type { Log } from '../log.ts';
import { ReadRefusedError } from '../store/reads.ts';

const CODE = 'INTERNAL_SERVER_ERROR';

/**
 * Clients see what they did wrong, never what went wrong inside: that is logged, and the answer names the line in the log.
 */
export class Masking {
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  /** @param formatted what GraphQL itself would answer. */
  error(error: unknown, formatted: GraphQLFormattedError): GraphQLFormattedError {
    const cause = causeOf(error);
    if (cause instanceof ReadRefusedError) {
      return { ...formatted, message: cause.message, extensions: { code: cause.code } };
    }
    if (cause instanceof RefusedError) {
      const { code = 'INVALID', path } = cause.refusals[0] ?? {};
      return { ...formatted, message: cause.message, extensions: { code, argument: path?.join('.') } };
    }
    if (isClients(cause) && formatted.extensions?.['code'] !== CODE) return formatted;
    const logId = randomUUID();
    this.#log.error({ error: cause, logId, path: formatted.path?.join('.') }, 'a request failed');
    const message = `Something went wrong inside Sluice. The server's log says more under ${logId}.`;
    return {
      message,
      ...(formatted.locations && { locations: formatted.locations }),
      ...(formatted.path && { path: formatted.path }),
      extensions: { code: CODE, logId },
    };
  }

  /** The same for a whole result; one without errors is passed on as it is. */
  result(result: ExecutionResult): ExecutionResult {
    if (!result.errors) return result;
    return { ...result, errors: this.errors(result.errors) };
  }

  errors(errors: readonly GraphQLError[]): readonly GraphQLError[] {
    return errors.map((error) => {
      const plain = error.toJSON();
      const shown = this.error(error, withoutHttp(plain));
      if (shown === plain) return error;
      const { nodes, source, positions, path } = error;
      return new GraphQLError(shown.message, { nodes, source, positions, path, extensions: shown.extensions });
    });
  }
}

/** What an error says to Apollo's HTTP is not for clients. */
function withoutHttp(formatted: GraphQLFormattedError): GraphQLFormattedError {
  if (!formatted.extensions || !('http' in formatted.extensions)) return formatted;
  const { http: _, ...extensions } = formatted.extensions;
  return { ...formatted, extensions };
}

/** An error of execution has a path; what is wrong with a document or with variables has none, whatever its cause. */
function causeOf(error: unknown): unknown {
  if (!(error instanceof GraphQLError) || error.path === undefined) return error;
  return error.originalError ?? error;
}

const isClients = (error: unknown): boolean =>
  error instanceof Error && (error instanceof GraphQLError || error.name === 'GraphQLError');

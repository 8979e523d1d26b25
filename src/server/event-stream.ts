import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Request, RequestHandler, Response } from 'express';
import { type ExecutionArgs, type ExecutionResult, GraphQLError } from 'graphql';
import { createHandler } from 'graphql-sse/lib/use/express';
import type { Session } from '../access/sessions.ts';
import type { Identity } from '../core/access/index.ts';
import { unauthenticated } from '../resolvers/access/guard.ts';
import type { RequestOrigin } from '../schema/context.ts';
import { answer } from './execute.ts';
import type { Masking } from './masking.ts';
import { prepare } from './operation.ts';
import { RateLimitedError } from './limits.ts';
import { RETRY_AFTER, type TransportParts } from './sockets.ts';

/**
 * Server-sent events, one connection per operation ("distinct connections" of graphql-sse): for portals behind proxies that
 * know HTTP and nothing else. GET serves a plain EventSource, POST everybody else.
 */
export function serveEventStreams(parts: TransportParts): { handler: RequestHandler; close(): void } {
  const { schema, introspection, masking, fanOut, newContext, limits } = parts;
  const open = new Set<Response>();
  const responses = new WeakMap<ExecutionArgs, { response: Response; caller: string }>();
  const callers = new WeakMap<Response, { live: Session | null; identity: Identity | null; from: RequestOrigin }>();

  const handle = createHandler({
    schema,
    // No tokens: nothing is kept for a client that has no connection.
    authenticate: () => null,
    onSubscribe: async ({ raw, context: { res } }, params) => {
      const contextValue = newContext(raw, callers.get(res)!);
      const caller = contextValue.limitedAs;
      await limits.operation(caller);
      const prepared = prepare(parts, params);
      if (!('schema' in prepared)) return { data: null, errors: masking.errors(prepared) };
      await limits.introspection(caller, introspection, prepared);
      const args = { ...prepared, contextValue };
      responses.set(args, { response: res, caller });
      return args as never;
    },
    validate: () => [],
    execute: (async (args: ExecutionArgs) => masking.result(await answer(args, introspection))) as never,
    subscribe: (async (args: ExecutionArgs) => {
      const { response, caller } = responses.get(args)!;
      const results = await limits.subscription(caller, () => fanOut.subscribe(args));
      if (!('next' in results)) return results;
      const live = callers.get(response)?.live;
      return live ? endingWith(live, paced(results, response), masking) : paced(results, response);
    }) as never,
  });

  /** @returns null when it has been refused */
  async function callerOf(request: Request, response: Response) {
    try {
      const identified = await parts.identifier.identify(request);
      const live = await parts.sessions.open(identified);
      return { live, identity: identified?.identity ?? null, from: parts.identifier.originOf(request, 'SSE') };
    } catch (error) {
      if (error instanceof RateLimitedError) tooMany(response, error.message, error.retryAfter);
      else if (error instanceof GraphQLError) refuse(response, error);
      else throw error;
      return null;
    }
  }

  return {
    handler: async (request: Request, response: Response) => {
      // Anything else would be read by graphql-sse itself, without a limit.
      if (request.method !== 'GET' && (request.method !== 'POST' || !request.is('application/json'))) {
        response.status(415).json({
          errors: [{ message: 'expected GET, or POST with application/json', extensions: { code: 'BAD_REQUEST' } }],
        });
        return;
      }
      const release = limits.stream(limits.callerOf(request));
      if (!release) return tooMany(response, 'too many open streams: close some first', RETRY_AFTER);
      response.once('close', release);
      response.once('close', () => callers.get(response)?.live?.close());
      const caller = await callerOf(request, response);
      if (!caller) return;
      callers.set(response, caller);
      if (response.destroyed) return caller.live?.close();
      // nginx would hold back what looks like a small response.
      response.setHeader('X-Accel-Buffering', 'no');
      open.add(response);
      response.once('close', () => open.delete(response));
      try {
        await handle(request, response);
      } catch (error) {
        if (!(error instanceof RateLimitedError)) throw error;
        tooMany(response, error.message, error.retryAfter);
      }
    },
    /** Cut, not completed: clients reconnect elsewhere and go on with their cursors. */
    close() {
      for (const response of open) response.destroy();
    },
  };
}

export function tooMany(response: Response, message: string, retryAfter: number): void {
  response
    .status(429)
    .set('Retry-After', String(retryAfter))
    .json({ errors: [{ message, extensions: { code: 'RATE_LIMITED', retryAfter } }] });
}

/**
 * graphql-sse takes results as fast as they come and queues them without a limit. So the next one is not even looked for
 * while an earlier one is still on its way to the client.
 */
function paced(
  results: AsyncIterableIterator<ExecutionResult>,
  response: Response,
): AsyncIterableIterator<ExecutionResult> {
  return {
    async next() {
      await emptied(response);
      return results.next();
    },
    return: () => results.return!(),
    throw: (error) => results.throw!(error),
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** The stream of a caller whose token ends says so, as its last word. */
function endingWith(
  live: Session,
  results: AsyncIterableIterator<ExecutionResult>,
  masking: Masking,
): AsyncIterableIterator<ExecutionResult> {
  let over = false;
  const ended = live.ended.then((reason): IteratorResult<ExecutionResult> => {
    over = true;
    results.return!().catch(() => undefined);
    return { done: false, value: { errors: masking.errors([unauthenticated(reason)]) } };
  });
  return {
    next: () => (over ? Promise.resolve({ done: true, value: undefined }) : Promise.race([results.next(), ended])),
    return: () => results.return!(),
    throw: (error) => results.throw!(error),
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

function refuse(response: Response, { message, extensions: { code } }: GraphQLError): void {
  if (code === 'UNAUTHENTICATED') response.set('WWW-Authenticate', 'Bearer');
  const status = code === 'UNAUTHENTICATED' ? 401 : code === 'FORBIDDEN' ? 403 : 503;
  response.status(status).json({ errors: [{ message, extensions: { code } }] });
}

/** A response has no event that tells when it has run empty; of a client that keeps up it mostly has at the next turn. */
async function emptied(response: Response): Promise<void> {
  for (let looks = 0; response.writableLength > 0 && !response.destroyed; looks += 1) {
    await (looks < 3 ? nextTurn() : sleep(PAUSE));
  }
}

/** Milliseconds. */
const PAUSE = 10;

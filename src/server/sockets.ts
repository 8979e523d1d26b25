import { STATUS_CODES, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ExecutionArgs, type ExecutionResult, GraphQLError, type GraphQLSchema } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Session, Sessions } from '../access/sessions.ts';
import { unauthenticated } from '../resolvers/access/guard.ts';
import type { ApiContext, ContextParts, RequestOrigin } from '../schema/context.ts';
import { answer } from './execute.ts';
import type { FanOut } from './fan-out.ts';
import type { Introspection } from './introspection.ts';
import { type Limits, RateLimitedError } from './limits.ts';
import type { Masking } from './masking.ts';
import type { Identifier } from './identify.ts';
import { prepare } from './operation.ts';
import { originAllowed } from './origin.ts';

/** Who asks, and from where. */
export type RequestParts = Pick<ContextParts, 'identity' | 'live' | 'from'>;

export interface TransportParts {
  schema: GraphQLSchema;
  introspection: Introspection;
  identifier: Identifier;
  sessions: Sessions;
  newContext: (request: IncomingMessage, parts: RequestParts) => ApiContext;
  fanOut: FanOut;
  masking: Masking;
  maxBytes: number;
  maxCost: number;
  limits: Limits;
  allowedOrigins: readonly string[];
  /** Whether a request names this server as its host. */
  hostAllowed: (request: IncomingMessage) => boolean;
}

/** As graphql-ws numbers it, and as WebSocket does. */
const UNAUTHORIZED = 4401;
const TRY_AGAIN_LATER = 1013;
const CLOSED_WITH: Record<string, number> = { UNAUTHENTICATED: UNAUTHORIZED, FORBIDDEN: 4403 };
/** More than any screen needs; each costs a place in the log and a waiter. */
const MAX_SUBSCRIPTIONS_PER_SOCKET = 250;
const KEEP_ALIVE = 12_000;
/** Seconds after which a caller that holds too many streams may try again. */
export const RETRY_AFTER = 10;
/** Milliseconds that a client gets to answer the goodbye. */
const GOODBYE = 1_000;

/** The graphql-transport-ws protocol on `/graphql`. */
export function serveSockets(server: Server, parts: TransportParts): { close(): Promise<void> } {
  const { introspection, masking, fanOut, newContext, limits } = parts;
  const sockets = new WebSocketServer({ noServer: true, maxPayload: parts.maxBytes });
  const connections = new WeakMap<WebSocket, { live: Session | null; from: RequestOrigin }>();

  /** Who it is holds for the whole connection, which ends with what showed it. */
  async function admit(socket: WebSocket, request: IncomingMessage, params: unknown): Promise<boolean> {
    const { Authorization, authorization } = (params ?? {}) as Record<string, unknown>;
    try {
      const identified = await parts.identifier.identify(request, Authorization ?? authorization);
      if (identified?.identity.anonymous) throw unauthenticated('this server needs to know who is calling');
      const live = await parts.sessions.open(identified);
      connections.set(socket, { live, from: parts.identifier.originOf(request, 'WEBSOCKET') });
      live?.ended.then((reason) => socket.close(UNAUTHORIZED, closeReason(reason))).catch(() => undefined);
      // The socket may have closed meanwhile, and `onClose` does not come a second time.
      if (socket.readyState !== socket.OPEN) live?.close();
      return true;
    } catch (error) {
      if (!(error instanceof GraphQLError)) throw error;
      const code = CLOSED_WITH[String(error.extensions['code'])] ?? TRY_AGAIN_LATER;
      socket.close(code, closeReason(error.message));
      return false;
    }
  }

  const protocol = useServer(
    {
      // Whatever NODE_ENV says: no internals in close reasons.
      isProd: true,
      connectionInitWaitTimeout: 10_000,
      execute: async (args): Promise<ExecutionResult> => masking.result(await answer(args, introspection)),
      subscribe: (args: ExecutionArgs) =>
        limits.subscription((args.contextValue as ApiContext).limitedAs, () => fanOut.subscribe(args)),
      onConnect: ({ connectionParams, extra: { socket, request } }) => admit(socket, request, connectionParams),
      onClose: ({ extra: { socket } }) => connections.get(socket)?.live?.close(),
      onSubscribe: async ({ subscriptions, extra }, _id, params) => {
        if (Object.keys(subscriptions).length > MAX_SUBSCRIPTIONS_PER_SOCKET) {
          const message = `more than ${MAX_SUBSCRIPTIONS_PER_SOCKET} operations on one socket: open another one`;
          return [new GraphQLError(message, { extensions: { code: 'TOO_MANY_SUBSCRIPTIONS' } })];
        }
        const contextValue = newContext(extra.request, connections.get(extra.socket)!);
        const caller = contextValue.limitedAs;
        try {
          await limits.operation(caller);
          const prepared = prepare(parts, params);
          if ('schema' in prepared) await limits.introspection(caller, introspection, prepared);
          return 'schema' in prepared ? { ...prepared, contextValue } : prepared;
        } catch (error) {
          if (error instanceof RateLimitedError) return [error];
          throw error;
        }
      },
      onError: (_context, _id, _payload, errors) => masking.errors(errors),
    },
    sockets,
    KEEP_ALIVE,
  );

  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    socket.on('error', () => socket.destroy());
    const path = (request.url ?? '').split('?')[0];
    if (path !== '/graphql') return refuse(socket, 404);
    if (!parts.hostAllowed(request)) return refuse(socket, 421);
    if (!originAllowed(request, parts.allowedOrigins)) return refuse(socket, 403);
    const release = limits.stream(limits.callerOf(request));
    if (!release) return refuse(socket, 429, RETRY_AFTER);
    socket.once('close', release);
    sockets.handleUpgrade(request, socket, head, (webSocket) => sockets.emit('connection', webSocket, request));
  };
  server.on('upgrade', onUpgrade);

  return {
    /** Says "going away" and never "complete": clients reconnect elsewhere and go on with their cursors. */
    async close() {
      const late = setTimeout(() => {
        for (const socket of sockets.clients) socket.terminate();
      }, GOODBYE);
      await protocol.dispose();
      clearTimeout(late);
    },
  };
}

/** A close frame has room for 123 bytes. */
function closeReason(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= 123) return text;
  // In whole words: half of one reads like another.
  return bytes
    .subarray(0, 120)
    .toString()
    .replace(/\ufffd+$/, '')
    .replace(/\s\S*$/, '…');
}

function refuse(socket: Duplex, status: number, retryAfter?: number): void {
  const more = retryAfter === undefined ? '' : `Retry-After: ${retryAfter}\r\n`;
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${more}Connection: close\r\nContent-Length: 0\r\n\r\n`);
}

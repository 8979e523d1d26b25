import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { App } from './app.ts';
import { EventLog, type EventLogOptions } from './events/event-log.ts';
import { readiness } from './readiness.ts';
import { buildApiSchema } from './schema/build.ts';
import { type ApiContext, createContext } from './schema/context.ts';
import { asHttp, newApollo } from './server/apollo.ts';
import { serveEventStreams } from './server/event-stream.ts';
import { FanOut } from './server/fan-out.ts';
import { createHttpApp } from './server/http.ts';
import { Masking } from './server/masking.ts';
import { Limits } from './server/limits.ts';
import { hostGuard } from './server/origin.ts';
import { serveSockets } from './server/sockets.ts';

export interface ApiServer {
  /** Where to reach it from this machine. */
  url: string;
  port: number;
  close(): Promise<void>;
}

export interface ServerOptions {
  events?: Pick<EventLogOptions, 'ringSize' | 'pollMs'>;
}

/** How long open requests may take to end when the server closes, in milliseconds. */
const GRACE = 5_000;

/** The API on HTTP, WebSocket and event streams; a process that only works answers for its health alone. */
export async function startServer(app: App, options: ServerOptions = {}): Promise<ApiServer> {
  const { config, log, pool, databaseUrl } = app;
  const masking = new Masking(log);
  const maxBytes = config.limits.bodyBytes;
  const hostAllowed = hostGuard(config.host, config.publicUrl);
  // Behind a proxy that writes a Host of its own, our own pages come from another origin than they ask.
  const own = config.publicUrl === undefined ? [] : [new URL(config.publicUrl).origin];
  const allowedOrigins = [...own, ...config.allowedOrigins];
  const limits = new Limits(config);
  const newServer = (listener: RequestListener): Server => limitedServer(listener, config.limits);
  if (config.role === 'worker') {
    const server = newServer(
      createHttpApp({ masking, maxBytes, hostAllowed, allowedOrigins, readiness: () => readiness(app, null) }),
    );
    return listening(server, config, () => closeServer(server));
  }

  const events = await EventLog.open({ pool, databaseUrl, log, ...options.events });
  const schema = buildApiSchema();
  const newContext = (): ApiContext => createContext({ app, log: events });
  const fanOut = new FanOut({ masking, freshContext: ({ actor }) => createContext({ app, log: events }, actor) });
  const transport = {
    schema,
    newContext,
    fanOut,
    masking,
    maxBytes,
    maxCost: config.limits.cost,
    limits,
    hostAllowed,
    allowedOrigins,
  };
  const apollo = newApollo({ schema, masking, log, maxCost: config.limits.cost });
  await apollo.start();
  const streams = serveEventStreams(transport);
  const server = newServer(
    createHttpApp({
      masking,
      maxBytes,
      hostAllowed,
      allowedOrigins,
      readiness: () => readiness(app, events),
      api: {
        apollo,
        eventStream: streams.handler,
        newContext: async (request) => {
          const context = newContext();
          await limits.operation(limits.callerOf(request, context)).catch(asHttp);
          return context;
        },
      },
    }),
  );
  const sockets = serveSockets(server, transport);
  const close = async (): Promise<void> => {
    const closed = closeServer(server);
    streams.close();
    // The log after the connections: a subscription that ended by itself would be told to clients as complete.
    await sockets.close();
    await events.close();
    await closed;
    await apollo.stop();
  };
  return listening(server, config, close);
}

/** Whoever sends slowly, or holds connections, is let go: places are for those who ask something. */
function limitedServer(listener: RequestListener, { requestMs, connections }: App['config']['limits']): Server {
  const headersTimeout = Math.ceil(requestMs / 3);
  const options = { requestTimeout: requestMs, headersTimeout, connectionsCheckingInterval: headersTimeout / 2 };
  const server = createServer(options, listener);
  server.maxConnections = connections;
  return server;
}

function listening(server: Server, { host, port }: App['config'], close: () => Promise<void>): Promise<ApiServer> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => void close().finally(() => reject(error)));
    server.listen(port, host, () => {
      const address = server.address() as AddressInfo;
      let closing: Promise<void> | null = null;
      resolve({ url: urlOf(address), port: address.port, close: () => (closing ??= close()) });
    });
  });
}

function urlOf({ address, port }: AddressInfo): string {
  if (address === '0.0.0.0' || address === '::') return `http://127.0.0.1:${port}`;
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}`;
}

/** Takes no more requests; those under way may end. */
function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(() => server.closeAllConnections(), GRACE);
    // Also called when it never listened.
    server.close(() => {
      clearTimeout(late);
      resolve();
    });
  });
}

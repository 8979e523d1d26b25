import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ApolloServer } from '@apollo/server';
import { ApolloServerPluginLandingPageDisabled } from '@apollo/server/plugin/disabled';
import type { App } from './app.ts';
import { EventLog, type EventLogOptions } from './events/event-log.ts';
import { readiness } from './readiness.ts';
import { buildApiSchema } from './schema/build.ts';
import { type ApiContext, createContext } from './schema/context.ts';
import { serveEventStreams } from './server/event-stream.ts';
import { FanOut } from './server/fan-out.ts';
import { createHttpApp } from './server/http.ts';
import { Masking } from './server/masking.ts';
import { LIMIT_RULES, MAX_TOKENS } from './server/operation.ts';
import { hostGuard } from './server/origin.ts';
import { serveSockets } from './server/sockets.ts';

export interface ApiServer {
  /** Where to reach it from this machine. */
  url: string;
  port: number;
  close(): Promise<void>;
}

export interface ServerOptions {
  /** Origins of other sites whose pages may open WebSockets and event streams, e.g. `https://portal.example.com`. */
  allowedOrigins?: readonly string[];
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
  if (config.role === 'worker') {
    const server = createServer(
      createHttpApp({ masking, maxBytes, hostAllowed, readiness: () => readiness(app, null) }),
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
    hostAllowed,
    allowedOrigins: options.allowedOrigins ?? [],
  };
  const apollo = new ApolloServer<ApiContext>({
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
    plugins: [ApolloServerPluginLandingPageDisabled()],
    logger: log,
  });
  await apollo.start();
  const streams = serveEventStreams(transport);
  const server = createServer(
    createHttpApp({
      masking,
      maxBytes,
      hostAllowed,
      readiness: () => readiness(app, events),
      api: { apollo, newContext, eventStream: streams.handler },
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

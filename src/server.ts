import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Authenticator } from './access/authenticator.ts';
import type { OidcTimes } from './access/oidc.ts';
import { Sessions } from './access/sessions.ts';
import type { App } from './app.ts';
import { ConfigError } from './config.ts';
import { EventLog, type EventLogOptions } from './events/event-log.ts';
import { isLoopback } from './loopback.ts';
import { readiness } from './readiness.ts';
import { buildApiSchema } from './schema/build.ts';
import { type ApiContext, createContext } from './schema/context.ts';
import { asHttp, newApollo } from './server/apollo.ts';
import { serveEventStreams } from './server/event-stream.ts';
import { FanOut } from './server/fan-out.ts';
import { approvalPages } from './server/approval-page.ts';
import { createHttpApp } from './server/http.ts';
import { Identifier } from './server/identify.ts';
import { Masking } from './server/masking.ts';
import { Limits } from './server/limits.ts';
import { receiver } from './server/receiver.ts';
import { hostGuard } from './server/origin.ts';
import { type RequestParts, serveSockets } from './server/sockets.ts';

export interface ApiServer {
  /** Where to reach it from this machine. */
  url: string;
  port: number;
  /** Whether callers must say who they are; of a process that only works, which has no API, false. */
  authentication: boolean;
  close(): Promise<void>;
}

export interface ServerOptions {
  /** How soon a change of the identity provider's keys is noticed; for tests. */
  oidcTimes?: Partial<OidcTimes>;
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
    return listening(server, config, false, () => closeServer(server));
  }

  const authenticator = new Authenticator({ ...app, config: config.auth, oidcTimes: options.oidcTimes });
  await refuseToStandOpen(config, authenticator);
  const sessions = new Sessions({ ...app, authenticator });
  const events = await EventLog.open({ pool, databaseUrl, log, ...options.events });
  const schema = buildApiSchema();
  const newContext = (parts: RequestParts): ApiContext => createContext({ app, log: events, ...parts });
  const fanOut = new FanOut({
    masking,
    freshContext: ({ identity, live, from, actor }) => createContext({ app, log: events, identity, live, from }, actor),
  });
  const identifier = new Identifier(authenticator, limits);
  const transport = {
    schema,
    identifier,
    sessions,
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
        approvals: approvalPages(app, {
          originOf: (request) => identifier.originOf(request, 'HTTP'),
          admit: (request) => limits.operation(limits.callerOf(request)).catch(asHttp),
        }),
        receiver: receiver(app, limits),
        newContext: async (request) => {
          const identified = await identifier.identify(request).catch(asHttp);
          const from = identifier.originOf(request, 'HTTP');
          const context = newContext({ identity: identified?.identity ?? null, from });
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
    await sessions.close();
    await events.close();
    await closed;
    await apollo.stop();
  };
  return listening(server, config, await authenticator.required(), close);
}

/** Whoever sends slowly, or holds connections, is let go: places are for those who ask something. */
function limitedServer(listener: RequestListener, { requestMs, connections }: App['config']['limits']): Server {
  const headersTimeout = Math.ceil(requestMs / 3);
  const options = { requestTimeout: requestMs, headersTimeout, connectionsCheckingInterval: headersTimeout / 2 };
  const server = createServer(options, listener);
  server.maxConnections = connections;
  return server;
}

/** Whoever reached a server without authentication could do everything: then only this machine may. */
async function refuseToStandOpen({ host, auth }: App['config'], authenticator: Authenticator): Promise<void> {
  if (auth.mode === 'required' && !(await authenticator.possible())) {
    throw new ConfigError(
      'SLUICE_AUTH is required and nobody could say who they are: set SLUICE_ADMIN_TOKEN, or SLUICE_OIDC_ISSUER and SLUICE_OIDC_AUDIENCE',
    );
  }
  if (isLoopback(host) || (await authenticator.required())) return;
  throw new ConfigError(
    `HOST is '${host}' and there is no authentication: whoever reaches it could do everything. Set SLUICE_ADMIN_TOKEN or SLUICE_OIDC_ISSUER (docs/access.md), or listen on 127.0.0.1`,
  );
}

function listening(
  server: Server,
  { host, port }: App['config'],
  authentication: boolean,
  close: () => Promise<void>,
): Promise<ApiServer> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => void close().finally(() => reject(error)));
    server.listen(port, host, () => {
      const address = server.address() as AddressInfo;
      let closing: Promise<void> | null = null;
      resolve({ url: urlOf(address), port: address.port, authentication, close: () => (closing ??= close()) });
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

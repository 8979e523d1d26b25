import type { IncomingMessage, Server } from 'node:http';
import type { Express, Request } from 'express';
import { Authenticator } from '../access/authenticator.ts';
import type { OidcTimes } from '../access/oidc.ts';
import { SessionKeeper } from '../access/session-keeper.ts';
import { Sessions } from '../access/sessions.ts';
import { SignIn } from '../access/sign-in.ts';
import type { App } from '../app.ts';
import { ConfigError } from '../config.ts';
import { EventLog, type EventLogOptions } from '../events/event-log.ts';
import { isLoopback } from '../loopback.ts';
import { Sealing } from '../store/sealing.ts';
import { buildApiSchema } from '../schema/build.ts';
import { type ApiContext, createContext } from '../schema/context.ts';
import { asHttp, newApollo } from './apollo.ts';
import { approvalPages } from './approval-page.ts';
import { authRoutes } from './auth-routes.ts';
import { serveEventStreams } from './event-stream.ts';
import { FanOut } from './fan-out.ts';
import { Identifier } from './identify.ts';
import { Introspection } from './introspection.ts';
import { Limits } from './limits.ts';
import type { Masking } from './masking.ts';
import type { hostGuard } from './origin.ts';
import { OwnPages } from './own-page.ts';
import { receiver } from './receiver.ts';
import { mountApi } from './routes.ts';
import { SessionCookies } from './session-cookie.ts';
import { type RequestParts, serveSockets } from './sockets.ts';

export interface ApiOptions {
  /** How soon a change of the identity provider's keys is noticed; for tests. */
  oidcTimes?: Partial<OidcTimes>;
  /** How often sessions of the web app are looked through; for tests. */
  sessionsMs?: number;
  events?: Pick<EventLogOptions, 'ringSize' | 'pollMs'>;
}

/** What the API shares with the server that it is mounted on. */
interface Face {
  masking: Masking;
  hostAllowed: ReturnType<typeof hostGuard>;
}

export interface OpenApi {
  events: EventLog;
  /** Whether callers must say who they are. */
  authentication: boolean;
  mount: (http: Express) => void;
  serveSockets: (server: Server) => void;
  /** `closed`: when the last request has been answered. */
  close: (closed: Promise<void>) => Promise<void>;
}

/** Everything that answers a caller, on HTTP, WebSocket and event streams; nothing listens yet. */
export async function openApi(app: App, { masking, hostAllowed }: Face, options: ApiOptions): Promise<OpenApi> {
  const { config, log, times, databaseUrl } = app;
  const maxBytes = config.limits.bodyBytes;
  // Behind a proxy that writes a Host of its own, our own pages come from another origin than they ask.
  const own = config.publicUrl === undefined ? [] : [new URL(config.publicUrl).origin];
  const allowedOrigins = [...own, ...config.allowedOrigins];
  const limits = new Limits(config);
  const authenticator = new Authenticator({ ...app, config: config.auth, oidcTimes: options.oidcTimes });
  await refuseToStandOpen(config, authenticator);
  const sessions = new Sessions({ ...app, authenticator });
  const { entriesPerPage: entries } = app.limits;
  const events = await EventLog.open({ pool: app.reads.pool, databaseUrl, log, times, entries, ...options.events });
  const schema = buildApiSchema();
  const introspection = new Introspection(schema, Math.min(config.limits.cost, MAX_INTROSPECTION));
  const newContext = (request: IncomingMessage, parts: RequestParts): ApiContext => {
    const context = createContext({ app, log: events, ...parts });
    context.limitedAs = limits.callerOf(request, context);
    return context;
  };
  const fanOut = new FanOut({
    masking,
    freshContext: ({ identity, live, from, limitedAs, actor }) =>
      createContext({ app, log: events, identity, live, from, limitedAs }, actor),
  });
  const cookies = new SessionCookies(config.publicUrl);
  const ownPages = new OwnPages(config.publicUrl);
  const identifier = new Identifier({ authenticator, limits, cookies, ownPages });
  const { oidc } = config.auth;
  const signIn = oidc?.client ? new SignIn({ ...oidc, client: oidc.client }, app.clock, options.oidcTimes) : null;
  const sealing = new Sealing(config.encryptionKeys);
  const keeper = new SessionKeeper({ ...app, limits: config.auth.sessions, signIn, sealing });
  keeper.start(options.sessionsMs);
  const transport = {
    schema,
    introspection,
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
  const apollo = newApollo({ schema, introspection, limits, masking, log, maxCost: config.limits.cost });
  await apollo.start();
  const streams = serveEventStreams(transport);
  const routes = {
    apollo,
    maxBytes,
    allowedOrigins,
    eventStream: streams.handler,
    approvals: approvalPages(app, {
      originOf: (request) => identifier.originOf(request, 'HTTP'),
      admit: (request) => limits.operation(limits.callerOf(request)).catch(asHttp),
    }),
    auth: authRoutes({ app, authenticator, signIn, keeper, identifier, cookies, ownPages, limits }),
    receiver: receiver(app, limits),
    newContext: async (request: Request): Promise<ApiContext> => {
      const identified = await identifier.identify(request).catch(asHttp);
      const from = identifier.originOf(request, 'HTTP');
      const context = newContext(request, { identity: identified?.identity ?? null, from });
      await limits.operation(context.limitedAs).catch(asHttp);
      return context;
    },
  };
  let sockets: ReturnType<typeof serveSockets> | undefined;
  return {
    events,
    authentication: await authenticator.required(),
    mount: (http) => mountApi(http, routes),
    serveSockets: (server) => void (sockets = serveSockets(server, transport)),
    close: async (closed) => {
      streams.close();
      // The log after the connections: a subscription that ended by itself would be told to clients as complete.
      await sockets?.close();
      await sessions.close();
      await keeper.close();
      await events.close();
      await closed;
      await apollo.stop();
    },
  };
}

/** Objects of the schema: the standard question, which has no limit, is answered with a third of it. */
const MAX_INTROSPECTION = 20_000;

/** Without authentication every caller may do everything: then only this machine may reach the server. */
async function refuseToStandOpen({ host, auth }: App['config'], authenticator: Authenticator): Promise<void> {
  if (auth.mode === 'required' && !(await authenticator.possible())) {
    throw new ConfigError(
      'SLUICE_AUTH is required, and there is no way to sign in: set SLUICE_ADMIN_TOKEN, or SLUICE_OIDC_ISSUER and SLUICE_OIDC_AUDIENCE',
    );
  }
  if (isLoopback(host) || (await authenticator.required())) return;
  throw new ConfigError(
    `HOST is '${host}' and there is no authentication: everyone who reaches it could do everything. Set SLUICE_ADMIN_TOKEN or SLUICE_OIDC_ISSUER (docs/access.md), or listen on 127.0.0.1`,
  );
}

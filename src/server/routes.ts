import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ApolloServer } from '@apollo/server';
import { expressMiddleware } from '@as-integrations/express5';
import cors from 'cors';
import express, { type Express, type Request, type RequestHandler } from 'express';
import type { ApiContext } from '../schema/context.ts';
import { compressed } from './compression.ts';
import { elementModules } from './elements.ts';
import { answer } from './http.ts';
import { originAllowed } from './origin.ts';
import { packageRoot } from './package-root.ts';
import { schemaFiles } from './schemas.ts';
import { mountWebApp } from './web-app.ts';

export interface ApiRoutes {
  apollo: ApolloServer<ApiContext>;
  maxBytes: number;
  /** Origins of other sites whose pages may use the API. */
  allowedOrigins: readonly string[];
  eventStream: RequestHandler;
  approvals: RequestHandler;
  /** Signing in and out. */
  auth: RequestHandler;
  /** What outside systems send. */
  receiver: RequestHandler;
  /** Throws what the client is answered when it may not ask now. */
  newContext: (request: Request) => Promise<ApiContext>;
}

export function mountApi(app: Express, api: ApiRoutes): void {
  const { allowedOrigins } = api;
  const json = express.json({ limit: api.maxBytes });
  app.use('/graphql', crossOrigin(allowedOrigins), ownPages(allowedOrigins));
  app.use('/graphql/stream', json, api.eventStream);
  app.use('/graphql', compressed(), json, expressMiddleware(api.apollo, { context: ({ req }) => api.newContext(req) }));
  app.use('/auth', api.auth);
  app.use('/approvals', api.approvals);
  app.use('/hooks', api.receiver);
  app.use('/schemas', compressed(), schemaFiles());
  app.use('/elements', compressed(), elementModules());
  app.use('/graphiql', compressed(), graphiql());
  mountWebApp(app);
}

/** Pages of other origins bring tokens, in a header that they set themselves, and no cookies: `credentials` stays off. */
function crossOrigin(allowedOrigins: readonly string[]): RequestHandler {
  return cors({
    origin: [...allowedOrigins],
    methods: ['GET', 'POST'],
    allowedHeaders: ['authorization', 'content-type', 'accept', 'apollo-require-preflight', 'last-event-id'],
    exposedHeaders: ['retry-after'],
    maxAge: 600,
  });
}

/** Browsers ask first (CORS) for what could do harm; a request that comes without asking is answered here. */
function ownPages(allowedOrigins: readonly string[]): RequestHandler {
  return (request, response, next) => {
    if (originAllowed(request, allowedOrigins)) next();
    else
      answer(
        response,
        403,
        'FORBIDDEN',
        'pages of this origin are not allowed to use the API: the operator of the server can list it in SLUICE_ALLOWED_ORIGINS',
      );
  };
}

/** The GraphQL IDE, when its workspace has been built. */
function graphiql(): RequestHandler {
  const dist = join(packageRoot(), 'web/graphiql/dist');
  const files = express.static(dist, { index: 'index.html', redirect: true });
  return (request, response, next) => {
    if (existsSync(join(dist, 'index.html'))) {
      files(request, response, next);
      return;
    }
    response
      .status(404)
      .type('text/plain')
      .send('The GraphQL IDE is not built here. Build it with: npm run build:web\n');
  };
}

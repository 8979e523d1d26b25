import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ApolloServer } from '@apollo/server';
import { expressMiddleware } from '@as-integrations/express5';
import cors from 'cors';
import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Response,
} from 'express';
import helmet from 'helmet';
import type { ApiContext } from '../schema/context.ts';
import type { Masking } from './masking.ts';
import { originAllowed } from './origin.ts';

export interface HttpParts {
  readiness: () => Promise<{ ready: boolean }>;
  masking: Masking;
  maxBytes: number;
  /** Whether a request names this server as its host. */
  hostAllowed: (request: Request) => boolean;
  /** Origins of other sites whose pages may use the API. */
  allowedOrigins: readonly string[];
  /** Absent in a process that only works: it answers for its health and nothing else. */
  api?: {
    apollo: ApolloServer<ApiContext>;
    eventStream: RequestHandler;
    approvals: RequestHandler;
    /** What outside systems send. */
    receiver: RequestHandler;
    /** Throws what the client is answered when it may not ask now. */
    newContext: (request: Request) => Promise<ApiContext>;
  };
}

export function createHttpApp({ readiness, masking, maxBytes, hostAllowed, allowedOrigins, api }: HttpParts): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.use(securityHeaders());
  app.use((request, response, next) => {
    if (hostAllowed(request)) next();
    else
      answer(
        response,
        421,
        'MISDIRECTED',
        `this server listens on loopback and is not called ${request.headers.host}: ask for localhost, or set SLUICE_PUBLIC_URL`,
      );
  });
  app.get('/healthz', (_request, response) => void response.json({ status: 'ok' }));
  app.get('/readyz', async (_request, response) => {
    const state = await readiness();
    response.status(state.ready ? 200 : 503).json(state);
  });
  if (api) {
    const json = express.json({ limit: maxBytes });
    app.use('/graphql', crossOrigin(allowedOrigins), ownPages(allowedOrigins));
    app.use('/graphql/stream', json, api.eventStream);
    app.use('/graphql', json, expressMiddleware(api.apollo, { context: ({ req }) => api.newContext(req) }));
    app.use('/approvals', api.approvals);
    app.use('/hooks', api.receiver);
    app.use('/graphiql', graphiql());
    app.get('/', (_request, response) => response.redirect('/graphiql'));
  }
  app.use((request, response) => answer(response, 404, 'NOT_FOUND', `there is nothing at ${request.path}`));
  app.use(onError(masking, maxBytes));
  return app;
}

function securityHeaders(): RequestHandler {
  return helmet({
    contentSecurityPolicy: {
      directives: {
        // The editor of the IDE runs in workers that it makes of blobs.
        workerSrc: ["'self'", 'blob:'],
        frameAncestors: ["'none'"],
        fontSrc: ["'self'", 'data:'],
        styleSrc: ["'self'", "'unsafe-inline'"],
        // TLS is the business of whatever stands in front: plain HTTP on a company's network must keep working.
        upgradeInsecureRequests: null,
      },
    },
    strictTransportSecurity: false,
  });
}

/** Tokens travel in a header that pages set themselves: no cookies, so `credentials` stays off. */
function crossOrigin(allowedOrigins: readonly string[]): RequestHandler {
  return cors({
    origin: [...allowedOrigins],
    methods: ['GET', 'POST'],
    allowedHeaders: ['authorization', 'content-type', 'accept', 'apollo-require-preflight', 'last-event-id'],
    exposedHeaders: ['retry-after'],
    maxAge: 600,
  });
}

/** Browsers ask first (CORS) for what could do harm; whoever does not is answered here. */
function ownPages(allowedOrigins: readonly string[]): RequestHandler {
  return (request, response, next) => {
    if (originAllowed(request, allowedOrigins)) next();
    else
      answer(
        response,
        403,
        'FORBIDDEN',
        'pages of this origin may not use the API: whoever runs the server can list it in SLUICE_ALLOWED_ORIGINS',
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

/** The folder of package.json: one level up from the sources, two from what is built of them. */
function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

/** What never reached GraphQL is answered in GraphQL's shape all the same: clients have one way to read errors. */
function onError(masking: Masking, maxBytes: number): ErrorRequestHandler {
  return (error: Error & { status?: number; type?: string }, _request, response, next) => {
    if (response.headersSent) return next(error);
    if (error.type === 'entity.too.large') {
      return answer(response, 413, 'PAYLOAD_TOO_LARGE', `the request is too large: at most ${maxBytes} bytes are read`);
    }
    if (error.type === 'entity.parse.failed') {
      return answer(response, 400, 'BAD_REQUEST', `the request is not JSON: ${error.message}`);
    }
    if (error.status !== undefined && error.status < 500)
      return answer(response, error.status, 'BAD_REQUEST', error.message);
    response.status(500).json({ errors: [masking.error(error, { message: '' })] });
  };
}

function answer(response: Response, status: number, code: string, message: string): void {
  response.status(status).json({ errors: [{ message, extensions: { code } }] });
}

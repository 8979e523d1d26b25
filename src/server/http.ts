import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Response,
} from 'express';
import helmet from 'helmet';
import type { Masking } from './masking.ts';

export interface HttpParts {
  readiness: () => Promise<{ ready: boolean }>;
  masking: Masking;
  maxBytes: number;
  /** Whether a request names this server as its host. */
  hostAllowed: (request: Request) => boolean;
  /** The API; absent in a process that only works: it answers for its health and nothing else. */
  mount?: (http: Express) => void;
}

export function createHttpApp({ readiness, masking, maxBytes, hostAllowed, mount }: HttpParts): Express {
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
  mount?.(app);
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

/** What never reached GraphQL is answered in GraphQL's shape all the same: clients have one way to read errors. */
function onError(masking: Masking, maxBytes: number): ErrorRequestHandler {
  // Express knows it by its four parameters.
  return (error: Error & { status?: number; type?: string; limit?: number }, _request, response, _next) => {
    if (response.headersSent) {
      // Half an answer cannot be mended. Of a client that went away there is nothing to tell.
      if (!GONE.has((error as NodeJS.ErrnoException).code ?? '')) masking.error(error, { message: '' });
      return response.destroy();
    }
    if (error.type === 'entity.too.large') {
      return answer(
        response,
        413,
        'PAYLOAD_TOO_LARGE',
        `the request is too large: at most ${error.limit ?? maxBytes} bytes are read`,
      );
    }
    if (error.type === 'entity.parse.failed') {
      return answer(response, 400, 'BAD_REQUEST', `the request is not JSON: ${error.message}`);
    }
    if (error.status !== undefined && error.status < 500)
      return answer(response, error.status, 'BAD_REQUEST', error.message);
    response.status(500).json({ errors: [masking.error(error, { message: '' })] });
  };
}

const GONE: ReadonlySet<string> = new Set([
  'EPIPE',
  'ECONNRESET',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_PREMATURE_CLOSE',
]);

export function answer(response: Response, status: number, code: string, message: string): void {
  response.status(status).json({ errors: [{ message, extensions: { code } }] });
}

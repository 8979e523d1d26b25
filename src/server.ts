import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { App } from './app.ts';
import { readiness } from './readiness.ts';
import type { ApiOptions } from './server/api.ts';
import { createHttpApp } from './server/http.ts';
import { Masking } from './server/masking.ts';
import { hostGuard } from './server/origin.ts';

export interface ApiServer {
  /** Where to reach it from this machine. */
  url: string;
  port: number;
  /** Whether callers must say who they are; of a process that only works, which has no API, false. */
  authentication: boolean;
  close(): Promise<void>;
}

/** How long open requests may take to end when the server closes, in milliseconds. */
const GRACE = 5_000;

/** The API on HTTP, WebSocket and event streams; a process that only works answers for its health alone. */
export async function startServer(app: App, options: ApiOptions = {}): Promise<ApiServer> {
  const { config } = app;
  const masking = new Masking(app.log);
  const hostAllowed = hostGuard(config.host, config.publicUrl);
  // Read where it is served alone: a worker starts sooner, and is smaller.
  const api =
    config.role === 'worker'
      ? null
      : await (await import('./server/api.ts')).openApi(app, { masking, hostAllowed }, options);
  const server = limitedServer(
    createHttpApp({
      masking,
      maxBytes: config.limits.bodyBytes,
      hostAllowed,
      readiness: () => readiness(app, api?.events ?? null),
      mount: api?.mount,
    }),
    config.limits,
  );
  api?.serveSockets(server);
  const close = async (): Promise<void> => {
    const closed = closeServer(server);
    await api?.close(closed);
    await closed;
  };
  return listening(server, config, api?.authentication ?? false, close);
}

/** A client that sends slowly, or only holds connections, is let go: places are for clients that ask something. */
function limitedServer(listener: RequestListener, { requestMs, connections }: App['config']['limits']): Server {
  const headersTimeout = Math.ceil(requestMs / 3);
  const options = { requestTimeout: requestMs, headersTimeout, connectionsCheckingInterval: headersTimeout / 2 };
  const server = createServer(options, listener);
  server.maxConnections = connections;
  return server;
}

function listening(
  server: Server,
  { host, port }: App['config'],
  authentication: boolean,
  close: () => Promise<void>,
): Promise<ApiServer> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      close()
        .catch(() => undefined)
        .finally(() => reject(error));
    });
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

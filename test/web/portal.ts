import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startServer } from '../../src/server.ts';
import type { Served } from '../cli/served.ts';

/** The example page, on an origin of its own, with a server of Sluice that allows it. */
export interface Portal {
  url: string;
  /** The address of the server of Sluice. */
  server: string;
  /** That server goes away and comes back. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

type Create = (given: { server: string; product: string }) => Promise<Server>;

export async function openPortal({ engine: { app } }: Served, product: string): Promise<Portal> {
  // Plain JavaScript that people copy, without types.
  const example = new URL('../../examples/portal/serve.mjs', import.meta.url).href;
  const { createPortal } = (await import(example)) as { createPortal: Create };
  const start = (origin: string, port = 0) =>
    startServer({ ...app, config: { ...app.config, port, allowedOrigins: [origin] } });
  // The portal asks the server for its modules, and the server has to know the origin of the portal.
  const modules = await start('');
  const http = await createPortal({ server: modules.url, product });
  await once(http.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  await modules.close();
  let server = await start(url, modules.port);
  return {
    url,
    server: server.url,
    async restart() {
      await server.close();
      server = await start(url, modules.port);
    },
    async close() {
      http.closeAllConnections();
      http.close();
      await server.close();
    },
  };
}

import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';

/**
 * A proxy as it stands in front of many services: what comes to `/tools/sluice/` goes to the server without that prefix, sockets as well, and
 * whatever comes elsewhere finds nothing. It passes the Host of the browser on.
 */
export async function openPrefix(to: string): Promise<{ url: string; close(): Promise<void> }> {
  const target = new URL(to);
  const inside = (path = '/'): string | undefined =>
    path.startsWith(`${PREFIX}/`) ? path.slice(PREFIX.length) : undefined;
  const proxy = createServer((incoming, response) => {
    const path = inside(incoming.url);
    if (path === undefined) return void response.writeHead(404).end();
    const { method, headers } = incoming;
    const outgoing = request({ host: target.hostname, port: target.port, path, method, headers }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
    });
    outgoing.on('error', () => response.destroy());
    incoming.pipe(outgoing);
  });
  proxy.on('upgrade', (incoming, socket, head) => {
    const path = inside(incoming.url);
    if (path === undefined) return void socket.destroy();
    const upstream = connect(Number(target.port), target.hostname, () => {
      const lines = [`GET ${path} HTTP/1.1`];
      for (let at = 0; at < incoming.rawHeaders.length; at += 2)
        lines.push(`${incoming.rawHeaders[at]}: ${incoming.rawHeaders[at + 1]}`);
      upstream.write(`${lines.join('\r\n')}\r\n\r\n`);
      upstream.write(head);
      upstream.pipe(socket).pipe(upstream);
    });
    upstream.on('error', () => socket.destroy());
    socket.on('error', () => upstream.destroy());
    socket.on('close', () => upstream.destroy());
  });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}${PREFIX}`,
    async close() {
      proxy.closeAllConnections();
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
}

const PREFIX = '/tools/sluice';

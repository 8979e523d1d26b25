// A page of another origin that shows a release of Sluice: what a portal does, in one file of plain Node.
//
//   SLUICE_SERVER=http://127.0.0.1:4000 SLUICE_TOKEN=… node examples/portal/serve.mjs
//
// The server of Sluice has to allow the origin: SLUICE_ALLOWED_ORIGINS=http://127.0.0.1:8080
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const FILES = { '/portal.js': 'text/javascript', '/portal.css': 'text/css' };
const read = (name) => readFileSync(new URL(name, import.meta.url), 'utf8');

/** @returns the HTTP server, which does not listen yet */
export async function createPortal({ server, token = null, product = 'billing' }) {
  const { modules } = await (await fetch(`${server}/elements`)).json();
  const scripts = modules.map(
    ({ path, integrity }) =>
      `<script type="module" src="${server}/elements/${path}" integrity="${integrity}" crossorigin="anonymous"></script>`,
  );
  // Nothing inline, no other host: the elements need no exception.
  const policy = [
    "default-src 'none'",
    `script-src 'self' ${server}`,
    "style-src 'self'",
    // An address of HTTP does not let WebSockets through.
    `connect-src 'self' ${server} ${server.replace(/^http/, 'ws')}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
  return createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://portal');
    response.setHeader('Content-Security-Policy', policy);
    if (pathname === '/') {
      const page = read('index.html')
        .replace('<!-- modules -->', scripts.join('\n    '))
        .replaceAll('SERVER', server)
        .replaceAll('PRODUCT', product);
      return response.setHeader('Content-Type', 'text/html; charset=utf-8').end(page);
    }
    // A real portal gives each person a token of their own, and asks who they are before.
    if (pathname === '/token')
      return response.setHeader('Content-Type', 'application/json').end(JSON.stringify({ token }));
    const type = FILES[pathname];
    if (type === undefined) return response.writeHead(404).end();
    return response.setHeader('Content-Type', `${type}; charset=utf-8`).end(read(`.${pathname}`));
  });
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const { SLUICE_SERVER = 'http://127.0.0.1:4000', SLUICE_TOKEN = null, PORT = '8080' } = process.env;
  const portal = await createPortal({ server: SLUICE_SERVER, token: SLUICE_TOKEN });
  portal.listen(Number(PORT), '127.0.0.1', () => console.log(`http://127.0.0.1:${PORT}/`));
}

import { existsSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import express, { type Express, type Request, type RequestHandler } from 'express';
import { packageRoot } from './package-root.ts';

/**
 * First segments of paths that are never a page of the web app: a wrong address of the API is answered with an error that programs can read,
 * and not with a page. `test/web/serving.test.ts` compares them with what is mounted.
 */
export const NO_PAGES: ReadonlySet<string> = new Set([
  'graphql',
  'graphiql',
  'approvals',
  'hooks',
  'schemas',
  'elements',
  'auth',
  'assets',
  'healthz',
  'readyz',
  'metrics',
]);

/** The one `<style>` that react-aria writes, a constant text: its digest lets that text in and no other. */
const REACT_ARIA_STYLE = "'sha256-38RhXrc7EdReTKsOm23ZPOCUgniTUUcjky8QOOrQx6o='";

/** Nothing but what this server sends; text can become neither code nor markup (Trusted Types). */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  `style-src 'self' ${REACT_ARIA_STYLE}`,
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const NOT_BUILT = 'The web app is not built here. Build it with: npm run build:web\n';

/**
 * The web app, mounted after everything else: its files, and its page at every path that is nobody else's. The page finds the rest by
 * addresses relative to itself, so a proxy can put the server under any prefix.
 */
export function mountWebApp(app: Express): void {
  const dist = join(packageRoot(), 'web/app/dist');
  const page = join(dist, 'index.html');
  const assets = join(dist, 'assets');
  app.use(
    '/assets',
    precompressed(assets),
    // A name holds the digest of its content, so a browser never has to ask again.
    express.static(assets, { index: false, redirect: false, immutable: true, maxAge: '365d' }),
  );
  app.get(/.*/, (request, response, next) => {
    if (!asksForPage(request)) return next();
    if (!existsSync(page)) return void response.status(404).type('text/plain').send(NOT_BUILT);
    response
      .set('Content-Security-Policy', POLICY)
      .set('Cache-Control', 'no-cache')
      .type('html')
      .send(readFileSync(page, 'utf8').replaceAll('"./', `"${upwards(request.path)}`));
  });
}

/** Programs that ask for anything (`*` + `/*`) get a page at the root alone. */
function asksForPage({ path, headers }: Request): boolean {
  if (path === '/') return true;
  return (headers.accept ?? '').includes('text/html') && !NO_PAGES.has(path.split('/')[1]!);
}

/** From a page at `path` to the folder that the app is mounted in: `./` from `/releases`, `../` from `/releases/42`. */
function upwards(path: string): string {
  const folders = path.split('/').length - 2;
  return folders === 0 ? './' : '../'.repeat(folders);
}

/** Hands over to the file that the build has compressed, where there is one and the browser can read it. */
function precompressed(folder: string): RequestHandler {
  return (request, response, next) => {
    const { path } = request;
    if (/^\/[\w-][\w.-]*$/.test(path)) {
      response.vary('Accept-Encoding');
      const encoding = request.acceptsEncodings('br', 'gzip');
      const ending = encoding === 'br' ? '.br' : encoding === 'gzip' ? '.gz' : null;
      if (ending !== null && existsSync(join(folder, path + ending))) {
        response.type(extname(path)).set('Content-Encoding', encoding as string);
        request.url = path + ending;
      }
    }
    next();
  };
}

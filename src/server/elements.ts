import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import cors from 'cors';
import express, { type RequestHandler } from 'express';
import { packageRoot } from './package-root.ts';

/** The custom elements, by the names of their modules. */
const MODULES = ['sluice-release.js', 'sluice-status.js'] as const;

interface ElementModule {
  name: string;
  /** Relative to `/elements/`. */
  path: string;
  /** For `<script integrity>`: a browser runs these bytes and no others. */
  integrity: string;
  code: string;
}

/**
 * `/elements/VERSION/NAME.js` are modules for pages of any origin; they hold no secret, and ask the API with what the page gives them. These
 * files alone may be loaded by others. `/elements` tells their paths and digests; `/elements/NAME.js` is the newest one, whatever its version.
 */
export function elementModules(): RequestHandler {
  const router = express.Router();
  let known: { version: string; modules: ElementModule[] } | undefined;
  const read = () => (known ??= readModules());
  router.use(cors({ origin: '*', methods: ['GET'] }), (_request, response, next) => {
    response.set('Cross-Origin-Resource-Policy', 'cross-origin');
    next();
  });
  router.get('/', (_request, response) => {
    const { version, modules } = read();
    const shown = modules.map(({ name, path, integrity }) => ({ name, path, integrity }));
    response.set('Cache-Control', 'no-cache').json({ version, modules: shown });
  });
  router.get('/{:version/}:name', ({ params: { version, name } }, response, next) => {
    const { modules } = read();
    const path = version === undefined ? undefined : `${version}/${name}`;
    const found = modules.find((each) => (path === undefined ? each.name === name : each.path === path));
    if (!found) return next();
    response
      .set('Cache-Control', path === undefined ? 'no-cache' : 'public, max-age=86400')
      .type('text/javascript')
      .send(found.code);
  });
  return router;
}

/** Those that have been built. */
function readModules(): { version: string; modules: ElementModule[] } {
  const { version } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string };
  const modules = MODULES.flatMap((name) => {
    const file = join(packageRoot(), 'web/elements/dist', name);
    if (!existsSync(file)) return [];
    const code = readFileSync(file, 'utf8');
    const integrity = `sha384-${createHash('sha384').update(code).digest('base64')}`;
    return [{ name, path: `${version}/${name}`, integrity, code }];
  });
  return { version, modules };
}

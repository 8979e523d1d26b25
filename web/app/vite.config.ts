import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

/** Where `npm run dev` finds a server. */
const SERVER = process.env['SLUICE_SERVER'] ?? 'http://127.0.0.1:4000';

export default defineConfig({
  // Relative: the same files work at the root and under a proxy's prefix.
  base: './',
  logLevel: 'warn',
  plugins: [compressed()],
  server: { proxy: { '/graphql': { target: SERVER, ws: true }, '/graphiql': SERVER, '/auth': SERVER } },
  build: {
    target: 'es2022',
    // The policy of the page lets in nothing that is written into the page.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      // Libraries say "use client" for server-side rendering, which does not happen here.
      onLog: (level, log, handle) => log.code !== 'MODULE_LEVEL_DIRECTIVE' && handle(level, log),
    },
  },
});

/** Beside each asset the same one for brotli and for gzip, so that the server compresses nothing while somebody waits. */
function compressed(): Plugin {
  return {
    name: 'compressed',
    apply: 'build',
    writeBundle({ dir }) {
      const folder = join(dir!, 'assets');
      for (const name of readdirSync(folder).filter((each) => /\.(js|css|svg)$/.test(each))) {
        const content = readFileSync(join(folder, name));
        const params = { [constants.BROTLI_PARAM_SIZE_HINT]: content.length };
        writeFileSync(join(folder, `${name}.br`), brotliCompressSync(content, { params }));
        writeFileSync(join(folder, `${name}.gz`), gzipSync(content, { level: 9 }));
      }
    },
  };
}

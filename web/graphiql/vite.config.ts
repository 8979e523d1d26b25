import { defineConfig } from 'vite';

export default defineConfig({
  // Relative: the same files work under /graphiql, under a proxy's prefix and from a folder.
  base: './',
  logLevel: 'warn',
  build: {
    target: 'es2022',
    // Monaco and its workers are large by nature; they are loaded from our own server, once.
    chunkSizeWarningLimit: 8_000,
    rolldownOptions: {
      // GraphiQL's libraries say "use client" for server-side rendering, which does not happen here.
      onLog: (level, log, handle) => log.code !== 'MODULE_LEVEL_DIRECTIVE' && handle(level, log),
    },
  },
  worker: { format: 'es' },
});

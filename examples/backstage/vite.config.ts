import { defineConfig } from 'vite';

/** The page of the test: the card and the tab, as Backstage would show them. */
export default defineConfig({ root: 'test', build: { outDir: '../dist', emptyOutDir: true, target: 'es2022' } });

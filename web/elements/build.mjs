// One ES module for each element, with everything in it: a page loads one file, and pins it by one digest.
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const root = fileURLToPath(new URL('.', import.meta.url));
rmSync(`${root}/dist`, { recursive: true, force: true });
for (const name of ['release', 'status']) {
  await build({
    root,
    configFile: false,
    logLevel: 'warn',
    build: {
      target: 'es2022',
      emptyOutDir: false,
      minify: 'oxc',
      // A library keeps its spaces unless the output itself is told to be small.
      rolldownOptions: { output: { minify: true } },
      lib: { entry: `src/${name}.tsx`, formats: ['es'], fileName: () => `sluice-${name}.js` },
    },
  });
}

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { PATIENCE } from './test/support/patience.ts';
import { LongOnesSpread } from './test/support/sequencer.ts';

// graphql ships CommonJS and ES modules side by side. Without one fixed file, our code and a library can load different
// copies, and graphql refuses types "from another module or realm".
const graphql = join(dirname(createRequire(import.meta.url).resolve('graphql/package.json')), 'index.js');

export default defineConfig({
  resolve: { alias: [{ find: /^graphql$/, replacement: graphql }] },
  test: {
    include: ['test/**/*.test.ts'],
    // Kills of a worker in cascades and in syncs of Argo CD, a minute and a half: `npm run chaos -- --kill-points` and `--argocd-kills 1` have them too.
    exclude: process.env['SLUICE_TEST_ALL'] ? [] : ['test/chaos/kill-points-{agreed,argocd,cascade}.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    setupFiles: ['test/support/setup.ts'],
    // Processes, not threads: PostgreSQL's parent-death signal and process.chdir belong to a process.
    pool: 'forks',
    execArgv: ['--import', fileURLToPath(new URL('test/support/typescript-in-readers.mjs', import.meta.url))],
    // What waits for others leaves room: two cores are hardly ever idle. With five, pages of browsers came too late now and then.
    maxWorkers: 4,
    // A process loads the sources once for all the files that it takes, which is a quarter of the time of small ones: a file leaves nothing
    // behind in modules and in the process.
    isolate: false,
    sequence: { sequencer: LongOnesSpread },
    // As long as a test may last: what comes late on a busy machine is no fault.
    expect: { poll: { timeout: PATIENCE, interval: 20 } },
    testTimeout: 60_000,
    hookTimeout: 120_000,
    teardownTimeout: 60_000,
  },
});

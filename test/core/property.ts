import * as fc from 'fast-check';

// FC_RUNS=10000 for a long search; a seed in a failure's output reproduces it.
const runs = Number(process.env.FC_RUNS);
if (runs > 0) fc.configureGlobal({ numRuns: runs });

export { fc };

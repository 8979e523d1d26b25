#!/usr/bin/env node
import { EXIT } from './exit.ts';
import { runCli } from './run.ts';

// `sluice get releases | head`: the reader of our output has enough, and that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.OK);
  throw error;
});

process.exitCode = await runCli(process.argv.slice(2), { env: process.env, out: process.stdout, err: process.stderr });

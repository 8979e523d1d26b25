#!/usr/bin/env node
import { CommanderError } from 'commander';
import { CliError, EXIT } from './exit.ts';
import { createProgram } from './program.ts';

// `sluice get releases | head`: whoever reads us has enough, and that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.OK);
  throw error;
});

const program = createProgram(process.env);
for (const command of [program, ...program.commands]) command.exitOverride();
try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Help and its like are wanted; anything else is a wrong command line. Commander has said why.
    process.exitCode = error.exitCode === 0 ? EXIT.OK : EXIT.USAGE;
  } else if (error instanceof CliError) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = error.exitCode;
  } else if ((error as Error).name === 'AbortError') {
    process.exitCode = EXIT.INTERRUPTED;
  } else {
    process.stderr.write(
      `A fault of the sluice command itself, please report it:\n${(error as Error).stack ?? String(error)}\n`,
    );
    process.exitCode = EXIT.REFUSED;
  }
}

import { CommanderError } from 'commander';
import { CliError, EXIT } from './exit.ts';
import { createProgram, type Surroundings } from './program.ts';

/** @param args as typed, without the program's own name. @returns the exit code; whatever was wrong has been said. */
export async function runCli(
  args: string[],
  { env, out, err, input }: Omit<Surroundings, 'exitWith'>,
): Promise<number> {
  let code: number = EXIT.OK;
  const program = createProgram({ env, out, err, input, exitWith: (given) => (code = given) });
  for (const command of [program, ...program.commands]) command.exitOverride();
  try {
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    // Help is wanted; anything else is a wrong command line, and commander has said why.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.OK : EXIT.USAGE;
    if (error instanceof CliError) {
      err.write(`${error.message}\n`);
      return error.exitCode;
    }
    if ((error as Error).name === 'AbortError') return EXIT.INTERRUPTED;
    err.write(`A fault of the sluice command itself, please report it:\n${(error as Error).stack ?? String(error)}\n`);
    return EXIT.REFUSED;
  }
}

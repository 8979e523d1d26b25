import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CommanderError } from 'commander';
import { CliError, EXIT } from './exit.ts';
import { safeWriter } from './output.ts';
import { createProgram, type Surroundings } from './program.ts';

/** @param args as typed, without the program's own name. @returns the exit code; whatever was wrong has been said. */
export async function runCli(args: string[], given: Omit<Surroundings, 'exitWith' | 'terminal'>): Promise<number> {
  let code: number = EXIT.OK;
  const { env, input } = given;
  const [out, err] = [safeWriter(given.out), safeWriter(given.err)];
  const terminal = given.out === process.stdout && process.stdout.isTTY ? process.stdout : undefined;
  const program = createProgram({ env, out, err, input, terminal, exitWith: (ended) => (code = ended) });
  try {
    if (args.length === 1 && ['-V', '--version'].includes(args[0]!)) {
      out.write(`${await versionOfPackage()}\n`);
      return EXIT.OK;
    }
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

/** Of package.json, which is above the sources and above what is built of them. */
async function versionOfPackage(): Promise<string> {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) folder = dirname(folder);
  return (JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { version: string }).version;
}

import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type Command, InvalidArgumentError } from 'commander';
import type { Client } from '../client.ts';
import { CliError, EXIT } from '../exit.ts';
import { applyManifests, type Change, type ManifestRefusal } from '../operations.ts';
import { render, type Style } from '../output.ts';
import type { Shell } from '../shell.ts';

/** A label as it is typed: `app=billing`. */
export interface LabelGiven {
  key: string;
  value: string;
}

export interface ManifestFile {
  name: string;
  text: string;
}

/**
 * `-` is standard input; of a folder its .yaml, .yml and .json files are taken, in the order of their paths.
 * @param recursive with those of the folders in it, but for folders whose name begins with a dot
 */
export async function readManifests(paths: string[], recursive = false): Promise<ManifestFile[]> {
  const files = await Promise.all(paths.map((path) => readPath(path, recursive)));
  return files.flat();
}

async function readPath(path: string, recursive: boolean): Promise<ManifestFile[]> {
  if (path === '-') return [{ name: 'standard input', text: await text(process.stdin) }];
  try {
    if (!(await stat(path)).isDirectory()) return [{ name: path, text: await readText(path) }];
    const names = (await readdir(path, { recursive }))
      .filter((name) => /\.(ya?ml|json)$/.test(name) && !/(^|[\\/])\./.test(name))
      .sort();
    if (names.length === 0) throw new CliError(EXIT.USAGE, `${path} holds no .yaml, .yml or .json file`);
    return await Promise.all(
      names.map(async (name) => ({ name: join(path, name), text: await readText(join(path, name)) })),
    );
  } catch (error) {
    if (error instanceof CliError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    throw new CliError(
      EXIT.USAGE,
      code === 'ENOENT' ? `There is no file or folder ${path}` : `Cannot read ${path}: ${message}`,
    );
  }
}

/** Without the mark of the encoding: among several files it would be a part of the first key. */
const readText = async (path: string): Promise<string> => (await readFile(path, 'utf8')).replace(/^\ufeff/, '');

const SEPARATOR = '\n---\n';

/** All of them as one text; `place` finds the file of a line. */
export const textOf = (files: ManifestFile[]): string => files.map((file) => file.text).join(SEPARATOR);

/**
 * All files in one request: all of them are applied or none, and each may refer to what stands in another.
 * @throws CliError with a line `file:line:column: message` for each error.
 */
export async function apply(
  client: Client,
  files: ManifestFile[],
  dryRun: boolean,
  prune?: LabelGiven[],
): Promise<Change[]> {
  const { changes, errors } = await applyManifests(client, {
    text: textOf(files),
    dryRun,
    prune,
  });
  if (errors.length > 0) throw new CliError(EXIT.REFUSED, errors.map((error) => place(error, files)).join('\n'));
  return changes;
}

/** Lines are counted in what was sent; people count them in their file. */
export function place({ line, column, message }: ManifestRefusal, files: ManifestFile[]): string {
  const said = message.replace(
    /\bfirst in line (\d+)/,
    (_, first: string) => `first in ${lineOf(Number(first), files)}`,
  );
  return line === undefined ? said : `${lineOf(line, files)}:${column ?? 1}: ${said}`;
}

/** `FILE:LINE` of a line of what was sent. */
function lineOf(line: number, files: ManifestFile[]): string {
  let local = line;
  for (const file of files) {
    const lines = file.text.split('\n').length;
    // The last separator's line is in no file: an error of a whole document can stand there.
    if (local <= lines || file === files.at(-1)) return `${file.name}:${local}`;
    local -= lines + SEPARATOR.split('\n').length - 2;
  }
  return `line ${line}`;
}

const diffOf = (changes: Change[]): string => changes.flatMap(({ diff }) => (diff ? [diff.trimEnd()] : [])).join('\n');

function labelOf(typed: string, before: LabelGiven[] = []): LabelGiven[] {
  const [, key, value] = /^([^=]+)=(.*)$/.exec(typed) ?? [];
  if (key === undefined || value === undefined)
    throw new InvalidArgumentError('Expected KEY=VALUE, such as app=billing.');
  return [...before, { key, value }];
}

interface Flags {
  file: string[];
  recursive?: boolean;
  dryRun?: boolean;
  prune?: LabelGiven[];
}

const RECURSIVE = ['-R, --recursive', 'of a folder also what is in its folders'] as const;

/** `sluice apply` and `sluice diff` */
export function addApply({ program, clientOf, styleOf, print, exitWith, err }: Shell): void {
  const ask = async (command: Command, { file, recursive, prune }: Flags, dryRun: boolean): Promise<Change[]> => {
    const changes = await apply(clientOf(command), await readManifests(file, recursive), dryRun, prune);
    for (const warning of changes.flatMap(({ warnings }) => warnings)) err.write(`Warning: ${warning}\n`);
    return changes;
  };
  program
    .command('apply')
    .description('apply manifests: all of them, or none when one has an error')
    .requiredOption('-f, --file <path...>', 'file, folder, or - for standard input')
    .option(...RECURSIVE)
    .option('--dry-run', 'say what would change and change nothing')
    .option('--prune <label...>', 'delete what has these labels (KEY=VALUE) and is not in the files', labelOf)
    .action(async (flags: Flags, command: Command) => {
      const dryRun = flags.dryRun ?? false;
      print(showChanges(await ask(command, flags, dryRun), styleOf(command), dryRun));
    });
  program
    .command('diff')
    .description(`show what apply would change, as a patch; exit code ${EXIT.DIFFERENT} when it is something`)
    .requiredOption('-f, --file <path...>', 'file, folder, or - for standard input')
    .option(...RECURSIVE)
    .option('--prune <label...>', 'as apply would delete what is not in the files', labelOf)
    .action(async (flags: Flags, command: Command) => {
      const changes = (await ask(command, flags, true)).filter(({ change }) => change !== 'UNCHANGED');
      const style = styleOf(command);
      if (style.format !== 'table') print(showChanges(changes, style, true));
      else if (changes.length > 0) print(diffOf(changes));
      if (changes.length > 0) exitWith(EXIT.DIFFERENT);
    });
}

export function showChanges(changes: Change[], style: Style, dryRun: boolean): string {
  const shown = style.format === 'table' && dryRun ? diffOf(changes) : '';
  const list = render(changes, style, {
    name: ({ kind, name }) => `${kind}/${name}`,
    columns: [
      ['KIND', ({ kind }) => kind],
      ['NAME', ({ name }) => name],
      ['REVISION', ({ revision }) => String(revision)],
      [dryRun ? 'WOULD BE' : 'CHANGE', ({ change }) => change.toLowerCase()],
    ],
  });
  return shown ? `${shown}\n\n${list}` : list;
}

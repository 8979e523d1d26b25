import type { Client } from '../../src/cli/client.ts';
import { apply, type ManifestFile } from '../../src/cli/commands/apply.ts';
import { CliError, EXIT } from '../../src/cli/exit.ts';
import { KINDS } from '../../src/core/kinds/index.ts';
import { parseManifests } from '../../src/manifests/index.ts';
import { manifestOf, stubsFor, type Stub } from './stubs.ts';

/** What became of one file. */
export interface Tried {
  file: string;
  /** `Kind/name` of what it holds, when it was applied. */
  applied: string[];
  warnings: string[];
  /** Why it was refused, with line and column; empty when it was applied. */
  refusals: string[];
}

/**
 * Applies each file by itself, as it is: two files may define the same thing in two ways. Those come first that others may name.
 * @param client of a server that has nothing; what no file brings is made there before
 */
export async function tryFiles(
  client: Client,
  files: readonly ManifestFile[],
): Promise<{ stubs: Stub[]; tried: Tried[] }> {
  const stubs = stubsFor(files.map(({ text }) => text));
  if (stubs.length > 0) await apply(client, [{ name: 'stubs', text: stubs.map(manifestOf).join('---\n') }], false);
  const tried: Tried[] = [];
  for (const file of [...files].sort((a, b) => rankOf(a) - rankOf(b))) tried.push(await tryFile(client, file));
  return { stubs, tried: tried.sort((a, b) => (a.file < b.file ? -1 : 1)) };
}

async function tryFile(client: Client, file: ManifestFile): Promise<Tried> {
  try {
    const changes = await apply(client, [file], false);
    const applied = changes.map(({ kind, name }) => `${kind}/${name}`);
    if (applied.length === 0)
      return { file: file.name, applied, warnings: [], refusals: [`${file.name}: it holds no manifest`] };
    return { file: file.name, applied, warnings: changes.flatMap((each) => each.warnings), refusals: [] };
  } catch (error) {
    if (!(error instanceof CliError) || error.exitCode !== EXIT.REFUSED) throw error;
    return { file: file.name, applied: [], warnings: [], refusals: error.message.split('\n') };
  }
}

/** By the last of its kinds, in the order in which kinds name each other. */
function rankOf({ text }: ManifestFile): number {
  return Math.max(-1, ...parseManifests(text).definitions.map(({ definition }) => KINDS.indexOf(definition.kind)));
}

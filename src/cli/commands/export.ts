import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { KINDS } from '../../core/kinds/names.ts';
import { all } from '../asking.ts';
import type { Client } from '../client.ts';
import type { Shell } from '../shell.ts';
import { listDocument } from './get.ts';
import { DEFINITION_KINDS, type DefinitionRow } from './kinds.ts';

interface Exported {
  kind: string;
  name: string;
  manifest: string;
}

/** Every definition that the caller sees, what others name before those that name it. */
async function exported(client: Client): Promise<Exported[]> {
  const found: Exported[] = [];
  for (const kind of KINDS) {
    const listed = DEFINITION_KINDS.find(({ one }) => one.toLowerCase() === kind.toLowerCase())!;
    const rows = await all<DefinitionRow>(client, listDocument(listed));
    found.push(...rows.map(({ name, manifest }) => ({ kind, name, manifest })));
  }
  return found;
}

/** `sluice export` */
export function addExport({ program, clientOf, print }: Shell): void {
  program
    .command('export')
    .description('print every definition as manifests that apply takes')
    .option('--to <folder>', 'write a file for each instead, called KIND-NAME.yaml')
    .action(async ({ to }: { to?: string }, command: Command) => {
      const found = await exported(clientOf(command));
      if (to === undefined) return print(found.map(({ manifest }) => manifest.trimEnd()).join('\n---\n'));
      await mkdir(to, { recursive: true });
      // Names are RFC 1123 labels, so no name leads out of the folder.
      for (const { kind, name, manifest } of found) await writeFile(join(to, `${kind}-${name}.yaml`), manifest);
      print(`Wrote ${found.length} manifests to ${to}`);
    });
}

import type { Command } from 'commander';
import { ask, ERRORS } from '../asking.ts';
import { CliError, EXIT } from '../exit.ts';
import { wholeNumber } from '../options.ts';
import type { Shell } from '../shell.ts';
import { type DefinitionKind, DEFINITION_KINDS } from './kinds.ts';

export const deleteDocument = ({ one }: DefinitionKind): string =>
  `mutation CliDelete($input: DefinitionDeleteInput!) { payload: ${one}Delete(input: $input) { ${ERRORS} } }`;

/** `sluice delete KIND NAME` */
export function addDelete({ program, clientOf, print }: Shell): void {
  const kinds = DEFINITION_KINDS.map(({ names }) => names[1]!);
  program
    .command('delete')
    .description('delete a definition; releases that froze it go on')
    .argument('<kind>', kinds.join(', '))
    .argument('<name...>', 'which ones; the first that cannot be deleted ends the command')
    .option('--revision <n>', 'refuse when this is not its newest revision', wholeNumber)
    .action(async (typed: string, names: string[], { revision }: { revision?: number }, command: Command) => {
      const plain = typed.toLowerCase().replaceAll('-', '');
      const kind = DEFINITION_KINDS.find((each) => each.names.includes(plain));
      if (!kind) throw new CliError(EXIT.USAGE, `'${typed}' cannot be deleted. There are: ${kinds.join(', ')}`);
      for (const name of names) {
        await ask(clientOf(command), deleteDocument(kind), { name, expectedRevision: revision });
        print(`Deleted ${kind.names[1]} ${name}`);
      }
    });
}

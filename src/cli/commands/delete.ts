import type { Command } from 'commander';
import { ask, ERRORS } from '../asking.ts';
import { CliError, EXIT } from '../exit.ts';
import { bareName, wholeNumber } from '../options.ts';
import type { Shell } from '../shell.ts';
import { type DefinitionKind, DEFINITION_KINDS } from './kinds.ts';

export const deleteDocument = ({ one }: DefinitionKind): string =>
  `mutation CliDelete($input: ${one === 'gitSource' ? 'GitSource' : 'Definition'}DeleteInput!) { payload: ${one}Delete(input: $input) { ${ERRORS} } }`;

interface Flags {
  revision?: number;
  prune?: boolean;
}

/** `sluice delete KIND NAME` */
export function addDelete({ program, clientOf, print }: Shell): void {
  const kinds = DEFINITION_KINDS.map(({ names }) => names[1]!);
  program
    .command('delete')
    .description('delete a definition; releases that froze it go on')
    .argument('<kind>', kinds.join(', '))
    .argument('<name...>', 'which ones; the first that cannot be deleted ends the command')
    .option('--revision <n>', 'refuse when this is not its newest revision', wholeNumber)
    .option('--prune', 'of a git source: also all that it brought')
    .action(async (typed: string, names: string[], { revision, prune }: Flags, command: Command) => {
      const plain = typed.toLowerCase().replaceAll('-', '');
      const kind = DEFINITION_KINDS.find((each) => each.names.includes(plain));
      if (!kind) throw new CliError(EXIT.USAGE, `'${typed}' cannot be deleted. There are: ${kinds.join(', ')}`);
      if (prune && kind.one !== 'gitSource') throw new CliError(EXIT.USAGE, '--prune is for git sources alone');
      for (const each of names) {
        const name = bareName(kind.names[1]!, each);
        await ask(clientOf(command), deleteDocument(kind), {
          name,
          expectedRevision: revision,
          ...(prune && { prune }),
        });
        print(`Deleted ${kind.names[1]} ${name}`);
      }
    });
}

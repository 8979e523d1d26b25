import type { Readable } from 'node:stream';
import type { Command } from 'commander';
import type { Client } from './client.ts';
import { deleteSecret, listSecrets, resealSecrets, type SecretFlags, setSecret } from './commands/secrets.ts';
import type { Format } from './output.ts';

interface Parts {
  clientOf: (command: Command) => Client;
  formatOf: (command: Command) => Format;
  print: (text: string) => void;
  input: Readable;
}

/** `sluice secret …` */
export function addSecretCommands(program: Command, { clientOf, formatOf, print, input }: Parts): void {
  const secret = program
    .command('secret')
    .description('secrets: set, list, delete, reseal; nobody can read their values');
  secret
    .command('set')
    .description('create a secret or give it a new value, which is read from standard input')
    .argument('<name>')
    .option('--description <text>', 'what it is, for people')
    .option(
      '--host <host...>',
      'for ${secrets.NAME}: may be sent to these hosts, e.g. hooks.example.com or *.example.com',
    )
    .option('--git-url <prefix>', 'opens git repositories whose address begins so')
    .option('--git-username <name>', 'the user name for them')
    .option('--webhook-source <name>', 'signs the webhooks of this source')
    .option(
      '--product <name...>',
      'only for these products, e.g. billing or team-a-*: what it is sent for, or what its webhooks tell of',
    )
    .option('--decides-as <account>', 'which decide on approvals, in the name of this service account')
    .action(async (name: string, flags: SecretFlags, command: Command) =>
      print(await setSecret(clientOf(command), name, flags, input)),
    );
  secret
    .command('list')
    .description('show secrets without their values')
    .action(async (_flags: unknown, command: Command) =>
      print(await listSecrets(clientOf(command), formatOf(command))),
    );
  secret
    .command('delete')
    .description('delete a secret for good')
    .argument('<name>')
    .action(async (name: string, _flags: unknown, command: Command) =>
      print(await deleteSecret(clientOf(command), name)),
    );
  secret
    .command('reseal')
    .description('seal all secrets with the key of now; afterwards the previous key is needed no more')
    .action(async (_flags: unknown, command: Command) => print(await resealSecrets(clientOf(command))));
}

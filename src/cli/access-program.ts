import { type Command, Option } from 'commander';
import type { Client } from './client.ts';
import {
  createGrant,
  createToken,
  deleteGrant,
  type GrantFlags,
  listGrants,
  listTokens,
  revokeToken,
  ROLE_NAMES,
  type TokenFlags,
} from './commands/access.ts';
import type { Format } from './output.ts';

interface Parts {
  clientOf: (command: Command) => Client;
  formatOf: (command: Command) => Format;
  print: (text: string) => void;
}

/** `sluice token …` and `sluice grant …` */
export function addAccessCommands(program: Command, { clientOf, formatOf, print }: Parts): void {
  const token = program.command('token').description('API tokens: create, list, revoke');
  limits(
    token
      .command('create')
      .description('make a token and print it: it is shown once and kept nowhere')
      .requiredOption('--name <text>', 'what it is for')
      .option('--service-account <name>', 'speaks for this program (default: the name of the token, made fit)')
      .option('--user <name>', 'speaks for this person')
      .addOption(roleOption('what it may do (default: whatever is granted to its subject)'))
      .option('--expires <instant>', 'when it ends by itself, e.g. 2027-01-31T00:00:00Z (default: when it is revoked)'),
  ).action(async (flags: TokenFlags, command: Command) =>
    print(await createToken(clientOf(command), flags, formatOf(command))),
  );
  token
    .command('list')
    .description('show tokens without their secrets')
    .action(async (_flags: unknown, command: Command) => print(await listTokens(clientOf(command), formatOf(command))));
  token
    .command('revoke')
    .description('end a token: what is open with it ends within seconds')
    .argument('<id>', 'the 12 characters after sluice_')
    .action(async (id: string, _flags: unknown, command: Command) => print(await revokeToken(clientOf(command), id)));

  const grant = program.command('grant').description('roles: create, list, delete');
  limits(
    grant
      .command('create')
      .description('grant a role to a user, a group or a service account')
      .addOption(roleOption('the role').makeOptionMandatory())
      .option('--user <name>', 'to this person')
      .option('--group <name>', 'to this group of the identity provider')
      .option('--service-account <name>', 'to this program'),
  ).action(async (flags: GrantFlags, command: Command) => print(await createGrant(clientOf(command), flags)));
  grant
    .command('list')
    .description('show granted roles')
    .action(async (_flags: unknown, command: Command) => print(await listGrants(clientOf(command), formatOf(command))));
  grant
    .command('delete')
    .description('take a granted role away')
    .argument('<id>', 'as `sluice grant list` shows it')
    .action(async (id: string, _flags: unknown, command: Command) => print(await deleteGrant(clientOf(command), id)));
}

const roleOption = (about: string): Option => new Option('--role <role>', about).choices(ROLE_NAMES);

function limits(command: Command): Command {
  return command
    .option('--product <name...>', 'only for these products; * stands for anything (default: all)')
    .option('--product-label <key=value...>', 'only for products with these labels')
    .option('--environment <name...>', 'only in these environments (default: all)')
    .option('--environment-label <key=value...>', 'only in environments with these labels')
    .option('--kind <kind...>', 'only in environments of these kinds: PRODUCTION, NON_PRODUCTION');
}

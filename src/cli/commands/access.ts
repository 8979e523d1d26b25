import type { Command, Option } from 'commander';
import { all, ask, ERRORS, listOrNamed, Most, PAGE, wholeId } from '../asking.ts';
import type { Client } from '../client.ts';
import { now } from '../clock.ts';
import { CliError, EXIT } from '../exit.ts';
import { bare, choiceOption, formerly, instantOf, type Moment, momentOf, UNTIL } from '../options.ts';
import { age, render, renderList, shortened, type Style, type View, when } from '../output.ts';
import type { Shell } from '../shell.ts';

const SELECTOR = 'names matchLabels { key value }';
const SCOPE = `role products { ${SELECTOR} } environments { ${SELECTOR} kinds }`;
const TOKEN = `id name subjectKind subject scope { ${SCOPE} } createdAt createdBy expiresAt revokedAt lastUsedAt`;
const GRANT = `id subjectKind subject ${SCOPE} createdAt createdBy`;
const ENTRY =
  'id at actor credential action transport address userAgent input outcome reasons objects { kind name } before after';

export const ACCESS_DOCUMENTS = {
  tokens: `query CliTokens($first: Int!, $after: String) {
    list: apiTokens(first: $first, after: $after) { nodes { ${TOKEN} } ${PAGE} } }`,
  tokenCreate: `mutation CliTokenCreate($input: ApiTokenCreateInput!) {
    payload: apiTokenCreate(input: $input) { secret apiToken { ${TOKEN} } ${ERRORS} } }`,
  tokenRevoke: `mutation CliTokenRevoke($input: ApiTokenRevokeInput!) {
    payload: apiTokenRevoke(input: $input) { apiToken { id } ${ERRORS} } }`,
  grants: `query CliGrants($first: Int!, $after: String) {
    list: roleGrants(first: $first, after: $after) { nodes { ${GRANT} } ${PAGE} } }`,
  grantCreate: `mutation CliGrantCreate($input: RoleGrantCreateInput!) {
    payload: roleGrantCreate(input: $input) { roleGrant { id } ${ERRORS} } }`,
  grantDelete: `mutation CliGrantDelete($input: RoleGrantDeleteInput!) {
    payload: roleGrantDelete(input: $input) { roleGrant { id } ${ERRORS} } }`,
  audit: `query CliAudit($first: Int!, $after: String) {
    list: auditLog(first: $first, after: $after) { nodes { ${ENTRY} } ${PAGE} } }`,
};

const ROLE_NAMES = ['viewer', 'releaser', 'approver', 'operator', 'messenger', 'admin'];

interface Limits {
  role?: string;
  product?: string[];
  productLabel?: string[];
  environment?: string[];
  environmentLabel?: string[];
  kind?: string[];
}

interface TokenFlags extends Limits {
  name: string;
  serviceAccount?: string;
  user?: string;
  until?: Moment;
}

interface GrantFlags extends Limits {
  user?: string;
  group?: string;
  serviceAccount?: string;
}

interface Selector {
  names: string[] | null;
  matchLabels: { key: string; value: string }[] | null;
  kinds?: string[] | null;
}

interface Scope {
  role: string;
  products: Selector;
  environments: Selector;
}

interface Token {
  id: string;
  name: string;
  subjectKind: string;
  subject: string;
  scope: Scope[] | null;
  createdAt: string;
  createdBy: string | null;
  expiresAt: string | null;
  revokedAt: string | null;
  lastUsedAt: string | null;
}

interface Grant extends Scope {
  id: string;
  subjectKind: string;
  subject: string;
  createdAt: string;
  createdBy: string | null;
}

interface Entry {
  id: string;
  at: string;
  actor: string | null;
  action: string;
  outcome: string;
  address: string | null;
  objects: { kind: string; name: string }[];
}

const subjectWords = ({ subjectKind, subject }: { subjectKind: string; subject: string }): string =>
  `${subjectKind.toLowerCase().replaceAll('_', '-')} ${subject}`;

const stateOf = ({ revokedAt, expiresAt }: Token): string =>
  revokedAt ? 'revoked' : expiresAt && Date.parse(expiresAt) < now() ? 'expired' : 'good';

const TOKEN_VIEW: View<Token> = {
  columns: [
    ['ID', ({ id }) => id, 'whole'],
    ['NAME', ({ name }) => name],
    ['SPEAKS FOR', subjectWords],
    ['MAY', ({ scope }) => (scope ? scope.map(scopeWords).join('; ') : 'what is granted')],
    ['STATE', stateOf],
    ['EXPIRES', ({ expiresAt }) => when(expiresAt)],
    ['USED', ({ lastUsedAt }) => (lastUsedAt === null ? 'never' : age(lastUsedAt))],
    ['MADE BY', ({ createdBy }) => createdBy ?? 'unknown'],
  ],
  name: ({ id }) => `token/${id}`,
};

const GRANT_VIEW: View<Grant> = {
  columns: [
    ['ID', ({ id }) => shortened(id), 'whole'],
    ['TO', subjectWords],
    ['ROLE', scopeWords],
    ['SINCE', ({ createdAt }) => age(createdAt)],
    ['BY', ({ createdBy }) => createdBy ?? 'unknown'],
  ],
  name: ({ id }) => `grant/${id}`,
};

const AUDIT_VIEW: View<Entry> = {
  columns: [
    ['AT', ({ at }) => at.replace(/\.\d+Z$/, 'Z')],
    ['WHO', ({ actor }) => actor],
    ['COMMAND', ({ action }) => action],
    ['OUTCOME', ({ outcome }) => outcome],
    ['WHAT', ({ objects }) => objects.map(({ kind, name }) => `${kind} ${name}`).join(', ')],
    ['FROM', ({ address }) => address],
  ],
  name: ({ id }) => `audit/${id}`,
};

/** @param id only this one; its beginning is enough */
export async function getTokens(client: Client, id: string | undefined, limit: Most, style: Style): Promise<string> {
  const rows = await listOrNamed<Token>(client, ACCESS_DOCUMENTS.tokens, limit, {
    is: id === undefined ? undefined : ({ id: own }) => own.startsWith(id),
    none: `There is no token '${id}'. See: sluice token list`,
  });
  return renderList(rows, style, TOKEN_VIEW, 'There are no tokens.');
}

/** @param id only this one; its beginning is enough */
export async function getGrants(client: Client, id: string | undefined, limit: Most, style: Style): Promise<string> {
  const rows = await listOrNamed<Grant>(client, ACCESS_DOCUMENTS.grants, limit, {
    is: id === undefined ? undefined : ({ id: own }) => own.startsWith(id),
    none: `There is no grant '${id}'. See: sluice grant list`,
  });
  return renderList(rows, style, GRANT_VIEW, 'There are no grants.');
}

/** Newest first. JSON has everything that is known of each, for keeping elsewhere. */
export async function getAudit(client: Client, limit: Most, style: Style): Promise<string> {
  return render(await all<Entry>(client, ACCESS_DOCUMENTS.audit, {}, limit), style, AUDIT_VIEW);
}

/** `sluice token …` and `sluice grant …` */
export function addAccessCommands({ program, clientOf, styleOf, print }: Shell): void {
  const token = program.command('token').description('API tokens: create, list, revoke');
  const create = token
    .command('create')
    .description('make a token and print it: it is shown once and kept nowhere')
    .requiredOption('--name <text>', 'what it is for')
    .option('--service-account <name>', 'speaks for this program (default: made of the name)')
    .option('--user <name>', 'speaks for this person')
    .addOption(roleOption('what it may do (default: what is granted to its subject)'))
    .option('--until <when>', `when it ends: ${UNTIL} (default: when it is revoked)`, momentOf);
  formerly(limits(create), '--expires <when>', 'until', momentOf).action(async (flags: TokenFlags, command: Command) =>
    print(await createToken(clientOf(command), flags, styleOf(command))),
  );
  token
    .command('list')
    .description('show tokens without their secrets')
    .action(async (_flags: unknown, command: Command) =>
      print(await getTokens(clientOf(command), undefined, new Most(Infinity), styleOf(command))),
    );
  token
    .command('revoke')
    .description('end a token: what is open with it ends within seconds')
    .argument('<id>', 'the 12 characters after sluice_', bare('token'))
    .action(async (id: string, _flags: unknown, command: Command) => {
      await ask(clientOf(command), ACCESS_DOCUMENTS.tokenRevoke, { id });
      print(`Revoked ${id}: what is open with it ends within seconds.`);
    });

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
    .action(async (_flags: unknown, command: Command) =>
      print(await getGrants(clientOf(command), undefined, new Most(Infinity), styleOf(command))),
    );
  grant
    .command('delete')
    .description('take a granted role away')
    .argument('<id>', 'as the list shows it', bare('grant'))
    .action(async (typed: string, _flags: unknown, command: Command) => {
      const client = clientOf(command);
      const known = typed.length >= 36 ? [] : await all<Grant>(client, ACCESS_DOCUMENTS.grants);
      const ids = known.map((each) => each.id);
      await ask(client, ACCESS_DOCUMENTS.grantDelete, { id: wholeId(ids, typed, 'grant', 'sluice grant list') });
      print(`Took away ${typed}.`);
    });
}

const roleOption = (about: string): Option => choiceOption('--role <role>', about, ROLE_NAMES);

function limits(command: Command): Command {
  return command
    .option('--product <name...>', 'only for these products; * stands for anything (default: all)')
    .option('--product-label <key=value...>', 'only for products with these labels')
    .option('--environment <name...>', 'only in these environments (default: all)')
    .option('--environment-label <key=value...>', 'only in environments with these labels')
    .addOption(
      choiceOption('--kind <kind...>', 'only in environments of these kinds', ['PRODUCTION', 'NON_PRODUCTION']),
    );
}

async function createToken(client: Client, flags: TokenFlags, { format }: Style): Promise<string> {
  const { name, role, user, serviceAccount, until } = flags;
  if (user !== undefined && serviceAccount !== undefined) {
    throw new CliError(EXIT.USAGE, 'Give either --user or --service-account, not both.');
  }
  if (role === undefined && hasLimits(flags)) {
    throw new CliError(EXIT.USAGE, 'Products and environments limit a role: give --role as well.');
  }
  const input = {
    name,
    subjectKind: user === undefined ? 'SERVICE_ACCOUNT' : 'USER',
    subject: user ?? serviceAccount ?? name.trim().toLowerCase().replaceAll(/\s+/g, '-'),
    scope: role === undefined ? null : [scopeOf(flags)],
    expiresAt: (await instantOf(client, until)) ?? null,
  };
  const payload = await ask<{ secret: string; apiToken: Token }>(client, ACCESS_DOCUMENTS.tokenCreate, input);
  // For programs the token alone, for people a word with it, on lines that do not hold it.
  if (format === 'json') return JSON.stringify(payload, null, 2);
  if (format === 'name') return payload.secret;
  return `${payload.secret}\n\nIt is shown this once. Use it as SLUICE_TOKEN, or as \`Authorization: Bearer\`. Its id is ${payload.apiToken.id}.`;
}

async function createGrant(client: Client, flags: GrantFlags): Promise<string> {
  const { user, group, serviceAccount } = flags;
  const given = [
    ['USER', user],
    ['GROUP', group],
    ['SERVICE_ACCOUNT', serviceAccount],
  ].filter(([, name]) => name !== undefined);
  const [subject] = given;
  if (!subject || given.length > 1) {
    throw new CliError(EXIT.USAGE, 'Give exactly one of --user, --group and --service-account.');
  }
  const input = { ...scopeOf(flags), subjectKind: subject[0], subject: subject[1] };
  const { roleGrant } = await ask<{ roleGrant: { id: string } }>(client, ACCESS_DOCUMENTS.grantCreate, input);
  return `Granted ${flags.role} to ${subject[1]}: ${shortened(roleGrant.id)}`;
}

const hasLimits = ({ product, productLabel, environment, environmentLabel, kind }: Limits): boolean =>
  [product, productLabel, environment, environmentLabel, kind].some((each) => each !== undefined);

function scopeOf({ role = '', product, productLabel, environment, environmentLabel, kind }: Limits): object {
  return {
    role: role.toUpperCase(),
    products: { names: product, matchLabels: labelsOf(productLabel) },
    environments: { names: environment, matchLabels: labelsOf(environmentLabel), kinds: kind },
  };
}

function labelsOf(pairs: string[] | undefined): { key: string; value: string }[] | undefined {
  return pairs?.map((pair) => {
    const [, key, value] = /^([^=]+)=(.*)$/.exec(pair) ?? [];
    if (key === undefined || value === undefined) {
      throw new CliError(EXIT.USAGE, `'${pair}' is no label: expected key=value`);
    }
    return { key, value };
  });
}

function scopeWords({ role, products, environments }: Scope): string {
  const of = selectorWords(products);
  const where = selectorWords(environments);
  return [role.toLowerCase(), of && `of ${of}`, where && `in ${where}`].filter(Boolean).join(' ');
}

function selectorWords({ names, matchLabels, kinds }: Selector): string {
  const labels = matchLabels?.map(({ key, value }) => `${key}=${value}`) ?? [];
  return [...(names ?? []), ...labels, ...(kinds ?? [])].join(',');
}

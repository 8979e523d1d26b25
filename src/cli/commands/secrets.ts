import type { Readable } from 'node:stream';
import type { Command } from 'commander';
import { FORGE_KINDS } from '../../core/forges.ts';
import type { ForgeKind } from '../../core/forges.ts';
import { ask, ERRORS, listOrNamed, Most, PAGE } from '../asking.ts';
import type { Client } from '../client.ts';
import { CliError, EXIT } from '../exit.ts';
import { bare, choiceOption } from '../options.ts';
import { age, renderList, type Style, type View } from '../output.ts';
import type { Shell } from '../shell.ts';

const SHOWN =
  'name description use hosts products hostsAssumed gitUrl gitUsername webhookSource webhookProducts webhookDecidesAs webhookScheme webhookRepositories forge { type url apiUrl appId installationId } signingKey revision keyId updatedAt updatedBy';

export const SECRET_DOCUMENTS = {
  list: `query CliSecrets($first: Int!, $after: String) {
    list: secrets(first: $first, after: $after) { nodes { ${SHOWN} } ${PAGE} } }`,
  set: `mutation CliSecretSet($input: SecretSetInput!) { payload: secretSet(input: $input) { secret { ${SHOWN} } ${ERRORS} } }`,
  delete: `mutation CliSecretDelete($input: SecretDeleteInput!) { payload: secretDelete(input: $input) { deletedName ${ERRORS} } }`,
  reseal: `mutation CliSecretsReseal($input: SecretsResealInput!) { payload: secretsReseal(input: $input) { resealed ${ERRORS} } }`,
};

interface SecretShown {
  name: string;
  use: string;
  hosts: string[] | null;
  products: string[] | null;
  hostsAssumed: boolean;
  gitUrl: string | null;
  webhookSource: string | null;
  webhookProducts: string[] | null;
  webhookDecidesAs: string | null;
  webhookScheme: string | null;
  webhookRepositories: string[] | null;
  forge: { type: string; url: string; appId: string | null } | null;
  signingKey?: string | null;
  revision: number;
  keyId: string;
  updatedAt: string;
  updatedBy: string | null;
}

interface SecretFlags {
  description?: string;
  host?: string[];
  gitUrl?: string;
  gitUsername?: string;
  webhookSource?: string;
  webhookScheme?: string;
  webhookHeader?: string;
  repository?: string[];
  product?: string[];
  decidesAs?: string;
  forge?: string;
  forgeUrl?: string;
  forgeApiUrl?: string;
  signsCommits?: boolean;
  githubApp?: string;
  githubInstallation?: string;
}

function whereOf(secret: SecretShown): string {
  const { gitUrl, webhookSource, webhookProducts, webhookDecidesAs, hosts, products, hostsAssumed, forge, signingKey } =
    secret;
  const { webhookScheme, webhookRepositories } = secret;
  const whose = (names: string[] | null): string => (names?.length ? ` for ${names.join(', ')}` : '');
  if (signingKey) return signingKey;
  if (gitUrl !== null) return gitUrl;
  if (forge !== null)
    return `${forge.url} (${forge.type.toLowerCase()}${forge.appId === null ? '' : `, App ${forge.appId}`})`;
  if (webhookSource !== null) {
    const news = webhookScheme === null ? '' : ` (${spelled(webhookScheme)})`;
    const where = webhookRepositories?.length ? ` at ${webhookRepositories.join(', ')}` : '';
    const decides = webhookDecidesAs === null ? '' : `, decides as ${webhookDecidesAs}`;
    return `${webhookSource}${news}${whose(webhookProducts)}${where}${decides}`;
  }
  return `${hosts?.join(', ') || 'nowhere'}${whose(products)}${hostsAssumed ? ' (name its hosts)' : ''}`;
}

const VIEW: View<SecretShown> = {
  columns: [
    ['NAME', ({ name }) => name],
    ['FOR', ({ use }) => use.toLowerCase()],
    ['WHERE', whereOf],
    ['REVISION', ({ revision }) => String(revision)],
    ['KEY', ({ keyId }) => keyId],
    ['SET', ({ updatedAt }) => age(updatedAt)],
    ['BY', ({ updatedBy }) => updatedBy ?? ''],
  ],
  name: ({ name }) => `secret/${name}`,
};

/** @param name only this one */
export async function getSecrets(client: Client, name: string | undefined, limit: Most, style: Style): Promise<string> {
  const rows = await listOrNamed<SecretShown>(client, SECRET_DOCUMENTS.list, limit, {
    is: name === undefined ? undefined : (each) => each.name === name,
    none: `There is no secret '${name}'. See: sluice secret list`,
  });
  return renderList(rows, style, VIEW, 'There are no secrets.');
}

const SCHEMES = ['standard', 'github', 'gitlab-token', 'gitlab-signing', 'gitea', 'bitbucket', 'header', 'hmac-header'];
const spelled = (scheme: string): string => scheme.toLowerCase().replaceAll('_', '-');

/** `sluice secret …` */
export function addSecretCommands({ program, clientOf, styleOf, print, input }: Shell): void {
  const secret = program
    .command('secret')
    .description('secrets: set, list, delete, reseal; their values cannot be read');
  secret
    .command('set')
    .description('create a secret or give it a new value, which is read from standard input')
    .argument('<name>', 'its name', bare('secret'))
    .option('--description <text>', 'what it is, for people')
    .option('--host <host...>', 'for ${secrets.NAME}: may be sent to these hosts; *.example.com is every host below')
    .option('--git-url <prefix>', 'opens git repositories whose address begins so')
    .option('--git-username <name>', 'the user name for them')
    .option('--webhook-source <name>', 'signs the webhooks of this source')
    .addOption(choiceOption('--webhook-scheme <scheme>', 'which tell news, signed in this way', SCHEMES))
    .option('--webhook-header <name>', 'with the schemes header and hmac-header: the header')
    .option('--repository <prefix...>', 'only of repositories whose address begins so')
    .option('--product <name...>', 'only for these products, e.g. billing or team-a-*')
    .option('--decides-as <account>', 'which decide on approvals, in the name of this service account')
    .option('--forge <type>', 'opens pull requests: github, gitlab or gitea (also Forgejo)')
    .option('--forge-url <prefix>', 'in repositories whose address begins so')
    .option('--forge-api-url <url>', 'where its API is, when not where it is by default')
    .option('--signs-commits', 'signs commits: the value is a private key of SSH or GPG, without a passphrase')
    .option('--github-app <id>', 'the value is the private key of this GitHub App')
    .option('--github-installation <number>', 'its installation; that of each repository when left out')
    .action(async (name: string, flags: SecretFlags, command: Command) =>
      print(await setSecret(clientOf(command), name, flags, input)),
    );
  secret
    .command('list')
    .description('show secrets without their values')
    .action(async (_flags: unknown, command: Command) =>
      print(await getSecrets(clientOf(command), undefined, new Most(Infinity), styleOf(command))),
    );
  secret
    .command('delete')
    .description('delete a secret for good')
    .argument('<name>', 'its name', bare('secret'))
    .action(async (name: string, _flags: unknown, command: Command) => {
      await ask(clientOf(command), SECRET_DOCUMENTS.delete, { name });
      print(`Secret ${name} is deleted`);
    });
  secret
    .command('reseal')
    .description('seal all secrets with the current key; the previous one is not needed afterwards')
    .action(async (_flags: unknown, command: Command) => {
      const { resealed } = await ask<{ resealed: number }>(clientOf(command), SECRET_DOCUMENTS.reseal, {});
      print(`${resealed} ${resealed === 1 ? 'secret was' : 'secrets were'} sealed with the current key`);
    });
}

/** The value comes from standard input: arguments are seen by everybody on the machine, and kept by shells. */
async function setSecret(client: Client, name: string, flags: SecretFlags, input: Readable): Promise<string> {
  const secretValue = await valueFrom(input);
  const { description, host, gitUrl, gitUsername, webhookSource, product, decidesAs, signsCommits } = flags;
  const { webhookScheme, webhookHeader: header, repository: repositories } = flags;
  const scheme = webhookScheme?.toUpperCase().replaceAll('-', '_');
  const forge = forgeFrom(flags);
  const { secret } = await ask<{ secret: SecretShown }>(client, SECRET_DOCUMENTS.set, {
    name,
    secretValue,
    description,
    hosts: host,
    products: webhookSource === undefined ? product : undefined,
    git: gitUrl === undefined ? undefined : { url: gitUrl, username: gitUsername },
    webhook:
      webhookSource === undefined
        ? undefined
        : { source: webhookSource, products: product, decidesAs, scheme, repositories, header },
    forge,
    signsCommits,
  });
  const known = secret.signingKey == null ? '' : `\nIts host has to know: ${secret.signingKey}`;
  return `Secret ${secret.name} is set (revision ${secret.revision}, sealed with key ${secret.keyId})${known}`;
}

function forgeFrom(flags: SecretFlags): object | undefined {
  const { forge, forgeUrl: url, forgeApiUrl: apiUrl, githubApp: appId, githubInstallation: installationId } = flags;
  if (forge === undefined) {
    if ([url, apiUrl, appId, installationId].some((each) => each !== undefined))
      throw new CliError(EXIT.USAGE, 'Say with --forge which forge it is: github, gitlab or gitea');
    return undefined;
  }
  if (!FORGE_KINDS.includes(forge as ForgeKind))
    throw new CliError(EXIT.USAGE, `--forge is github, gitlab or gitea (also for Forgejo), not '${forge}'`);
  if (url === undefined)
    throw new CliError(EXIT.USAGE, 'Say with --forge-url how the repositories begin, e.g. https://github.com/acme/');
  return { type: forge.toUpperCase(), url, apiUrl, appId, installationId };
}

/** One line break at the end is the shell's, not the secret's. */
async function valueFrom(input: Readable & { isTTY?: boolean }): Promise<string> {
  if (input.isTTY)
    throw new CliError(EXIT.USAGE, 'The value comes from standard input: printf %s "$VALUE" | sluice secret set NAME');
  const chunks: Buffer[] = [];
  for await (const chunk of input) chunks.push(Buffer.from(chunk as Buffer | string));
  return Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '');
}

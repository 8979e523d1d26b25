import type { Readable } from 'node:stream';
import type { Client, UserError } from '../client.ts';
import { CliError, EXIT } from '../exit.ts';
import { age, type Column, type Format, render } from '../output.ts';

const SHOWN =
  'name description use hosts products hostsAssumed gitUrl gitUsername webhookSource webhookProducts webhookDecidesAs revision keyId updatedAt updatedBy';

export const SECRET_DOCUMENTS = {
  list: `query CliSecrets($after: String) {
    secrets(first: 100, after: $after) { nodes { ${SHOWN} } pageInfo { hasNextPage endCursor } }
  }`,
  set: `mutation CliSecretSet($input: SecretSetInput!) {
    payload: secretSet(input: $input) { secret { ${SHOWN} } userErrors { code message path } }
  }`,
  delete: `mutation CliSecretDelete($input: SecretDeleteInput!) {
    payload: secretDelete(input: $input) { deletedName userErrors { code message path } }
  }`,
  reseal: `mutation CliSecretsReseal($input: SecretsResealInput!) {
    payload: secretsReseal(input: $input) { resealed userErrors { code message path } }
  }`,
};

interface SecretShown {
  name: string;
  use: string;
  hosts: string[] | null;
  products: string[] | null;
  hostsAssumed: boolean;
  gitUrl: string | null;
  webhookSource: string | null;
  revision: number;
  keyId: string;
  updatedAt: string;
  updatedBy: string | null;
}

export interface SecretFlags {
  description?: string;
  host?: string[];
  gitUrl?: string;
  gitUsername?: string;
  webhookSource?: string;
  product?: string[];
  decidesAs?: string;
}

function whereOf({ gitUrl, webhookSource, hosts, products, hostsAssumed }: SecretShown): string {
  const other = gitUrl ?? webhookSource;
  if (other !== null) return other;
  const where = hosts?.join(', ') || 'nowhere';
  const whose = products?.length ? ` for ${products.join(', ')}` : '';
  return `${where}${whose}${hostsAssumed ? ' (name its hosts)' : ''}`;
}

const COLUMNS: Column<SecretShown>[] = [
  ['NAME', ({ name }) => name],
  ['FOR', ({ use }) => use.toLowerCase()],
  ['WHERE', whereOf],
  ['REVISION', ({ revision }) => String(revision)],
  ['KEY', ({ keyId }) => keyId],
  ['SET', ({ updatedAt }) => age(updatedAt)],
  ['BY', ({ updatedBy }) => updatedBy ?? ''],
];

export async function listSecrets(client: Client, format: Format): Promise<string> {
  const rows: SecretShown[] = [];
  let after: string | null = null;
  do {
    const { secrets }: Page = await client.ask<Page>(SECRET_DOCUMENTS.list, { after });
    rows.push(...secrets.nodes);
    after = secrets.pageInfo.hasNextPage ? secrets.pageInfo.endCursor : null;
  } while (after !== null);
  if (rows.length === 0 && format === 'table') return 'There are no secrets.';
  return render(rows, format, { columns: COLUMNS, name: ({ name }) => `secret/${name}` });
}

interface Page {
  secrets: { nodes: SecretShown[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } };
}

/** The value comes from standard input: arguments are seen by everybody on the machine, and kept by shells. */
export async function setSecret(client: Client, name: string, flags: SecretFlags, input: Readable): Promise<string> {
  const secretValue = await valueFrom(input);
  const { description, host, gitUrl, gitUsername, webhookSource, product, decidesAs } = flags;
  const { secret } = await ask<{ secret: SecretShown }>(client, SECRET_DOCUMENTS.set, {
    input: {
      name,
      secretValue,
      description,
      hosts: host,
      products: webhookSource === undefined ? product : undefined,
      git: gitUrl === undefined ? undefined : { url: gitUrl, username: gitUsername },
      webhook: webhookSource === undefined ? undefined : { source: webhookSource, products: product, decidesAs },
    },
  });
  return `Secret ${secret.name} is set (revision ${secret.revision}, sealed with key ${secret.keyId})`;
}

export async function deleteSecret(client: Client, name: string): Promise<string> {
  await ask(client, SECRET_DOCUMENTS.delete, { input: { name } });
  return `Secret ${name} is deleted`;
}

export async function resealSecrets(client: Client): Promise<string> {
  const { resealed } = await ask<{ resealed: number }>(client, SECRET_DOCUMENTS.reseal, { input: {} });
  return `${resealed} ${resealed === 1 ? 'secret was' : 'secrets were'} sealed with the key of now`;
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

async function ask<T>(client: Client, document: string, variables: Record<string, unknown>): Promise<T> {
  const { payload } = await client.ask<{ payload: T & { userErrors: UserError[] } }>(document, variables);
  if (payload.userErrors.length === 0) return payload;
  throw new CliError(EXIT.REFUSED, payload.userErrors.map(({ message }) => message).join('\n'));
}

import type { Client, UserError } from '../client.ts';
import { CliError, EXIT } from '../exit.ts';
import { age, type Column, type Format, render } from '../output.ts';

const SELECTOR = 'names matchLabels { key value }';
const SCOPE = `role products { ${SELECTOR} } environments { ${SELECTOR} kinds }`;
const TOKEN = `id name subjectKind subject scope { ${SCOPE} } createdAt createdBy expiresAt revokedAt lastUsedAt`;
const GRANT = `id subjectKind subject ${SCOPE} createdAt createdBy`;
const ENTRY =
  'id at actor credential action transport address userAgent input outcome reasons objects { kind name } before after';
const ERRORS = 'userErrors { code message path }';
const PAGE = 'pageInfo { hasNextPage endCursor }';

export const ACCESS_DOCUMENTS = {
  tokens: `query CliTokens($after: String) { list: apiTokens(first: 100, after: $after) { nodes { ${TOKEN} } ${PAGE} } }`,
  tokenCreate: `mutation CliTokenCreate($input: ApiTokenCreateInput!) {
    payload: apiTokenCreate(input: $input) { secret apiToken { ${TOKEN} } ${ERRORS} } }`,
  tokenRevoke: `mutation CliTokenRevoke($input: ApiTokenRevokeInput!) {
    payload: apiTokenRevoke(input: $input) { apiToken { id } ${ERRORS} } }`,
  grants: `query CliGrants($after: String) { list: roleGrants(first: 100, after: $after) { nodes { ${GRANT} } ${PAGE} } }`,
  grantCreate: `mutation CliGrantCreate($input: RoleGrantCreateInput!) {
    payload: roleGrantCreate(input: $input) { roleGrant { id } ${ERRORS} } }`,
  grantDelete: `mutation CliGrantDelete($input: RoleGrantDeleteInput!) {
    payload: roleGrantDelete(input: $input) { roleGrant { id } ${ERRORS} } }`,
  audit: `query CliAudit($first: Int!, $after: String) {
    list: auditLog(first: $first, after: $after) { nodes { ${ENTRY} } ${PAGE} } }`,
};

export const ROLE_NAMES = ['viewer', 'releaser', 'approver', 'operator', 'messenger', 'admin'];

interface Limits {
  role?: string;
  product?: string[];
  productLabel?: string[];
  environment?: string[];
  environmentLabel?: string[];
  kind?: string[];
}

export interface TokenFlags extends Limits {
  name: string;
  serviceAccount?: string;
  user?: string;
  expires?: string;
}

export interface GrantFlags extends Limits {
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
}

export async function createToken(client: Client, flags: TokenFlags, format: Format): Promise<string> {
  const { name, role, user, serviceAccount, expires } = flags;
  if (user !== undefined && serviceAccount !== undefined) {
    throw new CliError(EXIT.USAGE, 'Give either --user or --service-account, not both.');
  }
  const expiresAt = expires === undefined ? null : new Date(expires);
  if (expiresAt && Number.isNaN(expiresAt.getTime())) {
    throw new CliError(EXIT.USAGE, `--expires is '${expires}': expected an instant such as 2027-01-31T00:00:00Z`);
  }
  if (role === undefined && hasLimits(flags)) {
    throw new CliError(EXIT.USAGE, 'Products and environments limit a role: give --role as well.');
  }
  const input = {
    name,
    subjectKind: user === undefined ? 'SERVICE_ACCOUNT' : 'USER',
    subject: user ?? serviceAccount ?? name.trim().toLowerCase().replaceAll(/\s+/g, '-'),
    scope: role === undefined ? null : [scopeOf(flags)],
    expiresAt,
  };
  const payload = await change<{ secret: string; apiToken: Token }>(client, ACCESS_DOCUMENTS.tokenCreate, input);
  // For programs the token alone, for people a word with it, on lines that do not hold it.
  if (format === 'json') return JSON.stringify(payload, null, 2);
  if (format === 'name') return payload.secret;
  return `${payload.secret}\n\nIt is shown this once. Use it as SLUICE_TOKEN, or as \`Authorization: Bearer\`. Its id is ${payload.apiToken.id}.`;
}

export async function listTokens(client: Client, format: Format): Promise<string> {
  const tokens = await all<Token>(client, ACCESS_DOCUMENTS.tokens);
  const state = ({ revokedAt, expiresAt }: Token): string =>
    revokedAt ? 'revoked' : expiresAt && Date.parse(expiresAt) < Date.now() ? 'expired' : 'good';
  const columns: Column<Token>[] = [
    ['ID', ({ id }) => id],
    ['NAME', ({ name }) => name],
    ['SPEAKS FOR', ({ subjectKind, subject }) => `${subjectKind.toLowerCase()} ${subject}`],
    ['MAY', ({ scope }) => (scope ? scope.map(scopeWords).join('; ') : 'what is granted')],
    ['STATE', state],
    ['EXPIRES', ({ expiresAt }) => expiresAt],
    ['USED', ({ lastUsedAt }) => (lastUsedAt === null ? 'never' : age(lastUsedAt))],
    ['MADE BY', ({ createdBy }) => createdBy ?? 'nobody said who'],
  ];
  return render(tokens, format, { columns, name: ({ id }) => `token/${id}` });
}

export async function revokeToken(client: Client, id: string): Promise<string> {
  await change(client, ACCESS_DOCUMENTS.tokenRevoke, { id });
  return `Revoked ${id}: what is open with it ends within seconds.`;
}

export async function createGrant(client: Client, flags: GrantFlags): Promise<string> {
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
  const { roleGrant } = await change<{ roleGrant: { id: string } }>(client, ACCESS_DOCUMENTS.grantCreate, input);
  return `Granted ${flags.role} to ${subject[1]}: ${roleGrant.id}`;
}

export async function listGrants(client: Client, format: Format): Promise<string> {
  const columns: Column<Grant>[] = [
    ['ID', ({ id }) => id],
    ['TO', ({ subjectKind, subject }) => `${subjectKind.toLowerCase()} ${subject}`],
    ['ROLE', scopeWords],
    ['SINCE', ({ createdAt }) => age(createdAt)],
  ];
  const grants = await all<Grant>(client, ACCESS_DOCUMENTS.grants);
  return render(grants, format, { columns, name: ({ id }) => `grant/${id}` });
}

export async function deleteGrant(client: Client, id: string): Promise<string> {
  await change(client, ACCESS_DOCUMENTS.grantDelete, { id });
  return `Took away ${id}.`;
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

/** Newest first. JSON has everything that is known of each, for keeping elsewhere. */
export async function getAudit(client: Client, { limit }: { limit: number }, format: Format): Promise<string> {
  const columns: Column<Entry>[] = [
    ['AT', ({ at }) => at],
    ['WHO', ({ actor }) => actor],
    ['COMMAND', ({ action }) => action],
    ['OUTCOME', ({ outcome }) => outcome],
    ['WHAT', ({ objects }) => objects.map(({ kind, name }) => `${kind} ${name}`).join(', ')],
    ['FROM', ({ address }) => address],
  ];
  const entries = await all<Entry>(client, ACCESS_DOCUMENTS.audit, limit);
  return render(entries, format, { columns, name: ({ id }) => `audit/${id}` });
}

async function all<T>(client: Client, document: string, limit = Infinity): Promise<T[]> {
  interface Page {
    list: { nodes: T[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } };
  }
  const rows: T[] = [];
  let after: string | null = null;
  do {
    const first = Math.min(100, limit - rows.length);
    const { list }: Page = await client.ask<Page>(document, { first, after });
    rows.push(...list.nodes);
    after = list.pageInfo.hasNextPage ? list.pageInfo.endCursor : null;
  } while (after !== null && rows.length < limit);
  return rows;
}

async function change<T>(client: Client, document: string, input: object): Promise<T> {
  const { payload } = await client.ask<{ payload: T & { userErrors: UserError[] } }>(document, { input });
  if (payload.userErrors.length === 0) return payload;
  throw new CliError(EXIT.REFUSED, payload.userErrors.map(({ message }) => message).join('\n'));
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

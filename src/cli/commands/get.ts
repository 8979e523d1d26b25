import type { Command } from 'commander';
import { all, Most, PAGE } from '../asking.ts';
import type { Client } from '../client.ts';
import { now } from '../clock.ts';
import { CliError, EXIT } from '../exit.ts';
import { listReleases, readRelease } from '../operations.ts';
import { bareName, choiceOption, isLimited, wholeNumber } from '../options.ts';
import { age, duration, render, renderList, type Style, type View } from '../output.ts';
import {
  causeOf,
  type CommitStatusShown,
  type ErrandShown,
  type PromotionShown,
  type ReleaseShown,
  versionOf,
  type HookShown,
} from '../release-shown.ts';
import type { Shell } from '../shell.ts';
import { type DefinitionKind, DEFINITION_KINDS, type DefinitionRow } from './kinds.ts';
import { getAudit, getGrants, getTokens } from './access.ts';
import { getApprovals } from './approvals.ts';
import { getBadVersions, getHolds } from './controls.ts';
import { getDeployments } from './deployments.ts';
import { getRollbacks, TARGETS } from './rollback.ts';
import { getSecrets } from './secrets.ts';
import { getCandidates, getGitIdentities, getTriggers } from './triggers.ts';
import { getDeliveries } from './webhooks.ts';

interface Flags {
  product?: string;
  status?: string[];
  all?: boolean;
  limit: Most;
}

/** As it stands on the command line. */
type Typed = Omit<Flags, 'limit'> & { limit: number };

type Narrowing = 'product' | 'status' | 'all';

/** Something that `get` shows. */
interface Listing {
  /** What people type: the first is the name, the others are taken as well. */
  names: string[];
  /** The options that mean something for it; others are refused. */
  takes: Narrowing[];
  /** @param name null: the list */
  show(client: Client, name: string | null, flags: Flags, style: Style): Promise<string>;
}

const onlyAsList = (names: string[]) => (name: string | null) => {
  if (name !== null) throw new CliError(EXIT.USAGE, `${names[0]} are shown as a list: leave '${name}' out`);
};

function listing(
  names: string[],
  takes: Narrowing[],
  list: (client: Client, flags: Flags, style: Style) => Promise<string>,
): Listing {
  const check = onlyAsList(names);
  return {
    names,
    takes,
    show: (client, name, flags, style) => {
      check(name);
      return list(client, flags, style);
    },
  };
}

const RELEASES: Listing = {
  names: ['releases', 'release'],
  takes: ['product', 'status'],
  show: (client, name, flags, style) => getReleases(client, name, flags, style),
};

const LISTINGS: Listing[] = [
  ...DEFINITION_KINDS.map((kind): Listing => ({
    names: kind.names,
    takes: kind.ofProduct ? ['product'] : [],
    show: (client, name, flags, style) => getDefinitions(client, kind, name, flags, style),
  })),
  RELEASES,
  {
    names: ['rollbacks', 'rollback'],
    takes: ['product'],
    show: (client, name, flags, style) =>
      name === null ? getRollbacks(client, flags.product, flags.limit, style) : getReleases(client, name, flags, style),
  },
  {
    names: ['deployments', 'deployment'],
    takes: ['product'],
    show: async (client, name, { product, limit }, style) => {
      if (name !== null) await checkProduct(client, name);
      return getDeployments(client, name ?? product, limit, style);
    },
  },
  listing(['approvals', 'approval'], ['product'], (client, { product, limit }, style) =>
    getApprovals(client, { product }, limit, style),
  ),
  listing(['holds', 'hold'], ['product', 'all'], (client, { product, all: everything, limit }, style) =>
    getHolds(client, { product, everything }, limit, style),
  ),
  listing(
    ['bad-versions', 'badversions', 'badversion', 'marks', 'mark'],
    ['product', 'all'],
    (client, { product, all: everything, limit }, style) =>
      getBadVersions(client, { product, everything }, limit, style),
  ),
  {
    names: ['secrets', 'secret'],
    takes: [],
    show: (client, name, { limit }, style) => getSecrets(client, name ?? undefined, limit, style),
  },
  {
    names: ['tokens', 'token'],
    takes: [],
    show: (client, name, { limit }, style) => getTokens(client, name ?? undefined, limit, style),
  },
  {
    names: ['grants', 'grant'],
    takes: [],
    show: (client, name, { limit }, style) => getGrants(client, name ?? undefined, limit, style),
  },
  listing(['webhooks', 'webhook', 'deliveries', 'delivery'], [], (client, { limit }, style) =>
    getDeliveries(client, {}, limit, style),
  ),
  listing(['candidates', 'candidate'], ['product'], (client, { product, limit }, style) =>
    getCandidates(client, product, limit, style),
  ),
  listing(['triggers', 'trigger'], ['product'], (client, { product }, style) => getTriggers(client, product, style)),
  listing(['git-identities', 'git-identity', 'gitidentities', 'gitidentity'], [], (client, _flags, style) =>
    getGitIdentities(client, style),
  ),
  listing(['audit'], [], (client, { limit }, style) => getAudit(client, limit, style)),
];

export const KIND_NAMES = LISTINGS.map(({ names }) => names[0]!);
const STATUSES = ['QUEUED', 'RUNNING', 'SUSPENDED', 'TERMINATING', 'SUCCEEDED', 'FAILED', 'TERMINATED'];

/** `sluice get …` */
export function addGet({ program, clientOf, styleOf, print, err }: Shell): void {
  program
    .command('get')
    .description(`show what there is: ${KIND_NAMES.join(', ')}`)
    .argument('<kind>', 'what to show; singular and plural are the same')
    .argument('[name]', 'one of them; a release as PRODUCT#NUMBER, a product for its newest one, or latest')
    .option('--product <name>', 'only of this product')
    .addOption(choiceOption('--status <status...>', 'releases in these states', STATUSES))
    .option('--all', 'holds and bad versions that are over, too')
    .option('--limit <n>', 'at most so many', wholeNumber, 100)
    .action(async (kind: string, name: string | undefined, typed: Typed, command: Command) => {
      const flags = { ...typed, limit: new Most(typed.limit) };
      print(await get(clientOf(command), kind, name ?? null, flags, styleOf(command)));
      if (!isLimited(command)) err.write(flags.limit.told(`sluice get ${kind} --limit NUMBER`));
    });
}

/** @param typed the kind as a person typed it: any case, singular or plural */
async function get(client: Client, typed: string, name: string | null, flags: Flags, style: Style): Promise<string> {
  const kind = typed.toLowerCase();
  const found = LISTINGS.find(({ names }) => names.includes(kind) || names.includes(kind.replaceAll('-', '')));
  if (!found) throw new CliError(EXIT.USAGE, `There is no kind '${typed}'. There are: ${KIND_NAMES.join(', ')}`);
  for (const option of ['product', 'status', 'all'] as const) {
    if (flags[option] === undefined || (found.takes.includes(option) && name === null)) continue;
    const where = name === null ? found.names[0] : `one ${found.names[1]}`;
    throw new CliError(EXIT.USAGE, `--${option} narrows a list down and says nothing about ${where}: leave it out`);
  }
  if (flags.product !== undefined) await checkProduct(client, flags.product);
  const bare = name === null ? null : found.names.reduce((left, each) => bareName(each, left), name);
  return found.show(client, bare, flags, style);
}

export const PRODUCT = `query CliProduct($name: String!) {
  product(name: $name) { name } releases(first: 1, filter: { product: $name }) { nodes { id } } }`;

/** A list of a product that never was would be empty, as if nothing were deployed. */
export async function checkProduct(client: Client, name: string): Promise<void> {
  const { product, releases } = await client.ask<{ product: object | null; releases: { nodes: object[] } }>(PRODUCT, {
    name,
  });
  if (!product && releases.nodes.length === 0)
    throw new CliError(EXIT.REFUSED, `There is no product '${name}'. See: sluice get products`);
}

const COMMON = 'name revision createdAt updatedAt labels { key value } manifest';

/** Exported, as `listDocument` is, for the test that holds each against the schema. */
export function oneDocument({ one: field, fields }: DefinitionKind): string {
  return `query CliGet($name: String!) { found: ${field}(name: $name) { ${COMMON} ${fields} } }`;
}

export function listDocument({ many, fields, ofProduct }: DefinitionKind): string {
  const [declared, given] = ofProduct ? [', $product: String', ', product: $product'] : ['', ''];
  return `query CliList($first: Int!, $after: String${declared}) {
    list: ${many}(first: $first, after: $after${given}) { nodes { ${COMMON} ${fields} } ${PAGE} }
  }`;
}

/** YAML is the manifest as `apply` takes it: what people want to keep and to edit. */
async function getDefinitions(
  client: Client,
  kind: DefinitionKind,
  name: string | null,
  { product, limit }: Flags,
  style: Style,
): Promise<string> {
  const { names, columns } = kind;
  const view: View<DefinitionRow> = { columns, name: (row) => `${names[1]}/${row.name}` };
  const yaml = (rows: DefinitionRow[]): string => rows.map(({ manifest }) => manifest.trimEnd()).join('\n---\n');
  if (name === null) {
    const variables = kind.ofProduct ? { product } : {};
    const rows = await all<DefinitionRow>(client, listDocument(kind), variables, limit);
    if (style.format === 'yaml') return yaml(rows);
    return renderList(rows, style, view, `No ${names[0]} yet. Manifests bring them: sluice apply -f FILE`);
  }
  const { found } = await client.ask<{ found: DefinitionRow | null }>(oneDocument(kind), { name });
  if (!found) throw new CliError(EXIT.REFUSED, `There is no ${names[1]} '${name}'. See: sluice get ${names[0]}`);
  return style.format === 'yaml' ? yaml([found]) : render(found, style, view);
}

async function getReleases(
  client: Client,
  name: string | null,
  { product, status, limit }: Flags,
  style: Style,
): Promise<string> {
  if (name === null) {
    const releases = await listReleases(client, { product, status }, limit);
    const none = status === undefined ? 'No releases yet. Start one with: sluice release PRODUCT' : 'No such releases.';
    return renderList(releases, style, RELEASE_VIEW, none);
  }
  const release = await readRelease(client, name);
  const text = render(release, style, RELEASE_VIEW);
  return style.format === 'table' ? [text, ...detailsOf(release, style)].join('\n\n') : text;
}

export const RELEASE_VIEW: View<ReleaseShown> = {
  columns: [
    ['ID', ({ shortId }) => shortId, 'whole'],
    ['KIND', ({ kind }) => kind],
    ['PRODUCT', ({ product }) => product],
    ['VERSION', versionOf],
    ['STATUS', ({ status }) => status],
    [
      'DONE',
      ({ promotions }) => `${promotions.filter(({ status }) => status === 'SUCCEEDED').length}/${promotions.length}`,
    ],
    ['TOOK', (release) => took(release)],
    ['AGE', ({ createdAt }) => age(createdAt)],
  ],
  name: ({ id }) => `release/${id}`,
};

/** Under its row: why it is there, its environments, what each of them waits for in whole sentences, and what hosts are told of it. */
function detailsOf(release: ReleaseShown, style: Style): string[] {
  const { promotions, problem, rollback, waitingFor, hooks = [], commitStatuses = [], errands = [] } = release;
  const environments = render(promotions, style, {
    name: ({ name }) => name,
    columns: [
      ['ENVIRONMENT', ({ name }) => name],
      ['GROUP', ({ group }) => group],
      ['STATUS', ({ status }) => status],
      ['TOOK', (promotion) => took(promotion)],
      ['COMMIT', ({ commit }) => commit?.slice(0, 7)],
      ['', ({ problem: own }) => own ?? ' '],
    ],
  });
  const targets = rollback && [
    `Rolled back because of ${causeOf(rollback)}`,
    render(rollback.targets, style, { columns: TARGETS, name: ({ environment }) => environment }),
  ];
  const waits = [
    ...waitingFor.map((each) => `It waits: ${each}`),
    ...promotions.flatMap((each) => each.waitingFor.map((reason) => `${each.name} waits: ${reason}`)),
  ];
  const pulls = promotions.flatMap(({ name, pullRequests }) => pullRequests.map((each) => ({ name, ...each })));
  const lists = [
    hooks.length > 0 ? render(hooks, style, HOOKS) : '',
    pulls.length > 0 ? render(pulls, style, PULL_REQUESTS) : '',
    commitStatuses.length > 0 ? render(commitStatuses, style, COMMIT_STATUSES) : '',
    commitStatuses
      .filter((each) => each.givenUp)
      .map(whyGivenUp)
      .join('\n'),
    errands.map(whatIsLeft).join('\n'),
  ];
  return [...(targets ?? []), environments, waits.join('\n'), ...lists, problem ?? ''].filter(Boolean);
}

const HOOKS: View<HookShown> = {
  columns: [
    ['HOOK', ({ name }) => name],
    ['STATUS', ({ status }) => status],
    ['TOOK', (hook) => took(hook)],
    ['', ({ lastError }) => lastError ?? ' '],
  ],
  name: ({ name }) => name,
};

const PULL_REQUESTS: View<PromotionShown['pullRequests'][number] & { name: string }> = {
  columns: [
    ['PULL REQUEST OF', ({ name }) => name],
    ['NUMBER', ({ number }) => number?.toString()],
    ['STATE', ({ state }) => state],
    ['ADDRESS', ({ url }) => url],
  ],
  name: ({ url }) => url ?? '',
};

const COMMIT_STATUSES: View<CommitStatusShown> = {
  columns: [
    ['COMMIT STATUS', ({ context }) => context],
    ['ON', ({ sha }) => sha.slice(0, 7)],
    ['SAYS', ({ state }) => state],
    ['HOST HAS', ({ appliedState }) => appliedState],
    ['', ({ description, lastError, givenUp }) => (givenUp ? 'given up' : (lastError ?? description))],
  ],
  name: ({ context, sha }) => `${context}@${sha}`,
};

/** A whole sentence: a reason of a host is longer than a row. */
const whyGivenUp = ({ context, sha, repository, lastError }: CommitStatusShown): string =>
  `${context} on ${sha.slice(0, 7)} is given up, ${repository} refused it for half an hour: ${lastError ?? 'no reason is kept'}. Once its host would take it, set the secret of that forge again, which sends it: sluice secret set NAME`;

/** A whole sentence, for the same reason. */
function whatIsLeft({ about, attempts, lastError, nextAttemptAt }: ErrandShown): string {
  const so = lastError === null ? '' : `; tried ${attempts} ${attempts === 1 ? 'time' : 'times'}: ${lastError}`;
  return `Still to be done: ${about}${so}; next at ${nextAttemptAt}`;
}

function took({ startedAt, endedAt }: { startedAt: string | null; endedAt: string | null }): string | null {
  return startedAt === null ? null : duration((endedAt === null ? now() : Date.parse(endedAt)) - Date.parse(startedAt));
}

import type { Client } from '../client.ts';
import { CliError, EXIT } from '../exit.ts';
import { findRelease, listReleases } from '../operations.ts';
import { age, type Column, duration, type Format, render } from '../output.ts';
import type { ReleaseShown } from '../release-shown.ts';
import { type DefinitionKind, DEFINITION_KINDS, type DefinitionRow } from './kinds.ts';
import { getAudit } from './access.ts';
import { getApprovals } from './approvals.ts';
import { getBadVersions, getHolds } from './controls.ts';
import { getDeployments } from './deployments.ts';

export const KIND_NAMES = [
  ...DEFINITION_KINDS.map(({ names }) => names[0]!),
  'releases',
  'deployments',
  'approvals',
  'holds',
  'bad-versions',
  'audit',
];

interface GetOptions {
  format: Format;
  product?: string;
  limit: number;
}

/** @param typed the kind as a person typed it: any case, singular or plural */
export async function get(
  client: Client,
  typed: string,
  name: string | undefined,
  options: GetOptions,
): Promise<string> {
  const kind = typed.toLowerCase().replaceAll('-', '');
  if (['releases', 'release'].includes(kind)) return getReleases(client, name, options);
  if (['deployments', 'deployment'].includes(kind)) {
    return getDeployments(client, { ...options, product: name ?? options.product }, options.format);
  }
  if (['approvals', 'approval'].includes(kind)) return getApprovals(client, options, options.format);
  if (kind === 'audit') return getAudit(client, options, options.format);
  if (['holds', 'hold'].includes(kind)) return getHolds(client, options, options.format);
  if (['badversions', 'badversion'].includes(kind)) return getBadVersions(client, options, options.format);
  const definition = DEFINITION_KINDS.find(({ names }) => names.includes(kind));
  if (!definition) throw new CliError(EXIT.USAGE, `There is no kind '${typed}'. There are: ${KIND_NAMES.join(', ')}`);
  const found =
    name === undefined ? await list(client, definition, options.limit) : await one(client, definition, name);
  return show(found, definition, options.format);
}

const COMMON = 'name revision createdAt updatedAt labels { key value } manifest';

/** Exported, as `listDocument` is, for the test that holds each against the schema. */
export function oneDocument({ one: field, fields }: DefinitionKind): string {
  return `query CliGet($name: String!) { found: ${field}(name: $name) { ${COMMON} ${fields} } }`;
}

async function one(client: Client, kind: DefinitionKind, name: string): Promise<DefinitionRow> {
  const { found } = await client.ask<{ found: DefinitionRow | null }>(oneDocument(kind), { name });
  if (found) return found;
  throw new CliError(EXIT.REFUSED, `There is no ${kind.names[1]} '${name}'. See: sluice get ${kind.names[0]}`);
}

export function listDocument({ many, fields }: DefinitionKind): string {
  return `query CliList($first: Int!, $after: String) {
    found: ${many}(first: $first, after: $after) { nodes { ${COMMON} ${fields} } pageInfo { hasNextPage endCursor } }
  }`;
}

interface Page {
  found: { nodes: DefinitionRow[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } };
}

async function list(client: Client, kind: DefinitionKind, limit: number): Promise<DefinitionRow[]> {
  const rows: DefinitionRow[] = [];
  let after: string | null = null;
  do {
    const first = Math.min(limit - rows.length, 100);
    const { found }: Page = await client.ask<Page>(listDocument(kind), { first, after });
    rows.push(...found.nodes);
    after = found.pageInfo.hasNextPage ? found.pageInfo.endCursor : null;
  } while (after !== null && rows.length < limit);
  return rows;
}

/** YAML is the manifest as `apply` takes it: what people want to keep and to edit. */
function show(found: DefinitionRow | DefinitionRow[], { names, columns }: DefinitionKind, format: Format): string {
  const rows = Array.isArray(found) ? found : [found];
  if (rows.length === 0 && format === 'table') return `No ${names[0]} yet. Manifests bring them: sluice apply -f FILE`;
  if (format === 'yaml') return rows.map(({ manifest }) => manifest.trimEnd()).join('\n---\n');
  return render(found, format, { columns, name: (row) => `${names[1]}/${row.name}` });
}

async function getReleases(
  client: Client,
  name: string | undefined,
  { format, product, limit }: GetOptions,
): Promise<string> {
  const view = { columns: RELEASE_COLUMNS, name: ({ id }: ReleaseShown) => `release/${id}` };
  if (name !== undefined) {
    const release = await findRelease(client, name);
    const text = render(release, format, view);
    return format === 'table' ? `${text}\n\n${promotionsOf(release)}` : text;
  }
  const releases = await listReleases(client, { product, first: Math.min(limit, 100) });
  if (releases.length === 0 && format === 'table') return 'No releases yet. Start one with: sluice release PRODUCT';
  return render(releases, format, view);
}

const RELEASE_COLUMNS: Column<ReleaseShown>[] = [
  ['ID', ({ id }) => id],
  ['KIND', ({ kind }) => kind],
  ['PRODUCT', ({ product }) => product],
  ['VERSION', ({ version }) => version],
  ['STATUS', ({ status }) => status],
  [
    'DONE',
    ({ promotions }) => `${promotions.filter(({ status }) => status === 'SUCCEEDED').length}/${promotions.length}`,
  ],
  ['TOOK', (release) => took(release)],
  ['AGE', ({ createdAt }) => age(createdAt)],
];

function promotionsOf({ promotions, problem }: ReleaseShown): string {
  const rows = render(promotions, 'table', {
    name: ({ name }) => name,
    columns: [
      ['ENVIRONMENT', ({ name }) => name],
      ['GROUP', ({ group }) => group],
      ['STATUS', ({ status }) => status],
      ['TOOK', (promotion) => took(promotion)],
      ['COMMIT', ({ commit }) => commit?.slice(0, 7)],
      ['', ({ problem: own, waitingFor }) => own ?? (waitingFor.join('; ') || ' ')],
    ],
  });
  return problem === null ? rows : `${rows}\n\n${problem}`;
}

function took({ startedAt, endedAt }: { startedAt: string | null; endedAt: string | null }): string | null {
  return startedAt === null
    ? null
    : duration((endedAt === null ? Date.now() : Date.parse(endedAt)) - Date.parse(startedAt));
}

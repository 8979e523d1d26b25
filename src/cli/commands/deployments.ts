import type { Client } from '../client.ts';
import { age, type Column, type Format, render } from '../output.ts';

/** Which version is live where. */
export const DEPLOYMENTS = `query CliDeployments($selector: DeploymentSelectorInput, $after: String) {
  deployments(first: 100, after: $after, selector: $selector) {
    nodes { productName environmentName applicationName version { label digest commit } at verifiedAt
      unseen drift { since files commit author subject } }
    pageInfo { hasNextPage endCursor }
  }
}`;

interface Deployment {
  productName: string;
  environmentName: string;
  applicationName: string;
  version: { label: string; digest: string; commit: string | null };
  at: string;
  verifiedAt: string | null;
  /** Why nobody could see what is live the last time; null: somebody could, or nobody has looked. */
  unseen: string | null;
  drift: { since: string; files: string[] } | null;
}

interface Page {
  deployments: { nodes: Deployment[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } };
}

const COLUMNS: Column<Deployment>[] = [
  ['PRODUCT', ({ productName }) => productName],
  ['ENVIRONMENT', ({ environmentName }) => environmentName],
  ['APPLICATION', ({ applicationName }) => applicationName],
  ['VERSION', ({ version }) => version.label],
  ['COMMIT', ({ version }) => version.commit?.slice(0, 7)],
  ['SINCE', ({ at }) => age(at)],
  ['HEALTHY', ({ verifiedAt }) => (verifiedAt === null ? 'not yet' : age(verifiedAt))],
  ['DRIFT', ({ drift, unseen }) => (drift ? `by hand, ${age(drift.since)}` : unseen === null ? '' : 'cannot be seen')],
];

export async function getDeployments(
  client: Client,
  { product, limit }: { product?: string; limit: number },
  format: Format,
): Promise<string> {
  const selector = product === undefined ? null : { products: [product] };
  const rows: Deployment[] = [];
  let after: string | null = null;
  do {
    const { deployments }: Page = await client.ask<Page>(DEPLOYMENTS, { selector, after });
    rows.push(...deployments.nodes);
    after = deployments.pageInfo.hasNextPage ? deployments.pageInfo.endCursor : null;
  } while (after !== null && rows.length < limit);
  if (rows.length === 0 && format === 'table') return 'Nothing is deployed yet, as far as Sluice has brought it.';
  const name = ({ environmentName, applicationName }: Deployment): string =>
    `deployment/${environmentName}/${applicationName}`;
  return render(rows.slice(0, limit), format, { columns: COLUMNS, name });
}

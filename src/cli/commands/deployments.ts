import { all, Most, PAGE } from '../asking.ts';
import type { Client } from '../client.ts';
import { age, renderList, type Style, type View } from '../output.ts';

/** Which version is live where. */
export const DEPLOYMENTS = `query CliDeployments($selector: DeploymentSelectorInput, $first: Int!, $after: String) {
  list: deployments(first: $first, after: $after, selector: $selector) {
    nodes { productName environmentName applicationName version { label digest commit } at verifiedAt verified
      unseen drift { since files commit author subject } }
    ${PAGE}
  }
}`;

export interface Deployment {
  productName: string;
  environmentName: string;
  applicationName: string;
  version: { label: string; digest: string; commit: string | null };
  at: string;
  verifiedAt: string | null;
  verified: 'HEALTH_ONLY' | 'SYNC_AND_HEALTH' | null;
  /** Why the last check failed; null: it did not, or there was none. */
  unseen: string | null;
  drift: { since: string; files: string[] } | null;
}

const DEPLOYMENT_VIEW: View<Deployment> = {
  columns: [
    ['PRODUCT', ({ productName }) => productName],
    ['ENVIRONMENT', ({ environmentName }) => environmentName],
    ['APPLICATION', ({ applicationName }) => applicationName],
    ['VERSION', ({ version }) => version.label],
    ['COMMIT', ({ version }) => version.commit?.slice(0, 7)],
    ['SINCE', ({ at }) => age(at)],
    ['HEALTHY', ({ verifiedAt }) => (verifiedAt === null ? 'not yet' : age(verifiedAt))],
    ['VERIFIED', ({ verified }) => verified?.toLowerCase().replaceAll('_', ' ')],
    [
      'DRIFT',
      ({ drift, unseen }) => (drift ? `by hand, ${age(drift.since)}` : unseen === null ? '' : 'cannot be seen'),
    ],
  ],
  name: ({ environmentName, applicationName }) => `deployment/${environmentName}/${applicationName}`,
};

export function listDeployments(client: Client, product: string | undefined, limit: Most): Promise<Deployment[]> {
  const selector = product === undefined ? null : { products: [product] };
  return all(client, DEPLOYMENTS, { selector }, limit);
}

export async function getDeployments(
  client: Client,
  product: string | undefined,
  limit: Most,
  style: Style,
): Promise<string> {
  const rows = await listDeployments(client, product, limit);
  return renderList(rows, style, DEPLOYMENT_VIEW, 'Nothing is deployed yet, as far as Sluice has brought it.');
}

import type { Command } from 'commander';
import type { Client } from '../client.ts';
import { listReleases } from '../operations.ts';
import { render, renderList, type Style } from '../output.ts';
import { versionOf } from '../release-shown.ts';
import type { Shell } from '../shell.ts';
import { listHolds, listMarks } from './controls.ts';
import { listDeployments } from './deployments.ts';
import { describeFreeze, listFreezes } from './freeze.ts';
import { checkProduct, RELEASE_VIEW } from './get.ts';

export const VIEWER = '{ viewer { name kind groups grants { role } } }';

interface ViewerShown {
  name: string | null;
  kind: string;
  groups: string[];
  grants: { role: string }[];
}

const OPEN = ['QUEUED', 'RUNNING', 'SUSPENDED', 'TERMINATING'];
const MOST = 100;

/** `sluice status`: who I am there, what is on its way, and what keeps releases out. */
export function addStatus({ program, clientOf, styleOf, print }: Shell): void {
  program
    .command('status')
    .description('show at a glance what is live, what is on its way, and what keeps releases out')
    .argument('[product]', 'only this product')
    .action(async (product: string | undefined, _flags: unknown, command: Command) => {
      print(await status(clientOf(command), product, styleOf(command)));
    });
}

async function status(client: Client, product: string | undefined, style: Style): Promise<string> {
  const { viewer } = await client.ask<{ viewer: ViewerShown }>(VIEWER);
  if (product !== undefined) await checkProduct(client, product);
  const releases = await listReleases(client, { product, status: OPEN, first: MOST });
  const deployments = await listDeployments(client, product, MOST);
  const holds = await listHolds(client, { product }, MOST);
  const marks = await listMarks(client, { product }, MOST);
  const freezes = await listFreezes(client);
  const all = { server: client.server, viewer, releases, deployments, freezes, holds, marks };
  if (style.format !== 'table') return render(all, style, { columns: [], name: ({ server }) => server });
  const live = new Map<string, Set<string>>();
  for (const { productName, version, environmentName } of deployments) {
    const places = live.get(`${productName} ${version.label}`) ?? new Set();
    live.set(`${productName} ${version.label}`, places.add(environmentName));
  }
  const lines = [
    `${client.server}, ${whoIs(viewer)}`,
    ...[...live].map(([version, places]) => `Live: ${version} in ${[...places].join(', ')}`),
    ...freezes.map(describeFreeze),
    ...holds.map((each) => `On hold: ${each.environmentName}, ${each.productName ?? 'all products'}: ${each.reason}`),
    ...marks.map((each) => `Marked bad: ${each.productName} ${each.label}: ${each.reason}`),
  ];
  const waits = releases.flatMap((release) => {
    const reasons = [...release.waitingFor, ...release.promotions.flatMap(({ waitingFor }) => waitingFor)];
    return reasons.slice(0, 1).map((reason) => `${release.shortId} (${versionOf(release)}) waits: ${reason}`);
  });
  const open = renderList(releases, style, RELEASE_VIEW, 'No release is on its way.');
  return [lines.join('\n'), open, waits.join('\n')].filter(Boolean).join('\n\n');
}

function whoIs({ name, grants, kind }: ViewerShown): string {
  if (kind === 'ANONYMOUS') return 'where callers need not say who they are';
  const roles = [...new Set(grants.map(({ role }) => role))];
  return `as ${name}, ${roles.length > 0 ? roles.join(', ') : 'without a role'}`;
}

import type { Command } from 'commander';
import { Most } from '../asking.ts';
import type { Client } from '../client.ts';
import { listReleases } from '../operations.ts';
import { bare } from '../options.ts';
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
export function addStatus({ program, clientOf, styleOf, print, err }: Shell): void {
  program
    .command('status')
    .description('show at a glance what is live, what is on its way, and what keeps releases out')
    .argument('[product]', 'only this product', bare('product'))
    .action(async (product: string | undefined, _flags: unknown, command: Command) => {
      const { text, cut } = await status(clientOf(command), product, styleOf(command));
      print(text);
      err.write(cut);
    });
}

/** `cut`: of what there is more than it shows. */
async function status(
  client: Client,
  product: string | undefined,
  style: Style,
): Promise<{ text: string; cut: string }> {
  const { viewer } = await client.ask<{ viewer: ViewerShown }>(VIEWER);
  if (product !== undefined) await checkProduct(client, product);
  const most = {
    releases: new Most(MOST),
    deployments: new Most(MOST),
    holds: new Most(MOST),
    'bad-versions': new Most(MOST),
  };
  const releases = await listReleases(client, { product, status: OPEN }, most.releases);
  const deployments = await listDeployments(client, product, most.deployments);
  const holds = await listHolds(client, { product }, most.holds);
  const marks = await listMarks(client, { product }, most['bad-versions']);
  const freezes = await listFreezes(client);
  const all = { server: client.server, viewer, releases, deployments, freezes, holds, marks };
  const cut = Object.entries(most)
    .map(([kind, each]) => each.told(`sluice get ${kind} --limit NUMBER`))
    .join('');
  if (style.format !== 'table') return { text: render(all, style, { columns: [], name: ({ server }) => server }), cut };
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
  return { text: [lines.join('\n'), open, waits.join('\n')].filter(Boolean).join('\n\n'), cut };
}

function whoIs({ name, grants, kind }: ViewerShown): string {
  if (kind === 'ANONYMOUS') return 'where callers need not say who they are';
  const roles = [...new Set(grants.map(({ role }) => role))];
  return `as ${name}, ${roles.length > 0 ? roles.join(', ') : 'without a role'}`;
}

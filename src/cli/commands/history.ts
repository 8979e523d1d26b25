import type { Command } from 'commander';
import { byName } from '../../core/in-order.ts';
import { all, ask, ERRORS, Most, PAGE } from '../asking.ts';
import type { Client } from '../client.ts';
import { now } from '../clock.ts';
import { readRelease } from '../operations.ts';
import { bare, eachBare, earlierOf, instantOf, isLimited, type Moment, wholeNumber } from '../options.ts';
import { age, duration, render, renderList, type Style, uncut, type View } from '../output.ts';
import type { Shell } from '../shell.ts';
import { checkProduct } from './get.ts';

/** What is where, and what was. */

const NOTES = `environmentName from { label } to { label } added gone reason authors issues { key url }
  commits { commit author date subject issues { key } }`;

export const HISTORY_DOCUMENTS = {
  notes: `query CliNotes($id: ID!, $environments: [String!]) {
    notes: releaseNotes(releaseId: $id, environments: $environments) { ${NOTES} } }`,
  metrics: `query CliMetrics($product: String!, $environment: String!, $since: DateTime, $until: DateTime) {
    figures: deliveryMetrics(product: $product, environment: $environment, since: $since, until: $until) {
      since until deployments deploymentsPerDay leadTime { median p90 count } failed changeFailureRate
      timeToRestore { median p90 count } unrestored truncated } }`,
  coming: `query CliComingNotes($input: ReleaseTriggerInput!, $environments: [String!]) {
    payload: comingReleaseNotes(input: $input, environments: $environments) { notes { ${NOTES} } ${ERRORS} } }`,
  matrix: `query CliMatrix($first: Int!, $after: String, $selector: DeploymentSelectorInput, $compareTo: String) {
    list: deploymentMatrix(first: $first, after: $after, selector: $selector, compareTo: $compareTo) {
      nodes { productName cells {
        environmentName version { label digest } since drifted health { status at } release { shortId }
        inFlight { status release { shortId version { label } } } comparison { to relation behind ahead reason }
        holds { reason } badVersions { reason }
      } } ${PAGE} } }`,
  history: `query CliHistory($first: Int!, $after: String, $product: String!, $environment: String!) {
    list: deploymentHistory(first: $first, after: $after, product: $product, environment: $environment) {
      nodes { applicationName version { label digest commit } since until verifiedAt verified end reason
        release { shortId trigger { kind actor } } next { shortId } } ${PAGE} } }`,
};

/** Rows of the table of products that one request asks for: each has a cell for every environment. */
const ROWS = 25;

interface Cell {
  environmentName: string;
  version: { label: string } | null;
  since: string | null;
  drifted: boolean;
  health: { status: string } | null;
  release: { shortId: string } | null;
  inFlight: { status: string; release: { shortId: string; version: { label: string } } | null }[];
  comparison: { to: string | null; relation: string; behind: number | null; ahead: number | null } | null;
  holds: { reason: string }[];
  badVersions: { reason: string }[];
}

interface PlaceShown extends Cell {
  productName: string;
}

const PLACE_VIEW: View<PlaceShown> = {
  columns: [
    ['PRODUCT', ({ productName }) => productName],
    ['ENVIRONMENT', ({ environmentName }) => environmentName],
    ['VERSION', ({ version, since }) => version?.label ?? (since === null ? null : 'several')],
    ['HEALTH', ({ health }) => health?.status],
    ['SINCE', ({ since }) => age(since)],
    ['RELEASE', ({ release }) => release?.shortId, 'whole'],
    ['STANDS', ({ comparison }) => standing(comparison)],
    ['ON ITS WAY', ({ inFlight: [first] }) => first && `${first.release?.version.label ?? ''} ${first.status}`],
    ['AGAINST IT', against],
  ],
  name: ({ productName, environmentName }) => `${productName}/${environmentName}`,
};

function standing(comparison: Cell['comparison']): string | null {
  if (!comparison || comparison.relation === 'UNKNOWN') return comparison && 'not known';
  const { relation, behind, ahead } = comparison;
  const commits = [behind && `-${behind}`, ahead && `+${ahead}`].filter(Boolean).join(' ');
  return `${relation.toLowerCase()}${commits === '' ? '' : ` ${commits}`}`;
}

function against({ holds, badVersions, drifted }: Cell): string {
  return [holds.length > 0 && 'hold', badVersions.length > 0 && 'bad', drifted && 'drift'].filter(Boolean).join(', ');
}

interface PastShown {
  applicationName: string;
  version: { label: string };
  since: string;
  until: string | null;
  verifiedAt: string | null;
  end: string;
  reason: string | null;
  release: { shortId: string; trigger: { kind: string; actor: string | null } } | null;
  next: { shortId: string } | null;
}

const PAST_VIEW: View<PastShown> = {
  columns: [
    ['VERSION', ({ version }) => version.label],
    ['APPLICATION', ({ applicationName }) => applicationName],
    ['SINCE', ({ since }) => since.replace(/\.\d+Z$/, 'Z'), 'whole'],
    ['FOR', ({ since, until }) => duration((until === null ? now() : Date.parse(until)) - Date.parse(since))],
    ['RELEASE', ({ release }) => release?.shortId, 'whole'],
    ['BY', ({ release }) => release?.trigger.actor ?? release?.trigger.kind],
    ['HEALTHY', ({ verifiedAt }) => (verifiedAt === null ? 'no' : 'yes')],
    ['THEN', thenOf],
  ],
  name: ({ applicationName, since }) => `${applicationName}/${since}`,
};

function thenOf({ end, reason, next }: PastShown): string {
  const by = next === null ? '' : ` by ${next.shortId}`;
  return `${end.toLowerCase().replaceAll('_', ' ')}${by}${reason === null ? '' : `: ${reason}`}`;
}

interface NotesShown {
  environmentName: string;
  from: { label: string } | null;
  to: { label: string } | null;
  added: number | null;
  gone: number | null;
  reason: string | null;
  authors: string[];
  issues: { key: string }[];
  commits: CommitShown[];
}

interface CommitShown {
  commit: string;
  author: string;
  date: string;
  subject: string;
  issues: { key: string }[];
}

const COMMIT_VIEW: View<CommitShown> = {
  columns: [
    ['COMMIT', ({ commit }) => commit.slice(0, 12), 'whole'],
    ['DATE', ({ date }) => date.slice(0, 10), 'whole'],
    ['AUTHOR', ({ author }) => author.replace(/ *<.*$/, '')],
    ['ISSUES', ({ issues }) => issues.map(({ key }) => key).join(' ')],
    ['SUBJECT', ({ subject }) => subject],
  ],
  name: ({ commit }) => commit,
};

/** Environments that get the same are told of together. */
function showNotes(notes: NotesShown[], style: Style): string {
  if (style.format !== 'table')
    return render(notes, style, { columns: [], name: ({ environmentName }) => environmentName });
  if (notes.length === 0) return 'Nothing is brought anywhere.';
  const same = new Map<string, NotesShown[]>();
  for (const { environmentName, ...rest } of notes) {
    const key = JSON.stringify(rest);
    same.set(key, [...(same.get(key) ?? []), { environmentName, ...rest }]);
  }
  return [...same.values()].map((each) => chapter(each, style)).join('\n\n');
}

function chapter(notes: NotesShown[], style: Style): string {
  const { from, to, added, gone, reason, commits } = notes[0]!;
  const versions = `${from?.label ?? 'nothing or several versions'} to ${to?.label ?? 'what would be released'}`;
  const back = gone === null || gone === 0 ? '' : `, and takes ${gone} away`;
  const said = reason ?? `brings ${added} ${added === 1 ? 'commit' : 'commits'}${back}`;
  const head = `${notes.map(({ environmentName }) => environmentName).join(', ')}: from ${versions}: ${said}`;
  const more = added !== null && added > commits.length ? `\nand ${added - commits.length} more` : '';
  return commits.length === 0 ? head : `${head}\n${render(commits, style, COMMIT_VIEW)}${more}`;
}

async function readNotes(client: Client, name: string, environments: string[] | undefined): Promise<NotesShown[]> {
  const { id } = await readRelease(client, name);
  return (await client.ask<{ notes: NotesShown[] }>(HISTORY_DOCUMENTS.notes, { id, environments })).notes;
}

interface NotesFlags {
  next?: boolean;
  environment?: string[];
  commit?: string;
  version?: string;
  flow?: string;
}

interface SpreadShown {
  median: string;
  p90: string;
  count: number;
}

interface Figures {
  since: string;
  deployments: number;
  deploymentsPerDay: number;
  leadTime: SpreadShown | null;
  failed: number;
  changeFailureRate: number | null;
  timeToRestore: SpreadShown | null;
  unrestored: number;
  truncated: boolean;
}

function showFigures(figures: Figures, style: Style, place: string): string {
  if (style.format !== 'table') return render(figures, style, { columns: [], name: () => place });
  const { deployments, deploymentsPerDay, leadTime, failed, changeFailureRate, timeToRestore, unrestored } = figures;
  const spread = (of: SpreadShown | null): string =>
    of ? `median ${of.median}, p90 ${of.p90}, of ${of.count}` : 'not known';
  const rate = changeFailureRate === null ? 'not known' : `${(100 * changeFailureRate).toFixed(1)} %, ${failed} failed`;
  return [
    `${place} since ${figures.since.slice(0, 10)}${figures.truncated ? ' (more came than are counted at once)' : ''}`,
    `Deployments:          ${deployments}, ${deploymentsPerDay.toFixed(2)} a day`,
    `Lead time:            ${spread(leadTime)}`,
    `Change failure rate:  ${rate}`,
    `Time to restore:      ${spread(timeToRestore)}${unrestored > 0 ? `; ${unrestored} not restored` : ''}`,
  ].join('\n');
}

/** `sluice matrix`, `sluice history`, `sluice notes` and `sluice metrics`. */
export function addHistory({ program, clientOf, styleOf, print, err }: Shell): void {
  program
    .command('matrix')
    .description(
      'show what is live where, how it stands to where versions begin, what is on its way, what is against it',
    )
    .argument('[product...]', 'only these products', eachBare('product'))
    .option('--environment <name...>', 'only these environments')
    .option('--compare-to <environment>', 'compare with this environment (default: where the versions begin)')
    .action(async (products: string[], flags: { environment?: string[]; compareTo?: string }, command: Command) => {
      const client = clientOf(command);
      for (const product of products) await checkProduct(client, product);
      const selector = { environments: flags.environment, products: products.length > 0 ? products : undefined };
      const variables = { selector, compareTo: flags.compareTo };
      const rows = await all<{ productName: string; cells: Cell[] }>(
        client,
        HISTORY_DOCUMENTS.matrix,
        variables,
        new Most(Infinity),
        ROWS,
      );
      const places = rows.flatMap(({ productName, cells }) =>
        cells
          .map((each) => ({ productName, ...each }))
          .sort((one, other) => byName(one.environmentName, other.environmentName)),
      );
      print(renderList(places, styleOf(command), PLACE_VIEW, 'No product has an application there.'));
    });
  program
    .command('history')
    .description('show what ran in an environment of a product: from when to when, who brought it, why it went')
    .argument('<product>', 'its name', bare('product'))
    .argument('<environment>', 'its name', bare('environment'))
    .option('--limit <number>', 'at most so many, the newest first', wholeNumber, 50)
    .action(async (product: string, environment: string, { limit }: { limit: number }, command: Command) => {
      const client = clientOf(command);
      const style = styleOf(command);
      await checkProduct(client, product);
      const most = new Most(limit);
      const rows = await all<PastShown>(client, HISTORY_DOCUMENTS.history, { product, environment }, most);
      const none = `Nothing of ${product} was brought to ${environment} yet.`;
      print(
        renderList(rows, style, PAST_VIEW, none) +
          uncut(
            rows,
            style,
            ({ version, release }) => `${version.label} (${release?.shortId ?? ''})`,
            ({ reason }) => reason,
          ),
      );
      if (!isLimited(command)) err.write(most.told(`sluice history ${product} ${environment} --limit NUMBER`));
    });
  program
    .command('notes')
    .description('show what a release brings to each environment: commits, their authors, the issues that they name')
    .argument('<release>', 'PRODUCT#NUMBER, an id, a product for its newest one; with --next a product')
    .option('--next', 'what a release of the product would bring if it were triggered now')
    .option('--environment <name...>', 'only these environments')
    .option('--commit <id>', 'with --next: the commit of the trigger environment (default: the newest)')
    .option('--version <version>', 'with --next: the version, for applications without files')
    .option('--flow <name>', 'with --next: the flow (default: chosen by the rules)')
    .action(async (name: string, { next, environment, commit, version, flow }: NotesFlags, command: Command) => {
      const client = clientOf(command);
      if (!next && [commit, version, flow].some((each) => each !== undefined))
        command.error('error: --commit, --version and --flow are about a release that is not there yet: add --next');
      const notes = next
        ? (
            await ask<{ notes: NotesShown[] }>(
              client,
              HISTORY_DOCUMENTS.coming,
              { product: name, commit, version, flow },
              {
                environments: environment,
              },
            )
          ).notes
        : await readNotes(client, name, environment);
      print(showNotes(notes, styleOf(command)));
    });
  program
    .command('metrics')
    .description('show lead time, deployment frequency, change failure rate and time to restore')
    .argument('<product>', 'its name', bare('product'))
    .argument('<environment>', 'its name', bare('environment'))
    .option('--since <when>', 'an instant, or a duration such as 90d (default: 30d)', earlierOf)
    .action(async (product: string, environment: string, { since }: { since?: Moment }, command: Command) => {
      const client = clientOf(command);
      await checkProduct(client, product);
      const asked = { product, environment, since: await instantOf(client, since) };
      const { figures } = await client.ask<{ figures: Figures }>(HISTORY_DOCUMENTS.metrics, asked);
      print(showFigures(figures, styleOf(command), `${product} in ${environment}`));
    });
}

import type { Command } from 'commander';
import { all, ask, ERRORS, Most, PAGE } from '../asking.ts';
import type { Client } from '../client.ts';
import { idOf } from '../operations.ts';
import { bare, eachBare, instantOf, type Moment, momentOf, REASON, RELEASE, UNTIL } from '../options.ts';
import { age, type Column, render, renderList, type Style, type View, when } from '../output.ts';
import type { Shell } from '../shell.ts';

/** Holds on environments, marks on versions, overrides of windows: what a person puts in the way of releases, and takes away. */

const HOLD = 'id productName environmentName reason by since until active liftedAt liftedBy liftReason';
const MARK =
  'id productName label digest scope groupName environmentNames reason by since expiresAt active unmarkedAt unmarkedBy unmarkReason';

export const CONTROLS = {
  hold: `mutation CliHold($input: EnvironmentHoldInput!) { payload: environmentHold(input: $input) { done: holds { ${HOLD} } ${ERRORS} } }`,
  unhold: `mutation CliUnhold($input: EnvironmentReleaseInput!) { payload: environmentRelease(input: $input) { done: holds { ${HOLD} } ${ERRORS} } }`,
  mark: `mutation CliMarkBad($input: VersionMarkBadInput!) { payload: versionMarkBad(input: $input) { done: badVersions { ${MARK} } ${ERRORS} } }`,
  unmark: `mutation CliUnmarkBad($input: VersionUnmarkBadInput!) { payload: versionUnmarkBad(input: $input) { done: badVersions { ${MARK} } ${ERRORS} } }`,
  override: `mutation CliOverride($input: WindowOverrideInput!) { payload: windowOverride(input: $input) {
    promotion { name release { shortId } waitingFor { message } overrides { windows reason by expiresAt } } ${ERRORS} } }`,
  holds: `query CliHolds($first: Int!, $after: String, $filter: EnvironmentHoldFilterInput) {
    list: environmentHolds(first: $first, after: $after, filter: $filter) { nodes { ${HOLD} } ${PAGE} } }`,
  badVersions: `query CliBadVersions($first: Int!, $after: String, $filter: BadVersionFilterInput) {
    list: badVersions(first: $first, after: $after, filter: $filter) { nodes { ${MARK} } ${PAGE} } }`,
};

export interface Hold {
  id: string;
  productName: string | null;
  environmentName: string;
  reason: string;
  by: string | null;
  since: string;
  until: string | null;
  active: boolean;
  liftedAt: string | null;
  liftedBy: string | null;
  liftReason: string | null;
}

export interface Mark {
  id: string;
  productName: string;
  label: string;
  scope: string;
  groupName: string | null;
  environmentNames: string[];
  reason: string;
  by: string | null;
  since: string;
  expiresAt: string | null;
  active: boolean;
  unmarkedAt: string | null;
  unmarkedBy: string | null;
  unmarkReason: string | null;
}

/** `yes`, or why no more: who ended it and why, or that its time is over. */
function counts(active: boolean, ended: { at: string | null; by: string | null; reason: string | null }): string {
  if (active) return 'yes';
  if (ended.at === null) return 'no: over';
  return `no: ${[ended.by, ended.reason].filter(Boolean).join(', ') || 'ended'}`;
}

/** Of what stands in the way of one product, or of all. */
export const WHY_AND_UNTIL_WHEN: Column<{
  productName: string | null;
  reason: string;
  by: string | null;
  since: string;
  until: string | null;
}>[] = [
  ['PRODUCT', ({ productName }) => productName ?? '(all)'],
  ['REASON', ({ reason }) => reason],
  ['BY', ({ by }) => by],
  ['SINCE', ({ since }) => age(since)],
  ['UNTIL', ({ until }) => when(until)],
];

const HOLD_VIEW: View<Hold> = {
  columns: [
    ['ENVIRONMENT', ({ environmentName }) => environmentName],
    ...WHY_AND_UNTIL_WHEN,
    [
      'HOLDS',
      ({ active, liftedAt, liftedBy, liftReason }) =>
        counts(active, { at: liftedAt, by: liftedBy, reason: liftReason }),
    ],
  ],
  name: ({ id }) => `hold/${id}`,
};

function whereOf({ scope, groupName, environmentNames }: Mark): string | undefined {
  if (scope === 'PRODUCT') return '(all)';
  return groupName === null ? environmentNames[0] : `${groupName}: ${environmentNames.join(', ')}`;
}

const MARK_VIEW: View<Mark> = {
  columns: [
    ['PRODUCT', ({ productName }) => productName],
    ['VERSION', ({ label }) => label],
    ['WHERE', whereOf],
    ['REASON', ({ reason }) => reason],
    ['BY', ({ by }) => by],
    ['SINCE', ({ since }) => age(since)],
    ['UNTIL', ({ expiresAt }) => when(expiresAt)],
    [
      'COUNTS',
      ({ active, unmarkedAt, unmarkedBy, unmarkReason }) =>
        counts(active, { at: unmarkedAt, by: unmarkedBy, reason: unmarkReason }),
    ],
  ],
  name: ({ id }) => `badversion/${id}`,
};

/** What holds now, or with `everything` what ever did. */
export interface Wanted {
  product?: string;
  everything?: boolean;
}

const filterOf = ({ product, everything }: Wanted): object => ({ product, active: everything ? undefined : true });

export function listHolds(client: Client, wanted: Wanted, limit: Most): Promise<Hold[]> {
  return all(client, CONTROLS.holds, { filter: filterOf(wanted) }, limit);
}

export function listMarks(client: Client, wanted: Wanted, limit: Most): Promise<Mark[]> {
  return all(client, CONTROLS.badVersions, { filter: filterOf(wanted) }, limit);
}

export async function getHolds(client: Client, wanted: Wanted, limit: Most, style: Style): Promise<string> {
  return renderList(await listHolds(client, wanted, limit), style, HOLD_VIEW, 'No environment is on hold.');
}

export async function getBadVersions(client: Client, wanted: Wanted, limit: Most, style: Style): Promise<string> {
  return renderList(await listMarks(client, wanted, limit), style, MARK_VIEW, 'No version is marked bad.');
}

interface Flags {
  product?: string;
  environment?: string;
  group?: string;
  reason?: string;
  until?: Moment;
}

export function addControls({ program, clientOf, styleOf, print }: Shell, windows: Command): void {
  const until = `when it ends by itself: ${UNTIL}`;
  const change = async <T>(command: Command, document: string, input: object, view: View<T>): Promise<void> => {
    const { done } = await ask<{ done: T[] }>(clientOf(command), document, input);
    print(render(done, styleOf(command), view));
  };

  program
    .command('hold')
    .description('put an environment on hold: nothing is promoted into it')
    .argument('<environment>', 'its name', bare('environment'))
    .option('--product <name>', 'only this product')
    .requiredOption(REASON, 'why; shown to everybody who waits')
    .option('--until <when>', until, momentOf)
    .action(async (environment: string, { until: end, ...flags }: Flags, command: Command) => {
      const input = { environment, ...flags, until: await instantOf(clientOf(command), end) };
      await change(command, CONTROLS.hold, input, HOLD_VIEW);
    });
  program
    .command('unhold')
    .description('lift the holds on an environment: what waits goes on at once')
    .argument('<environment>', 'its name', bare('environment'))
    .option('--product <name>', "this product's holds instead of those of all products")
    .option(REASON, 'kept with them')
    .action((environment: string, flags: Flags, command: Command) =>
      change(command, CONTROLS.unhold, { environment, ...flags }, HOLD_VIEW),
    );
  program
    .command('mark-bad')
    .description('mark a version bad: it is promoted nowhere any more')
    .argument('<product>', 'its name', bare('product'))
    .argument('<version>', 'its label or its digest')
    .option('--environment <name>', 'only there')
    .option('--group <name>', 'only in the environments of this group')
    .requiredOption(REASON, 'why; shown to everybody who wants to release it')
    .option('--until <when>', until, momentOf)
    .action(async (product: string, version: string, { until: end, ...flags }: Flags, command: Command) => {
      const input = { product, version, ...flags, expiresAt: await instantOf(clientOf(command), end) };
      await change(command, CONTROLS.mark, input, MARK_VIEW);
    });
  program
    .command('unmark-bad')
    .description('take marks on a version back: what waits goes on at once')
    .argument('<product>', 'its name', bare('product'))
    .argument('<version>', 'its label or its digest')
    .option('--environment <name>', 'only marks for this environment')
    .option('--group <name>', 'only marks for this group')
    .requiredOption(REASON, 'kept with them')
    .action((product: string, version: string, flags: Flags, command: Command) =>
      change(command, CONTROLS.unmark, { product, version, ...flags }, MARK_VIEW),
    );
  windows
    .command('override')
    .description('let one release into one environment although windows are closed')
    .argument(...RELEASE)
    .argument('<environment>', 'its name', bare('environment'))
    .argument('<window...>', 'the exact names of the windows that are not to count', eachBare('window'))
    .requiredOption(REASON, 'why; kept with the release')
    .requiredOption('--until <when>', `when they count again: ${UNTIL}`, momentOf)
    .action(async (named: string, environment: string, names: string[], flags: Flags, command: Command) => {
      const client = clientOf(command);
      const { reason, until: end } = flags;
      const expiresAt = await instantOf(client, end);
      const input = { releaseId: idOf(named), environment, windows: names, reason, expiresAt };
      const { promotion } = await ask<{ promotion: Overridden }>(client, CONTROLS.override, input);
      const style = styleOf(command);
      if (style.format !== 'table') return print(render(promotion, style, { columns: [], name: ({ name }) => name }));
      const { release, waitingFor } = promotion;
      const counting = names.length === 1 ? 'does not count' : 'do not count';
      const head = `Until ${expiresAt} ${names.join(', ')} ${counting} for ${release.shortId} in ${environment}.`;
      print([head, ...waitingFor.map(({ message }) => `It waits: ${message}`)].join('\n'));
    });
}

interface Overridden {
  name: string;
  release: { shortId: string };
  waitingFor: { message: string }[];
}

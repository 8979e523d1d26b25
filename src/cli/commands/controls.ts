import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { parseDuration } from '../../core/duration.ts';
import type { Client, UserError } from '../client.ts';
import { CliError, EXIT } from '../exit.ts';
import { findRelease } from '../operations.ts';
import { age, type Column, type Format, render } from '../output.ts';

/** Holds on environments, marks on versions, overrides of windows: what a person puts in the way of releases, and takes away. */

const HOLD = 'id productName environmentName reason by since until active liftedAt liftedBy liftReason';
const MARK =
  'id productName label digest scope groupName environmentNames reason by since expiresAt active unmarkedAt unmarkedBy unmarkReason';
const ERRORS = 'userErrors { code message path }';
const PAGE = 'pageInfo { hasNextPage endCursor }';

export const CONTROLS = {
  hold: `mutation CliHold($input: EnvironmentHoldInput!) { payload: environmentHold(input: $input) { done: holds { ${HOLD} } ${ERRORS} } }`,
  unhold: `mutation CliUnhold($input: EnvironmentReleaseInput!) { payload: environmentRelease(input: $input) { done: holds { ${HOLD} } ${ERRORS} } }`,
  mark: `mutation CliMarkBad($input: VersionMarkBadInput!) { payload: versionMarkBad(input: $input) { done: badVersions { ${MARK} } ${ERRORS} } }`,
  unmark: `mutation CliUnmarkBad($input: VersionUnmarkBadInput!) { payload: versionUnmarkBad(input: $input) { done: badVersions { ${MARK} } ${ERRORS} } }`,
  override: `mutation CliOverride($input: WindowOverrideInput!) { payload: windowOverride(input: $input) {
    promotion { name waitingFor { message } overrides { windows reason by expiresAt } } ${ERRORS} } }`,
  holds: `query CliHolds($first: Int!, $after: String, $filter: EnvironmentHoldFilterInput) {
    found: environmentHolds(first: $first, after: $after, filter: $filter) { nodes { ${HOLD} } ${PAGE} } }`,
  badVersions: `query CliBadVersions($first: Int!, $after: String, $filter: BadVersionFilterInput) {
    found: badVersions(first: $first, after: $after, filter: $filter) { nodes { ${MARK} } ${PAGE} } }`,
};

interface Hold {
  id: string;
  productName: string | null;
  environmentName: string;
  reason: string;
  by: string | null;
  since: string;
  until: string | null;
  active: boolean;
}

interface Mark {
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
}

const HOLD_VIEW: { columns: Column<Hold>[]; name: (hold: Hold) => string } = {
  columns: [
    ['ENVIRONMENT', ({ environmentName }) => environmentName],
    ['PRODUCT', ({ productName }) => productName ?? '(all)'],
    ['REASON', ({ reason }) => reason],
    ['BY', ({ by }) => by],
    ['SINCE', ({ since }) => age(since)],
    ['UNTIL', ({ until }) => until],
    ['HOLDS', ({ active }) => (active ? 'yes' : 'no')],
  ],
  name: ({ id }) => `hold/${id}`,
};

const MARK_VIEW: { columns: Column<Mark>[]; name: (mark: Mark) => string } = {
  columns: [
    ['PRODUCT', ({ productName }) => productName],
    ['VERSION', ({ label }) => label],
    [
      'WHERE',
      ({ scope, groupName, environmentNames }) => groupName ?? (scope === 'PRODUCT' ? '(all)' : environmentNames[0]),
    ],
    ['REASON', ({ reason }) => reason],
    ['BY', ({ by }) => by],
    ['SINCE', ({ since }) => age(since)],
    ['UNTIL', ({ expiresAt }) => expiresAt],
    ['COUNTS', ({ active }) => (active ? 'yes' : 'no')],
  ],
  name: ({ id }) => `badversion/${id}`,
};

async function change<T>(client: Client, document: string, input: object): Promise<T[]> {
  const { payload } = await client.ask<{ payload: { done: T[]; userErrors: UserError[] } }>(document, { input });
  if (payload.userErrors.length === 0) return payload.done;
  throw new CliError(EXIT.REFUSED, payload.userErrors.map(({ message }) => message).join('\n'));
}

async function list<T>(client: Client, document: string, filter: object, limit: number): Promise<T[]> {
  const rows: T[] = [];
  let after: string | null = null;
  do {
    const first = Math.min(limit - rows.length, 100);
    const { found }: { found: { nodes: T[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } } } =
      await client.ask(document, { first, after, filter });
    rows.push(...found.nodes);
    after = found.pageInfo.hasNextPage ? found.pageInfo.endCursor : null;
  } while (after !== null && rows.length < limit);
  return rows;
}

/** What holds now. */
export async function getHolds(
  client: Client,
  { product, limit }: { product?: string; limit: number },
  format: Format,
): Promise<string> {
  const rows = await list<Hold>(client, CONTROLS.holds, { product, active: true }, limit);
  if (rows.length === 0 && format === 'table') return 'No environment is on hold.';
  return render(rows, format, HOLD_VIEW);
}

/** What counts now. */
export async function getBadVersions(
  client: Client,
  { product, limit }: { product?: string; limit: number },
  format: Format,
): Promise<string> {
  const rows = await list<Mark>(client, CONTROLS.badVersions, { product, active: true }, limit);
  if (rows.length === 0 && format === 'table') return 'No version is marked bad.';
  return render(rows, format, MARK_VIEW);
}

interface Shell {
  program: Command;
  windows: Command;
  clientOf: (command: Command) => Client;
  print: (text: string) => void;
}

interface Flags {
  product?: string;
  environment?: string;
  group?: string;
  reason?: string;
  until?: string;
}

export function addControls({ program, windows, clientOf, print }: Shell): void {
  const format = (command: Command): Format => command.optsWithGlobals<{ output: Format }>().output;
  const until = 'when it ends by itself: an instant, or a duration from now on such as 4h or 7d';

  program
    .command('hold')
    .description('put an environment on hold: nothing is promoted into it')
    .argument('<environment>')
    .option('--product <name>', 'only this product')
    .requiredOption('--reason <text>', 'why; shown to everybody who waits')
    .option('--until <when>', until, instantOf)
    .action(async (environment: string, flags: Flags, command: Command) => {
      const done = await change<Hold>(clientOf(command), CONTROLS.hold, { environment, ...flags });
      print(render(done, format(command), HOLD_VIEW));
    });
  program
    .command('unhold')
    .description('lift the holds on an environment: what waits goes on at once')
    .argument('<environment>')
    .option('--product <name>', "this product's holds instead of those of all products")
    .option('--reason <text>', 'kept with them')
    .action(async (environment: string, flags: Flags, command: Command) => {
      const done = await change<Hold>(clientOf(command), CONTROLS.unhold, { environment, ...flags });
      print(render(done, format(command), HOLD_VIEW));
    });
  program
    .command('mark-bad')
    .description('mark a version bad: it is promoted nowhere any more')
    .argument('<product>')
    .argument('<version>', 'its label or its digest')
    .option('--environment <name>', 'only there')
    .option('--group <name>', 'only in the environments of this group')
    .requiredOption('--reason <text>', 'why; shown to everybody who wants to release it')
    .option('--until <when>', until, instantOf)
    .action(async (product: string, version: string, { until: expiresAt, ...flags }: Flags, command: Command) => {
      const done = await change<Mark>(clientOf(command), CONTROLS.mark, { product, version, expiresAt, ...flags });
      print(render(done, format(command), MARK_VIEW));
    });
  program
    .command('unmark-bad')
    .description('take marks on a version back: what waits goes on at once')
    .argument('<product>')
    .argument('<version>', 'its label or its digest')
    .option('--environment <name>', 'only marks for this environment')
    .option('--group <name>', 'only marks for this group')
    .requiredOption('--reason <text>', 'kept with them')
    .action(async (product: string, version: string, flags: Flags, command: Command) => {
      const done = await change<Mark>(clientOf(command), CONTROLS.unmark, { product, version, ...flags });
      print(render(done, format(command), MARK_VIEW));
    });
  windows
    .command('override')
    .description('let one release into one environment although windows are closed')
    .argument('<release>', 'its id, a product for its newest one, or `latest`')
    .argument('<environment>')
    .argument('<window...>', 'the exact names of the windows that are not to count')
    .requiredOption('--reason <text>', 'why; kept with the release')
    .requiredOption(
      '--until <when>',
      'when they count again: an instant, or a duration from now on such as 1h',
      instantOf,
    )
    .action(
      async (
        release: string,
        environment: string,
        names: string[],
        { reason, until: expiresAt }: Flags,
        command: Command,
      ) => {
        const client = clientOf(command);
        const { id: releaseId } = await findRelease(client, release);
        const input = { releaseId, environment, windows: names, reason, expiresAt };
        const { payload } = await client.ask<{ payload: { promotion: Overridden | null; userErrors: UserError[] } }>(
          CONTROLS.override,
          { input },
        );
        const { promotion, userErrors } = payload;
        if (!promotion) throw new CliError(EXIT.REFUSED, userErrors.map(({ message }) => message).join('\n'));
        if (format(command) !== 'table')
          return print(render(promotion, format(command), { columns: [], name: ({ name }) => name }));
        const waits = promotion.waitingFor.map(({ message }) => `it waits: ${message}`);
        print([`${names.join(', ')} no longer count for ${environment} until ${expiresAt}`, ...waits].join('\n'));
      },
    );
}

interface Overridden {
  name: string;
  waitingFor: { message: string }[];
}

/** An instant with Z or an offset, or a duration from now on; answers ISO 8601, UTC. */
function instantOf(text: string): string {
  const ms = parseDuration(text);
  if (ms !== undefined && ms > 0) return new Date(Date.now() + ms).toISOString();
  const at = /(Z|[+-]\d\d:?\d\d)$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at))
    throw new InvalidArgumentError('Expected 2026-12-24T18:00:00Z, or a duration with a unit, such as 4h or 7d.');
  return new Date(at).toISOString();
}

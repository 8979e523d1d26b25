import type { Command } from 'commander';
import { all, ask, ERRORS, PAGE } from '../asking.ts';
import type { Client } from '../client.ts';
import { now } from '../clock.ts';
import { CliError, EXIT } from '../exit.ts';
import { eachBare, instantOf, type Moment, momentOf, REASON, UNTIL } from '../options.ts';
import type { Shell } from '../shell.ts';

/** A freeze is a release window of the kind DENY that carries this label: nothing else knows of freezes. */
const LABEL = { key: 'sluice.dev/freeze', value: 'true' };
/**
 * It begins before now: an answer tells the server's time by the second, the clocks of workers differ from that a little, and a window that begins later would
 * leave a gap. No more than that, since calendars show it from then on.
 */
const EARLIER_MS = 60_000;

export const FREEZES = {
  freeze: `mutation CliFreeze($input: ReleaseWindowCreateInput!) {
    payload: releaseWindowCreate(input: $input) { releaseWindow { name } ${ERRORS} } }`,
  unfreeze: `mutation CliUnfreeze($input: DefinitionDeleteInput!) { payload: releaseWindowDelete(input: $input) { ${ERRORS} } }`,
  freezes: `query CliFreezes($first: Int!, $after: String, $selector: SelectorInput) {
    list: releaseWindows(first: $first, after: $after, selector: $selector) { nodes { name description times { once { to } }
      selector { environments { names } products { names } } } ${PAGE} } }`,
};

/** As `status` shows it; `to`: an instant. */
interface Freeze {
  name: string;
  description: string | null;
  times: { once: { to: string } | null };
  selector: { environments: { names: string[] | null } | null; products: { names: string[] | null } | null };
}

/** Those that are not over. */
export async function listFreezes(client: Client): Promise<Freeze[]> {
  const found = await all<Freeze>(client, FREEZES.freezes, { selector: { matchLabels: [LABEL] } });
  return found.filter(({ times }) => times.once === null || Date.parse(times.once.to) > now());
}

export function describeFreeze({ name, description, times, selector }: Freeze): string {
  const only = [selector.environments?.names, selector.products?.names].filter(
    (each) => each != null && each.length > 0,
  );
  const where = only.length === 0 ? 'everywhere' : only.flat().join(', ');
  const until = times.once === null ? '' : ` until ${times.once.to}`;
  return `Frozen${until}: ${where}: ${description ?? name}`;
}

interface Flags {
  reason: string;
  until: Moment;
  environment?: string[];
  product?: string[];
}

/** `sluice freeze` and `sluice unfreeze` */
export function addFreezes({ program, clientOf, print }: Shell): void {
  program
    .command('freeze')
    .description('start no promotion anywhere until a time, by a release window that denies; rollbacks still start')
    .requiredOption('--until <when>', `when it ends by itself: ${UNTIL}`, momentOf)
    .requiredOption(REASON, 'why; shown to everybody who waits')
    .option('--environment <name...>', 'only in these; * stands for anything')
    .option('--product <name...>', 'only these; * stands for anything')
    .action(async ({ reason, until: end, environment, product }: Flags, command: Command) => {
      const client = clientOf(command);
      await client.meet();
      const until = await instantOf(client, end);
      const begun = now();
      // The window begins earlier, so the server would take a time that is over.
      if (Date.parse(until) <= begun)
        throw new CliError(EXIT.USAGE, `--until is ${until}, which is over: name a later time`);
      const name = `freeze-${new Date(begun).toISOString().replace(/\D/g, '')}`;
      const selector = { environments: { names: environment }, products: { names: product } };
      const once = { from: new Date(begun - EARLIER_MS).toISOString(), to: until };
      const input = {
        name,
        labels: [LABEL],
        description: reason,
        kind: 'DENY',
        timeZone: 'UTC',
        times: { once },
        selector,
      };
      await ask(client, FREEZES.freeze, input);
      print(`Frozen until ${until} by release window ${name}\nLift it with: sluice unfreeze ${name}`);
    });
  program
    .command('unfreeze')
    .description('lift freezes: what waits goes on at once')
    .argument('[name...]', 'names of their release windows; all freezes when left out', eachBare('window'))
    .action(async (names: string[], _flags: unknown, command: Command) => {
      const client = clientOf(command);
      const selector = { matchLabels: [LABEL] };
      const found = await all<{ name: string }>(client, FREEZES.freezes, { selector });
      const frozen = found.map(({ name }) => name);
      const unknown = names.find((name) => !frozen.includes(name));
      if (unknown !== undefined)
        throw new CliError(EXIT.REFUSED, `There is no freeze '${unknown}'. See: sluice get windows`);
      if (frozen.length === 0) throw new CliError(EXIT.REFUSED, 'Nothing is frozen.');
      for (const name of names.length > 0 ? names : frozen) {
        await ask(client, FREEZES.unfreeze, { name });
        print(`Lifted ${name}`);
      }
    });
}

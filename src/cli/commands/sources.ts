import { type Command, InvalidArgumentError } from 'commander';
import { ask, ERRORS } from '../asking.ts';
import { CliError, EXIT } from '../exit.ts';
import type { ManifestRefusal } from '../operations.ts';
import { bare, formerly } from '../options.ts';
import { render, type View } from '../output.ts';
import type { Shell } from '../shell.ts';
import { place, readManifests, textOf } from './apply.ts';
import { placed, type SourceErrorShown } from './kinds.ts';

export const SOURCE_DOCUMENTS = {
  propose: `mutation CliPropose($input: ManifestsProposeInput!) { payload: manifestsPropose(input: $input) {
    userErrors { code message path ... on ManifestError { line column } }
    proposal { source number url state branch commit diff } } }`,
  sync: `mutation CliSync($input: GitSourceSyncInput!) { payload: gitSourceSync(input: $input) { changed ${ERRORS}
    gitSource { name status { state syncedCommit seenCommit drift { kind name how } errors { file line column message } } } } }`,
};

interface Synced {
  name: string;
  changed: number;
  status: {
    state: string;
    syncedCommit: string | null;
    seenCommit: string | null;
    errors: SourceErrorShown[];
  };
}

const SYNCED: View<Synced> = {
  columns: [
    ['SOURCE', ({ name }) => name],
    ['STATE', ({ status }) => status.state],
    ['COMMIT', ({ status }) => status.syncedCommit?.slice(0, 9)],
    ['CHANGED', ({ changed }) => String(changed)],
  ],
  name: ({ name }) => `source/${name}`,
};

interface Proposal {
  source: string;
  number: number;
  url: string;
  state: string;
  diff: string;
}

const PROPOSED: View<Proposal> = {
  columns: [
    ['SOURCE', ({ source }) => source],
    ['PULL REQUEST', ({ number }) => String(number)],
    ['STATE', ({ state }) => state],
    ['URL', ({ url }) => url],
  ],
  name: ({ url }) => url,
};

interface ProposeFlags {
  file?: string[];
  recursive?: boolean;
  remove?: { kind: string; name: string }[];
  source?: string;
  into?: string;
  title?: string;
  idempotencyKey?: string;
}

/** `KIND/NAME`, as `sluice apply -o name` prints it. */
function removalOf(typed: string, before: { kind: string; name: string }[] = []): { kind: string; name: string }[] {
  const [, kind, name] = /^(\w+)\/(.+)$/.exec(typed) ?? [];
  if (kind === undefined || name === undefined)
    throw new InvalidArgumentError('Expected KIND/NAME, such as Environment/eu.');
  return [...before, { kind, name }];
}

/** `sluice sync SOURCE` and `sluice propose` */
export function addSources({ program, clientOf, styleOf, print }: Shell): void {
  program
    .command('sync')
    .description('apply what the repository of a git source says now: all of it, or none when one manifest is wrong')
    .argument('<source>', 'its name', bare('source'))
    .action(async (name: string, _flags: object, command: Command) => {
      type Payload = { changed: number; gitSource: Omit<Synced, 'changed'> };
      const { changed, gitSource } = await ask<Payload>(clientOf(command), SOURCE_DOCUMENTS.sync, { name });
      const { errors, syncedCommit } = gitSource.status;
      if (errors.length > 0) {
        const stays = syncedCommit === null ? 'nothing is applied' : `commit ${syncedCommit.slice(0, 9)} stays applied`;
        throw new CliError(EXIT.REFUSED, [...errors.map(placed), `${name} was not synced: ${stays}`].join('\n'));
      }
      print(render([{ ...gitSource, changed }], styleOf(command), SYNCED));
    });
  const propose = program
    .command('propose')
    .description('open a pull request that changes synced definitions in the repository of their git source')
    .option('-f, --file <path...>', 'manifests as they are to be: file, folder, or - for standard input')
    .option('-R, --recursive', 'of a folder also what is in its folders')
    .option('--remove <definition...>', 'what leaves the repository: KIND/NAME', removalOf)
    .option('--source <name>', 'the git source, where all of it is new there')
    .option('--into <file>', 'the file of the repository in which new definitions are written')
    .option('--title <text>', 'the title of the pull request, and the message of its commit')
    .option('--idempotency-key <key>', 'the same key again answers with the same pull request')
    .action(async (flags: ProposeFlags, command: Command) => {
      const { remove: removals, source, into, title, idempotencyKey } = flags;
      if (!flags.file && !removals)
        throw new CliError(
          EXIT.USAGE,
          'Name what is proposed: --file with manifests as they are to be, or --remove KIND/NAME',
        );
      const files = flags.file ? await readManifests(flags.file, flags.recursive) : [];
      const input = { text: textOf(files), removals, source, file: into, title, idempotencyKey };
      type Payload = { proposal: Proposal | null; userErrors: ManifestRefusal[] };
      const { payload } = await clientOf(command).ask<{ payload: Payload }>(SOURCE_DOCUMENTS.propose, { input });
      if (!payload.proposal)
        throw new CliError(EXIT.REFUSED, payload.userErrors.map((each) => place(each, files)).join('\n'));
      const style = styleOf(command);
      const { diff } = payload.proposal;
      print((style.format === 'table' ? `${diff.trimEnd()}\n\n` : '') + render([payload.proposal], style, PROPOSED));
    });
  formerly(propose, '--key <text>', 'idempotencyKey');
}

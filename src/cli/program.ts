import type { Readable } from 'node:stream';
import type { WriteStream } from 'node:tty';
import { Command, InvalidArgumentError, Option } from 'commander';
import { parseDuration } from '../core/duration.ts';
import { addAccessCommands } from './access-program.ts';
import { Client } from './client.ts';
import { addApprovals } from './commands/approvals.ts';
import { apply, readManifests, showChanges } from './commands/apply.ts';
import { check } from './commands/check.ts';
import { get, KIND_NAMES } from './commands/get.ts';
import { addControls } from './commands/controls.ts';
import { addRollbacks } from './commands/rollback.ts';
import { checkWindows, type CheckFlags } from './commands/windows.ts';
import { addWebhookCommands } from './commands/webhooks.ts';
import { addSecretCommands } from './secret-program.ts';
import { EXIT, EXIT_HELP } from './exit.ts';
import { findRelease, readSchema, retryRelease, terminateRelease, triggerRelease } from './operations.ts';
import type { TriggerInput } from './operations.ts';
import { type Format, FORMATS, render, type Writer } from './output.ts';
import type { ReleaseShown } from './release-shown.ts';
import { loadCliSettings } from './settings.ts';
import { interruption, watchRelease } from './watch/watch.ts';

interface Global {
  server?: string;
  output: Format;
}

interface Waiting extends Global {
  wait?: boolean;
  timeout?: number;
  json?: boolean;
}

/** Where the program reads and writes; tests have their own. */
export interface Surroundings {
  env: Record<string, string | undefined>;
  out: Writer;
  err: Writer;
  /** Standard input. */
  input?: Readable;
  /** Standard output, when somebody looks at it. */
  terminal?: WriteStream;
  /** How a command ends that did not throw. */
  exitWith(code: number): void;
}

/** Commands throw a CliError when something is wrong. */
export function createProgram({
  env = {},
  out = process.stdout,
  err = process.stderr,
  input = process.stdin,
  terminal,
  exitWith = () => undefined,
}: Partial<Surroundings> = {}): Command {
  const print = (text: string): void => void out.write(`${text}\n`);
  const program = new Command('sluice')
    .description('Promotion orchestrator: versions travel through environments by a flow that people can see and trust')
    .option('--server <url>', 'address of the server (or SLUICE_SERVER; default http://127.0.0.1:4000)')
    .addOption(new Option('-o, --output <format>', 'how to print').choices(FORMATS).default('table'))
    .addHelpText('after', EXIT_HELP)
    .configureOutput({ writeOut: (text) => out.write(text), writeErr: (text) => err.write(text) })
    .showHelpAfterError('(add --help for what is possible)')
    .showSuggestionAfterError();

  const settingsOf = (command: Command) => loadCliSettings(env, command.optsWithGlobals<Global>().server);
  const clientOf = (command: Command): Client => {
    const { server, token } = settingsOf(command);
    return new Client(server, token);
  };

  const follow = async (command: Command, releaseId: string): Promise<void> => {
    const { json, output, timeout } = command.optsWithGlobals<Waiting>();
    const { dumbTerminal } = settingsOf(command);
    const options = {
      json: json || output === 'json',
      timeout,
      signal: interruption(),
      plain: dumbTerminal,
      terminal,
      out,
      err,
    };
    exitWith(await watchRelease(clientOf(command), releaseId, options));
  };
  /** The release on standard output, at once; with --wait its events until it ends. */
  const showOrWait = async (command: Command, release: ReleaseShown, done: string): Promise<void> => {
    const { wait, output } = command.optsWithGlobals<Waiting>();
    if (wait) return follow(command, release.id);
    if (output !== 'table') return print(render(release, output, { columns: [], name: ({ id }) => `release/${id}` }));
    print(`${done} ${release.product} ${release.version}: ${release.id}\nFollow it with: sluice watch ${release.id}`);
  };

  program
    .command('serve')
    .description('run a server (its settings come from the environment: see docs/settings.md)')
    .option('--role <role>', 'all, api or worker')
    .option('--host <address>', 'address to listen on')
    .option('--port <port>', 'port to listen on; 0 for any free one')
    .action(async (flags: { role?: string; host?: string; port?: string }) => {
      process.exit(await (await import('../main.ts')).serve(flags));
    });
  program
    .command('migrate')
    .description('bring the tables of DATABASE_URL up to date')
    .action(async () => process.exit(await (await import('../main.ts')).migrateDatabase()));

  program
    .command('apply')
    .description('apply manifests: all of them, or none when one has an error')
    .requiredOption('-f, --file <path...>', 'file, folder, or - for standard input')
    .option('--dry-run', 'say what would change and change nothing')
    .action(async ({ file, dryRun = false }: { file: string[]; dryRun?: boolean }, command: Command) => {
      const changes = await apply(clientOf(command), await readManifests(file), dryRun);
      print(showChanges(changes, command.optsWithGlobals<Global>().output, dryRun));
    });

  program
    .command('get')
    .description(`show what there is: ${KIND_NAMES.join(', ')}`)
    .argument('<kind>', 'what to show; singular and plural are the same')
    .argument('[name]', 'one of them; for releases an id, a product or `latest`')
    .option('--product <name>', 'only of this product (releases, deployments, approvals, holds, bad versions)')
    .option('--limit <n>', 'at most so many', wholeNumber, 100)
    .action(
      async (kind: string, name: string | undefined, flags: { product?: string; limit: number }, command: Command) => {
        print(await get(clientOf(command), kind, name, { ...flags, format: command.optsWithGlobals<Global>().output }));
      },
    );

  program
    .command('release')
    .description('release a version of a product along its flow')
    .argument('<product>')
    .option('--commit <id>', 'the commit of the trigger environment to release (default: the newest)')
    .option('--version <version>', 'the version, for applications without files')
    .option('--flow <name>', 'the flow (default: chosen by the rules)')
    .option('--acknowledge-bad-version', 'release a version that is marked bad: it waits where the mark counts')
    .option('--rollback-floor <version>', 'no environment goes back below this version once the release ran there')
    .option('--idempotency-key <key>', 'the same key again answers with the same release')
    .option('--wait', 'show the release and wait for its end')
    .addOption(timeoutOption())
    .action(async (product: string, flags: Omit<TriggerInput, 'product'>, command: Command) => {
      const { commit, version, flow, idempotencyKey, acknowledgeBadVersion, rollbackFloor } = flags;
      const input = { product, commit, version, flow, idempotencyKey, acknowledgeBadVersion, rollbackFloor };
      const release = await triggerRelease(clientOf(command), input);
      await showOrWait(command, release, 'Released');
    });

  program
    .command('watch')
    .description('show a release live until it ends')
    .argument('<release>', 'its id, a product for its newest one, or `latest`')
    .option('--json', 'one JSON event per line')
    .addOption(timeoutOption())
    .action(async (release: string, _flags: unknown, command: Command) => {
      await follow(command, (await findRelease(clientOf(command), release)).id);
    });

  program
    .command('terminate')
    .description('end a release: what runs is stopped, nothing more starts')
    .argument('<release>', 'its id, a product for its newest one, or `latest`')
    .option('--reason <text>', 'kept with the release')
    .option('--wait', 'wait for its end')
    .addOption(timeoutOption())
    .action(async (name: string, { reason }: { reason?: string }, command: Command) => {
      const { id } = await findRelease(clientOf(command), name);
      await showOrWait(command, await terminateRelease(clientOf(command), { id, reason }), 'Terminating');
    });

  program
    .command('retry')
    .description('take up an ended release where it failed; what succeeded is not run again')
    .argument('<release>', 'its id, a product for its newest one, or `latest`')
    .option('--wait', 'show the release and wait for its end')
    .addOption(timeoutOption())
    .action(async (name: string, _flags: unknown, command: Command) => {
      const { id } = await findRelease(clientOf(command), name);
      await showOrWait(command, await retryRelease(clientOf(command), { id }), 'Retrying');
    });

  program
    .command('check')
    .description(
      'list what is stored and would be refused today, with the place and what to do; exit code 1 when there is something',
    )
    .action(async (_flags: unknown, command: Command) => {
      const { text, found } = await check(clientOf(command), command.optsWithGlobals<Global>().output);
      print(text);
      if (found) exitWith(EXIT.REFUSED);
    });

  const windows = program.command('windows').description('release windows: test them as code, override them');
  windows
    .command('check')
    .description('say without a server whether windows are open, why, and when that changes')
    .requiredOption('-f, --file <path...>', 'file, folder, or - for standard input')
    .option('--environment <name>', 'only windows that select it; its labels and kind come from the same files')
    .option('--product <name>', 'only windows that select it')
    .option(
      '--at <instant>',
      'an instant such as 2026-03-08T07:00:00Z (default: now); - reads one a line, answers JSON',
    )
    .exitOverride()
    .action(async (flags: CheckFlags, command: Command) => {
      exitWith(await checkWindows(flags, command.optsWithGlobals<Global>().output, out, err, input));
    });

  addApprovals({ program, clientOf, print });
  addControls({ program, windows, clientOf, print });
  const formatOf = (command: Command): Format => command.optsWithGlobals<Global>().output;
  addSecretCommands(program, { clientOf, print, input, formatOf });
  addAccessCommands(program, { clientOf, print, formatOf });
  addWebhookCommands(program, { clientOf, print, formatOf });

  addRollbacks({ program, clientOf, print, follow, timeout: timeoutOption });

  program
    .command('schema')
    .description("print the server's GraphQL schema")
    .action(async (_flags: unknown, command: Command) => print(await readSchema(clientOf(command))));

  return program;
}

function timeoutOption(): Option {
  return new Option(
    '--timeout <duration>',
    `stop waiting after, e.g. 30s, 10m, 1h (exit code ${EXIT.TIMEOUT})`,
  ).argParser((value) => {
    const ms = parseDuration(value);
    // A timer holds 31 bits of milliseconds.
    if (ms === undefined || !(ms > 0 && ms < 2 ** 31))
      throw new InvalidArgumentError('Expected a duration with a unit, such as 30s, 10m or 1h.');
    return ms;
  });
}

function wholeNumber(value: string): number {
  if (!/^[1-9]\d{0,5}$/.test(value)) throw new InvalidArgumentError('Expected a whole number from 1.');
  return Number(value);
}

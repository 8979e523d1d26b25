import type { Readable } from 'node:stream';
import type { WriteStream } from 'node:tty';
import { Command } from 'commander';
import { Client } from './client.ts';
import { addAccessCommands } from './commands/access.ts';
import { addApprovals } from './commands/approvals.ts';
import { addApply } from './commands/apply.ts';
import { check } from './commands/check.ts';
import { addControls } from './commands/controls.ts';
import { addTriggers } from './commands/triggers.ts';
import { addHistory } from './commands/history.ts';
import { addDelete } from './commands/delete.ts';
import { addExport } from './commands/export.ts';
import { addFreezes } from './commands/freeze.ts';
import { addGet } from './commands/get.ts';
import { addLogs } from './commands/logs.ts';
import { addPolicies } from './commands/policies.ts';
import { addPlan } from './commands/plan.ts';
import { addRollbacks } from './commands/rollback.ts';
import { addSecretCommands } from './commands/secrets.ts';
import { addSources } from './commands/sources.ts';
import { addStatus } from './commands/status.ts';
import { addWebhookCommands } from './commands/webhooks.ts';
import type { CheckFlags } from './commands/windows.ts';
import { EXIT, EXIT_HELP } from './exit.ts';
import { configureHelp } from './help.ts';
import {
  readRelease,
  readSchema,
  retryRelease,
  skipPromotion,
  terminateRelease,
  triggerRelease,
} from './operations.ts';
import type { TriggerInput } from './operations.ts';
import { bare, choiceOption, REASON, RELEASE, timeoutOption } from './options.ts';
import { type Format, FORMATS, render, type Style, type Writer } from './output.ts';
import { nounOf, type ReleaseShown, versionOf } from './release-shown.ts';
import { loadCliSettings } from './settings.ts';
import type { Shell } from './shell.ts';

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
  /** Standard output, when it is a terminal. */
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
  // The names of an empty list are no line: a program would take an empty one for a name.
  const print = (text: string): void => void (text !== '' && out.write(`${text}\n`));
  const width = terminal?.columns || Number(env['COLUMNS']) || undefined;
  const program = new Command('sluice')
    .description('Promotion orchestrator: versions travel through environments by a flow that people can see and trust')
    .option('--server <url>', 'address of the server (or SLUICE_SERVER; default http://127.0.0.1:4000)')
    .addOption(choiceOption('-o, --output <format>', 'how to print', FORMATS).default('table'))
    .addHelpText('after', EXIT_HELP)
    .configureOutput({ writeOut: (text) => out.write(text), writeErr: (text) => err.write(text) })
    .showHelpAfterError('(add --help for what is possible)')
    .showSuggestionAfterError()
    // Commands take it over when they are made: whatever is wrong below them is thrown, and the shell is told EXIT.USAGE.
    .exitOverride();
  configureHelp(program, width);

  const settingsOf = (command: Command) => loadCliSettings(env, command.optsWithGlobals<Global>().server);
  const clientOf = (command: Command): Client => {
    const { server, token } = settingsOf(command);
    return new Client(server, token);
  };

  const follow = async (command: Command, releaseId: string): Promise<void> => {
    const { json, output, timeout } = command.optsWithGlobals<Waiting>();
    const { dumbTerminal } = settingsOf(command);
    const { interruption, watchRelease } = await import('./watch/watch.ts');
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
  const styleOf = (command: Command): Style => ({ format: command.optsWithGlobals<Global>().output, width });
  const shell: Shell = { program, clientOf, styleOf, print, follow, exitWith, input, out, err };

  /** The release on standard output, at once; with --wait its events until it ends. */
  const showOrWait = async (command: Command, release: ReleaseShown, done: string): Promise<void> => {
    const { shortId, product } = release;
    const style = styleOf(command);
    if (command.optsWithGlobals<Waiting>().wait) return follow(command, release.id);
    if (style.format !== 'table')
      return print(render(release, style, { columns: [], name: ({ id }) => `release/${id}` }));
    const what = nounOf(release) === 'rollback' ? `the rollback of ${product}` : product;
    print(`${done} ${what} ${versionOf(release)}: ${shortId}\nFollow it with: sluice watch ${shortId}`);
  };

  program
    .command('serve')
    .description('run a server (its settings come from the environment: see docs/settings.md)')
    .option('--role <role>', 'all, api or worker (default: all)')
    .option('--host <address>', 'address to listen on (default: 127.0.0.1)')
    .option('--port <port>', 'port to listen on; 0 for any free one (default: 4000)')
    .action(async (flags: { role?: string; host?: string; port?: string }) => {
      process.exit(await (await import('../main.ts')).serve(flags));
    });
  program
    .command('migrate')
    .description('bring the tables of DATABASE_URL up to date')
    .action(async () => process.exit(await (await import('../main.ts')).migrateDatabase()));

  addApply(shell);
  addExport(shell);
  addFreezes(shell);
  addGet(shell);
  addStatus(shell);
  addHistory(shell);
  addPlan(shell);
  addLogs(shell);
  addDelete(shell);
  addSources(shell);

  program
    .command('release')
    .description('release a version of a product along its flow')
    .argument('<product>', 'its name', bare('product'))
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
      if (version !== undefined && version !== release.version) {
        err.write(
          `Warning: the files of ${product} say that this is ${release.version}: --version ${version} counts only where there are none\n`,
        );
      }
      await showOrWait(command, release, 'Released');
    });

  program
    .command('promote')
    .description(
      'promote what is in one environment into another one, without a flow; `plan --from --to` shows it before',
    )
    .argument('<product>', 'its name', bare('product'))
    .argument('<from>', 'the environment whose version it is', bare('environment'))
    .argument('<to>', 'the environment that gets it', bare('environment'))
    .option('--commit <id>', 'the commit of the branch of <from> (default: the newest)')
    .option('--version <version>', 'the version, for applications without files')
    .option('--acknowledge-bad-version', 'promote a version that is marked bad: it waits where the mark counts')
    .option('--idempotency-key <key>', 'the same key again answers with the same release')
    .option('--wait', 'show the release and wait for its end')
    .addOption(timeoutOption())
    .action(async (product: string, from: string, to: string, flags: Partial<TriggerInput>, command: Command) => {
      const { commit, version, acknowledgeBadVersion, idempotencyKey } = flags;
      const input = { product, from, to, commit, version, acknowledgeBadVersion, idempotencyKey };
      await showOrWait(command, await triggerRelease(clientOf(command), input), 'Promoted');
    });

  program
    .command('watch')
    .description('show a release live until it ends')
    .argument(...RELEASE)
    .option('--json', 'one JSON event per line')
    .addOption(timeoutOption())
    .action(async (release: string, _flags: unknown, command: Command) => {
      await follow(command, (await readRelease(clientOf(command), release)).id);
    });

  program
    .command('terminate')
    .description('end a release: what runs is stopped, nothing more starts')
    .argument(...RELEASE)
    .option(REASON, 'kept with the release')
    .option('--wait', 'wait for its end')
    .addOption(timeoutOption())
    .action(async (name: string, { reason }: { reason?: string }, command: Command) => {
      await showOrWait(command, await terminateRelease(clientOf(command), { id: name, reason }), 'Terminating');
    });

  program
    .command('retry')
    .description('take up an ended release where it failed, or one environment alone; what succeeded is not run again')
    .argument(...RELEASE)
    .argument(
      '[environment]',
      'only this one, and what comes after it; also while the release goes on',
      bare('environment'),
    )
    .option('--wait', 'show the release and wait for its end')
    .addOption(timeoutOption())
    .action(async (name: string, environment: string | undefined, _flags: unknown, command: Command) => {
      await showOrWait(command, await retryRelease(clientOf(command), { id: name, environment }), 'Retrying');
    });

  program
    .command('skip')
    .description('leave an environment out of a release: what depends on it goes on as if it had succeeded')
    .argument(...RELEASE)
    .argument(
      '<environment>',
      'an environment or a workflow step that did not succeed, or not yet',
      bare('environment'),
    )
    .requiredOption(REASON, 'kept with the release')
    .option('--wait', 'show the release and wait for its end')
    .addOption(timeoutOption())
    .action(async (name: string, environment: string, { reason }: { reason: string }, command: Command) => {
      const release = await skipPromotion(clientOf(command), { id: name, environment, reason });
      await showOrWait(command, release, `Skipping ${environment} in`);
    });

  program
    .command('check')
    .description(
      'list what is stored and would be refused today, with the place and what to do; exit code 1 when there is something',
    )
    .action(async (_flags: unknown, command: Command) => {
      const { text, found } = await check(clientOf(command), styleOf(command));
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
    .action(async (flags: CheckFlags, command: Command) => {
      // What reads recurrences and time zones is large, and only this command wants it.
      const { checkWindows } = await import('./commands/windows.ts');
      exitWith(await checkWindows(flags, styleOf(command), out, err, input));
    });

  addApprovals(shell);
  addControls(shell, windows);
  addPolicies(shell);
  addTriggers(shell);
  addSecretCommands(shell);
  addAccessCommands(shell);
  addWebhookCommands(shell);
  addRollbacks(shell);

  program
    .command('schema')
    .description("print the server's GraphQL schema")
    .action(async (_flags: unknown, command: Command) => print(await readSchema(clientOf(command))));

  return program;
}

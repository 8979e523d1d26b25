import type { Command } from 'commander';
import { Argument } from 'commander';
import type { Client, UserError } from '../client.ts';
import { CliError, EXIT } from '../exit.ts';
import { type Column, type Format, render } from '../output.ts';

/** Taking versions back: by a person's order, or because an outside system says that a rollout failed. */

const ERRORS = 'userErrors { code message path }';
const ROLLBACK = `id uuid productName status version { label } createdAt endedAt
  cause { kind environment reason by }
  targets { environment decision status reason from { label } to { label } }`;

export const ROLLBACKS = {
  start: `mutation CliRollback($input: RollbackInput!) {
    payload: rollbackStart(input: $input) { rollback { ${ROLLBACK} } ${ERRORS} } }`,
  plan: `query CliPlanRollback($input: RollbackInput!) {
    payload: planRollback(input: $input) {
      plan { version { label } maxParallel onTargetFailure markBad
        targets { environment decision reason from { label } to { label } window opensAt } } ${ERRORS} } }`,
  approve: `mutation CliRollbackApprove($input: RollbackTargetDecisionInput!) {
    payload: rollbackTargetApprove(input: $input) { rollback { ${ROLLBACK} } ${ERRORS} } }`,
  report: `mutation CliReportRollout($input: RolloutReportInput!) {
    payload: rolloutReport(input: $input) { outcome rollback { ${ROLLBACK} } ${ERRORS} } }`,
  show: `query CliShowRollback($id: ID!) { rollback(id: $id) { ${ROLLBACK} } }`,
};

export interface RollbackShown {
  id: string;
  uuid: string;
  productName: string;
  status: string;
  version: { label: string };
  targets: TargetShown[];
}

interface TargetShown {
  environment: string;
  decision: string;
  /** Of a rollback that is under way. */
  status?: string;
  reason: string;
  from: { label: string } | null;
  to: { label: string } | null;
}

interface PlanShown {
  version: { label: string };
  targets: TargetShown[];
}

const COLUMNS: Column<TargetShown>[] = [
  ['ENVIRONMENT', ({ environment }) => environment],
  ['', ({ status, decision }) => status ?? decision],
  ['FROM', ({ from }) => from?.label],
  ['TO', ({ to }) => to?.label],
  ['WHY', ({ reason }) => reason],
];

async function ask<T extends { userErrors: UserError[] }>(client: Client, document: string, input: object): Promise<T> {
  const { payload } = await client.ask<{ payload: T }>(document, { input });
  if (payload.userErrors.length === 0) return payload;
  throw new CliError(EXIT.REFUSED, payload.userErrors.map(({ message }) => message).join('\n'));
}

export async function startRollback(client: Client, input: object): Promise<RollbackShown> {
  return (await ask<{ rollback: RollbackShown; userErrors: UserError[] }>(client, ROLLBACKS.start, input)).rollback;
}

export async function approveTarget(client: Client, rollbackId: string, environment: string): Promise<void> {
  await ask(client, ROLLBACKS.approve, { rollbackId, environment });
}

export interface RolloutReported {
  outcome: string;
  rollback: RollbackShown | null;
}

export function reportRollout(client: Client, input: object): Promise<RolloutReported> {
  return ask<RolloutReported & { userErrors: UserError[] }>(client, ROLLBACKS.report, input);
}

export async function readRollback(client: Client, id: string): Promise<RollbackShown | null> {
  return (await client.ask<{ rollback: RollbackShown | null }>(ROLLBACKS.show, { id })).rollback;
}

export function showRollback(rollback: RollbackShown, format: Format): string {
  if (format !== 'table') return render(rollback, format, { columns: [], name: ({ uuid }) => `rollback/${uuid}` });
  const { productName, version, status, uuid, targets } = rollback;
  const head = `${productName} ${version.label} is taken back (${status}): ${uuid}`;
  return [head, '', render(targets, format, { columns: COLUMNS, name: ({ environment }) => environment })].join('\n');
}

interface Shell {
  program: Command;
  clientOf: (command: Command) => Client;
  print: (text: string) => void;
  /** Follows the release of that id and ends with its exit code. */
  follow: (command: Command, releaseId: string) => Promise<void>;
  timeout: () => ReturnType<Command['createOption']>;
}

interface Flags {
  version?: string;
  to?: string;
  reason?: string;
  message?: string;
  idempotencyKey?: string;
  plan?: boolean;
  wait?: boolean;
}

export function addRollbacks({ program, clientOf, print, follow, timeout }: Shell): void {
  const format = (command: Command): Format => command.optsWithGlobals<{ output: Format }>().output;

  program
    .command('rollback')
    .description('take environments back to what was healthy there before, or a version wherever it is live')
    .argument('<product>')
    .argument('[environment...]', 'the environments that go back; without any, --version says what does')
    .option('--version <version>', 'this version, by label or digest, wherever it is live')
    .option('--to <version>', 'the version to go back to (default: the last one that was healthy in each environment)')
    .option('--reason <text>', 'why; kept and shown. Needed for all but --plan')
    .option('--plan', 'say what would go back, and change nothing')
    .option('--idempotency-key <key>', 'the same key again answers with the same rollback')
    .option('--wait', 'show the rollback and wait for its end')
    .addOption(timeout())
    .action(async (product: string, names: string[], flags: Flags, command: Command) => {
      const { version, to, idempotencyKey } = flags;
      // What changes nothing needs no reason, and the API's input is the same for both.
      const reason = flags.reason ?? (flags.plan ? 'only a plan' : undefined);
      if (reason === undefined) command.error("error: required option '--reason <text>' not specified");
      const environments = names.length > 0 ? names : undefined;
      const input = { product, environments, version, to, reason, idempotencyKey };
      const client = clientOf(command);
      if (flags.plan) {
        const { plan } = await ask<{ plan: PlanShown; userErrors: UserError[] }>(client, ROLLBACKS.plan, input);
        if (format(command) !== 'table')
          return print(
            render(plan, format(command), { columns: [], name: ({ version: { label } }) => `plan/${label}` }),
          );
        return print(render(plan.targets, 'table', { columns: COLUMNS, name: ({ environment }) => environment }));
      }
      const rollback = await startRollback(client, input);
      if (flags.wait) return follow(command, rollback.uuid);
      print(showRollback(rollback, format(command)));
      if (format(command) === 'table') print(`\nFollow it with: sluice watch ${rollback.uuid}`);
    });

  const report = program.command('report').description('tell Sluice what an outside system saw');
  report
    .command('rollout')
    .description('tell how the rollout of a version went, also long after its release has ended')
    .argument('<product>')
    .argument('<environment>')
    .addArgument(new Argument('<status>', 'how it went').choices(['succeeded', 'failed', 'rolled-back', 'unknown']))
    .option('--version <version>', 'by label or digest (default: what is live there)')
    .option('--message <text>', 'what went wrong')
    .option('--idempotency-key <key>', 'the same key again answers the same')
    .option('--wait', 'when it starts a rollback: show it and wait for its end')
    .addOption(timeout())
    .action(async (product: string, environment: string, told: string, flags: Flags, command: Command) => {
      const status = told.toUpperCase().replaceAll('-', '_');
      const { version, message, idempotencyKey } = flags;
      const input = { product, environment, status, version, message, idempotencyKey };
      const { outcome, rollback } = await reportRollout(clientOf(command), input);
      if (flags.wait && rollback) return follow(command, rollback.uuid);
      if (format(command) !== 'table')
        return print(render({ outcome, rollback }, format(command), { columns: [], name: () => rollback?.uuid ?? '' }));
      print(rollback ? `${outcome}\n${showRollback(rollback, 'table')}` : outcome);
    });
}

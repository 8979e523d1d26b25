import type { Command } from 'commander';
import { all, ask, ERRORS, Most, PAGE } from '../asking.ts';
import type { Client } from '../client.ts';
import { ROLLBACK_PART } from '../operations.ts';
import { bare, choiceArgument, eachBare, formerly, REASON, seenAt, timeoutOption, UNTIL } from '../options.ts';
import { age, type Column, render, renderList, type Style, uncut, type View } from '../output.ts';
import { CHANGES, showChanges } from './plan.ts';
import type { Change } from './plan.ts';
import { causeOf, type RollbackPart, type TargetShown, versionOf } from '../release-shown.ts';
import type { Shell } from '../shell.ts';

/** Taking versions back: by a person's order, or because an outside system says that a rollout failed; and what systems report. */

const ROLLBACK = `id uuid productName status version { label } createdAt endedAt release { shortId } ${ROLLBACK_PART}`;

export const ROLLBACKS = {
  start: `mutation CliRollback($input: RollbackInput!) {
    payload: rollbackStart(input: $input) { rollback { ${ROLLBACK} } ${ERRORS} } }`,
  plan: `query CliPlanRollback($input: RollbackInput!) {
    payload: planRollback(input: $input) {
      plan { version { label } maxParallel onTargetFailure markBad
        targets { environment decision reason from { label } to { label } window opensAt merge { may why } ${CHANGES} } } ${ERRORS} } }`,
  approve: `mutation CliRollbackApprove($input: RollbackTargetDecisionInput!) {
    payload: rollbackTargetApprove(input: $input) { rollback { ${ROLLBACK} } ${ERRORS} } }`,
  report: `mutation CliReportRollout($input: RolloutReportInput!) {
    payload: rolloutReport(input: $input) { outcome rollback { ${ROLLBACK} } ${ERRORS} } }`,
  health: `mutation CliReportHealth($input: HealthReportInput!) {
    payload: healthReport(input: $input) { accepted application { health { type } } ${ERRORS} } }`,
  deployment: `mutation CliReportDeployment($input: DeploymentReportInput!) {
    payload: deploymentReport(input: $input) { accepted application { sync { type } } ${ERRORS} } }`,
  show: `query CliShowRollback($id: ID!) { rollback(id: $id) { ${ROLLBACK} } }`,
  list: `query CliRollbacks($first: Int!, $after: String, $product: String) {
    list: rollbacks(first: $first, after: $after, product: $product) { nodes { ${ROLLBACK} } ${PAGE} } }`,
};

export interface RollbackShown extends RollbackPart {
  id: string;
  uuid: string;
  productName: string;
  status: string;
  version: { label: string };
  createdAt: string;
  release: { shortId: string } | null;
}

interface PlanShown {
  version: { label: string };
  targets: (TargetShown & { changes: Change[] })[];
}

export const TARGETS: Column<TargetShown>[] = [
  ['ENVIRONMENT', ({ environment }) => environment],
  ['', ({ status, decision }) => status ?? decision],
  ['FROM', ({ from }) => from?.label],
  ['TO', ({ to }) => to?.label],
  ['WHY', whyOf],
];

function whyOf({ reason, merge }: TargetShown): string | null {
  return merge ? `${reason}; ${mergeOf(merge)}` : reason;
}

/** Who merges the pull request by which an environment goes back. */
function mergeOf({ may, why }: NonNullable<TargetShown['merge']>): string {
  if (may === true) return 'Sluice merges its pull request';
  if (may === false) return `a person has to merge its pull request${why === null ? '' : `: ${why}`}`;
  return `whether Sluice can merge its pull request is not known${why === null ? '' : `: ${why}`}`;
}

const nameOf = ({ environment }: TargetShown): string => environment;
const idOfRollback = ({ release, uuid }: RollbackShown): string => release?.shortId ?? uuid;
const fromTo = (rollback: RollbackShown): string => versionOf({ version: rollback.version.label, rollback });

const VIEW: View<RollbackShown> = {
  columns: [
    ['ID', idOfRollback, 'whole'],
    ['VERSION', fromTo],
    ['STATUS', ({ status }) => status],
    ['BACK', ({ targets }) => `${targets.filter(({ status }) => status === 'ROLLED_BACK').length}/${targets.length}`],
    ['CAUSE', causeOf],
    ['AGE', ({ createdAt }) => age(createdAt)],
  ],
  name: ({ uuid }) => `rollback/${uuid}`,
};

/** Newest first. */
export async function getRollbacks(
  client: Client,
  product: string | undefined,
  limit: Most,
  style: Style,
): Promise<string> {
  const rows = await all<RollbackShown>(client, ROLLBACKS.list, { product }, limit);
  return renderList(rows, style, VIEW, 'There are no rollbacks.');
}

async function startRollback(client: Client, input: object): Promise<RollbackShown> {
  return (await ask<{ rollback: RollbackShown }>(client, ROLLBACKS.start, input)).rollback;
}

export async function approveTarget(client: Client, rollbackId: string, environment: string): Promise<void> {
  await ask(client, ROLLBACKS.approve, { rollbackId, environment });
}

export interface RolloutReported {
  outcome: string;
  rollback: RollbackShown | null;
}

export function reportRollout(client: Client, input: object): Promise<RolloutReported> {
  return ask<RolloutReported>(client, ROLLBACKS.report, input);
}

export async function readRollback(client: Client, id: string): Promise<RollbackShown | null> {
  return (await client.ask<{ rollback: RollbackShown | null }>(ROLLBACKS.show, { id })).rollback;
}

export function showRollback(rollback: RollbackShown, style: Style): string {
  if (style.format !== 'table') return render(rollback, style, VIEW);
  const head = `${rollback.productName} ${fromTo(rollback)}, the rollback is ${rollback.status}: ${idOfRollback(rollback)}`;
  return [head, '', render(rollback.targets, style, { columns: TARGETS, name: VIEW.name as never })].join('\n');
}

interface Flags {
  commit?: string;
  version?: string;
  to?: string;
  reason?: string;
  at?: string;
  idempotencyKey?: string;
  plan?: boolean;
  diff?: boolean;
  wait?: boolean;
}

export function addRollbacks(shell: Shell): void {
  const { program, clientOf, styleOf, print, follow } = shell;
  program
    .command('rollback')
    .description('take environments back to what was healthy there before, or a version wherever it is live')
    .argument('<product>', 'its name', bare('product'))
    .argument(
      '[environment...]',
      'the environments that go back; without any, --version says what does',
      eachBare('environment'),
    )
    .option('--version <version>', 'this version, by label or digest, wherever it is live')
    .option('--to <version>', 'the version to go back to (default: the last one that was healthy in each environment)')
    .option(REASON, 'why; kept and shown (required, but for --plan)')
    .option('--plan', 'say what would go back, with the diff of every file, and change nothing')
    .option('--no-diff', 'leave the diffs out')
    .option('--idempotency-key <key>', 'the same key again answers with the same rollback')
    .option('--wait', 'show the rollback and wait for its end')
    .addOption(timeoutOption())
    .action(async (product: string, names: string[], flags: Flags, command: Command) => {
      const { version, to, idempotencyKey } = flags;
      // What changes nothing needs no reason, and the API's input is the same for both.
      const reason = flags.reason ?? (flags.plan ? 'only a plan' : undefined);
      if (reason === undefined) command.error("error: required option '--reason <text>' not specified");
      const environments = names.length > 0 ? names : undefined;
      const input = { product, environments, version, to, reason, idempotencyKey };
      const client = clientOf(command);
      const style = styleOf(command);
      if (flags.plan) {
        const { plan } = await ask<{ plan: PlanShown }>(client, ROLLBACKS.plan, input);
        if (style.format === 'table') {
          const { targets } = plan;
          const rows =
            render(targets, style, { columns: TARGETS, name: nameOf }) + uncut(targets, style, nameOf, whyOf);
          const diffs = targets.flatMap(({ environment: name, changes }) => showChanges({ name, changes }));
          return print([rows, ...(flags.diff ? diffs : [])].join('\n\n'));
        }
        return print(render(plan, style, { columns: [], name: ({ version: { label } }) => `plan/${label}` }));
      }
      const rollback = await startRollback(client, input);
      if (flags.wait) return follow(command, rollback.uuid);
      print(showRollback(rollback, style));
      if (style.format === 'table') print(`\nFollow it with: sluice watch ${idOfRollback(rollback)}`);
    });

  addReports(shell);
}

const ROLLOUTS = ['succeeded', 'failed', 'rolled-back', 'unknown'];
interface DeploymentAnswer {
  accepted: boolean;
  application: { sync: { type: string } | null } | null;
}

interface HealthAnswer {
  accepted: boolean;
  application: { health: { type: string } } | null;
}

const HEALTH = ['healthy', 'progressing', 'degraded', 'unknown'];
const constant = (word: string): string => word.toUpperCase().replaceAll('-', '_');

function addReports({ program, clientOf, styleOf, print, follow, err }: Shell): void {
  const report = program
    .command('report')
    .description('tell Sluice what an outside system saw: rollout, health, deployment');
  const rollout = report
    .command('rollout')
    .description('tell how the rollout of a version went, also long after its release has ended')
    .argument('<product>', 'its name', bare('product'))
    .argument('<environment>', 'its name', bare('environment'))
    .addArgument(choiceArgument('<status>', 'how it went', ROLLOUTS))
    .option('--version <version>', 'by label or digest (default: what is live there)')
    .option(REASON, 'what went wrong')
    .option('--idempotency-key <key>', 'the same key again answers the same')
    .option('--wait', 'when it starts a rollback: show it and wait for its end')
    .addOption(timeoutOption())
    .action(async (product: string, environment: string, told: string, flags: Flags, command: Command) => {
      const { version, reason: message, idempotencyKey } = flags;
      const input = { product, environment, status: constant(told), version, message, idempotencyKey };
      const { outcome, rollback } = await reportRollout(clientOf(command), input);
      if (flags.wait && rollback) return follow(command, rollback.uuid);
      const style = styleOf(command);
      if (style.format === 'table') return print(rollback ? `${outcome}\n${showRollback(rollback, style)}` : outcome);
      print(render({ outcome, rollback }, style, { columns: [], name: () => rollback?.uuid ?? '' }));
    });
  formerly(rollout, '--message <text>', 'reason');
  report
    .command('health')
    .description('tell how an application is, for health sources of type `report`')
    .argument('<application>', 'its name: `sluice get applications` lists them', bare('application'))
    .addArgument(choiceArgument('<status>', 'how it is', HEALTH))
    .option(REASON, 'what was seen')
    .option('--at <when>', `when it was seen: ${UNTIL.split(',')[0]} (default: now)`, seenAt)
    .action(async (application: string, told: string, { reason: message, at }: Flags, command: Command) => {
      const status = constant(told);
      const input = { application, status, message, at };
      const { application: about, ...answer } = await ask<HealthAnswer>(clientOf(command), ROLLBACKS.health, input);
      const source = about?.health.type ?? 'REPORT';
      if (source !== 'REPORT') {
        err.write(
          `Warning: the health of ${application} comes from ${source}, and no report decides it: that takes health: { type: report }\n`,
        );
      }
      const style = styleOf(command);
      if (style.format !== 'table') return print(render(answer, style, { columns: [], name: () => application }));
      print(
        answer.accepted ? `${application} is ${status}` : `A newer report of ${application} is known: nothing changed`,
      );
    });
  report
    .command('deployment')
    .description('tell which version or commit the target of an application runs, for sync sources of type `report`')
    .argument('<application>', 'its name: `sluice get applications` lists them', bare('application'))
    .option('--version <version>', 'what people call the version; it or --commit is required')
    .option('--commit <commit>', 'the commit of its configuration: at least seven digits of it')
    .option('--at <when>', `when it was seen: ${UNTIL.split(',')[0]} (default: now)`, seenAt)
    .action(async (application: string, { version, commit, at }: Flags, command: Command) => {
      if (version === undefined && commit === undefined)
        command.error("error: required option '--version <version>' or '--commit <commit>' not specified");
      const input = { application, version, commit, at };
      const { application: about, ...answer } = await ask<DeploymentAnswer>(
        clientOf(command),
        ROLLBACKS.deployment,
        input,
      );
      const source = about?.sync?.type ?? 'NONE';
      if (source !== 'REPORT') {
        err.write(
          `Warning: whether the target of ${application} runs a change comes from ${source}, and no report decides it: that takes sync: { type: report }\n`,
        );
      }
      const style = styleOf(command);
      if (style.format !== 'table') return print(render(answer, style, { columns: [], name: () => application }));
      const runs = [version, commit && `commit ${commit}`].filter(Boolean).join(', ');
      print(
        answer.accepted ? `${application} runs ${runs}` : `A newer report of ${application} is known: nothing changed`,
      );
    });
}

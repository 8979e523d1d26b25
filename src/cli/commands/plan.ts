import type { Command } from 'commander';
import { inOrder } from '../../core/in-order.ts';
import { ask, ERRORS } from '../asking.ts';
import { now } from '../clock.ts';
import { bare } from '../options.ts';
import { render, type Style, table, uncut, when } from '../output.ts';
import type { Shell } from '../shell.ts';

/** What a release would do, before it is triggered. */

const WAIT = 'waitingFor { message who earliest }';

/** Of an application in a plan, as `showChanges` shows it. */
export const CHANGES = 'changes { applicationName more skipped reason files { path kind diff reason } }';

export const PLAN_DOCUMENTS = {
  plan: `query CliPlan($input: ReleaseTriggerInput!) {
    payload: releasePreview(input: $input) {
      preview {
        version { label digest } explanation ${WAIT} plan { flow flowRevision warnings steps { phase workflow } promotions { name group } }
        promotions {
          name environmentName action workflows windowNames earliestStart approval { expiry } ${WAIT}
          settings { setting workflow action origin policy policyRevision priority locked }
          ${CHANGES}
        }
      } ${ERRORS} } }`,
};

interface Wait {
  message: string;
  who: string | null;
  earliest: string | null;
}

export interface Change {
  applicationName: string;
  more: number;
  skipped: string[];
  reason: string | null;
  files: { path: string; kind: string; diff: string | null; reason: string | null }[];
}

interface Setting {
  setting: string;
  workflow: string | null;
  action: string | null;
  origin: string;
  policy: string | null;
  policyRevision: number | null;
  locked: boolean;
}

interface Promotion {
  name: string;
  settings: Setting[];
  action: string;
  workflows: string[];
  windowNames: string[];
  earliestStart: string | null;
  waitingFor: Wait[];
  changes: Change[];
}

interface Preview {
  version: { label: string };
  explanation: string[];
  waitingFor: Wait[];
  plan: {
    flow: string;
    flowRevision: number;
    warnings: string[];
    steps: { phase: string; workflow: string | null }[];
    promotions: { name: string; group: string | null }[];
  };
  promotions: Promotion[];
}

interface Flags {
  commit?: string;
  version?: string;
  flow?: string;
  from?: string;
  to?: string;
  diff: boolean;
}

/** `sluice plan`. */
export function addPlan({ program, clientOf, styleOf, print }: Shell): void {
  program
    .command('plan')
    .description(
      'show what a release would do, and write nothing: flow and why, what it waits for, the diff of every file',
    )
    .argument('<product>', 'its name', bare('product'))
    .option('--commit <id>', 'the commit of the trigger environment (default: the newest)')
    .option('--version <version>', 'the version, for applications without files')
    .option('--flow <name>', 'the flow (default: chosen by the rules)')
    .option('--from <environment>', 'with --to: what is in that environment, without a flow')
    .option('--to <environment>', 'with --from: the environment that gets it')
    .option('--no-diff', 'leave the diffs out')
    .action(async (product: string, { commit, version, flow, from, to, diff }: Flags, command: Command) => {
      const input = { product, commit, version, flow, from, to };
      const { preview } = await ask<{ preview: Preview }>(clientOf(command), PLAN_DOCUMENTS.plan, input);
      const style = styleOf(command);
      if (style.format !== 'table')
        return print(render(preview, style, { columns: [], name: ({ version: { label } }) => `plan/${label}` }));
      print(showPlan(product, preview, diff, style));
    });
}

/** `ON_START tell`: each of its actions is a step. */
const hookOf = ({ phase, workflow }: Preview['plan']['steps'][number]): string => `${phase} ${workflow}`;

function showPlan(product: string, preview: Preview, withDiffs: boolean, style: Style): string {
  const { version, plan, explanation, waitingFor } = preview;
  const groups = new Map(plan.promotions.map(({ name, group }) => [name, group]));
  const promotions = inOrder(preview.promotions.map((each) => ({ ...each, group: groups.get(each.name) })));
  const head = [
    // Without a flow there is no revision of one.
    plan.flowRevision === 0
      ? `${product} ${version.label} would go from ${plan.flow}:`
      : `${product} ${version.label} would travel ${plan.flow}, revision ${plan.flowRevision}:`,
    ...explanation.map((each) => `  ${each}`),
    ...(plan.steps.length > 0 ? [`Hooks: ${[...new Set(plan.steps.map(hookOf))].join(', ')}`] : []),
    ...waitingFor.map(({ message }) => `It would wait: ${message}`),
    ...plan.warnings.map((each) => `Warning: ${each}`),
  ].join('\n');
  const rows = table(
    promotions,
    [
      ['ENVIRONMENT', ({ name }) => name],
      ['HOW', ({ action }) => action],
      ['WORKFLOWS', ({ workflows }) => workflows.join(', ')],
      ['WINDOWS', ({ windowNames }) => windowNames.join(', ')],
      ['STARTS', ({ earliestStart }) => startOf(earliestStart)],
      ['WAITS', waitOf],
    ],
    style.width,
  );
  const diffs = withDiffs ? promotions.flatMap(showChanges) : [];
  const settings = settingsOf(promotions, style);
  const all = [head, rows + uncut(promotions, style, ({ name }) => name, waitOf), ...settings, ...diffs];
  return all.join('\n\n');
}

/** What policies or the flow say; where neither does there is nothing to explain. */
function settingsOf(promotions: Promotion[], style: Style): string[] {
  const all = promotions.flatMap(({ name, settings }) => settings.map((each) => ({ ...each, environment: name })));
  const said = all.filter(({ origin }) => origin !== 'DEFAULT');
  if (said.length === 0) return [];
  return [
    table(
      said,
      [
        ['ENVIRONMENT', ({ environment }) => environment],
        ['SETTING', ({ setting }) => setting],
        ['VALUE', ({ workflow, action }) => workflow ?? action],
        ['SAID BY', originOf],
      ],
      style.width,
    ),
  ];
}

function originOf({ origin, policy, policyRevision, locked }: Setting): string {
  if (policy === null) return origin === 'FLOW' ? 'the flow' : 'nobody';
  return `policy ${policy}, revision ${policyRevision}${locked ? ', locked' : ''}`;
}

/** Its row says already which environment it is. */
const waitOf = ({ name, waitingFor }: Promotion): string =>
  waitingFor
    .map(({ message }) => (message.startsWith(`${name}: `) ? message.slice(name.length + 2) : message))
    .join('; ');

function startOf(at: string | null): string {
  if (at === null) return 'not known';
  return Date.parse(at) - now() < 60_000 ? 'at once' : when(at);
}

/** A chapter for each application: what would become of its files. */
export function showChanges({ name, changes }: { name: string; changes: Change[] }): string[] {
  return changes.map(({ applicationName, files, more, skipped, reason }) => {
    const lines = files.map((each) => each.diff?.trimEnd() ?? `${each.path}: ${each.reason}`);
    const rest = [...(more > 0 ? [`and ${more} more files`] : []), ...skipped.map((each) => `left out: ${each}`)];
    const said = reason ?? (files.length === 0 ? 'nothing would change' : `${files.length + more} files would change`);
    return [`${name}, ${applicationName}: ${said}`, ...lines, ...rest].join('\n');
  });
}

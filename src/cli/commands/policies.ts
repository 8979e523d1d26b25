import type { Command } from 'commander';
import { bare } from '../options.ts';
import { render, type View } from '../output.ts';
import type { Shell } from '../shell.ts';

export const POLICY_DOCUMENTS = {
  explain: `query CliEvaluatePolicy($product: String!, $environment: String!, $flow: String) {
    evaluated: evaluatePolicy(product: $product, environment: $environment, flow: $flow) {
      settings { setting workflow action origin policy policyRevision priority locked }
      policies { name priority revision }
      findings { kind refuses setting message } } }`,
};

interface Setting {
  setting: string;
  workflow: string | null;
  action: string | null;
  origin: string;
  policy: string | null;
  priority: number | null;
  locked: boolean;
}

interface Evaluated {
  settings: Setting[];
  policies: { name: string }[];
  findings: { kind: string; message: string }[];
}

const SETTINGS: View<Setting> = {
  columns: [
    ['SETTING', ({ setting }) => setting],
    ['VALUE', ({ workflow, action }) => workflow ?? action],
    ['FROM', ({ origin, policy }) => (policy === null ? origin : `policy ${policy}`)],
    ['PRIORITY', ({ priority }) => (priority === null ? null : String(priority))],
    ['', ({ locked }) => (locked ? 'locked' : ' ')],
  ],
  name: ({ setting }) => `setting/${setting}`,
};

/** `sluice policy …` */
export function addPolicies({ program, clientOf, styleOf, print }: Shell): void {
  const policy = program.command('policy').description('what promotion policies come to: explain');
  policy
    .command('explain')
    .description('what is done in an environment of a product, and which policy or flow says so')
    .argument('<product>', 'its name', bare('product'))
    .argument('<environment>', 'its name', bare('environment'))
    .option('--flow <name>', 'what its step says goes first; policies alone when left out')
    .action(async (product: string, environment: string, flags: { flow?: string }, command: Command) => {
      const asked = { product, environment, ...flags };
      const { evaluated } = await clientOf(command).ask<{ evaluated: Evaluated }>(POLICY_DOCUMENTS.explain, asked);
      const style = styleOf(command);
      const { settings, findings } = evaluated;
      if (style.format === 'json' || style.format === 'yaml')
        return print(render(evaluated, style, { columns: [], name: () => '' }));
      const said =
        style.format === 'name' ? '' : findings.map(({ kind, message }) => `\n\n${kind}: ${message}`).join('');
      print(render(settings, style, SETTINGS) + said);
    });
}

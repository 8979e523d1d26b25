import type { Definition, PromotionFlowSpec } from '../definitions.ts';
import { forgeFor } from '../forges.ts';
import type { ForgeUse } from '../forges.ts';
import { refusal } from '../problems.ts';
import type { Refusal } from '../problems.ts';
import { quote } from '../wording.ts';
import type { Members } from './graph.ts';

/** The environments into which a flow promotes by pull request. */
export function environmentsByPullRequest({ steps }: PromotionFlowSpec, groups: Members): Set<string> {
  const named = steps.flatMap(({ policy, environment, group }) => {
    if (policy?.action !== 'pr') return [];
    return environment !== undefined ? [environment] : [...(groups.get(group ?? '') ?? [])];
  });
  return new Set(named);
}

/** These applications are to be changed by pull request: each must be in a git repository whose host Sluice has a secret for. */
export function checkProposals(
  applications: readonly Definition<'Application'>[],
  secrets: readonly { name: string; use: ForgeUse }[],
): Refusal[] {
  return applications.flatMap(({ metadata: { name }, spec: { driver, environment } }) => {
    const what = `application ${quote(name)} in ${quote(environment)} is promoted by pull request`;
    if (driver.type !== 'git')
      return [
        refusal('INVALID', `${what}, and it is changed by ${driver.type}: use action commit`, ['applications', name]),
      ];
    const found = forgeFor(driver.repoURL, secrets);
    return 'why' in found ? [refusal('INVALID', `${what}: ${found.why}`, ['applications', name])] : [];
  });
}

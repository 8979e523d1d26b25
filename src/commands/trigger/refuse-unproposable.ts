import { checkProposals } from '../../core/flow/check-proposals.ts';
import type { ReleasePlan } from '../../core/plan.ts';
import { distinct, RefusedError } from '../../core/problems.ts';
import type { Parts } from '../../parts.ts';
import { forgeUses } from '../../store/secrets.ts';

/**
 * Where a policy brought the pull request, its applications have not been looked at when the flow was saved: each must be in a git
 * repository whose host Sluice has a secret for.
 * @throws RefusedError
 */
export async function refuseUnproposable({ dataSource }: Parts, { promotions }: ReleasePlan): Promise<void> {
  const applications = promotions.flatMap(({ pullRequest, policy, applications: all }) =>
    pullRequest && policy?.action?.from.by === 'POLICY' ? all : [],
  );
  if (applications.length === 0) return;
  const forges = await forgeUses(dataSource);
  const refusals = checkProposals(
    applications.map(({ name, spec }) => ({
      kind: 'Application',
      metadata: { name, labels: {}, annotations: {} },
      spec,
    })),
    forges,
  );
  if (refusals.length > 0) throw new RefusedError(distinct(refusals));
}

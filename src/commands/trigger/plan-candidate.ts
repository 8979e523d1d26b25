import type { StoredDefinition } from '../../core/definitions.ts';
import { lateWarnings } from '../../core/late.ts';
import { planRelease } from '../../core/planner.ts';
import type { ReleasePlan } from '../../core/plan.ts';
import { refusal, RefusedError } from '../../core/problems.ts';
import { wrongLabel } from '../../core/printable.ts';
import type { Candidate } from '../../core/trigger/candidate.ts';
import type { DefinitionSnapshot } from '../../store/definition-snapshot.ts';

/** Everything that a release would freeze, read from the definitions as they are now. */
export interface PlannedCandidate {
  candidate: Candidate;
  product: StoredDefinition<'Product'>;
  plan: ReleasePlan;
}

/**
 * The part of Planned that needs no content: what could never be planned is refused before any source is read.
 * @throws RefusedError
 */
export function planCandidate(
  definitions: DefinitionSnapshot,
  candidate: Candidate,
  { now, rollbackFloor }: { now: number; rollbackFloor?: string },
): PlannedCandidate {
  const product = definitions.products.get(candidate.product)!;
  const flow = definitions.flows.find((each) => each.metadata.name === candidate.flow)!;
  const { refusals, warnings } = definitions.check(flow);
  if (refusals.length > 0) throw new RefusedError(refusals.map((each) => ({ ...each, path: ['flow', ...each.path] })));
  const { environments, groups, workflows } = definitions;
  const planned = planRelease({
    product: product.metadata,
    flow: { metadata: flow.metadata, spec: flow.spec, revision: flow.revision },
    environments,
    groups,
    workflows,
    applications: definitions.applicationsOf(candidate.product),
    warnings,
  });
  if ('refusals' in planned) throw new RefusedError(planned.refusals);
  const { plan } = planned;
  plan.warnings.push(...lateWarnings(plan, (each) => definitions.windowsFor(candidate.product, each), now));
  if (rollbackFloor === undefined) return { candidate, product, plan };
  const wrong = wrongLabel(rollbackFloor);
  if (wrong) {
    const message = `the rollback floor ${wrong}: name a version by its label or digest`;
    throw new RefusedError([refusal('INVALID', message, ['rollbackFloor'])]);
  }
  return { candidate, product, plan: { ...plan, rollbackFloor } };
}

import type { StoredDefinition } from '../../core/definitions.ts';
import { lateWarnings } from '../../core/late.ts';
import type { ReleasePlan } from '../../core/plan.ts';
import { refusal, RefusedError } from '../../core/problems.ts';
import { wrongLabel } from '../../core/printable.ts';
import { flowBetween } from '../../core/trigger/between.ts';
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
  const flow = candidate.between
    ? flowBetween(candidate.between)
    : definitions.flows.find((each) => each.metadata.name === candidate.flow)!;
  const { refusals } = definitions.check(flow);
  if (refusals.length > 0) throw new RefusedError(refusals.map((each) => ({ ...each, path: ['flow', ...each.path] })));
  const planned = definitions.plan(product, flow);
  if ('refusals' in planned) throw new RefusedError(planned.refusals);
  const late = lateWarnings(planned.plan, (each) => definitions.windowsFor(candidate.product, each), now);
  const plan = { ...planned.plan, warnings: [...planned.plan.warnings, ...late] };
  if (rollbackFloor === undefined) return { candidate, product, plan };
  const wrong = wrongLabel(rollbackFloor);
  if (wrong) {
    const message = `the rollback floor ${wrong}: name a version by its label or digest`;
    throw new RefusedError([refusal('INVALID', message, ['rollbackFloor'])]);
  }
  return { candidate, product, plan: { ...plan, rollbackFloor } };
}

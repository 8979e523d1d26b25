import type { AnyDefinition, Definition, Kind, PromotionFlowSpec, Specs } from './definitions.ts';
import { metadata } from './kinds/common.ts';
import { SPECS } from './kinds/index.ts';
import type { Refusal } from './problems.ts';
import { Checks, LIMITS } from './validate/rules.ts';
import { checkShape } from './validate/shape.ts';
import { checkWindow } from './validate/window.ts';
import { checkWorkflow } from './validate/workflow.ts';

/** Rules that need more than one field of a spec. */
const RULES: { [K in Kind]?: (checks: Checks, spec: Specs[K]) => void } = {
  PromotionWorkflow: checkWorkflow,
  PromotionFlow: checkFlowSize,
  ReleaseWindow: checkWindow,
};

/**
 * What is wrong with a definition by itself: names, labels, ranges, shapes of addresses, sizes. Paths begin with
 * `metadata` or `spec`. Whether what a flow names exists, and whether its graph is sound, is `checkFlow`.
 *
 * The type says what the fields are; who reads from outside (manifests, the API) has already refused other shapes.
 */
export function checkDefinition({ kind, metadata: head, spec }: AnyDefinition | Definition): Refusal[] {
  const checks = new Checks();
  checkShape(checks, metadata, head, ['metadata']);
  checkShape(checks, SPECS[kind], spec, ['spec']);
  RULES[kind]?.(checks, spec as never);
  return checks.all();
}

function checkFlowSize(checks: Checks, { steps }: PromotionFlowSpec): void {
  const dependencies = steps.reduce((sum, step) => sum + (step.dependsOn?.length ?? 0), 0);
  if (dependencies <= LIMITS.dependencies) return;
  checks.invalid(
    `the flow has ${dependencies} dependencies; at most ${LIMITS.dependencies} are possible. ` +
      'Depend on a group instead of on each of its environments',
    ['spec', 'steps'],
  );
}

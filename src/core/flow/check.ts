import type { PromotionFlowSpec } from '../definitions.ts';
import { promotionFlow } from '../kinds/promotion-flow.ts';
import type { Path } from '../kinds/walk.ts';
import type { Refusal } from '../problems.ts';
import { Checks } from '../validate/rules.ts';
import { checkShape } from '../validate/shape.ts';
import { quote } from '../wording.ts';
import { checkDependencies } from './check-dependencies.ts';
import { checkRollbackPolicies } from './check-rollback.ts';
import { checkStep } from './check-step.ts';
import { checkNames, type Checking, type Known } from './checking.ts';
import { indexFlow, stepName } from './graph.ts';

/** What is accepted but will not do what one may expect: a plain sentence, and the place in the flow, which begins with `spec`. */
export interface FlowWarning {
  message: string;
  path: Path;
}

/** What is wrong with a flow, and what is doubtful. */
export interface FlowCheck {
  refusals: Refusal[];
  warnings: FlowWarning[];
}

/** Warnings without their places, each sentence once. */
export const sentencesOf = (warnings: readonly FlowWarning[]): string[] => [
  ...new Set(warnings.map(({ message }) => message)),
];

/**
 * Everything that is wrong with a flow, at its exact place (paths begin with `spec`). A flow with no refusals can be
 * released: it has a target, every step can be reached from the trigger, nothing is promoted twice. `RELEASED`: what a rollback
 * policy names may have left a group since the flow was saved; that is a warning then, and keeps no release from going out.
 */
export function checkFlow(spec: PromotionFlowSpec, known: Known, when: 'SAVED' | 'RELEASED' = 'SAVED'): FlowCheck {
  const checking: Checking = { spec, known, when, refusals: new Checks(), warnings: [] };
  const { refusals, warnings } = checking;
  checkNames(checking);
  // Each step is looked at by itself, however many there are.
  checkShape(refusals, promotionFlow, { ...spec, steps: undefined }, ['spec']);
  if (spec.steps.length === 0) {
    refusals.add(
      'INVALID',
      `the flow has no target: add a step that promotes an environment after ${quote(spec.triggerEnvironment)}`,
      ['spec', 'steps'],
    );
  }
  spec.steps.forEach((step, i) => checkStep(checking, step, i));
  checkRollbackPolicies(checking);
  checkDuplicates(checking);
  checkDependencies(checking, indexFlow(spec, known.groups));
  return { refusals: refusals.all(), warnings };
}

/** Each environment once, however it comes in, and each name for one thing only. */
function checkDuplicates({ spec, known, refusals }: Checking): void {
  const cameBy = new Map([[spec.triggerEnvironment, 'the trigger environment']]);
  const stepNames = new Map([[spec.triggerEnvironment, 'the trigger environment']]);
  spec.steps.forEach((step, i) => {
    const path = ['spec', 'steps', i];
    const own = step.environment !== undefined ? 'environment' : step.group !== undefined ? 'group' : 'name';
    const by = own === 'name' ? `step ${i + 1}` : `step ${i + 1} (${own} ${quote(stepName(step))})`;
    let repeated = false;
    if (step.environment !== undefined) {
      const earlier = cameBy.get(step.environment);
      if (earlier) {
        repeated = true;
        refusals.add(
          'DUPLICATE',
          `environment ${quote(step.environment)} is in the flow twice: by ${earlier} and by ${by}; keep one of them`,
          [...path, 'environment'],
        );
      } else cameBy.set(step.environment, by);
    } else if (step.group !== undefined) {
      const twice = (known.groups.get(step.group) ?? []).filter((member) => cameBy.has(member));
      for (const member of twice.slice(0, 3)) {
        refusals.add(
          'DUPLICATE',
          `environment ${quote(member)} is in the flow twice: by ${cameBy.get(member)} and by ${by}; ` +
            `take it out of one of them`,
          [...path, 'group'],
        );
      }
      repeated = twice.length > 0;
      for (const member of known.groups.get(step.group) ?? []) {
        if (!cameBy.has(member)) cameBy.set(member, by);
      }
    }
    const name = stepName(step);
    const namesake = stepNames.get(name);
    // One mistake, one message: an environment that comes twice has the name twice, too.
    if (name !== '' && namesake && !repeated) {
      refusals.add(
        'DUPLICATE',
        `the name ${quote(name)} stands for ${namesake} and for ${by}; dependsOn could mean either`,
        [...path, own],
      );
    }
    if (!namesake) stepNames.set(name, by);
  });
  spec.steps.forEach((step, i) => {
    const name = stepName(step);
    const member = cameBy.get(name);
    if (step.environment !== undefined || !member || stepNames.get(name) === member) return;
    refusals.add(
      'DUPLICATE',
      `the name ${quote(name)} stands for this step and for the environment in ${member}; dependsOn could mean either`,
      ['spec', 'steps', i, step.group === undefined ? 'name' : 'group'],
    );
  });
}

import type { PlannedPromotion, PlannedStep } from '../core/plan.ts';
import type { PromotionState } from '../core/release.ts';
import type { FrozenRelease } from '../store/load-releases.ts';

/**
 * What a workflow's action may refer to as `${NAME}`: the names that users of Codefresh promotions know, and the outputs of
 * every step that it comes after; a later value wins.
 */
export function stepParameters(
  release: FrozenRelease,
  promoted: PlannedPromotion,
  planned: PlannedStep,
  state: PromotionState,
): Record<string, string> {
  const parameters: Record<string, string> = {
    RELEASE_ID: release.id,
    PRODUCT_NAME: release.product,
    PROMOTION_FLOW_NAME: release.plan.flow.name,
    VERSION: release.version,
    ENVIRONMENT: promoted.name,
  };
  const application = planned.application === null ? undefined : promoted.applications[planned.application];
  if (application) {
    const { driver, namespace, runtime } = application.spec;
    parameters['APP_NAME'] = application.name;
    parameters['APP_NAMESPACE'] = namespace ?? '';
    parameters['RUNTIME'] = runtime ?? '';
    parameters['REPO_URL'] = driver.type === 'git' ? driver.repoURL : '';
    parameters['BRANCH'] = driver.type === 'git' ? driver.branch : '';
    parameters['PATH'] = driver.type === 'git' ? driver.path : '';
  }
  promoted.steps.forEach((step, index) => {
    if (step.application === planned.application) Object.assign(parameters, state.steps[index]?.outputs);
  });
  return parameters;
}

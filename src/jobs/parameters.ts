import { failuresOf } from '../core/failures.ts';
import { aboutOf } from '../core/own-steps.ts';
import { isHook } from '../core/plan.ts';
import { outputsBefore } from '../core/outputs.ts';
import type { PlannedApplication, PlannedPromotion, PlannedStep } from '../core/plan.ts';
import type { PromotionState, ReleaseState } from '../core/release.ts';
import type { FrozenRelease } from '../store/load-releases.ts';

/** A step of a workflow, with all that its parameters come from. */
export interface ParametersFrom {
  release: FrozenRelease;
  state: ReleaseState;
  promoted: PlannedPromotion;
  /** Its position in the plan. */
  position: number;
  promotionState: PromotionState;
  planned: PlannedStep;
  application: PlannedApplication | undefined;
  /** Where people look at the release. */
  link: string;
}

/**
 * What a workflow's action may refer to as `${NAME}`: what hooks have handed on (hooks alone), what steps of the flow without an
 * environment have left, the names that users of Codefresh promotions know, and the outputs of every step of the promotion that it
 * comes after; a later value wins.
 */
export function stepParameters(from: ParametersFrom): Record<string, string> {
  const { release, state, promoted, promotionState, position, planned, application, link } = from;
  const parameters: Record<string, string> = {
    ...(isHook(planned) && state.context),
    ...outputsBefore(release.plan, state, position),
    RELEASE_ID: release.id,
    RELEASE_URL: link,
    PRODUCT_NAME: release.product,
    PROMOTION_FLOW_NAME: release.plan.flow.name,
    VERSION: release.version,
  };
  const about = aboutOf(release.plan, promoted);
  if (about !== null) parameters['ENVIRONMENT'] = about;
  if (isHook(planned)) Object.assign(parameters, hookParameters(from));
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
    if (step.application === null || step.application === planned.application)
      Object.assign(parameters, promotionState.steps[index]?.outputs);
  });
  return parameters;
}

function hookParameters({ release, state, promoted, planned }: ParametersFrom): Record<string, string> {
  const commit = Object.values(release.contents).find((each) => each.commit !== undefined)?.commit;
  const parameters = { COMMIT_SHA: commit ?? '' };
  if (planned.phase !== 'ON_FAIL') return parameters;
  const { message, environments } = failuresOf(release.plan, state, promoted.of);
  return { ...parameters, ERROR_MESSAGE: message, FAILED_ENVIRONMENTS: JSON.stringify(environments) };
}

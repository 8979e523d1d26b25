import { application } from './application.ts';
import { environment, environmentGroup } from './environment.ts';
import { gitSource } from './git-source.ts';
import type { Kind } from './names.ts';
import { product, promotionTemplate } from './product.ts';
import { promotionFlow } from './promotion-flow.ts';
import { promotionPolicy } from './promotion-policy.ts';
import { promotionWorkflow } from './promotion-workflow.ts';
import { releaseWindow } from './release-window.ts';
import type { Infer, ObjectShape } from './shape.ts';

export { KINDS, type Kind } from './names.ts';

/** The spec of each kind of definition. */
export const SPECS = {
  Environment: environment,
  EnvironmentGroup: environmentGroup,
  PromotionTemplate: promotionTemplate,
  PromotionWorkflow: promotionWorkflow,
  PromotionPolicy: promotionPolicy,
  PromotionFlow: promotionFlow,
  Product: product,
  Application: application,
  ReleaseWindow: releaseWindow,
  GitSource: gitSource,
} satisfies Record<Kind, ObjectShape>;

export type Specs = { [K in Kind]: Infer<(typeof SPECS)[K]> };

/** What the API's enum of kinds says of each. */
export const ABOUT: Record<Kind, string> = {
  Product: 'What is released.',
  Application: "A product's deployable in one environment.",
  Environment: 'A place to deploy to.',
  EnvironmentGroup: 'A named set of environments with a gate.',
  PromotionFlow: 'The way of a version through the environments.',
  PromotionWorkflow: 'Named actions that run before, after or around a change.',
  PromotionPolicy: 'What is done before, for and after a change, by product and environment.',
  PromotionTemplate: 'Which files and values of an application are promoted.',
  ReleaseWindow: 'When promotion into environments is allowed or denied.',
  GitSource: 'A folder of a git repository whose manifests are applied.',
};

/** As sentences and the API call it: `a release window`, `releaseWindowCreate`. */
export const nounOf = (kind: Kind): string => kind.replace(/(?<=.)[A-Z]/g, (letter) => ` ${letter}`).toLowerCase();
/** `releaseWindow` → `releaseWindows`, `promotionPolicy` → `promotionPolicies`. */
export const manyOf = (one: string): string => (one.endsWith('y') ? `${one.slice(0, -1)}ies` : `${one}s`);
export const fieldOf = (kind: Kind): string => kind.charAt(0).toLowerCase() + kind.slice(1);

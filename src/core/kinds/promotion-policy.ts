import {
  description,
  DESCRIPTION,
  environmentSelector,
  promotionAction,
  pullRequest,
  selector,
  workflow,
} from './common.ts';
import { defaulted, integer, list, object, optional, required, text, words } from './shape.ts';

const tags = list(text({ rule: 'labelKey' }), 'tags');

/** All that is given must agree; what is left out matches everything. */
const policySelector = object(
  'PolicySelector',
  'What a policy is for; everything in it must agree, an empty one takes all.',
  {
    product: defaulted(selector, {}, 'The products that it is for.', { leftOut: 'All' }),
    targetEnvironment: defaulted(environmentSelector, {}, 'The environments that it is for.', { leftOut: 'All' }),
    productTags: optional(tags, 'Keys of labels; the product has one of them, whatever its value.'),
    targetEnvironmentTags: optional(tags, 'Keys of labels; the environment has one of them, whatever its value.'),
  },
);

export const policySetting = words('PolicySetting', 'What a promotion policy can set.', {
  preAction: 'The workflow before the change.',
  action: 'The change itself.',
  postAction: 'The workflow after the change.',
  pullRequest: 'How the change is proposed.',
});

/** What an environment gets from policies and from the flow, setting by setting. */
const policySettings = object('PromotionPolicySettings', 'What a policy sets; what is left out comes from others.', {
  preAction: optional(workflow, 'The workflow before the change.'),
  action: optional(promotionAction, 'The change itself.'),
  postAction: optional(
    workflow,
    'The workflow after the change. In the trigger environment it runs once the change is healthy; of a policy nothing else counts there.',
  ),
  pullRequest: optional(pullRequest, 'How the change is proposed, as a whole; for action PR.'),
});

export const promotionPolicy = object(
  'PromotionPolicy',
  'Settings for products and environments, merged one by one: a step of the flow goes first, then the policy with the smallest priority.',
  {
    description: optional(description, DESCRIPTION),
    // Any whole number that GraphQL knows: published policies have negative ones.
    priority: required(
      integer(-2_147_483_648, 2_147_483_647),
      'Of several that set the same, the smallest number wins; of equal ones the first by name, with a warning.',
    ),
    selector: defaulted(policySelector, { product: {}, targetEnvironment: {} }, 'What it is for.', {
      leftOut: 'Everything',
    }),
    policy: required(policySettings, 'What it sets.'),
    locked: defaulted(
      list(policySetting, 'settings', { most: 4 }),
      [],
      'Which of its settings hold whatever the flow and other policies say: an action can only become stricter, from COMMIT to PR; ' +
        'workflows run as well as the others.',
    ),
  },
);

import { approval } from './approval.ts';
import { DAY, description, DESCRIPTION, gatePolicy, hooks, inlinePolicy, selector } from './common.ts';
import { rollbackPolicy } from './rollback-policy.ts';
import { defaulted, duration, integer, list, object, optional, ref, required, text, words } from './shape.ts';
import { trigger } from './trigger.ts';

const dependsOnPolicy = object('DependsOnPolicy', 'How many of its dependencies a step needs.', {
  policy: required(gatePolicy, 'How many.'),
  count: optional(integer(1, 20_000), 'For AT_LEAST: the number.'),
});

/** Promotes exactly one of: an environment, a group, or runs a named workflow without an environment. */
export const flowStep = object(
  'PromotionFlowStep',
  {
    type: 'A step of a flow: promotes one environment, one group, or runs a workflow.',
    input: 'A step of a flow: exactly one of environment, group and workflow.',
  },
  {
    environment: optional(ref('Environment'), 'The environment that it promotes.'),
    group: optional(ref('EnvironmentGroup'), 'The group that it promotes.'),
    workflow: optional(ref('PromotionWorkflow'), 'The workflow that it runs, without an environment.'),
    name: optional(
      text(),
      "What dependsOn calls it: needed for a workflow step, elsewhere it is the environment's or group's name.",
    ),
    // A step without it is refused by checkFlow, which can say which name to write.
    dependsOn: defaulted(
      list(text({ inFlow: 'STEP' }), 'dependencies', { most: Infinity }),
      [],
      'Names of environments, groups or named steps that must have succeeded before.',
      { graphqlDefault: true },
    ),
    dependsOnPolicy: optional(dependsOnPolicy, 'How many of them; ALL when left out.'),
    policy: optional(inlinePolicy, 'What is done there.'),
    hooks: optional(hooks, 'Workflows around it.'),
    soak: optional(duration(0), 'How long the environment must stay healthy before the promotion counts.'),
    timeout: optional(duration(1), 'How long the promotion may take.'),
    approval: optional(
      approval,
      'Who must agree before it starts; no approval is needed when left out. Each member of a group asks for itself.',
    ),
  },
);

export const onFailure = words('OnFailure', 'What a release does when a promotion fails.', {
  FINISH_RUNNING: 'What runs finishes, nothing new starts.',
  CONTINUE: 'Branches that do not depend on the failed promotion go on.',
  STOP: 'What runs is terminated.',
});

export const promotionFlow = object(
  'PromotionFlow',
  'The way of a version: one trigger environment, then steps that depend on each other.',
  {
    description: optional(description, DESCRIPTION),
    version: optional(
      text({ most: 100, called: 'the version' }),
      'A version of the flow, for people; `revision` is what counts.',
    ),
    triggerEnvironment: required(ref('Environment'), 'The environment where a change arrives; the flow begins there.'),
    triggerWorkflow: optional(
      ref('PromotionWorkflow'),
      'Runs once the change is healthy in the trigger environment, before any other step.',
    ),
    trigger: optional(trigger, 'When a change in the trigger environment makes a release of it by itself.'),
    productSelector: optional(
      selector,
      'The products that it is for, where a product names no flow itself; an empty one takes all, none takes none.',
    ),
    steps: required(list(flowStep, 'steps'), 'The steps after the trigger environment.'),
    hooks: optional(hooks, 'Workflows around a release.'),
    timeout: optional(
      duration(1),
      'How long a whole release may move; 24 hours when left out. Its turn, windows, holds, people and reports from outside do not count.',
      { meant: DAY },
    ),
    maxAge: optional(
      duration(1),
      'How old a release may get, whatever it waits for; 30 days (`720h`) when left out. A retry counts anew.',
      { meant: 30 * DAY },
    ),
    onFailure: defaulted(onFailure, 'FINISH_RUNNING', 'What a release does when a promotion fails.'),
    rollbackPolicies: optional(
      list(rollbackPolicy, 'rollback policies', { most: 50 }),
      'What goes back when an environment fails or is taken back: the first policy that fits. Without one nothing goes back by itself.',
    ),
  },
);

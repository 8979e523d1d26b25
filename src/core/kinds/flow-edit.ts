import { hooks, inlinePolicy } from './common.ts';
import { flowStep, promotionFlow } from './promotion-flow.ts';
import { changes, choice, defaulted, list, object, optional, required, text, words, type Infer } from './shape.ts';

/** How many edits are made at once. */
export const MOST_EDITS = 100;

const step = text({ inFlow: 'STEP' });
const names = list(step, 'names');

const hookChanges = changes(
  'PromotionHooksChanges',
  'Other workflows around a release or an environment.',
  hooks.fields,
);
const policyChanges = changes(
  'InlinePromotionPolicyChanges',
  'Changes of what is done in an environment.',
  inlinePolicy.fields,
);

/** All fields of an object but these. */
function without<F extends object, K extends keyof F>(fields: F, ...keys: K[]): Omit<F, K> {
  const left = Object.entries(fields).filter(([key]) => !keys.includes(key as K));
  return Object.fromEntries(left) as Omit<F, K>;
}

/** A field that a step gets can be changed by itself: what it promotes and what it waits for have edits of their own. */
export const stepChanges = changes(
  'PromotionFlowStepChanges',
  'Settings of a step: what is given replaces what is there, null removes it, what is left out stays.',
  {
    ...without(flowStep.fields, 'environment', 'group', 'name', 'dependsOn', 'policy', 'hooks'),
    policy: optional(policyChanges, 'What is done there, setting by setting.'),
    hooks: optional(hookChanges, 'Workflows around it, one by one.'),
  },
);

/** The same for the flow itself. */
export const flowChanges = changes(
  'PromotionFlowChanges',
  'Settings of a flow: what is given replaces what is there, null removes it, what is left out stays.',
  {
    ...without(promotionFlow.fields, 'triggerEnvironment', 'steps', 'hooks'),
    hooks: optional(hookChanges, 'Workflows around a release, one by one.'),
  },
);

const dependents = words(
  'PromotionFlowDependents',
  'What becomes of the steps that depend on a step that is removed.',
  {
    RECONNECT: 'They depend on what it depended on.',
    REMOVE: 'They are removed with it, and so is everything that comes after them.',
  },
);

/** One change of a flow. The places in refusals of an edit are those of these fields. */
export const flowEdit = choice({
  name: 'PromotionFlowEdit',
  about: 'One change of a flow.',
  aboutInput: 'One change of a flow: exactly one of these.',
  aboutType: 'Which change it is.',
  enum: { name: 'PromotionFlowEditType', about: 'What can be changed in a flow.' },
  choices: {
    addSteps: {
      about: 'Adds steps, side by side.',
      shape: object('PromotionFlowAddSteps', 'Steps to add to a flow, side by side.', {
        steps: required(list(flowStep, 'steps'), 'The steps. What one names in `dependsOn` comes on top of `after`.'),
        after: defaulted(
          names,
          [],
          'What each of them comes after: the trigger environment, environments, groups or named steps. When it is left out, they come after what the steps in `before` depend on.',
          { leftOut: '' },
        ),
        before: defaulted(
          names,
          [],
          'Steps that come after each of them from now on, and no longer directly after `after`.',
          {
            leftOut: '',
          },
        ),
      }),
    },
    removeStep: {
      about: 'Removes a step.',
      shape: object(
        'PromotionFlowRemoveStep',
        'A step to remove from a flow, and what becomes of those that depend on it.',
        {
          step: required(step, 'The environment, group or named step to remove.'),
          dependents: optional(
            dependents,
            'What becomes of the steps that depend on it. It has to be said, or `reconnectTo`, when there are any.',
          ),
          reconnectTo: defaulted(
            names,
            [],
            'What they depend on instead: something that comes before it. What it depended on itself when left out.',
            { leftOut: '' },
          ),
        },
      ),
    },
    setDependencies: {
      about: 'Says what a step depends on.',
      shape: object('PromotionFlowSetDependencies', 'What a step of a flow depends on.', {
        step: required(step, 'The environment, group or named step.'),
        dependsOn: required(
          names,
          'All that it depends on: the trigger environment, environments, groups or named steps.',
        ),
      }),
    },
    renameStep: {
      about:
        'Gives a step another name, or another environment or group; everything in the flow that names it follows.',
      shape: object('PromotionFlowRenameStep', 'Another name for a step of a flow.', {
        step: required(step, 'The trigger environment, an environment, a group or a named step.'),
        to: required(
          text(),
          'The new name. The step of an environment or a group promotes the environment or group of that name.',
        ),
      }),
    },
    changeStep: {
      about: 'Changes settings of a step.',
      shape: object('PromotionFlowChangeStep', 'Other settings for a step of a flow.', {
        step: required(step, 'The environment, group or named step.'),
        settings: required(stepChanges, 'The changes.'),
      }),
    },
    changeFlow: {
      about: 'Changes settings of the flow.',
      shape: object('PromotionFlowChangeFlow', 'Other settings for a flow.', {
        settings: required(flowChanges, 'The changes.'),
      }),
    },
  },
});

/** All edits of one request, in their order. */
export const flowEdits = list(flowEdit, 'edits', { most: MOST_EDITS });

export type FlowEdit = Infer<typeof flowEdit>;

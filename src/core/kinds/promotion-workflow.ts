import { ACTIONS } from './actions.ts';
import type { ActionType } from './actions.ts';
import { description, DESCRIPTION } from './common.ts';
import { defaulted, duration, integer, json, list, name, object, optional, required, text, words } from './shape.ts';

const short = { short: true };

export const retry = object('RetryRule', 'How a failed step is tried again by itself.', {
  limit: defaulted(integer(0, 100), 5, 'How many times after the first try.', { graphqlDefault: true }),
  backoff: defaulted(duration(0, short), 500, 'The first pause; it is doubled each time.', { graphqlDefault: true }),
  maxDelay: defaulted(duration(0, short), 30_000, 'The longest pause.', { graphqlDefault: true }),
});

export const actionType = words(
  'WorkflowActionType',
  'What an action does.',
  Object.fromEntries(Object.entries(ACTIONS).map(([type, { about }]) => [type, about])) as Record<ActionType, string>,
);

/** One action of a workflow. */
export const workflowAction = object('WorkflowAction', 'One action of a workflow.', {
  name: required(name('the action'), 'Its name in the workflow.'),
  type: required(actionType, 'What it does.'),
  dependsOn: optional(list(text(), 'dependencies', { most: 100 }), 'The actions that must have succeeded before.'),
  parameters: defaulted(
    json({ field: 'type', shapes: ACTIONS }),
    {},
    'What the type needs; texts may hold `${NAME}` references to the parameters handed in, and a number or a length of time can be one.',
    { leftOut: '' },
  ),
  timeout: optional(
    duration(1),
    'How long a try of it may take; of `wait`, `approval`, `analysis` and `argoWorkflow`, all of it.',
  ),
  retry: optional(retry, 'How it is tried again; null: as steps are by default.', {
    aboutInput: 'How it is tried again; as steps are by default when left out.',
  }),
});

export const promotionWorkflow = object(
  'PromotionWorkflow',
  'Named actions, one after the other or side by side, run before, after or around a change.',
  {
    description: optional(description, DESCRIPTION),
    actions: required(
      list(workflowAction, 'actions', { most: 100, empty: 'a workflow needs at least one action' }),
      'The actions.',
    ),
  },
);
